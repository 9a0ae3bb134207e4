"""Look at other computers that should have streams: are they there, do they answer."""

import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from acquire.network.outlets import (
    BASE_PORT,
    MAX_ASKED_AT_ONCE,
    AskedOutlet,
    outlets_of,
)

HostState = Literal["outlets", "no-outlet", "silent", "unknown", "no-route"]

TIMEOUT_S = 0.7
DEFAULT_PORTS = range(BASE_PORT, BASE_PORT + 256)


@dataclass(frozen=True)
class HostReport:
    """What became of looking at one computer."""

    host: str
    state: HostState
    message: str
    outlets: tuple[AskedOutlet, ...] = ()


def look_at(host: str, ports: Iterable[int] = DEFAULT_PORTS) -> HostReport:
    """Look for outlets on a computer named by the operator."""
    try:
        address = str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])
    except OSError:
        text = f"no computer is called {host}: check the spelling, or use its address"
        return HostReport(host, "unknown", text)
    wanted = list(ports)
    with ThreadPoolExecutor(MAX_ASKED_AT_ONCE) as pool:
        states = list(pool.map(lambda port: _knock(address, port), wanted))
    open_ports = [port for port, s in zip(wanted, states, strict=True) if s == "open"]
    outlets = tuple(outlets_of(address, open_ports))
    if outlets:
        text = f"{host} has {len(outlets)} outlets"
        return HostReport(host, "outlets", text, outlets)
    if open_ports or "refused" in states:
        text = f"{host} answers, but no outlet is on its LSL ports: start its program"
        return HostReport(host, "no-outlet", text)
    if "silent" in states:
        text = (
            f"{host} does not answer: it is off, has another address, or its firewall "
            f"drops TCP {wanted[0]}-{wanted[-1]}"
        )
        return HostReport(host, "silent", text)
    text = f"there is no way to {host} from here: check cable, Wi-Fi and subnet"
    return HostReport(host, "no-route", text)


def _knock(address: str, port: int) -> str:
    try:
        socket.create_connection((address, port), TIMEOUT_S).close()
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "no-route"
    return "open"
