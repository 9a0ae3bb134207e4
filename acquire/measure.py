"""What a recording shows of the instruments themselves: pace, latency, treadmill.

The first day in a laboratory is for numbers that no manual gives. Nothing here judges;
it says what was seen, for the rig file and for whoever sets the limits.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.align import Alignment, align
from acquire.quality.force import plates
from acquire.storage.recording import RecordedStream, Recording

TREADMILL, FORCES = "treadmill", "vicon-forces"
STANDARD_GRAVITY = 9.80665
WINDOW_S = 0.5  #: over which a speed of change is taken
DECK_MOVES_DPS = 0.1  #: slower is noise
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pace:
    """How the samples of a stream come, by their stamps; None where it cannot be told.

    `later_ms` is how much later than the reference stream's a sample of the same
    instant is stamped: transport and buffering that `latency_s` has not accounted for.
    Only edges of the trigger line tell it.
    """

    stream: str
    n_samples: int
    rate_hz: float | None
    longest_gap_ms: float | None
    later_ms: float | None = None
    later_p99_ms: float | None = None


@dataclass(frozen=True)
class TreadmillSeen:
    """What status packets say of the mill; None where nothing of the kind happened."""

    status_hz: float
    longest_silence_s: float
    fastest_mps: float
    belt_accel_mps2: float | None
    belt_noise_mps: float | None  #: standard deviation at a steady speed
    deck_low_deg: float
    deck_high_deg: float
    deck_dps: float | None  #: median while it moves
    deck_noise_deg: float | None  #: standard deviation while it stands


@dataclass(frozen=True)
class PlateSeen:
    """What a force plate says of what stands on it, N: median and noise of Fz."""

    plate: str
    fz_n: float
    noise_n: float | None


@dataclass(frozen=True)
class Measured:
    """Everything, for a table and for JSON."""

    reference: str
    streams: tuple[Pace, ...]
    plates: tuple[PlateSeen, ...]
    treadmill: TreadmillSeen | None

    @property
    def load_kg(self) -> float:
        """What all plates carry together, as a mass at rest."""
        return abs(sum(plate.fz_n for plate in self.plates)) / STANDARD_GRAVITY

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "load_kg": self.load_kg if self.plates else None}


def measure(recording: Recording) -> Measured:
    """Measure every stream of numbers; the treadmill by what it reported."""
    alignment = align(recording)
    streams = [
        stream
        for stream in recording.streams
        if stream.dtype != "string"
        and len(stream.t_lsl) > 1
        and not stream.name.startswith("kinemuse-")
    ]
    found = [stream for stream in streams if stream.name == TREADMILL]
    forces = [stream for stream in streams if stream.name == FORCES]
    return Measured(
        alignment.reference,
        tuple(_pace(stream, recording, alignment) for stream in streams),
        plates_seen(forces[0]) if forces else (),
        treadmill_seen(found[0]) if found else None,
    )


def plates_seen(stream: RecordedStream) -> tuple[PlateSeen, ...]:
    """Measure the load on every plate, by its own axes and gain."""
    seen = []
    for name, (_, _, label) in plates(stream.labels).items():
        fz = stream.column(label).astype(np.float64)
        fz = fz[np.isfinite(fz)]
        if fz.size:
            noise = _noise(fz, np.ones(fz.size, bool))
            seen.append(PlateSeen(name, float(np.median(fz)), noise))
    return tuple(seen)


def treadmill_seen(stream: RecordedStream) -> TreadmillSeen:
    """Measure belts and deck from readback alone."""
    t_s = stream.t_lsl
    left = stream.column("left_mps").astype(np.float64)
    right = stream.column("right_mps").astype(np.float64)
    deck = stream.column("incline_deg").astype(np.float64)
    change = np.fmax(np.abs(slopes(t_s, left)), np.abs(slopes(t_s, right)))
    tilt = np.abs(slopes(t_s, deck))
    runs = np.fmax(np.abs(left), np.abs(right)) > 0.1
    return TreadmillSeen(
        status_hz=float((t_s.size - 1) / (t_s[-1] - t_s[0])),
        longest_silence_s=float(np.diff(t_s).max()),
        fastest_mps=float(max(np.abs(left).max(), np.abs(right).max())),
        belt_accel_mps2=_most(change[runs]),
        belt_noise_mps=_noise(left, runs & (change < 0.02)),
        deck_low_deg=float(deck.min()),
        deck_high_deg=float(deck.max()),
        deck_dps=_median(tilt[tilt > DECK_MOVES_DPS]),
        deck_noise_deg=_noise(deck, tilt < DECK_MOVES_DPS / 5),
    )


def slopes(t_s: Array, values: Array) -> Array:
    """Return the change per second around each sample, over `WINDOW_S`; shape (n,)."""
    after = np.interp(t_s + WINDOW_S / 2, t_s, values)
    before = np.interp(t_s - WINDOW_S / 2, t_s, values)
    first, last = t_s[0], t_s[-1]
    span_s = np.minimum(t_s + WINDOW_S / 2, last) - np.maximum(
        t_s - WINDOW_S / 2, first
    )
    whole = span_s > 0.9 * WINDOW_S
    return np.where(whole, (after - before) / np.where(whole, span_s, 1.0), 0.0)


def _pace(stream: RecordedStream, recording: Recording, alignment: Alignment) -> Pace:
    t_s = np.sort(stream.t_lsl)
    span_s = float(t_s[-1] - t_s[0])
    later = _later_s(stream, recording, alignment)
    return Pace(
        stream=stream.name,
        n_samples=int(t_s.size),
        rate_hz=(t_s.size - 1) / span_s if span_s > 0 else None,
        longest_gap_ms=1e3 * float(np.diff(t_s).max()),
        later_ms=None if later is None else 1e3 * float(np.median(later)),
        later_p99_ms=None if later is None else 1e3 * float(np.quantile(later, 0.99)),
    )


def _later_s(
    stream: RecordedStream, recording: Recording, alignment: Alignment
) -> Array | None:
    """Compare stamps of one instant; None without edges or without a reference."""
    clock = alignment.streams.get(stream.name)
    against = alignment.streams.get(alignment.reference)
    if clock is None or against is None or stream.name == alignment.reference:
        return None
    if (
        clock.fit.method not in ("edges", "exact")
        or alignment.reference not in recording
    ):
        return None
    reference = recording[alignment.reference]
    usable = np.isfinite(against.time_s)
    known = np.isfinite(clock.time_s)
    if not usable.any() or not known.any():
        return None
    expected = np.interp(
        clock.time_s,
        against.time_s[usable],
        _on_this_computer(reference)[usable],
        left=np.nan,
        right=np.nan,
    )
    later = (_on_this_computer(stream) - expected)[known]
    later = later[np.isfinite(later)]
    return later if later.size else None


def _on_this_computer(stream: RecordedStream) -> Array:
    """Return stamps in the recorder's LSL time, by the median of the offsets."""
    offsets = stream.offsets[:, 1] if stream.offsets.size else np.zeros(1)
    return np.asarray(stream.t_lsl + float(np.median(offsets)))


def _most(values: Array) -> float | None:
    return float(values.max()) if values.size else None


def _median(values: Array) -> float | None:
    return float(np.median(values)) if values.size else None


def _noise(values: Array, rows: NDArray[np.bool_]) -> float | None:
    """Return the spread of successive differences: a slow change is no noise."""
    steps = np.diff(values)[rows[1:] & rows[:-1]]
    return float(np.std(steps) / np.sqrt(2.0)) if steps.size > 10 else None
