"""The outgoing side of a treadmill: setpoints, held incline, pacing, packets."""

from dataclasses import dataclass

from devices.bertec.config import BertecConfig
from devices.bertec.deck import HeldIncline
from devices.bertec.ramp import Deviation, RampWatch
from devices.bertec.wire import Command, Status


@dataclass(frozen=True, slots=True)
class Setpoints:
    """Belt speeds asked for, in the deck frame, and how fast to get there."""

    left_mps: float = 0.0
    right_mps: float = 0.0
    accel_mps2: float = 0.25

    @property
    def at_zero(self) -> bool:
        return self.left_mps == 0.0 and self.right_mps == 0.0


class Drive:
    """Knows what to send and when it may be sent; decides nothing else.

    Every packet carries the held incline: without one there is no packet.
    """

    def __init__(self, config: BertecConfig) -> None:
        self._config = config
        self.deck = HeldIncline(
            config.limits,
            band_deg=config.incline_band_deg,
            settle_s=config.settle_s,
            stall_s=config.deck_stall_s,
        )
        self.left, self.right = self._watch(), self._watch()
        self.forget()

    def forget(self) -> None:
        """Forget all setpoints: after a lost link nothing of ours holds."""
        self.deck.forget()
        self.release()
        self._last_sent_s = float("-inf")

    def release(self) -> None:
        """Forget the belts' setpoints, keep the deck: somebody else drives them."""
        self.wanted: Setpoints | None = None
        self.sent: Setpoints | None = None
        self.pending = self.urgent = False
        self.left.forget()
        self.right.forget()

    def ask(self, setpoints: Setpoints | None, *, urgent: bool = False) -> None:
        """Have a packet sent: with new setpoints, or the old ones and a new incline."""
        self.wanted = setpoints or self.wanted or Setpoints()
        self.pending, self.urgent = True, self.urgent or urgent

    def withdraw(self) -> None:
        """Drop a packet that has not been sent."""
        self.wanted, self.pending, self.urgent = self.sent, False, False

    def is_paced(self, now_s: float) -> bool:
        """Whether an ordinary packet may go out at `now_s`."""
        return now_s - self._last_sent_s >= self._config.pacing_s

    def packet(self, now_s: float, status: Status) -> Command | None:
        """Return the packet to send now and start its ramps; None without incline."""
        wanted, held_deg = self.wanted, self.deck.held_deg
        if wanted is None or held_deg is None:
            return None
        if wanted != self.sent:
            accel = wanted.accel_mps2
            self.left.command(now_s, status.left_mps, wanted.left_mps, accel)
            self.right.command(now_s, status.right_mps, wanted.right_mps, accel)
        self.sent, self._last_sent_s = wanted, now_s
        self.pending = self.urgent = False
        accel_mmps2 = max(round(wanted.accel_mps2 * 1000), 1)
        return Command(
            round(wanted.left_mps * 1000),
            round(wanted.right_mps * 1000),
            accel_mmps2,
            accel_mmps2,
            round(held_deg * 100),
            self.deck.n_requests if self.deck.moving else 0,
        )

    @property
    def expects_zero(self) -> bool:
        return self.left.expects_zero and self.right.expects_zero

    def deviation(self, now_s: float, status: Status) -> Deviation | None:
        """Observe readback; return how a belt left its ramp, a slower one first."""
        found = {
            self.left.observe(now_s, status.left_mps),
            self.right.observe(now_s, status.right_mps),
        }
        return "slower" if "slower" in found else "other" if "other" in found else None

    def _watch(self) -> RampWatch:
        return RampWatch(
            band_mps=self._config.ramp_band_mps,
            latency_s=self._config.ramp_latency_s,
            persist_s=self._config.ramp_persist_s,
        )
