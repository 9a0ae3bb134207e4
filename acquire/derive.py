"""From a trial archive to what follows from it: clocks, times, gait, quality."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from acquire.align import Alignment, SharedSkew, align
from acquire.dataset.arrays import marker_positions
from acquire.derived_groups import (
    clock_group,
    edge_group,
    gait_group,
    interval_group,
    model_parameters,
    nexus_parameters,
    time_group,
)
from acquire.gait.baselines import (
    Baseline,
    BaselineError,
    fitting,
    measure_baseline,
)
from acquire.gait.cycles import StrideRules
from acquire.gait.model_trial import ModelOutputs, model_trial
from acquire.gait.plate_checks import analyse_checked
from acquire.gait.plates import Deck
from acquire.gait.processing import Processing
from acquire.gait.survey import DeckSettings, deck_settings, surveyed_plates
from acquire.gait.trial import STRIDE_RULES, GaitInput, GaitResult
from acquire.model_basis import ModelBasis, baselines_of, basis_inputs, basis_of
from acquire.nexus_folder import NEXUS
from acquire.nexus_outputs import nexus_outputs
from acquire.processing import processing_of
from acquire.session_clocks import SessionClocks
from acquire.storage import labels
from acquire.storage.derived_file import Group, write_derived
from acquire.storage.provenance import sha256
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.stream_header import parse_header
from acquire.storage.trial_file import read_provenance, read_trial

log = logging.getLogger("kinemuse.derive")

Floats = NDArray[np.float64]
SPEED_BAND_MPS = 0.05  #: belts within this of their usual speed walk steadily


@dataclass(frozen=True, eq=False)
class TrialFacts:
    """A recording with its clocks: what every later step starts from.

    `t0_s` is trial time 0 on the reference clock and `duration_s` the time from there
    to the fall of the line, or to the last frame where the line was not seen.
    """

    recording: Recording
    alignment: Alignment
    t0_s: float
    duration_s: float
    remarks: tuple[str, ...] = ()

    def time_s(self, name: str) -> Floats:
        """Return the trial time of every row of one stream."""
        return np.asarray(self.alignment.streams[name].time_s - self.t0_s)


def derive(
    trial_path: Path,
    session: SessionClocks | None = None,
    nexus: Path | None = None,
) -> Path:
    """Compute what follows from a trial archive; return ``….derived.h5`` beside it.

    With `session`, clocks rest on what its other trials know of them, too, and the
    file names those as inputs; without, as right after recording, on this trial alone.
    With `nexus`, a C3D file, the outputs of the gait model are taken from there.
    The result replaces an earlier one. Poor data make remarks and statuses, not
    errors: a trial without plates has no gait, but its clocks.
    """
    recording = read_trial(trial_path)
    facts = place(recording, session.skews(trial_path) if session else None)
    deck = deck_settings(_rig(trial_path))
    basis = basis_of(trial_path, static_markers)
    mass_kg = basis.measures.mass_kg if basis.measures else None
    baselines = baselines_of(trial_path, unloaded_baseline)
    processing = processing_of(_rig(trial_path), trial_path)
    rules = StrideRules(crossovers=processing.keep_crossovers)
    gait = gait_of(facts, deck, baselines, mass_kg, rules)
    if nexus is None:
        model = model_of(facts, gait, basis, processing)
        parameters = model_parameters(model, basis, processing)
    else:
        markers, at = joined_markers(facts)
        rate_hz = marker_rate_hz(recording)
        placed = nexus_outputs(nexus, markers, at, rate_hz, facts.duration_s)
        model, parameters = placed.model, nexus_parameters(placed, sha256(nexus))
    groups = {
        "clock": Group(
            groups={
                name: clock_group(clock)
                for name, clock in facts.alignment.streams.items()
            }
        ),
        "time": time_group(facts.alignment, facts.t0_s),
        "interval": interval_group(facts.alignment),
        "edges": edge_group(facts.alignment, facts.t0_s),
        "gait": gait_group(gait, model, parameters),
        "quality": quality_group(facts),
    }
    attributes: dict[str, str | int | float | bool] = {
        "reference": facts.alignment.reference,
        "status": facts.alignment.status,
        "reasons": "; ".join((*facts.alignment.reasons, *facts.remarks)),
        "t0_s": facts.t0_s,
        "rise_s": facts.alignment.rise_s,
        "fall_s": facts.alignment.fall_s,
        "duration_s": facts.duration_s,
        "simulated": any(stream.simulated for stream in recording.streams),
    }
    out = trial_path.with_name(trial_path.name.removesuffix(".h5") + ".derived.h5")
    inputs = derived_inputs(trial_path, session, basis.inputs, nexus)
    write_derived(out, groups, inputs, attributes)
    log.info("%s: clocks %s", out.name, facts.alignment.status)
    return out


def derived_inputs(
    trial_path: Path,
    session: SessionClocks | None = None,
    basis: Mapping[str, str] | None = None,
    nexus: Path | None = None,
) -> dict[str, str]:
    """Return the hashes of everything a derived file is made from, by name."""
    return {
        **({f"{NEXUS}{nexus.name}": sha256(nexus)} if nexus else {}),
        **(session.inputs(trial_path) if session else {}),
        **(basis_inputs(trial_path) if basis is None else basis),
        trial_path.name: sha256(trial_path),
    }


def place(
    recording: Recording, skews: Mapping[str, SharedSkew] | None = None
) -> TrialFacts:
    """Align a recording and say where its trial begins and how long it is.

    `skews` are what other trials of the session know of its clocks, by stream.
    """
    alignment = align(recording, skews=skews)
    remarks: list[str] = []
    known = [
        clock.time_s[np.isfinite(clock.time_s)]
        for name, clock in alignment.streams.items()
        if name.startswith(("vicon-markers", "vicon-forces"))
    ]
    reached = np.concatenate([*known, np.empty(0)])
    t0, end = alignment.t0_s, alignment.fall_s
    if not np.isfinite(t0):
        t0 = float(reached.min()) if reached.size else 0.0
        remarks.append("no rise of the line: trial time 0 is the first frame")
    if not np.isfinite(end) or end <= t0:
        end = float(reached.max()) if reached.size else t0
        remarks.append("no fall of the line: the trial ends with the last frame")
    return TrialFacts(recording, alignment, t0, max(end - t0, 0.0), tuple(remarks))


def named(recording: Recording, name: str) -> Iterator[tuple[str, RecordedStream]]:
    """Yield every generation of a stream with its name in the alignment."""
    seen: set[str] = set()
    for stream in recording.streams:
        key = stream.name
        if key in seen:
            key = f"{key}:{stream.generation or len(seen)}"
        seen.add(key)
        if stream.name == name:
            yield key, stream


def gait_of(
    facts: TrialFacts,
    deck: DeckSettings | None,
    baselines: tuple[Sequence[Baseline], Sequence[str]] = ((), ()),
    mass_kg: float | None = None,
    stride_rules: StrideRules = STRIDE_RULES,
) -> GaitResult:
    """Find the gait of a placed trial, at trial times.

    `baselines` are those of the session, and why others are none; the one of the
    trial's angle and facing is used. `mass_kg` is that of the person.
    """
    known, refused = baselines
    remarks: list[str] = [*refused]
    recording = facts.recording
    markers, marker_time_s = joined_markers(facts)
    if "vicon-forces" in recording:
        stream = recording["vicon-forces"]
        time_s = facts.time_s("vicon-forces")
        surveyed = surveyed_plates(
            parse_header(stream.header_xml).metadata, stream.labels
        )
        grid_s, loads = _even(stream, time_s, [s.columns for s in surveyed])
        rate = stream.rate_hz
    else:
        remarks.append("the recording has no stream vicon-forces")
        surveyed, grid_s, loads, rate = [], np.empty(0), [], 1000.0
    incline = incline_at(facts, grid_s)
    turned = max(
        (np.ptp([*incline, s.plate.pose_incline_deg]) for s in surveyed if grid_s.size),
        default=0.0,
    )
    if deck is None and turned > 0.5:
        remarks.append(
            "the rig names no pivot of the deck: plates are turned about the origin"
        )
    settings = deck or DeckSettings()
    during = incline[(grid_s >= 0) & (grid_s <= facts.duration_s)]
    baseline = None
    if during.size:
        facing = str(recording.attributes.get("facing", "forward"))
        baseline, others = fitting(known, float(np.median(during)), facing)
        remarks += others
    found = analyse_checked(
        GaitInput(
            plates=[s.plate for s in surveyed],
            loads=loads,
            force_time_s=grid_s,
            force_rate_hz=rate,
            markers_m=markers,
            marker_time_s=marker_time_s,
            marker_rate_hz=marker_rate_hz(recording),
            deck=Deck(incline, np.array(settings.pivot_m), settings.plates_follow_deck),
            steady_s=steady_span(facts),
            baseline=baseline,
            mass_kg=mass_kg,
        ),
        stride_rules,
    )
    return GaitResult(
        **{**vars(found), "remarks": (*remarks, *found.remarks)},
    )


def static_markers(path: Path) -> dict[str, Floats]:
    """Return the markers of a static trial (n, 3), from trial time 0 to its end."""
    facts = place(read_trial(path))
    markers, at = joined_markers(facts)
    inside = (at >= 0) & (at <= facts.duration_s)
    return {name: rows[inside] for name, rows in markers.items()}


def unloaded_baseline(path: Path) -> Baseline:
    """Return what the plates read in a trial in which nobody stands on them.

    Raises
    ------
    BaselineError
        Somebody does, the deck moves or its angle is not known, or there are no plates.
    """
    return _baseline(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)  # each trial of a session asks for the same few
def _baseline(path: Path, _: int) -> Baseline:
    facts = place(read_trial(path))
    recording = facts.recording
    if "vicon-forces" not in recording:
        raise BaselineError(f"{path.name}: the recording has no stream vicon-forces")
    stream = recording["vicon-forces"]
    surveyed = surveyed_plates(parse_header(stream.header_xml).metadata, stream.labels)
    at, loads = _even(
        stream, facts.time_s("vicon-forces"), [s.columns for s in surveyed]
    )
    inside = (at >= 0) & (at <= facts.duration_s)
    fixed = "treadmill" not in recording and _rig(path).get("treadmill") is not None
    incline = np.full(at.shape, np.nan) if fixed else incline_at(facts, at)
    return measure_baseline(
        path.name,
        {s.plate.name: load[inside] for s, load in zip(surveyed, loads, strict=True)},
        incline[inside],
        str(recording.attributes.get("facing", "forward")),
        stream.rate_hz,
    )


def model_of(
    facts: TrialFacts, gait: GaitResult, basis: ModelBasis, processing: Processing
) -> ModelOutputs:
    """Return the gait model's outputs; without a basis none, and why."""
    if basis.measures is None or basis.calibration is None:
        return ModelOutputs(np.empty(0), remarks=basis.remarks)
    markers, at = joined_markers(facts)
    rate_hz = (
        facts.recording["vicon-forces"].rate_hz
        if "vicon-forces" in facts.recording
        else 1000.0
    )
    return model_trial(
        markers,
        at,
        gait,
        rate_hz,
        basis.measures,
        basis.calibration,
        marker_rate_hz=marker_rate_hz(facts.recording),
        processing=processing,
    )


