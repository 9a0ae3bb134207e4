"""Requests in flight: commanded, sent, accepted, reached, by readback alone."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Literal

from devices.bertec.config import BertecConfig
from devices.bertec.ramp import Settled
from devices.bertec.state import Request
from devices.bertec.wire import Command, Status
from devices.stream import Notice

Part = Literal["belts", "deck"]


class Requests:
    """At most one open request for the belts and one for the deck.

    Accepted means that readback moved toward the target, reached that it stayed
    there. Each step becomes a notice, so that the journal holds them all.
    """

    def __init__(self, config: BertecConfig, now: Callable[[], float]) -> None:
        self._config, self._now = config, now
        self._n = 0
        self._last: dict[Part, Request | None] = {"belts": None, "deck": None}
        self._from: dict[Part, Status] = {}
        self._near = Settled(config.settle_s)
        self._notices: list[Notice] = []

    def notices(self) -> list[Notice]:
        found, self._notices = self._notices, []
        return found

    def snapshot(self) -> dict[str, dict[str, Any] | None]:
        return {
            part: request.as_dict() if request else None
            for part, request in self._last.items()
        }

    def open(
        self, part: Part, verb: str, values: Mapping[str, Any], status: Status
    ) -> Request:
        """Begin a request; an open one of the same part is replaced."""
        self.end(part, f"replaced by {verb}")
        self._n += 1
        request = Request(self._n, verb, dict(values), self._now())
        self._last[part], self._from[part] = request, status
        if part == "belts":
            self._near.reset()
        self._note("commanded", request)
        return request

    def end(self, part: Part, why: str) -> None:
        request = self._last[part]
        if request is not None and request.is_open:
            request.ended = why
            self._note("ended", request)

    def end_all(self, why: str) -> None:
        for part in self._last:
            self.end(part, why)

    def end_unsent(self, why: str) -> None:
        for part in self._last:
            if self.is_unsent(part):
                self.end(part, why)

    def is_unsent(self, part: Part) -> bool:
        request = self._last[part]
        return request is not None and request.is_open and request.sent_s is None

    def sent(self, command: Command) -> None:
        """Note that a command went out; it carries every request still open."""
        facts = asdict(command)
        text = " ".join(f"{name}={value}" for name, value in facts.items())
        self._notices.append(Notice("info", "sent", text, facts))
        for request in self._open():
            if request.sent_s is None:
                request.sent_s = self._now()

    def observe(self, status: Status, *, belts_at_zero: bool) -> None:
        """Compare readback with what was asked."""
        belts, deck = self._last["belts"], self._last["deck"]
        if belts is not None and belts.is_open and belts.sent_s is not None:
            self._observe_belts(belts, status, belts_at_zero)
        if deck is not None and deck.is_open and deck.sent_s is not None:
            start = self._from["deck"].incline_deg
            target = float(deck.values["incline_deg"])
            band = self._config.incline_band_deg
            if _moved(start, target, status.incline_deg, band / 2, band):
                self._accept(deck)

    def deck_reached(self) -> None:
        deck = self._last["deck"]
        if deck is not None and deck.is_open:
            self._reach(deck)

    def check_deadlines(self) -> None:
        """Report requests that readback does not follow."""
        for request in self._open():
            late = (
                request.sent_s is not None
                and request.accepted_s is None
                and self._now() - request.sent_s > self._config.accept_s
            )
            if late and not request.reported_late:
                request.reported_late = True
                self._note(
                    "not_accepted",
                    request,
                    "error",
                    "readback does not follow; is remote control enabled at the panel?",
                )

    def _observe_belts(self, request: Request, status: Status, zero: bool) -> None:
        start = self._from["belts"]
        left = float(request.values.get("left_mps", 0.0))
        right = float(request.values.get("right_mps", 0.0))
        least, band = self._config.zero_band_mps, self._config.reach_band_mps
        if _moved(start.left_mps, left, status.left_mps, least, band) and _moved(
            start.right_mps, right, status.right_mps, least, band
        ):
            self._accept(request)
        near = max(abs(status.left_mps - left), abs(status.right_mps - right)) <= band
        settled = self._near.observe(self._now(), near)
        if settled and (zero or (left, right) != (0.0, 0.0)):
            self._reach(request)

    def _accept(self, request: Request) -> None:
        if request.accepted_s is None:
            request.accepted_s = self._now()
            self._note("accepted", request)

    def _reach(self, request: Request) -> None:
        self._accept(request)
        request.reached_s = self._now()
        self._note("reached", request)

    def _open(self) -> list[Request]:
        return [
            request for request in self._last.values() if request and request.is_open
        ]

    def _note(
        self,
        code: str,
        request: Request,
        severity: Literal["info", "error"] = "info",
        more: str = "",
    ) -> None:
        values = " ".join(f"{key}={value}" for key, value in request.values.items())
        words = [f"{request.verb} {values} {code}", request.ended, more]
        message = ": ".join(word.strip() for word in words if word)
        self._notices.append(Notice(severity, code, message, request.as_dict()))


def _moved(start: float, target: float, read: float, least: float, near: float) -> bool:
    """Whether `read` went from `start` toward `target` by `least`, or is `near` it."""
    toward = (read - start) * (1.0 if target > start else -1.0)
    return toward > least or abs(read - target) <= near
