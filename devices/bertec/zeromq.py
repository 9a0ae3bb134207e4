"""Bertec's newer interface: requests over ZeroMQ, data published as JSON."""

import socket
from collections import deque
from collections.abc import Callable, Mapping

import zmq

from devices.bertec import zeromq_messages as messages
from devices.bertec.config import BertecConfig
from devices.bertec.wire import Command, Status
from devices.errors import DeviceConnectionError, DeviceTimeoutError
from devices.stream import Notice

LINGER_MS = 200  #: a stop on closing is given so long to leave
MOST_MESSAGES = 1000  #: taken in one go


class ServerDriver:
    """A `Driver` over three sockets: requests, data, and the server's heartbeat.

    Requests go out without waiting for the reply to the last one (a DEALER socket: the
    usual REQ would hold a stop behind it); replies come in order. Belts and deck have
    requests of their own, so the deck is spoken of only when a move or a freeze of it
    is asked for. ZeroMQ hides lost connections: silence of data or replies tells.
    """

    def __init__(
        self, name: str, config: BertecConfig, now: Callable[[], float]
    ) -> None:
        self._name, self._config, self._now = name, config, now
        self._server = config.zeromq
        self._sockets: _Sockets | None = None
        self._n_asked = self._deck_request = 0
        self._belts: dict[str, object] | None = None
        self._open_requests: deque[tuple[str, float]] = deque()
        self._keys: list[str] = []
        self._notices: list[Notice] = []

    def open(self, timeout_s: float) -> None:
        self.close()
        deadline_s = self._now() + timeout_s
        try:
            here = _own_address(self._config.host)
            self._sockets = _Sockets(self._config, self._name, here)
            ip, port = self._server.client_ip or here, self._sockets.heartbeat_port
            self._ask("InitConnect", {"ip": ip, "port": port})
            self._wait_for_welcome(deadline_s)
        except BaseException:
            self.close()
            raise

    def receive(self, timeout_s: float) -> tuple[list[Status], float]:
        sockets = self._require_open()
        ready = sockets.wait(timeout_s)
        arrived_s = self._now()
        for data in sockets.replies() if sockets.rpc in ready else ():
            self._take_reply(data)
        if sockets.heart in ready:
            sockets.answer_heartbeat()
        found = sockets.messages() if sockets.data in ready else []
        self._check_answered()
        return [status for data in found if (status := self._take(data))], arrived_s

    def send(self, command: Command) -> None:
        tilts = command.deck_request not in (0, self._deck_request)
        belts = messages.belt_parameters(command, self._server)
        at_rest = not (command.left_mmps or command.right_mmps)
        unchanged = belts == self._belts or (self._belts is None and at_rest)
        if not (tilts and unchanged):  # else the deck's own request says it all
            self._belts = belts
            self._ask("RunTreadmill", belts)
        if tilts:
            self._deck_request = command.deck_request
            self._ask("RunIncline", messages.incline_parameters(command, self._server))

    def notices(self) -> list[Notice]:
        found, self._notices = self._notices, []
        return found

    def silence(self) -> str:
        where = f"{self._config.host}:{self._server.data_port}"
        if not self._keys:
            return f"no data from {where}; is zeromq.data_port right?"
        wanted = self._server.left_key, self._server.right_key, self._server.incline_key
        return (
            f"data from {where} hold no {', '.join(wanted)}, but "
            f"{', '.join(self._keys)}; set zeromq.left_key, right_key and incline_key: "
            "without readback nothing is sent"
        )

    def close(self) -> None:
        if self._sockets is not None:
            self._sockets.close()
        self._sockets, self._belts, self._deck_request = None, None, 0
        self._open_requests.clear()
        self._keys = []

    def _wait_for_welcome(self, deadline_s: float) -> None:
        """Wait for the reply to the first request; data meanwhile are not looked at."""
        sockets = self._require_open()
        while self._now() < deadline_s:
            ready = sockets.wait(max(deadline_s - self._now(), 0.0), data=False)
            if sockets.heart in ready:
                sockets.answer_heartbeat()
            for data in sockets.replies() if sockets.rpc in ready else ():
                code = messages.parse_reply(data)
                self._open_requests.clear()
                if code != messages.OK:
                    raise DeviceConnectionError(
                        f"{self._where} refuses the connection, code {code}: "
                        f"{_words(code)}; is another client connected?"
                    )
                return
        raise DeviceTimeoutError(
            f"{self._where} does not answer InitConnect; is this Bertec's ZeroMQ "
            f"server, and is {self._name}.port right?"
        )

    @property
    def _where(self) -> str:
        return f"{self._config.host}:{self._config.port}"

    def _ask(self, method: str, parameters: Mapping[str, object]) -> None:
        self._n_asked += 1
        request = messages.pack_request(self._n_asked, method, parameters)
        try:
            self._require_open().rpc.send_multipart([b"", request], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            raise DeviceConnectionError(
                f"{method} to {self._where} not sent: {error}"
            ) from error
        self._open_requests.append((method, self._now()))

    def _take_reply(self, data: bytes) -> None:
        code = messages.parse_reply(data)
        method = self._open_requests.popleft()[0] if self._open_requests else "request"
        if code != messages.OK:
            text = f"{method} refused, code {code}: {_words(code)}"
            self._notices.append(Notice("error", "refused", text, {"code": code}))

    def _take(self, data: bytes) -> Status | None:
        status, self._keys = messages.parse_data(data, self._server)
        return status

    def _check_answered(self) -> None:
        if not self._open_requests:
            return
        method, asked_s = self._open_requests[0]
        if self._now() - asked_s > self._server.reply_timeout_s:
            raise DeviceTimeoutError(
                f"{self._where} has not answered {method} for "
                f"{self._server.reply_timeout_s:g} s: BELT STATE UNKNOWN, use the "
                "hardware e-stop"
            )

    def _require_open(self) -> "_Sockets":
        if self._sockets is None:
            raise DeviceConnectionError(f"{self._where} is not open")
        return self._sockets


class _Sockets:
    """The three sockets of a connection, never waiting but in `wait`."""

    def __init__(self, config: BertecConfig, name: str, here: str) -> None:
        self._context = zmq.Context()
        try:
            self.rpc = self._context.socket(zmq.DEALER)
            self.data = self._context.socket(zmq.SUB)
            self.heart = self._context.socket(zmq.ROUTER)
            self.heartbeat_port = self._bind(name, here, config.zeromq.heartbeat_port)
            self.rpc.connect(f"tcp://{config.host}:{config.port}")
            self.data.setsockopt(zmq.SUBSCRIBE, b"")
            self.data.connect(f"tcp://{config.host}:{config.zeromq.data_port}")
        except zmq.ZMQError as error:
            self.close()
            raise DeviceConnectionError(f"{config.host}: {error}") from error
        except BaseException:
            self.close()
            raise

    def wait(self, timeout_s: float, *, data: bool = True) -> set[object]:
        """Return the sockets that have something, after at most `timeout_s`."""
        poller = zmq.Poller()
        for each in (self.rpc, self.heart, *((self.data,) if data else ())):
            poller.register(each, zmq.POLLIN)
        return {each for each, _ in poller.poll(round(timeout_s * 1000))}

    def replies(self) -> list[bytes]:
        return [frames[-1] for frames in _drain(self.rpc)]

    def messages(self) -> list[bytes]:
        return [frames[-1] for frames in _drain(self.data)]

    def answer_heartbeat(self) -> None:
        for frames in _drain(self.heart):
            self.heart.send_multipart(frames, zmq.NOBLOCK)

    def close(self) -> None:
        self._context.destroy(linger=LINGER_MS)

    def _bind(self, name: str, here: str, port: int) -> int:
        try:
            self.heart.bind(f"tcp://{here}:{port or '*'}")
        except zmq.ZMQError as error:
            raise DeviceConnectionError(
                f"port {port} is not free for the server's heartbeat "
                f"({name}.zeromq.heartbeat_port): {error}"
            ) from error
        endpoint = self.heart.getsockopt_string(zmq.LAST_ENDPOINT)
        return int(endpoint.rsplit(":", 1)[1])


def _drain(each: "zmq.Socket[bytes]") -> list[list[bytes]]:
    found: list[list[bytes]] = []
    try:
        while len(found) < MOST_MESSAGES:
            found.append(each.recv_multipart(zmq.NOBLOCK))
    except zmq.Again:
        pass
    return found


def _own_address(host: str) -> str:
    """Return the address this computer has on the way to `host`; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError as error:
            raise DeviceConnectionError(f"no way to {host}: {error}") from error
        return str(probe.getsockname()[0])


def _words(code: int) -> str:
    return messages.WORDS.get(code, "unknown code")
