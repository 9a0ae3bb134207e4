"""Align recordings in files: each alone, or all of a session together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acquire.align.alignment import Alignment, align
from acquire.align.evidence import TrialEvidence, evidence_of
from acquire.align.shared import shared_skews
from acquire.align.stream_clock import SharedSkew
from acquire.storage.reader import open_recording
from acquire.storage.recording import RecordedStream, Recording
from devices.stream import TriggerInput

_DERIVED = ".derived.h5"


@dataclass(frozen=True)
class AlignOptions:
    """What foreign recordings do not say of themselves.

    `reference` names the stream whose samples are the clock of all (default: Vicon's),
    `triggers` the channel of each stream that shows the trigger line. With `alone`
    every file is aligned by itself.
    """

    reference: str = ""
    triggers: Mapping[str, str] | None = None
    alone: bool = False


def recordings_in(paths: Sequence[Path]) -> list[Path]:
    """Return the recordings that files and folders lead to, each once.

    In folders that is every trial archive, and every XDF file without one.

    Raises
    ------
    FileNotFoundError
        A path is not there, or a folder has no recording.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there")
        inside = [path]
        if path.is_dir():
            archives = [p for p in path.rglob("*.h5") if not p.name.endswith(_DERIVED)]
            loose = [p for p in path.rglob("*.xdf*") if p.suffix in (".xdf", ".xdfz")]
            loose = [p for p in loose if p.with_suffix(".h5") not in archives]
            inside = sorted([*archives, *loose])
        if not inside:
            raise FileNotFoundError(f"{path} has no trial archive and no XDF file")
        found += inside
    return list(dict.fromkeys(found))


def align_files(
    paths: Sequence[Path], options: AlignOptions = AlignOptions()
) -> Iterator[tuple[Path, Alignment]]:
    """Yield the alignment of each file, in the order given; one is in memory at a time.

    Several files are taken for trials of one session: what their clocks share is found
    first, wherever nothing restarted in between.
    """
    skews: dict[str, Mapping[str, SharedSkew]] = {}
    if len(paths) > 1 and not options.alone:
        known = [_evidence(path, options) for path in paths]
        known.sort(key=lambda trial: np.nan_to_num(trial.first_stamp_s, nan=np.inf))
        found = shared_skews(known)
        skews = {t.name: found[k] for k, t in enumerate(known)}
    for path in paths:
        recording = _opened(path, options)
        yield (
            path,
            align(
                recording,
                reference_stream=options.reference,
                skews=skews.get(str(path), {}),
            ),
        )


def _evidence(path: Path, options: AlignOptions) -> TrialEvidence:
    recording = _opened(path, options)
    alone = align(recording, reference_stream=options.reference)
    return evidence_of(str(path), recording, alone)


def _opened(path: Path, options: AlignOptions) -> Recording:
    recording = open_recording(path)
    triggers = options.triggers or {}
    names = sorted({stream.name for stream in recording.streams})
    for name in triggers:
        if name not in names:
            raise ValueError(f"{path} has no stream {name!r}; it has {names}")
    streams = tuple(
        _with_trigger(stream, triggers[stream.name])
        if stream.name in triggers
        else stream
        for stream in recording.streams
    )
    return replace(recording, streams=streams)


def _with_trigger(stream: RecordedStream, channel: str) -> RecordedStream:
    if channel not in stream.labels:
        raise ValueError(
            f"{stream.name} has no channel {channel!r}; "
            f"it has {list(stream.labels)[:20]}"
        )
    return replace(stream, trigger=TriggerInput(channel, "analog"))