def joined_markers(facts: TrialFacts) -> tuple[dict[str, Floats], Floats]:
    """Return marker positions of all generations together, by label, and their times.

    Shape (n, 3) each, NaN where a marker was not part of the set.
    """
    parts = [
        (facts.time_s(key), marker_positions(stream))
        for key, stream in named(facts.recording, "vicon-markers")
    ]
    times = np.concatenate([np.empty(0), *(t for t, _ in parts)])
    known = np.flatnonzero(np.isfinite(times))
    order = known[np.argsort(times[known], kind="stable")]
    names = list(dict.fromkeys(name for _, found in parts for name in found))
    joined: dict[str, Floats] = {}
    for name in names:
        rows = [found.get(name, np.full((t.size, 3), np.nan)) for t, found in parts]
        joined[name] = np.concatenate(rows)[order]
    return joined, times[order]


def marker_rate_hz(recording: Recording) -> float:
    """Return the frames per second of the markers, 100 where there are none."""
    rates = [s.rate_hz for s in recording.streams if s.name == "vicon-markers"]
    return rates[0] if rates else 100.0


class Placed(Protocol):
    """A recording whose rows have trial times."""

    @property
    def recording(self) -> Recording: ...
    def time_s(self, name: str) -> Floats: ...


def incline_at(facts: Placed, time_s: Floats) -> Floats:
    """Return the deck's angle at trial times (n,): reported, else the trial's slope."""
    recording = facts.recording
    if "treadmill" in recording:
        stream, at = recording["treadmill"], facts.time_s("treadmill")
        angle = stream.column("incline_deg").astype(np.float64)
        known = np.isfinite(at) & np.isfinite(angle)
        if known.any():
            return np.asarray(np.interp(time_s, at[known], angle[known]))
    mode = str(recording.attributes.get("mode", "LG_0"))
    slope = labels.slope_deg(mode) if mode.startswith(("LG", "AS", "DS")) else 0.0
    if recording.attributes.get("facing") == "reversed":
        slope = -slope
    return np.full(time_s.shape, slope)


