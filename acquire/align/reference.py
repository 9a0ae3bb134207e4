"""The clock that all streams are brought to: that of the Vicon frames, or LSL's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.align.counted_stream import CountedStream

MARKERS, FORCES = "vicon-markers", "vicon-forces"
_VICON = (MARKERS, FORCES, "vicon-segments", "vicon-unlabeled")
Array = NDArray[np.float64]


@dataclass(eq=False)
class Reference:
    """The reference clock: its edges, and how LSL stamps relate to it."""

    name: str
    exact: tuple[str, ...] = ()  #: streams whose samples are the clock
    frame_hz: float = 100.0  #: trial time 0 is a whole number of these
    edges: sync.Edges = sync.NO_EDGES
    lsl: sync.ClockFit | None = None  #: reference seconds to LSL seconds
    lsl_half_width_s: float = 0.0
    reasons: list[str] = field(default_factory=list)

    def from_lsl(self, stamps: Array) -> Array:
        """LSL seconds to reference seconds by the line between the two clocks."""
        if self.lsl is None:
            return np.full(stamps.shape, np.nan)
        run = self.lsl.runs[0]
        nominal = stamps - run.offset_s
        return np.asarray(nominal / (1.0 + run.skew_ppm * 1e-6))


def find_reference(counted: Mapping[str, CountedStream], asked: str = "") -> Reference:
    """Return the clock of Vicon's streams, or of the one that is `asked` for."""
    forces, markers = counted.get(FORCES), counted.get(MARKERS)
    if asked:
        if asked not in counted or counted[asked].source.rate_hz <= 0:
            regular = [n for n, c in counted.items() if c.source.rate_hz > 0]
            raise ValueError(f"no regular stream {asked!r}; there are {regular}")
        forces = markers = counted[asked]
    base = markers if markers is not None and markers.n_rows else forces
    if base is None or base.n_rows == 0:
        return Reference("lsl", reasons=["no Vicon stream: times are LSL seconds"])
    fit = sync.fit_stamps(
        base.index, base.stamps, rate_hz=base.source.rate_hz, half_width_s=0.02
    )
    reference = Reference(
        asked or MARKERS,
        exact=(asked,) if asked else _VICON,
        lsl=fit if fit.runs else None,
    )
    if markers is not None:
        reference.frame_hz = markers.source.rate_hz
    if fit.runs:
        middle = 0.5 * (fit.runs[0].first + fit.runs[0].last)
        reference.lsl_half_width_s = float(fit.half_width_s(middle))
    if forces is None or forces.n_rows == 0:
        reference.reasons.append(f"no {FORCES} stream: no trigger edges to align to")
        return reference
    if forces is not base:
        forces.shift(_whole_turns(forces, reference))
    rate = forces.source.rate_hz
    seen = forces.edges
    reference.edges = sync.Edges(
        seen.index / rate, seen.rising, seen.half_width / rate
    ).cleaned()
    if len(seen) == 0:
        reference.reasons.append(f"{forces.name}: no edge of the trigger line")
        reference.reasons += forces.edge_reasons
    return reference


def _whole_turns(forces: CountedStream, reference: Reference) -> float:
    """Return samples to add: the force counter wraps ten times as often as frames."""
    modulus = float(forces.source.counter.modulus)
    expected = reference.from_lsl(forces.stamps) * forces.source.rate_hz
    apart = float(np.nanmedian(expected - forces.index)) if forces.n_rows else 0.0
    return modulus * round(apart / modulus) if np.isfinite(apart) else 0.0
