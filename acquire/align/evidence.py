"""What one aligned trial tells about the clocks of its session; no samples."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

import sync
from acquire.align.alignment import Alignment
from acquire.align.stream_clock import StreamClock
from acquire.storage.recording import RecordedStream, Recording


@dataclass(frozen=True)
class Stretch:
    """A run of a clock: at its middle `x_s` (count over rate), its offset and skew.

    `offset_s` is the reference less `x_s`, known to ± `half_width_s`; `low` and `high`
    bound the skew (no unit).
    """

    x_s: float
    offset_s: float
    half_width_s: float
    low: float
    high: float


@dataclass(frozen=True)
class ClockEvidence:
    """One stream of one trial: how it counts, where it was, what its edges allow."""

    rate_hz: float
    counter: str
    modulus: int
    n_rows: int
    first_index: float
    last_index: float
    first_stamp_s: float
    last_stamp_s: float
    stretches: tuple[Stretch, ...] = ()
    steps: int = 0
    restarts: bool = False


@dataclass(frozen=True)
class TrialEvidence:
    """The clocks of one trial, by stream."""

    name: str
    reference: str
    clocks: Mapping[str, ClockEvidence]

    @property
    def first_stamp_s(self) -> float:
        """LSL time at which the trial begins; NaN of one without rows."""
        stamps = [clock.first_stamp_s for clock in self.clocks.values()]
        return min((s for s in stamps if np.isfinite(s)), default=float("nan"))


def evidence_of(name: str, recording: Recording, alignment: Alignment) -> TrialEvidence:
    """Return what a trial, aligned by itself, tells the others of its session."""
    clocks = {}
    for source in recording.streams:
        clock = alignment.streams.get(source.name)
        if source.name not in clocks and clock is not None and clock.index.size:
            clocks[source.name] = _evidence(source, clock)
    return TrialEvidence(name, alignment.reference, clocks)


def _evidence(source: RecordedStream, clock: StreamClock) -> ClockEvidence:
    stamps = sync.apply_offsets(source.t_lsl, source.offsets)
    fit = clock.fit
    stretches = []
    for run in fit.runs if fit.method == "edges" else ():
        skews = sync.skew_range(run)
        if skews is None or run.n_matched == 0:
            continue
        x = np.array([0.5 * (run.first + run.last) / run.rate_hz])
        offset = float(run.clock.offset_s(x)[0])
        width = float(run.clock.half_width_s(x)[0])
        stretches.append(Stretch(float(x[0]), offset, width, *skews))
    return ClockEvidence(
        rate_hz=source.rate_hz,
        counter=source.counter.source,
        modulus=source.counter.modulus,
        n_rows=int(clock.index.size),
        first_index=float(clock.index[0]),
        last_index=float(clock.index[-1]),
        first_stamp_s=float(stamps[0]),
        last_stamp_s=float(stamps[-1]),
        stretches=tuple(stretches),
        steps=len(fit.steps),
        restarts=len(fit.runs) > len(fit.steps) + 1,
    )
