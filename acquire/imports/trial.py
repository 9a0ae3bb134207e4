"""One trial's files as a recording, with what is known and not known of its clocks."""

from dataclasses import dataclass, field
from pathlib import Path

from acquire.dataset.arrays import US_SHAPE
from acquire.dataset.source_tree.names import N_PROBES
from acquire.imports.emg_files import labelled, read_emg
from acquire.imports.errors import SourceFileError
from acquire.imports.files import TrialFiles
from acquire.imports.nexus import NexusTrial, read_nexus
from acquire.imports.profile import ImportProfile
from acquire.imports.streams import echo_stream, emg_stream
from acquire.imports.ultrasound_text import (
    joined_probes,
    lost_frames,
    read_frames,
    suspicious,
)
from acquire.storage.labels import CALIBRATION_KINDS, slope_deg
from acquire.storage.recording import RecordedStream, Recording

SYNTHETIC = (
    "amode: the vendor's software may have filled lost frames with synthetic ones; the "
    "text does not mark them"
)


@dataclass(frozen=True, eq=False)
class ImportedTrial:
    """A recording made of files; `measures` are the body's, as the C3D file has them.

    `clocks` says per stream how it was put on the clock of the frames.
    """

    recording: Recording
    facing: str
    measures: dict[str, float]
    clocks: dict[str, str] = field(default_factory=dict)


def read_trial_files(
    files: TrialFiles, profile: ImportProfile, mode: str
) -> ImportedTrial:
    """Read all files of a trial; `mode` (LG_0, AS_5…) gives the deck's angle.

    Raises
    ------
    SourceFileError
        There is no C3D file, or one of the files is not as declared.
    """
    if files.c3d is None:
        names = ", ".join(path.name for path in files.all())
        raise SourceFileError(
            f"there is no C3D file beside {names}: it holds the clock of the trial"
        )
    walking = mode not in CALIBRATION_KINDS
    slope = slope_deg(mode) if walking else 0.0
    nexus = read_nexus(
        files.c3d, profile.vicon, slope, profile.facing, simulated=profile.simulated
    )
    streams, problems = list(nexus.streams), list(nexus.remarks)
    clocks = dict.fromkeys((stream.name for stream in streams), "the C3D file's own")
    if files.emg is not None:
        streams.append(_emg(files.emg, profile, nexus, problems))
    elif profile.emg is not None and walking:
        problems.append("there is no sEMG file")
    if files.ultrasound:
        streams.append(_echoes(files.ultrasound, profile, nexus, problems))
    elif profile.ultrasound is not None and walking:
        problems.append("there are no ultrasound files")
    shared = profile.vicon.sync is not None
    for stream in streams:
        if stream.name in ("semg", "amode"):
            both = shared and stream.trigger is not None
            clocks[stream.name] = "shared sync channel" if both else "start-aligned"
    path = Path(files.c3d.name)  # names what it is; nothing of that name is read
    recording = Recording(path, tuple(streams), problems=tuple(problems))
    return ImportedTrial(recording, nexus.facing, dict(nexus.measures), clocks)


def _emg(
    path: Path, profile: ImportProfile, nexus: NexusTrial, problems: list[str]
) -> RecordedStream:
    layout = profile.emg
    if layout is None:
        raise SourceFileError(f"{path.name}: the profile declares no sEMG files")
    table = read_emg(path, layout)
    if table.simulated is not None and table.simulated != profile.simulated:
        raise SourceFileError(
            f"{path.name} says simulated: {str(table.simulated).lower()}, the profile "
            "the opposite"
        )
    channels = {}
    for ours, theirs in labelled(table, layout):
        column = table.column(theirs, path.name)
        unit = layout.unit or table.units[column]
        if not unit:
            raise SourceFileError(
                f"{path.name}: no unit for {theirs}; declare emg.unit in the profile"
            )
        channels[ours] = (table.rows[:, column], unit)
    if not channels:
        raise SourceFileError(
            f"{path.name}: none of its channels is ours by name; map them under "
            f"emg.channels. It has {', '.join(table.names)}"
        )
    line = None
    if layout.sync is not None:
        line = table.rows[:, table.column(layout.sync, path.name)]
    left = len(table.names) - len(channels) - (line is not None)
    if left:
        problems.append(f"{path.name}: {left} channels left out, not in emg.channels")
    return emg_stream(
        channels,
        line,
        table.rate_hz,
        layout.start.first_s(nexus.rise_s, table.rate_hz),
        layout.start.half_width_s,
        simulated=profile.simulated,
    )


def _echoes(
    probes: dict[int, Path],
    profile: ImportProfile,
    nexus: NexusTrial,
    problems: list[str],
) -> RecordedStream:
    layout = profile.ultrasound
    if layout is None:
        raise SourceFileError("the profile declares no ultrasound files")
    missing = [k for k in range(1, N_PROBES + 1) if k not in probes]
    first = probes[min(probes)].name
    if missing:
        raise SourceFileError(
            f"{first}: there is no file of probe {', '.join(map(str, missing))} beside "
            f"it; {N_PROBES} are needed"
        )
    if layout.samples != US_SHAPE[1]:
        raise SourceFileError(
            f"ultrasound.samples is {layout.samples}; frames of {US_SHAPE[1]} are taken"
        )
    frames = [read_frames(probes[k], layout) for k in range(1, N_PROBES + 1)]
    lost = lost_frames(frames)
    echo, cut = joined_probes(frames, first)
    made_up = suspicious(echo) & ~lost
    if cut:
        problems.append(f"amode: probes differ by {cut} frames; cut to the shortest")
    if made_up.any():
        problems.append(
            f"amode: {int(made_up.sum())} frames are copies or means of their "
            "neighbours, so probably made up; flags marks them"
        )
    if layout.synthetic_frames == "possible":
        problems.append(SYNTHETIC)
    return echo_stream(
        echo,
        lost,
        made_up,
        layout.rate_hz,
        layout.start.first_s(nexus.rise_s, layout.rate_hz),
        layout.start.half_width_s,
        {"synthetic_frames": layout.synthetic_frames},
        simulated=profile.simulated,
    )
