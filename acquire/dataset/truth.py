"""How far the results are from what the virtual lab knows to be true.

The only module that opens the lab's truth file, and the last step of a demonstration:
without the file everything else comes out the same, and this table is missing.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.trial_source import up_to_date
from acquire.dataset.truth_rows import ClockError, LossError, StrikeError, promised_ms
from acquire.gait.feet import SIDES
from acquire.session_clocks import SessionClocks
from acquire.storage.derived_file import Derived, read_derived_attributes
from acquire.storage.layout import TrialKey, find_archives
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.trial_file import read_trial
from acquire.stored_gait import stored_gait

Floats = NDArray[np.float64]
REFERENCE = "vicon-markers"
Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]


class TruthError(ValueError):
    """The truth file is no such file, or says nothing about these recordings."""


@dataclass(frozen=True, slots=True)
class TruthClock:
    """From here on, sample c is taken at t0 + (c - counter0)·period, world seconds."""

    t0_s: float
    period_s: float
    counter0: float


@dataclass(frozen=True, slots=True)
class TruthLoss:
    """Samples that were never sent, under the clock that held then.

    Where `counted`, the device numbered them: `counter` is the first lost one's. Where
    not, numbering went on without them, and `counter` is that of the next one sent.
    """

    clock: int  #: which of the stream's clocks, in order
    counter: int
    n: int
    counted: bool


@dataclass(frozen=True)
class Truth:
    """What the lab wrote down; times in world seconds."""

    epoch_host_s: float
    lag_s: float
    clocks: dict[str, list[TruthClock]] = field(default_factory=dict)
    lost: dict[str, list[TruthLoss]] = field(default_factory=dict)
    strikes: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """Every trial's clocks, losses and strikes beside the truth."""

    clocks: list[ClockError]
    losses: list[LossError]
    strikes: list[StrikeError]

    @property
    def ok(self) -> bool:
        """Whether everything is within what is promised."""
        good = [row.ok for row in self.clocks]
        good += [row.ok for row in self.losses]
        good += [row.ok for row in self.strikes]
        return bool(self.clocks) and all(good)

    def tables(self) -> list[Table]:
        """Return title, columns and rows of each table."""
        return [
            ("Clocks against the truth", ClockError.COLUMNS, _cells(self.clocks)),
            ("Lost samples against the truth", LossError.COLUMNS, _cells(self.losses)),
            (
                "Heel strikes against the truth",
                StrikeError.COLUMNS,
                _cells(self.strikes),
            ),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON-able values."""
        return {
            "ok": self.ok,
            "clocks": [row.to_json() for row in self.clocks],
            "losses": [row.to_json() for row in self.losses],
            "strikes": [row.to_json() for row in self.strikes],
        }


def read_truth(path: Path) -> Truth:
    """Read a truth file; lines cut off by a crash are passed over."""
    lab: dict[str, Any] = {}
    clocks: dict[str, list[TruthClock]] = defaultdict(list)
    lost: dict[str, list[TruthLoss]] = defaultdict(list)
    strikes: dict[str, list[float]] = {side: [] for side in SIDES}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        kind = record.get("kind")
        if kind == "lab":
            lab = record
        elif kind == "clock":
            clocks[record["stream"]].append(
                TruthClock(record["t0_s"], record["period_s"], record["counter0"])
            )
        elif kind == "lost":
            lost[record["stream"]].append(
                TruthLoss(
                    max(len(clocks[record["stream"]]) - 1, 0),
                    int(record["counter"]),
                    int(record["n"]),
                    bool(record.get("counted", True)),
                )
            )
        elif kind == "event" and record["event"] == "strike":
            strikes[record["side"]].append(float(record["t_s"]))
    if "epoch_host_s" not in lab:
        raise TruthError(f"{path} has no record of kind lab: not a lab's truth file")
    return Truth(
        float(lab["epoch_host_s"]),
        float(lab.get("lag_s", 0.0)),
        dict(clocks),
        dict(lost),
        {side: np.sort(np.array(found)) for side, found in strikes.items()},
    )


def compare_with_truth(dataset: Path, participant: str, truth: Path) -> Comparison:
    """Compare every archived trial of a participant with the truth file.

    Raises
    ------
    TruthError
        The file is not there or not a truth file, or there is no trial.
    """
    if not truth.is_file():
        raise TruthError(f"there is no truth file {truth}")
    known = read_truth(truth)
    archives = find_archives(dataset, participant)
    if not archives:
        raise TruthError(f"{dataset} has no archived trial of {participant}")
    result = Comparison([], [], [])
    session = SessionClocks()
    for key, path in archives.items():
        derived, _ = up_to_date(path, session)
        _compare(known, key, path, derived, result)
    return result


def _compare(
    truth: Truth, key: TrialKey, path: Path, derived: Derived, result: Comparison
) -> None:
    recording = read_trial(path)
    place = " ".join(part for part in (key.mode, key.speed) if part)
    name = f"{place} {key.trial}.{key.take}"
    if REFERENCE not in recording or REFERENCE not in truth.clocks:
        return
    world = {
        stream.name: true_times(truth, stream)
        for stream in recording.streams
        if stream.name in truth.clocks and stream.data.shape[0]
    }
    frames_s = derived["time"].arrays[REFERENCE]
    waveforms = {stream.waveform for stream in recording.streams if stream.trigger}
    waveform = waveforms.pop() if len(waveforms) == 1 else "unknown"
    for stream_name, true_s in world.items():
        found_s = to_world(
            derived["time"].arrays[stream_name], frames_s, world[REFERENCE]
        )
        width_s = derived["interval"].arrays[stream_name]
        clock = derived["clock"].groups[stream_name].attributes
        result.clocks.append(
            ClockError.of(
                name,
                stream_name,
                str(clock["status"]),
                found_s - true_s,
                width_s,
                promised_ms(recording[stream_name].rate_hz, waveform),
            )
        )
        result.losses.append(_losses(truth, name, recording, stream_name, derived))
    attributes = read_derived_attributes(derived.path)
    span = to_world(
        np.array([0.0, float(attributes["duration_s"])]), frames_s, world[REFERENCE]
    )
    for side in SIDES:
        found = [
            event.time_s
            for event in stored_gait(derived).events
            if event.side == side and event.kind == "strike"
        ]
        at = to_world(np.array(found), frames_s, world[REFERENCE])
        known = truth.strikes.get(side, np.empty(0))
        strikes = StrikeError.of(name, side, at, known, span)
        if strikes.true or strikes.found:  # nobody walks in a calibration
            result.strikes.append(strikes)


def true_times(truth: Truth, stream: RecordedStream) -> Floats:
    """Return the true world time of every row, shape (n,).

    Among the clocks that held for the stream (one per start of its numbering) and the
    turns of its counter, that one is taken which the row's stamp is nearest to.
    """
    counter = stream.column(stream.counter.channel).astype(np.float64)
    modulus = float(stream.counter.modulus)
    roughly = stream.t_lsl - truth.epoch_host_s - truth.lag_s
    best, gap = np.full(counter.size, np.nan), np.full(counter.size, np.inf)
    lost = truth.lost.get(stream.name, [])
    for k, clock in enumerate(truth.clocks[stream.name]):
        near = (roughly - clock.t0_s) / clock.period_s + clock.counter0
        unwrapped = counter + modulus * np.round((near - counter) / modulus)
        sampled = unwrapped.copy()
        for loss in lost:
            if loss.clock == k and not loss.counted:
                sampled[unwrapped >= loss.counter] += loss.n
        at = clock.t0_s + (sampled - clock.counter0) * clock.period_s
        nearer = np.abs(at - roughly) < gap
        best[nearer], gap[nearer] = at[nearer], np.abs(at - roughly)[nearer]
    return best


def loss_times(truth: Truth, name: str) -> list[tuple[float, int]]:
    """Return the world time and the number of samples of every loss of a stream."""
    found = []
    for k, clock in enumerate(truth.clocks[name]):
        silent = 0
        for loss in (one for one in truth.lost.get(name, []) if one.clock == k):
            sampled = loss.counter + silent
            silent += 0 if loss.counted else loss.n
            at = clock.t0_s + (sampled - clock.counter0) * clock.period_s
            found.append((at, loss.n))
    return found


def to_world(time_s: Floats, frames_s: Floats, world_s: Floats) -> Floats:
    """Take trial times to world time along the true times of the Vicon frames.

    Linear between frames; a line through the first and last of them beyond.
    """
    known = np.isfinite(frames_s) & np.isfinite(world_s)
    x, y = frames_s[known], world_s[known]
    if x.size < 2 or not np.asarray(time_s).size:
        return np.full(np.shape(time_s), np.nan)
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    at = np.interp(time_s, x, y)
    at = np.where(time_s < x[0], y[0] + slope * (time_s - x[0]), at)
    return np.asarray(np.where(time_s > x[-1], y[-1] + slope * (time_s - x[-1]), at))


def _losses(
    truth: Truth, trial: str, recording: Recording, name: str, derived: Derived
) -> LossError:
    """Compare the losses within the rows of a recording with those found."""
    stream = recording[name]
    true_s = true_times(truth, stream)
    first, last = float(np.nanmin(true_s)), float(np.nanmax(true_s))
    n_true = sum(n for at, n in loss_times(truth, name) if first < at < last)
    gaps = derived[f"clock/{name}/gaps"].arrays
    inferred = gaps["kind"] == "inferred"
    return LossError(
        trial,
        name,
        n_true,
        int(gaps["n"][~inferred].sum()),
        int(gaps["n"][inferred].sum()),
        int(gaps["n_half_width"][inferred].sum()),
    )


def _cells(rows: Sequence[ClockError | LossError | StrikeError]) -> list[list[object]]:
    return [row.cells() for row in rows]
