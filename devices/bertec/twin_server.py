"""Bertec's ZeroMQ server, simulated: requests answered, data published as JSON."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import zmq
from pydantic import BaseModel, Field

from devices.bertec.twin_mill import Belts, Mill
from devices.bertec.wire import Status

BEATS_MISSED = 10
BELTS = ("leftVel", "rightVel", "leftAccel", "rightAccel", "leftDecel", "rightDecel")


class ServerOptions(BaseModel, frozen=True, extra="forbid"):
    """How this server behaves; most of it is not known of the real one."""

    data_port: int = Field(default=0, ge=0)
    """Where it publishes; 0 takes a free port."""

    locale: Literal["number", "dot", "comma"] = "number"
    """``dot`` and ``comma``: numbers come as texts, with this decimal sign."""

    publishes_belts: bool = True
    """False: data hold forces alone."""

    single_client: bool = False
    """Refuse others while the first one answers the heartbeat."""

    heartbeat_s: float = Field(default=1.0, gt=0)
    reply_delay_s: float = Field(default=0.0, ge=0)


class ServerFront:
    """Answers one request after another, and beats to the client it knows.

    A request that cannot be read is answered with JSON-RPC's codes.
    """

    def __init__(self, host: str, port: int, options: dict[str, Any]) -> None:
        mine = {k: options.pop(k) for k in ServerOptions.model_fields if k in options}
        self.options = ServerOptions.model_validate(mine)
        self._context = zmq.Context()
        self._rpc, self.port = self._bound(zmq.ROUTER, host, port)
        self._data, data_port = self._bound(zmq.PUB, host, self.options.data_port)
        self.more_ports: Mapping[str, int] = {"data_port": data_port}
        self._heart: zmq.Socket[bytes] | None = None
        self._client: tuple[str, int] | None = None
        self._n_missed = 0
        self._next_beat_s = 0.0
        self._reply: tuple[float, list[bytes]] | None = None
        self._refuses = False
        self.n_bad_packets = 0
        self.methods: list[str] = []  #: of the requests so far

    def poll(self, timeout_s: float, mill: Mill) -> None:
        self._beat()
        self._answer()
        if self._reply is not None:
            time.sleep(min(timeout_s, 0.005))
        elif self._rpc.poll(round(timeout_s * 1000)):
            *envelope, request = self._rpc.recv_multipart()
            if not self._refuses:
                code = self._take(request, mill)
                reply = [*envelope, json.dumps({"code": code, "message": ""}).encode()]
                self._reply = time.monotonic() + self.options.reply_delay_s, reply
                self._answer()

    def send(self, statuses: Sequence[Status]) -> None:
        for status in statuses:
            data: dict[str, float] = {"fz": 0.0, "copx": 0.0, "copy": 0.0}
            if self.options.publishes_belts:
                data["leftVel"] = status.left_mmps / 1000
                data["rightVel"] = status.right_mmps / 1000
                data["inclineAngle"] = status.incline_cdeg / 100
            self._data.send(json.dumps(data).encode())

    def refuse(self, refuses: bool) -> None:
        """Take no request and publish nothing: what a client sees of a broken line."""
        self._refuses = refuses
        if refuses:
            self._client = None

    def close(self) -> None:
        self._context.destroy(linger=0)

    def _bound(
        self, kind: int, host: str, port: int
    ) -> tuple["zmq.Socket[bytes]", int]:
        each = self._context.socket(kind)
        try:
            each.bind(f"tcp://{host}:{port or '*'}")
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise OSError(f"port {port} of {host}: {error}") from error
        endpoint = each.getsockopt_string(zmq.LAST_ENDPOINT)
        return each, int(endpoint.rsplit(":", 1)[1])

    def _answer(self) -> None:
        if self._reply is not None and time.monotonic() >= self._reply[0]:
            self._rpc.send_multipart(self._reply[1])
            self._reply = None

    def _take(self, data: bytes, mill: Mill) -> int:
        try:
            request = json.loads(data)
        except ValueError:
            self.n_bad_packets += 1
            return -32700
        if not isinstance(request, dict) or request.get("version") != "v1":
            return -32600
        method, params = str(request.get("method")), request.get("params") or {}
        self.methods.append(method)
        try:
            return self._act(method, params, mill)
        except (KeyError, TypeError, ValueError):
            self.n_bad_packets += 1
            return -32602

    def _act(self, method: str, params: Mapping[str, Any], mill: Mill) -> int:
        if method == "InitConnect":
            return self._introduce(str(params["ip"]), int(params["port"]))
        if self._client is None:
            return -1
        if method == "RunTreadmill":
            value = {name: self._number(params[name]) for name in BELTS}
            mill.run(
                Belts(
                    value["leftVel"],
                    value["rightVel"],
                    value["leftAccel"] if value["leftVel"] else value["leftDecel"],
                    value["rightAccel"] if value["rightVel"] else value["rightDecel"],
                )
            )
            return 1
        if method == "RunIncline":
            mill.tilt(self._number(params["inclineAngle"]))
            return 1
        return -32601

    def _number(self, value: object) -> float:
        if self.options.locale == "number":
            if not isinstance(value, int | float):
                raise TypeError(value)
            return float(value)
        sign, other = (",", ".") if self.options.locale == "comma" else (".", ",")
        if not isinstance(value, str) or other in value:
            raise TypeError(value)
        return float(value.replace(sign, "."))

    def _introduce(self, ip: str, port: int) -> int:
        other = self._client not in (None, (ip, port))
        if self.options.single_client and other and self._n_missed <= BEATS_MISSED:
            return -1
        if self._heart is not None:
            self._heart.close(linger=0)
        self._heart = self._context.socket(zmq.DEALER)
        self._heart.connect(f"tcp://{ip}:{port}")
        self._client, self._n_missed = (ip, port), 0
        return 1

    def _beat(self) -> None:
        if self._heart is None or time.monotonic() < self._next_beat_s:
            return
        self._next_beat_s = time.monotonic() + self.options.heartbeat_s
        while self._heart.poll(0):
            self._heart.recv_multipart()
            self._n_missed = 0
        self._n_missed += 1
        try:
            self._heart.send(b"beat", zmq.NOBLOCK)
        except zmq.Again:
            return
