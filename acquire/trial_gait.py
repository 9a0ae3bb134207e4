"""The gait of one recorded trial, and of the calibrations it rests on."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquire.gait.baselines import (
    SAME_ANGLE_DEG,
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
from acquire.gait.survey import DeckSettings, surveyed_plates
from acquire.gait.trial import STRIDE_RULES, GaitInput, GaitResult
from acquire.model_basis import ModelBasis
from acquire.placed import (
    TrialFacts,
    even_loads,
    incline_at,
    joined_markers,
    marker_rate_hz,
    place,
    rig_of,
    steady_span,
)
from acquire.storage.stream_header import parse_header
from acquire.storage.trial_file import read_trial

Floats = NDArray[np.float64]


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
        grid_s, loads = even_loads(stream, time_s, [s.columns for s in surveyed])
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
        if settings.plates_follow_deck and np.ptp(during) > SAME_ANGLE_DEG:
            remarks.append(
                f"the deck moves by {np.ptp(during):.1f}° during the trial; the zero "
                "of the plates is that of one angle"
            )
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
    return dict(_static_markers(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=8)  # each trial of a session asks for the same one
def _static_markers(path: Path, _: int) -> dict[str, Floats]:
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
    at, loads = even_loads(
        stream, facts.time_s("vicon-forces"), [s.columns for s in surveyed]
    )
    inside = (at >= 0) & (at <= facts.duration_s)
    fixed = "treadmill" not in recording and rig_of(path).get("treadmill") is not None
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
