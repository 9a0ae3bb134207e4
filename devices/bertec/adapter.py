"""Bertec treadmill over either of its interfaces: readback out, setpoints in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from devices.bertec import stream
from devices.bertec.config import BertecConfig
from devices.bertec.controller import Controller
from devices.bertec.driver import Driver, PanelDriver
from devices.bertec.memory import Remembered, forget, recall, remember
from devices.bertec.wire import Status
from devices.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from devices.stream import Chunk, Notice, StreamSpec

SLICE_S = 0.02  #: the controller is asked this often, whatever arrives
SETTLE_S = 0.1  #: on connecting, what the panel had queued before is thrown away


class BertecAdapter:
    """A `DeviceAdapter` that is `Commandable` and `Reporting`.

    Call `read` without long pauses: the dead man and every packet run inside it. Its
    owner should not let more than 50 ms pass between calls. Losing the link raises and
    the state becomes connection lost; on connecting again belts are adopted, never
    assumed. `close` sends a stop, best effort, when it leaves belts or deck running at
    our word.
    """

    def __init__(
        self, name: str, config: BertecConfig, now: Callable[[], float]
    ) -> None:
        self.name, self._config, self._now = name, config, now
        kept = recall(config.state_file)
        self.controller = Controller(
            config, now, armed=kept.armed, is_reversed=kept.is_reversed
        )
        self._kept = kept
        self._driver = _driver(name, config, now)
        self._index, self._t_last = 0, float("-inf")
        self._started = self._open = False
        self._notices: list[Notice] = []

    # the seam

    def connect(self, timeout_s: float) -> Sequence[StreamSpec]:
        self._drop_link()
        deadline_s = self._now() + timeout_s
        self._driver.open(timeout_s)
        try:
            newest = self._first_status(deadline_s)
        except DeviceError:
            self._driver.close()
            raise
        self.controller.connected()
        self.controller.observe(newest)
        self._open = True
        return [stream.spec(self._config)]

    def start(self) -> None:
        self._require_open()
        self._started = True

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        self._require_open()
        deadline_s = self._now() + timeout_s
        try:
            while True:
                left_s = max(deadline_s - self._now(), 0.0)
                chunks = self._receive(min(left_s, SLICE_S))
                self._send_due()
                if chunks or self._now() >= deadline_s:
                    return chunks
        except DeviceError:
            self._drop_link()
            raise

    def stop(self) -> None:
        self._started = False

    def close(self) -> None:
        if self._open:
            self._leave()
        self._drop_link()

    # Reporting, Commandable

    def notices(self) -> Sequence[Notice]:
        found, self._notices = self._notices, []
        return found + self._driver.notices() + self.controller.notices()

    def command(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        reply = self.controller.command(verb, arguments)
        if verb != "heartbeat":
            try:
                self._send_due()
            except DeviceError:
                self._drop_link()
                raise
        return reply

    def snapshot(self) -> Mapping[str, Any]:
        return self.controller.snapshot()

    # inside

    def _first_status(self, deadline_s: float) -> Status:
        """Return the newest status once the panel's backlog has run dry."""
        newest: Status | None = None
        settled_s = float("inf")
        while self._now() < min(deadline_s, settled_s):
            wait_s = min(deadline_s, settled_s) - self._now()
            found, arrived_s = self._driver.receive(max(wait_s, 0.0))
            if found and newest is None:
                settled_s = arrived_s + SETTLE_S
            newest = found[-1] if found else newest
        if newest is None:
            raise DeviceTimeoutError(self._driver.silence())
        return newest

    def _receive(self, timeout_s: float) -> list[Chunk]:
        found, arrived_s = self._driver.receive(timeout_s)
        if found:
            self.controller.observe(found[-1])
        elif self.controller.status_age_s > self._config.status_timeout_s:
            raise DeviceTimeoutError(
                f"no treadmill status for {self._config.status_timeout_s} s: "
                "BELT STATE UNKNOWN, use the hardware e-stop"
            )
        return [self._chunk(status, arrived_s) for status in found if self._started]

    def _chunk(self, status: Status, arrived_s: float) -> Chunk:
        """Make one sample; stamps never repeat, though packets arrive in bunches."""
        self._t_last = max(arrived_s, self._t_last + 1e-6)
        sample = stream.row(status, self.controller, self._index)
        self._index += 1
        return Chunk(stream.NAME, sample, self._t_last)

    def _send_due(self) -> None:
        command = self.controller.due()
        self._remember()
        if command is not None:
            self._driver.send(command)

    def _leave(self) -> None:
        """Stop what we drive before going; forget what a crash would need."""
        try:
            if self.controller.drives:
                self.controller.command("stop", {})
                self._send_due()
        except DeviceError as error:
            self._notices.append(Notice("error", "close", f"no stop sent: {error}"))
        forget(self._config.state_file)
        self._kept = Remembered()

    def _drop_link(self) -> None:
        self._driver.close()
        self._open = self._started = False
        self.controller.lost()

    def _remember(self) -> None:
        kept = Remembered(self.controller.armed, self.controller.is_reversed)
        if kept != self._kept:
            self._kept = kept
            remember(self._config.state_file, kept)

    def _require_open(self) -> None:
        if not self._open:
            raise DeviceConnectionError(
                f"{self.name} is not connected; the treadmill's state is unknown"
            )


def _driver(name: str, config: BertecConfig, now: Callable[[], float]) -> Driver:
    """Build what the rig asks for; ZeroMQ is loaded only where it is used."""
    if config.interface == "tcp":
        return PanelDriver(name, config, now)
    from devices.bertec.zeromq import ServerDriver

    return ServerDriver(name, config, now)
