"""Frame numbers of the twin, and the truth about them."""

import numpy as np

from devices.sim.clock import SimClock
from devices.sim.lab import Lab
from devices.vicon.twin_scene import SAMPLES_PER_FRAME, Instant

_STEPS = np.arange(SAMPLES_PER_FRAME)
MARKERS, FORCES = "vicon-markers", "vicon-forces"


class Numbering:
    """Gives every slot of the clock its FrameID and writes truth when the rule changes.

    Slot k is the k-th frame period since the twin began. Truth counts as the streams
    do: frame number one more than the FrameID, sample index ten times that.
    """

    def __init__(self, lab: Lab, name: str, clock: SimClock, first_id: int) -> None:
        self._lab, self._name, self._clock = lab, name, clock
        self._first_id = first_id
        self._lost: tuple[int, int] | None = None  #: first FrameID, how many
        self.tell("start", 0)

    def frame_id(self, slot: int) -> int:
        return slot + self._first_id

    def time_s(self, slot: int) -> float:
        """Return the world time of the marker image of a slot."""
        return float(self._clock.true_time(slot * SAMPLES_PER_FRAME))

    def instant(self, slot: int) -> Instant:
        """Return when the frame of a slot is taken."""
        first = slot * SAMPLES_PER_FRAME
        times_s = self._clock.true_time(first + _STEPS)
        return Instant(
            self.frame_id(slot),
            float(times_s[0]),
            times_s,
            float(self._clock.device_time(first)),
        )

    def hold(self) -> None:
        """Give the next slot the number this one would have had."""
        self._first_id -= 1

    def set(self, slot: int, frame_id: int, reason: str) -> None:
        """Let a slot have this FrameID and the next ones follow it."""
        self.flush()
        self._first_id = frame_id - slot
        self.tell(reason, slot)

    def tell(self, reason: str, slot: int) -> None:
        """Write down the rule that holds from a slot on."""
        frame = self.frame_id(slot) + 1
        t0_s = float(self._clock.true_time(slot * SAMPLES_PER_FRAME))
        sample_s = self._clock.period_s
        for stream, counter0, period_s in (
            (MARKERS, frame, sample_s * SAMPLES_PER_FRAME),
            (FORCES, frame * SAMPLES_PER_FRAME, sample_s),
        ):
            self._lab.truth(
                {
                    "kind": "clock",
                    "device": self._name,
                    "stream": stream,
                    "t0_s": t0_s,
                    "period_s": period_s,
                    "counter0": counter0,
                    "reason": reason,
                }
            )

    def lose(self, slot: int) -> None:
        """Note that the frame of a slot is never sent."""
        first, n = self._lost or (self.frame_id(slot), 0)
        self._lost = first, n + 1

    def flush(self) -> None:
        """Write down a run of lost frames that has ended."""
        if self._lost is None:
            return
        first, n = self._lost
        self._lost = None
        for stream, factor in ((MARKERS, 1), (FORCES, SAMPLES_PER_FRAME)):
            self._lab.truth(
                {
                    "kind": "lost",
                    "device": self._name,
                    "stream": stream,
                    "counter": (first + 1) * factor,
                    "n": n * factor,
                }
            )
