"""A trigger box: the level it was asked for, published; and the asking."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from devices.errors import (
    DeviceConnectionError,
    DeviceError,
    DeviceTimeoutError,
    SetpointRejectedError,
    WireFormatError,
)
from devices.link import Link, TcpLink
from devices.stream import Channel, Chunk, Counter, Notice, StreamSpec
from devices.trigger.config import TriggerBoxConfig
from devices.trigger.serial_link import SerialLink

NAME = "trigger-box"
REPEAT_S = 0.1  #: the level is published at least so often
COUNTER_MODULUS = 2**24
UNKNOWN = -1


class TriggerBoxAdapter:
    """A `DeviceAdapter` that is `Commandable` and `Reporting`.

    ``capture_start`` raises the line, ``capture_stop`` lowers it; both wait for the
    box's answer, where it gives one. Connecting asks for the level and changes
    nothing: an adapter that is started anew in mid-trial must not end the trial. The
    stream says what the box was asked for and answered, stamped on arrival; the exact
    time of an edge is in what the instruments record.
    """

    def __init__(
        self, name: str, config: TriggerBoxConfig, now: Callable[[], float]
    ) -> None:
        self.name, self._config, self._now = name, config, now
        self._link = _link(name, config, now)
        self._open = self._started = False
        self._level = UNKNOWN
        self._capture = ""  #: name of the capture under way
        self._due: list[float] = []  #: times of levels not yet published
        self._index, self._t_last = 0, float("-inf")
        self._notices: list[Notice] = []

    # the seam

    def connect(self, timeout_s: float) -> Sequence[StreamSpec]:
        self._drop()
        deadline_s = self._now() + timeout_s
        self._link.open(timeout_s)
        try:
            self._prove(deadline_s)
        except DeviceError:
            self._link.close()
            raise
        self._open = True
        return [_spec(self._config)]

    def start(self) -> None:
        self._require_open()
        self._started = True

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        self._require_open()
        try:
            wait_s = max(min(timeout_s, self._t_last + REPEAT_S - self._now()), 0.0)
            data, _ = self._link.receive(wait_s)
        except DeviceError:
            self._drop()
            raise
        if data:
            self._unasked(data)
        if self._now() - self._t_last >= REPEAT_S:
            self._due.append(self._now())
        due, self._due = self._due, []
        return [self._chunk(t_s) for t_s in due] if self._started else []

    def stop(self) -> None:
        self._started = False

    def close(self) -> None:
        self._drop()

    # Reporting, Commandable

    def notices(self) -> Sequence[Notice]:
        found, self._notices = self._notices, []
        return found

    def command(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        name = str(arguments.get("name", ""))
        match verb:
            case "capture_start":
                self._set(1, name)
            case "capture_stop":
                self._set(0, name)
            case _:
                raise SetpointRejectedError(
                    f"no verb {verb!r}; there are capture_start, capture_stop"
                )
        return self.snapshot()

    def snapshot(self) -> Mapping[str, Any]:
        known = self._open and self._level != UNKNOWN
        return {
            "level": self._level if known else None,
            "capture": self._capture,
            "verified": self._config.answers,
        }

    # inside

    def _prove(self, deadline_s: float) -> None:
        """Ask for the level: an answer proves that this is the box."""
        self._level = UNKNOWN
        ready_s = self._now() + self._config.ready_s
        while (left_s := min(ready_s, deadline_s) - self._now()) > 0:
            self._link.receive(left_s)  # what a starting board says is not an answer
        if not self._config.answers:
            text = "the box gives no answers: nothing proves that it is there"
            self._notices.append(Notice("warning", "unverified", text))
            return
        self._level = self._ask(self._config.ask_text, deadline_s)

    def _set(self, level: int, name: str) -> None:
        self._require_open()
        config = self._config
        text = config.raise_text if level else config.lower_text
        try:
            found = self._ask(text, self._now() + config.answer_timeout_s)
        except DeviceError:
            self._drop()
            raise
        if found not in (UNKNOWN, level):
            raise DeviceConnectionError(
                f"{self.name} was asked for level {level} and answers {found}"
            )
        self._level, self._capture = level, name if level else ""
        self._due.append(self._now())
        what = "raised" if level else "lowered"
        self._notices.append(Notice("info", what, f"line {what} for {name!r}"))

    def _ask(self, text: str, deadline_s: float) -> int:
        """Send one word; return the level answered, unknown where none is given."""
        self._link.send(text.encode("latin-1"))
        if not self._config.answers:
            return UNKNOWN
        heard = b""
        while (left_s := deadline_s - self._now()) > 0:
            data, _ = self._link.receive(left_s)
            heard += data
            level = self._level_in(heard)
            if level is not None:
                return level
        raise DeviceTimeoutError(
            f"no answer to {text!r} from the trigger box; is it the right port, and "
            "does the box speak as the rig says?"
        )

    def _level_in(self, heard: bytes) -> int | None:
        """Return the level that a whole answer says; line ends do not count."""
        text = heard.strip().decode("latin-1")
        answers = {self._config.high_answer: 1, self._config.low_answer: 0}
        if text in answers:
            return answers[text]
        if not any(answer.startswith(text) for answer in answers):
            raise WireFormatError(
                f"{heard[:40]!r} is no answer of a trigger box: expected one of "
                f"{sorted(answers)}"
            )
        return None

    def _unasked(self, data: bytes) -> None:
        if data.strip():
            text = f"the box said {data[:40]!r} without being asked"
            self._notices.append(Notice("warning", "unasked", text))

    def _chunk(self, t_s: float) -> Chunk:
        self._t_last = max(t_s, self._t_last + 1e-6)
        level = float(self._level) if self._level != UNKNOWN else float("nan")
        sample = np.array([[level, self._index % COUNTER_MODULUS]], np.float32)
        self._index += 1
        return Chunk(NAME, sample, self._t_last)

    def _drop(self) -> None:
        self._link.close()
        self._open = self._started = False

    def _require_open(self) -> None:
        if not self._open:
            raise DeviceConnectionError(f"{self.name} is not connected")


def _spec(config: TriggerBoxConfig) -> StreamSpec:
    return StreamSpec(
        name=NAME,
        type="Trigger",
        rate_hz=0.0,
        channels=(Channel("level", "", "Trigger"), Channel("index", "", "Counter")),
        dtype="float32",
        serial=config.serial,
        counter=Counter("adapter", "index", COUNTER_MODULUS),
        metadata={
            "level": "asked for and, where the box answers, confirmed; 1 is high",
            "verified": str(config.answers).lower(),
            "synchronization": {"can_drop_samples": "true"},
        },
    )


def _link(name: str, config: TriggerBoxConfig, now: Callable[[], float]) -> Link:
    if config.path:
        return SerialLink(config.path, config.baud, now=now, option=f"{name}.path")
    return TcpLink(config.host, config.port, now=now, port_option=f"{name}.port")