def steady_span(facts: TrialFacts) -> tuple[float, float]:
    """Return the longest span (trial time) in which both belts keep their speed."""
    if "treadmill" not in facts.recording:
        return -np.inf, np.inf
    stream, at = facts.recording["treadmill"], facts.time_s("treadmill")
    inside = np.flatnonzero(np.isfinite(at))
    if inside.size < 2:
        return -np.inf, np.inf
    steady = np.ones(inside.size, dtype=bool)
    during = (at[inside] >= 0) & (at[inside] <= facts.duration_s)
    for name in ("left_mps", "right_mps"):
        speed = stream.column(name).astype(np.float64)[inside]
        usual = np.median(speed[during]) if during.any() else np.median(speed)
        steady &= np.abs(speed - usual) <= SPEED_BAND_MPS
    steps = np.flatnonzero(np.diff(np.concatenate([[False], steady, [False]])))
    spans = [(at[inside[a]], at[inside[b - 1]]) for a, b in steps.reshape(-1, 2)]
    first, last = max(spans, key=lambda span: span[1] - span[0], default=(0.0, 0.0))
    return float(first), float(last)


def quality_group(facts: TrialFacts) -> Group:
    """Return what is missing or odd, stream by stream and marker by marker."""
    groups: dict[str, Group] = {}
    markers, at = joined_markers(facts)
    inside = (at >= 0) & (at <= facts.duration_s)
    if markers:
        names = np.array(list(markers), dtype=object)
        hidden = [float(np.isnan(m[inside, 0]).mean()) for m in markers.values()]
        groups["markers"] = Group({"label": names, "occluded_share": np.array(hidden)})
    if "semg" in facts.recording:
        stream, at = facts.recording["semg"], facts.time_s("semg")
        inside = (at >= 0) & (at <= facts.duration_s)
        muscles = [label for label in stream.labels if label[:2] in ("R_", "L_")]
        rows = np.stack([stream.column(m)[inside] for m in muscles], axis=1)
        groups["semg"] = Group(
            {
                "label": np.array(muscles, dtype=object),
                "rms_uv": np.sqrt(np.mean(np.square(rows, dtype=np.float64), axis=0)),
                "peak_uv": np.abs(rows).max(axis=0, initial=0.0).astype(np.float64),
            },
            units={"rms_uv": "uV", "peak_uv": "uV"},
        )
    lost = {
        f"{name} lost".replace(" ", "_"): int(clock.n_lost)
        for name, clock in facts.alignment.streams.items()
    }
    return Group(attributes={**lost}, groups=groups)


def _even(
    stream: RecordedStream, time_s: Floats, columns: list[tuple[int, ...]]
) -> tuple[Floats, list[Floats]]:
    """Put force samples on an even grid of times, NaN where samples are missing."""
    known = np.isfinite(time_s)
    if not known.any():
        return np.empty(0), [np.empty((0, 6)) for _ in columns]
    times = time_s[known]
    slot = np.round((times - times[0]) * stream.rate_hz).astype(int)
    inside = slot >= 0
    grid_s = times[0] + np.arange(slot.max() + 1) / stream.rate_hz
    loads = []
    for which in columns:
        load = np.full((grid_s.size, 6), np.nan)
        rows = stream.data[known][:, list(which)]
        load[slot[inside]] = rows[inside]
        loads.append(load)
    return grid_s, loads


def _rig(trial_path: Path) -> Mapping[str, Any]:
    """Return the rig of the session as the archive holds it, as plain data."""
    text = read_provenance(trial_path).get("rig", "")
    found = yaml.safe_load(text) if text else None
    return found if isinstance(found, Mapping) else {}
