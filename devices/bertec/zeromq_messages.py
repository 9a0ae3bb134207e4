"""Requests to, replies and data from Bertec's ZeroMQ server, as JSON."""

import json
import math
from collections.abc import Mapping
from typing import Any

from devices.bertec.wire import Command, Status
from devices.bertec.zeromq_config import ZeroMqConfig
from devices.errors import WireFormatError

OK = 1
WORDS = {
    -32700: "the request is not JSON",
    -32600: "the request is not valid",
    -32601: "the server has no such method",
    -32602: "the server does not take these parameters (is number_style right?)",
    -32603: "the server failed",
    -1: "the treadmill refuses",
}


def pack_request(number: int, method: str, parameters: Mapping[str, object]) -> bytes:
    """Return one request."""
    request = {"version": "v1", "id": number, "method": method, "params": parameters}
    return json.dumps(request).encode()


def parse_reply(data: bytes) -> int:
    """Return the code of a reply, or raise `WireFormatError`."""
    code = _mapping(data).get("code")
    if not isinstance(code, int) or isinstance(code, bool):
        raise WireFormatError(f"a reply without a code: {data[:80]!r}")
    return code


def belt_parameters(command: Command, config: ZeroMqConfig) -> dict[str, object]:
    """Return the parameters of ``RunTreadmill``; one rate up and down."""
    found: dict[str, object] = {}
    for side, mmps, mmps2 in (
        ("left", command.left_mmps, command.accel_left_mmps2),
        ("right", command.right_mmps, command.accel_right_mmps2),
    ):
        speed = mmps / 1000.0 * config.units_per_mps
        rate = mmps2 / 1000.0 * config.units_per_mps
        found[f"{side}Vel"] = _styled(speed, config)
        found[f"{side}Accel"] = found[f"{side}Decel"] = _styled(rate, config)
    return found


def incline_parameters(command: Command, config: ZeroMqConfig) -> dict[str, object]:
    """Return the parameters of ``RunIncline``."""
    return {"inclineAngle": _styled(command.incline_cdeg / 100.0, config)}


def parse_data(data: bytes, config: ZeroMqConfig) -> tuple[Status | None, list[str]]:
    """Return the status in a data message, None without one, and the keys it has."""
    message = _mapping(data)
    names = (config.left_key, config.right_key, config.incline_key)
    if any(name not in message for name in names):
        return None, sorted(message)
    left, right, incline = (_number(name, message[name]) for name in names)
    scale = 1000.0 / config.units_per_mps
    status = Status(round(left * scale), round(right * scale), round(incline * 100.0))
    return status, sorted(message)


def _mapping(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise WireFormatError(f"not JSON: {data[:80]!r}") from error
    if not isinstance(found, dict):
        raise WireFormatError(f"not a JSON object: {data[:80]!r}")
    return found


def _number(name: str, value: object) -> float:
    """Read a number however the server's locale writes it."""
    text = value.replace(",", ".") if isinstance(value, str) else value
    try:
        number = float(text) if isinstance(text, str | int | float) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise WireFormatError(f"{name}={value!r} in the treadmill's data is no number")
    return number


def _styled(value: float, config: ZeroMqConfig) -> float | str:
    if config.number_style == "number":
        return value
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if config.number_style == "string_comma" else text
