"""What a treadmill does and must do: readback in, states and packets out."""

from collections.abc import Callable
from typing import Literal

from devices.bertec.config import BertecConfig
from devices.bertec.drive import Drive, Setpoints
from devices.bertec.ramp import Settled
from devices.bertec.requests import Requests
from devices.bertec.state import BeltState
from devices.bertec.wire import Command, Status
from devices.errors import DeviceConnectionError
from devices.stream import Notice

Severity = Literal["info", "warning", "error"]
ESTOP = "use the hardware e-stop"


class Machine:
    """Takes status, gives the packets to send; see `BeltState`.

    One thread makes every call. `now` is the host clock in seconds. The owner calls
    `connected` and `lost` with the link, `observe` with the newest status of what
    arrived, and `due` at least every 50 ms: it returns the packet to send at once, and
    runs the dead man and every deadline.
    """

    def __init__(
        self,
        config: BertecConfig,
        now: Callable[[], float],
        *,
        armed: bool = False,
        is_reversed: bool = False,
    ) -> None:
        self.config, self._now = config, now
        self.armed = armed or not config.requires_arm
        self.is_reversed = is_reversed
        self.drive = Drive(config)
        self.requests = Requests(config, now)
        self.phase = BeltState.CONNECTION_LOST  #: the state, were status fresh
        self.cause = ""  #: why belts last left what was asked; empty: they did not
        self.status: Status | None = None
        self._status_s = self._first_status_s = float("-inf")
        self._heartbeat_s = self._armed_s = float("-inf")
        self._at_zero = Settled(config.settle_s)
        self._is_zero = False
        self._freeze_due = False  #: once the deck's angle is known again
        self._stray = Settled(config.ramp_persist_s)
        self._said: set[str] = set()
        self._notices: list[Notice] = []

    # what is known

    @property
    def state(self) -> BeltState:
        if self.phase is BeltState.CONNECTION_LOST or self.is_fresh:
            return self.phase
        return BeltState.UNKNOWN

    @property
    def is_fresh(self) -> bool:
        return self._now() - self._status_s <= self.config.fresh_s

    @property
    def status_age_s(self) -> float:
        return self._now() - self._status_s

    @property
    def heartbeat_age_s(self) -> float:
        return self._now() - self._heartbeat_s

    def notices(self) -> list[Notice]:
        """Return what happened since the last call."""
        found = self._notices + self.requests.notices()
        self._notices = []
        return found

    @property
    def drives(self) -> bool:
        """Whether belts or deck may be moving, or coming to rest, at our word."""
        moving = self.phase in (BeltState.MOVING, BeltState.STOPPING)
        return moving or self.drive.deck.moving

    # the link

    def connected(self) -> None:
        """Start over: nothing is known until the first status."""
        self.lost()
        self.phase = BeltState.UNKNOWN

    def lost(self) -> None:
        """Forget setpoints and readback: the belts may do anything now."""
        self.phase = BeltState.CONNECTION_LOST
        self.drive.forget()
        self.requests.end_all("connection lost")
        self.status, self._status_s = None, float("-inf")
        self._at_zero.reset()
        self._stray.reset()
        self._is_zero = False
        self._said.clear()

    # readback

    def observe(self, status: Status) -> None:
        """Take the newest status."""
        if self.phase is BeltState.CONNECTION_LOST:
            return
        now_s, first = self._now(), self.status is None
        self.status, self._status_s = status, now_s
        self._said.discard("stale")
        fastest = max(abs(status.left_mps), abs(status.right_mps))
        at_zero = fastest <= self.config.zero_band_mps
        self._is_zero = self._at_zero.observe(now_s, at_zero)
        if first:
            self._first_status_s = now_s
            self.phase, self.cause = BeltState.IDLE, "belts at rest on connecting"
            if fastest > self.config.zero_band_mps:
                self._adopt("belts found moving on connecting")
        self._observe_belts(now_s, status, fastest)
        self._observe_deck(now_s, status)
        self.requests.observe(status, belts_at_zero=self._rests)

    def _observe_belts(self, now_s: float, status: Status, fastest: float) -> None:
        deviation = self.drive.deviation(now_s, status)
        stray = fastest > 2 * self.config.zero_band_mps
        match self.phase:
            case BeltState.IDLE:
                if self._stray.observe(now_s, stray):
                    self._adopt("belts move without a command: a hand at the panel?")
            case BeltState.MOVING if deviation == "slower":
                self._unexpected_stop()
            case BeltState.MOVING if deviation == "other":
                self._adopt("belts faster or other than asked: a hand at the panel?")
            case BeltState.MOVING if self._rests and self._wants_zero:
                self._enter(BeltState.IDLE)
            case BeltState.ADOPTED if self._is_zero:
                self._enter(BeltState.IDLE)
            case BeltState.STOPPING if self._rests:
                self._enter(BeltState.IDLE)
            case BeltState.STOPPING if deviation == "other":
                self._say_once("error", "no_stop", f"belts do not stop: {ESTOP}")
            case _:
                pass

    def _observe_deck(self, now_s: float, status: Status) -> None:
        deck = self.drive.deck
        due, self._freeze_due = self._freeze_due, False
        if due and deck.moving:
            self._freeze("deck_frozen", "readback is back after a stop")
        if deck.observe(now_s, status.incline_deg):
            self.requests.deck_reached()
        if deck.too_fast:
            rate, most = deck.rate_dps, self.config.limits.max_slope_rate_dps
            self._freeze("deck_frozen", f"deck moves at {rate:.2f} deg/s, limit {most}")
        elif deck.stalled:
            where = f"{status.incline_deg:.2f} deg, target {deck.held_deg:.2f}"
            self._freeze("deck_stopped", f"deck does not move on from {where}")
        if not deck.diverged(status.incline_deg):
            return
        if self._repeats_stop:  # a stop that is repeated tilts nothing
            deck.take_over(status.incline_deg)
        else:
            self._say_once(
                "warning",
                "deck_diverged",
                f"deck reads {status.incline_deg:.2f} deg, held is "
                f"{deck.held_deg:.2f}: moved by another; take_over accepts it",
            )

    # what to send

    def due(self) -> Command | None:
        """Return the packet to send now, if any."""
        now_s, drive = self._now(), self.drive
        if self.phase is BeltState.CONNECTION_LOST or self.status is None:
            return None
        if not self.is_fresh:
            self._say_once("error", "stale", "no fresh status: BELT STATE UNKNOWN")
        self._dead_man()
        self._disarm_unattended()
        self.requests.check_deadlines()
        if not drive.urgent and not drive.is_paced(now_s):
            return None
        if drive.pending and not drive.urgent and not self.is_fresh:
            self._withdraw("status is not fresh")
        if not (drive.pending or self._repeats_stop):
            return None
        command = drive.packet(now_s, self.status)
        if command is not None:
            self.requests.sent(command)
        return command

    @property
    def _repeats_stop(self) -> bool:
        stopping = self.phase in (BeltState.STOPPING, BeltState.UNEXPECTED_STOP)
        return stopping and not self._rests

    @property
    def _rests(self) -> bool:
        """Belts read as zero, and no ramp of ours can still show in readback."""
        return self._is_zero and self.drive.expects_zero

    @property
    def _wants_zero(self) -> bool:
        return self.drive.wanted is None or self.drive.wanted.at_zero

    def _dead_man(self) -> None:
        # after connecting the runner has one dead-man time to be heard
        silent_s = min(self.heartbeat_age_s, self._now() - self._first_status_s)
        if not self.armed or silent_s <= self.config.dead_man_s:
            return
        deck_runs = self.drive.deck.moving and not self.drive.deck.frozen
        if self.phase in (BeltState.MOVING, BeltState.ADOPTED) or deck_runs:
            self._say("error", "dead_man", "heartbeat lost: belts ramp down")
            why = f"dead man: no heartbeat for {self.config.dead_man_s:g} s"
            self._halt("dead_man", self.config.stop_decel_mps2, why)

    def _disarm_unattended(self) -> None:
        """Leave no mill at rest armed for whoever comes by."""
        last_s = max(self._heartbeat_s, self._armed_s, self._first_status_s)
        unattended = self._now() - last_s > self.config.disarm_after_s
        at_rest = self.phase is BeltState.IDLE and self._rests and self._wants_zero
        if not (self.armed and self.config.requires_arm and unattended and at_rest):
            return
        if self.is_fresh and not self.drive.deck.moving:
            self.armed = False
            after_s = self.config.disarm_after_s
            text = f"no heartbeat for {after_s:g} s at rest: treadmill disarmed"
            self._say("warning", "disarmed", text)

    # transitions

    def _enter(self, phase: BeltState, why: str = "") -> None:
        """Change the state; `why` where belts leave what was asked of them."""
        was, self.phase = self.phase, phase
        if why or phase is BeltState.MOVING:  # at rest the cause is still news
            self.cause = why
        words = f"treadmill {was.label} -> {phase.label}"
        self._say("info", "state", f"{words}: {why}" if why else words)

    def _adopt(self, why: str) -> None:
        if self.drive.deck.moving:
            why = f"{why} while the deck moves"
            self._say("error", "stopped", f"{why}: stopping")
            self._halt("deck moving", self.config.stop_decel_mps2, why)
            return
        self.drive.release()
        self.requests.end("belts", why)
        self._enter(BeltState.ADOPTED, why)
        self._stray.reset()
        self._say("warning", "adopted", f"{why}: stop or take_over only")

    def _unexpected_stop(self) -> None:
        why = "belts slower than asked: emergency stop, or a hand at the panel"
        self._enter(BeltState.UNEXPECTED_STOP, why)
        self._say("error", "unexpected_stop", f"unexpected stop: {why}")
        self.requests.end("belts", "unexpected stop")
        zero = Setpoints(0.0, 0.0, self.config.stop_decel_mps2)
        self.drive.ask(zero, urgent=True)  # releasing the e-stop restarts nothing
        if self.drive.deck.moving and self.status is not None:
            self.drive.deck.freeze(self.status.incline_deg)
            self.requests.end("deck", "unexpected stop")

    def _halt(self, verb: str, decel_mps2: float, why: str) -> None:
        """Send zero speeds at once; no argument, arm or pacing can hold it up.

        The packet has to carry some angle: that of a freeze where the deck moves at our
        word, else the one held, else (moved by another, or nothing sent yet) the last
        one read, and that is said where it is old.
        """
        if self.phase is BeltState.CONNECTION_LOST or self.status is None:
            raise DeviceConnectionError(
                f"{verb} cannot be sent, the treadmill is not connected: {ESTOP}"
            )
        deck, reported_deg = self.drive.deck, self.status.incline_deg
        if deck.moving and self.is_fresh:
            deck.freeze(reported_deg)
            self.requests.end("deck", verb)
        elif deck.moving:  # an old angle would tilt the deck back
            self._freeze_due = True
            text = "deck angle not known: it is frozen once readback returns"
            self._say_once("error", "deck_unknown", text)
        elif deck.held_deg is None or deck.diverged(reported_deg):
            deck.take_over(reported_deg)
            if not self.is_fresh:
                text = f"the stop carries an old deck angle, {reported_deg:.2f} deg"
                self._say_once("error", "deck_unknown", text)
        zero = Setpoints(0.0, 0.0, decel_mps2)
        self.requests.open("belts", verb, {"decel_mps2": decel_mps2}, self.status)
        self.drive.ask(zero, urgent=True)
        if self.phase not in (BeltState.UNEXPECTED_STOP, BeltState.STOPPING):
            self._enter(BeltState.STOPPING, why)

    def _freeze(self, code: str, why: str) -> None:
        if self.status is not None:
            self.drive.deck.freeze(self.status.incline_deg)
            self.requests.end("deck", why)
            self.drive.ask(None, urgent=True)
            self._say("error", code, why)

    def _withdraw(self, why: str) -> None:
        deck_unsent = self.requests.is_unsent("deck")
        self.drive.withdraw()
        self.requests.end_unsent(why)
        if deck_unsent and self.status is not None:
            self.drive.deck.take_over(self.status.incline_deg)
        self._say("error", "withdrawn", f"command not sent: {why}")

    def _say(self, severity: Severity, code: str, message: str) -> None:
        self._notices.append(Notice(severity, code, message))

    def _say_once(self, severity: Severity, code: str, message: str) -> None:
        if code not in self._said:
            self._said.add(code)
            self._say(severity, code, message)
