"""The verbs of a treadmill: the only path that moves belts or deck."""

from collections.abc import Callable, Mapping
from typing import Any

from devices.bertec.config import BertecConfig
from devices.bertec.drive import Setpoints
from devices.bertec.limits import confirmed, number, only
from devices.bertec.machine import ESTOP, Machine
from devices.bertec.state import BeltState
from devices.bertec.wire import Status
from devices.errors import SetpointRejectedError

STILL_DPS = 0.15  #: a deck that reads slower than this stands
ASKED = "{} was asked for (session, window or another program)"


class Controller(Machine):
    """Checks every verb against limits and state, then has it sent.

    Whatever is not allowed raises `SetpointRejectedError` and sends nothing. `stop`
    and `abort` need no arm, no fresh status and no pause between packets; `stop` with
    a bad deceleration stops with the configured one.
    """

    def __init__(
        self,
        config: BertecConfig,
        now: Callable[[], float],
        *,
        armed: bool = False,
        is_reversed: bool = False,
    ) -> None:
        super().__init__(config, now, armed=armed, is_reversed=is_reversed)
        self._verbs: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "heartbeat": self._heartbeat,
            "arm": self._arm,
            "disarm": self._disarm,
            "belts": self._belts,
            "deck": self._deck,
            "facing": self._facing,
            "stop": self._stop,
            "abort": self._abort,
            "take_over": self._take_over,
        }

    def command(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out one verb; return the state and the requests in flight."""
        try:
            self._verbs.get(verb, self._unknown_verb)(arguments)
        except SetpointRejectedError as error:
            self._say("warning", "rejected", str(error))
            raise
        if verb == "heartbeat":
            return {"state": self.state.label}
        return {"state": self.state.label, "requests": self.requests.snapshot()}

    def snapshot(self) -> Mapping[str, Any]:
        """Return what is known now; None where nothing is."""
        status, wanted, deck = self.status, self.drive.wanted, self.drive.deck
        known = status if self.is_fresh else None
        return {
            "state": self.state.label,
            "armed": self.armed,
            "fresh": self.is_fresh,
            "status_age_s": self.status_age_s if status else None,
            "left_mps": known.left_mps if known else None,
            "right_mps": known.right_mps if known else None,
            "incline_deg": known.incline_deg if known else None,
            "at_zero": bool(known) and self._rests,
            "left_set_mps": wanted.left_mps if wanted else None,
            "right_set_mps": wanted.right_mps if wanted else None,
            "incline_set_deg": deck.held_deg,
            "deck_moving": self._deck_moves,
            "reversed": self.is_reversed,
            "heartbeat_fresh": self.heartbeat_age_s <= self.config.dead_man_s,
            "requests": self.requests.snapshot(),
            "cause": self.cause,
            "message": self._message(),
        }

    def _message(self) -> str:
        match self.state:
            case BeltState.UNKNOWN | BeltState.CONNECTION_LOST:
                return f"BELT STATE UNKNOWN: {ESTOP}"
            case BeltState.ADOPTED:
                return "belts were found moving: stop or take_over"
            case BeltState.UNEXPECTED_STOP:
                return "unexpected stop: take_over acknowledges it at standstill"
            case _:
                return "" if self.armed else "not armed"

    # verbs

    def _unknown_verb(self, _: Mapping[str, Any]) -> None:
        raise SetpointRejectedError(f"no such verb; there are {', '.join(self._verbs)}")

    def _heartbeat(self, arguments: Mapping[str, Any]) -> None:
        only("heartbeat", arguments)
        self._heartbeat_s = self._now()

    def _arm(self, arguments: Mapping[str, Any]) -> None:
        only("arm", arguments)
        self._fresh_status("arm")
        self.armed, self._armed_s = True, self._now()
        self._say("info", "armed", "treadmill armed")

    def _disarm(self, arguments: Mapping[str, Any]) -> None:
        only("disarm", arguments)
        self._standstill("disarm", BeltState.IDLE, BeltState.UNEXPECTED_STOP)
        self.armed = not self.config.requires_arm
        self._say("info", "disarmed", "treadmill disarmed")

    def _belts(self, arguments: Mapping[str, Any]) -> None:
        only("belts", arguments, "left_mps", "right_mps", "accel_mps2")
        left, right = number(arguments, "left_mps"), number(arguments, "right_mps")
        accel = number(arguments, "accel_mps2")
        self.config.limits.check_belts(left, right, accel)
        self._check_direction(left, right)
        status = self._control("belts", BeltState.IDLE, BeltState.MOVING)
        self._check_deck_stands(status)
        self._hold(status)
        values = {"left_mps": left, "right_mps": right, "accel_mps2": accel}
        self.requests.open("belts", "belts", values, status)
        self.drive.ask(Setpoints(left, right, accel))
        if self.phase is BeltState.IDLE and (left or right):
            self._enter(BeltState.MOVING)

    def _deck(self, arguments: Mapping[str, Any]) -> None:
        only("deck", arguments, "incline_deg", "confirm", "rate_dps")
        incline = number(arguments, "incline_deg")
        self.config.limits.check_incline(incline)
        if arguments.get("rate_dps") is not None:
            self.config.limits.check_slope_rate(number(arguments, "rate_dps"))
        confirmed("deck", arguments)
        if self.config.allow_moving_deck_under_load:
            status = self._control("deck", BeltState.IDLE, BeltState.MOVING)
        else:
            status = self._control("deck", BeltState.IDLE)
            self._standstill("deck")
        self._hold(status)
        self.drive.deck.request(round(incline, 2))
        values = {"incline_deg": round(incline, 2)}
        self.requests.open("deck", "deck", values, status)
        self.drive.ask(None)

    def _facing(self, arguments: Mapping[str, Any]) -> None:
        only("facing", arguments, "reversed", "confirm")
        turned = arguments.get("reversed")
        if not isinstance(turned, bool):
            raise SetpointRejectedError(f"reversed={turned!r} is not true or false")
        confirmed("facing", arguments)
        self._standstill("facing")
        self.is_reversed = turned
        words = "reversed (toward -x)" if turned else "forward (toward +x)"
        self._say("info", "facing", f"participant faces {words}")

    def _stop(self, arguments: Mapping[str, Any]) -> None:
        decel = self.config.stop_decel_mps2
        try:
            only("stop", arguments, "decel_mps2")
            if arguments.get("decel_mps2") is not None:
                asked = number(arguments, "decel_mps2")
                self.config.limits.check_decel(asked)
                decel = asked
        except SetpointRejectedError as error:
            self._say("warning", "stop_default", f"{error}; stopping at {decel} m/s2")
        self._halt("stop", decel, ASKED.format("a stop"))

    def _abort(self, arguments: Mapping[str, Any]) -> None:
        del arguments  # whatever they are, an abort is an abort
        self._halt("abort", self.config.abort_decel_mps2, ASKED.format("an abort"))

    def _take_over(self, arguments: Mapping[str, Any]) -> None:
        only("take_over", arguments)
        status = self._control(
            "take_over",
            BeltState.IDLE,
            BeltState.ADOPTED,
            BeltState.UNEXPECTED_STOP,
        )
        self._check_deck_in_limits("take_over", status)
        if self.phase is BeltState.ADOPTED:
            self._take_over_moving(status)
            return
        self._standstill("take_over", BeltState.IDLE, BeltState.UNEXPECTED_STOP)
        if self.drive.deck.moving and not self.drive.deck.frozen:
            raise SetpointRejectedError("take_over: the deck moves; wait, or abort")
        self.drive.deck.take_over(status.incline_deg)
        self._say("info", "take_over", f"deck held at {status.incline_deg:.2f} deg")
        self._said.discard("deck_diverged")
        if self.phase is BeltState.UNEXPECTED_STOP:
            self._enter(BeltState.IDLE)

    def _take_over_moving(self, status: Status) -> None:
        left, right = status.left_mps, status.right_mps
        accel = min(0.25, self.config.limits.max_accel_mps2)
        self.config.limits.check_belts(left, right, accel)
        if not self.config.allow_backward_walking:
            self._infer_facing(left, right)
        self.drive.deck.take_over(status.incline_deg)
        values = {"left_mps": left, "right_mps": right, "accel_mps2": accel}
        self.requests.open("belts", "take_over", values, status)
        self.drive.ask(Setpoints(left, right, accel))
        self._enter(BeltState.MOVING)

    def _infer_facing(self, left: float, right: float) -> None:
        """Whoever walks on running belts faces against their motion."""
        if left * right < 0:
            raise SetpointRejectedError("take_over: the belts run in opposite ways")
        self.is_reversed = left + right < 0.0

    # conditions

    def _fresh_status(self, verb: str) -> Status:
        if self.status is None or not self.is_fresh:
            raise SetpointRejectedError(
                f"{verb} needs fresh status; treadmill is {self.state.label}: "
                "nothing sent"
            )
        return self.status

    def _control(self, verb: str, *phases: BeltState) -> Status:
        """Check that a verb may be sent at all."""
        status = self._fresh_status(verb)
        if self.phase not in phases:
            allowed = " or ".join(phase.label for phase in phases)
            raise SetpointRejectedError(
                f"{verb} needs the treadmill {allowed}, it is {self.phase.label}"
            )
        if not self.armed:
            raise SetpointRejectedError(f"{verb}: the treadmill is not armed")
        if self.heartbeat_age_s > self.config.dead_man_s:
            raise SetpointRejectedError(
                f"{verb}: no heartbeat for {self.config.dead_man_s} s, the dead man "
                "would stop the belts; send heartbeat at 10 Hz"
            )
        return status

    def _standstill(self, verb: str, *phases: BeltState) -> None:
        """Check that the belts are read as zero and asked to be."""
        status = self._fresh_status(verb)
        in_phase = self.phase in (phases or (BeltState.IDLE,))
        if not (in_phase and self._rests and self._wants_zero):
            raise SetpointRejectedError(
                f"{verb} needs belts read as zero; treadmill is {self.phase.label}, "
                f"left {status.left_mps:.2f}, right {status.right_mps:.2f} m/s"
            )

    @property
    def _deck_moves(self) -> bool:
        deck = self.drive.deck
        return deck.moving or deck.rate_dps > STILL_DPS

    def _check_deck_in_limits(self, verb: str, status: Status) -> None:
        if self.drive.deck.outside_limits(status.incline_deg):
            limits = self.config.limits
            raise SetpointRejectedError(
                f"{verb}: the deck reads {status.incline_deg:.2f} deg, outside its "
                f"limits {limits.min_incline_deg:g} to {limits.max_incline_deg:g}"
            )

    def _check_deck_stands(self, status: Status) -> None:
        deck = self.drive.deck
        self._check_deck_in_limits("belts", status)
        if deck.diverged(status.incline_deg):
            raise SetpointRejectedError(
                f"belts: deck reads {status.incline_deg:.2f} deg but "
                f"{deck.held_deg:.2f} is held; sending would tilt it: take_over first"
            )
        if self._deck_moves and not self.config.allow_moving_deck_under_load:
            raise SetpointRejectedError(
                f"belts: the deck moves, reads {status.incline_deg:.2f} deg; wait"
            )

    def _check_direction(self, left: float, right: float) -> None:
        if self.config.allow_backward_walking:
            return
        sign, word = (-1, "reversed") if self.is_reversed else (1, "forward")
        if min(sign * left, sign * right) < 0:
            raise SetpointRejectedError(
                f"left_mps={left:g}, right_mps={right:g} would walk the participant, "
                f"who faces {word}, backward"
            )

    def _hold(self, status: Status) -> None:
        """Take the reported incline once, at the first packet since connecting."""
        if self.drive.deck.held_deg is None:
            self.drive.deck.take_over(status.incline_deg)
