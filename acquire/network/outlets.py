"""Ask outlets who they are directly, over TCP, past everything discovery needs.

Every outlet answers ``LSL:fullinfo`` on its data port with its complete header, in
whatever session it is and however narrow its scope. So an outlet that is there but not
discovered is told from one that is not there.
"""

import contextlib
import logging
import re
import socket
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from acquire.storage.stream_header import StreamHeader, StreamHeaderError, parse_header

log = logging.getLogger("kinemuse.network")

DISCOVERY_PORT = 16571  # UDP
BASE_PORT = 16572
REQUEST = b"LSL:fullinfo\r\n"
TIMEOUT_S = 0.5
MAX_HEADER_BYTES = 8 << 20
MAX_ASKED_AT_ONCE = 64
_SERVICE_PORT = re.compile(r"<v4service_port>(\d+)<")
_LIBRARY = re.compile(r"lsl[^/\\]*?(\d+\.\d+\.\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class AskedOutlet:
    """An outlet that answered on its data port."""

    header: StreamHeader
    host: str
    port: int  #: TCP, of samples
    service_port: int  #: UDP, where discovery asks
    library: str = ""  #: version of its liblsl; empty where unknown


@dataclass(frozen=True)
class _Listener:
    pid: int
    port: int
    library: str


def local_outlets() -> list[AskedOutlet]:
    """Return the outlets of the other programs of this computer."""
    found = []
    listeners = _listeners()
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda at: ask("127.0.0.1", at.port), listeners)
        for listener, answer in zip(listeners, answers, strict=True):
            if answer is not None:
                header, service_port = answer
                found.append(
                    AskedOutlet(
                        header,
                        "127.0.0.1",
                        listener.port,
                        service_port,
                        listener.library,
                    )
                )
    return found


def outlets_of(host: str, ports: Iterable[int]) -> list[AskedOutlet]:
    """Return the outlets on these ports of a host."""
    wanted = list(ports)
    with ThreadPoolExecutor(MAX_ASKED_AT_ONCE) as pool:
        answers = pool.map(lambda port: ask(host, port), wanted)
        return [
            AskedOutlet(answer[0], host, port, answer[1])
            for port, answer in zip(wanted, answers, strict=True)
            if answer is not None
        ]


def ask(
    host: str, port: int, timeout_s: float = TIMEOUT_S
) -> tuple[StreamHeader, int] | None:
    """Return header and UDP service port of the outlet there; None without one."""
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(REQUEST)
            answer = _read_all(connection)
    except OSError:
        return None
    if not answer.startswith(b"<?xml"):
        return None
    service_port = _SERVICE_PORT.search(answer.decode("utf-8", "replace"))
    try:
        return parse_header(answer), int(service_port[1]) if service_port else 0
    except StreamHeaderError as error:
        log.debug("port %d of %s: %s", port, host, error)
        return None


def _read_all(connection: socket.socket) -> bytes:
    answer = b""
    with contextlib.suppress(TimeoutError):
        while len(answer) < MAX_HEADER_BYTES and (more := connection.recv(1 << 16)):
            answer += more
            if answer.rstrip().endswith(b"</info>"):
                break
    return answer


def _listeners() -> list[_Listener]:
    """Return the TCP ports of other processes that use LSL."""
    try:
        sockets = psutil.net_connections("inet")
    except (psutil.AccessDenied, OSError):
        return []  # only an administrator may ask on some systems
    own = psutil.Process().pid
    discovers = {s.pid for s in sockets if s.laddr and s.laddr.port == DISCOVERY_PORT}
    ports: dict[int, set[int]] = {}
    for s in sockets:
        if s.status == psutil.CONN_LISTEN and s.laddr and s.pid not in (None, own):
            ports.setdefault(s.pid, set()).add(s.laddr.port)
    found = []
    for pid, of_process in sorted(ports.items()):
        library = _library(pid)
        if library is not None or pid in discovers:
            found += [_Listener(pid, p, library or "") for p in sorted(of_process)]
    return found


def _library(pid: int) -> str | None:
    """Return the version of a process's liblsl; None when it has not loaded it."""
    for path in _loaded(pid):
        name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
        if name.startswith(("liblsl", "lsl.dll", "lsl64", "lsl32")):
            version = _LIBRARY.search(name)
            return version[1] if version else ""
    return None


def _loaded(pid: int) -> list[str]:
    """Return the files that a process has mapped; none where that may not be asked."""
    try:
        if sys.platform == "linux":  # psutil adds up pages, which takes long
            lines = Path(f"/proc/{pid}/maps").read_text("utf-8", "replace")
            found = [line.split(maxsplit=5) for line in lines.splitlines()]
            return list(dict.fromkeys(f[5] for f in found if len(f) > 5))
        return [mapped.path for mapped in psutil.Process(pid).memory_maps()]
    except (psutil.Error, OSError, AttributeError, NotImplementedError):
        return []
