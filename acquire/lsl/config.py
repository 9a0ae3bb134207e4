"""Configure LSL for this process: which streams it sees, and who sees its streams."""

import re
from typing import Literal, get_args

from acquire.lsl.binding import pylsl
from acquire.lsl.config_file import as_text, config_file, merged, read_settings
from acquire.lsl.errors import LslConfigurationError

Scope = Literal["machine", "link", "site", "organization", "global"]

LOG_LEVEL = -3  # fatal only: what matters is raised or noticed by our own timers
# On one machine outlets are found by asking each port of the range, 32 by default: of
# 48 outlets 15 were never found. All programs of a rig must agree on it.
PORT_RANGE = 256
# Each measurement of a clock offset leaves 0.25 kB behind in liblsl (a receive that
# is never taken back), and its default is one every 2 s.
OFFSET_EVERY_S = 5.0
_SESSION = re.compile(r"[A-Za-z0-9_.-]+\Z")
_SCOPES = get_args(Scope)
_configured: tuple[str | None, str] | None = None


def configure(session_id: str | None, scope: str = "machine") -> None:
    """Set session and scope; once per process and before anything else of LSL.

    What else an ``lsl_api.cfg`` of this computer says (`KnownPeers`, addresses) holds.

    Parameters
    ----------
    session_id
        Only streams of the same session see each other. It isolates laboratories
        and tests; it is not a password. None means LSL's ``default``.
    scope
        How far this process looks: ``machine`` for a rig on one computer. Programs
        with a liblsl before 1.18 (LabRecorder) find at ``machine`` one outlet of many;
        they see all of ours at ``link`` or wider.

    Raises
    ------
    LslConfigurationError
        The process is already configured with other values, which liblsl would
        silently keep.
    """
    global _configured
    if session_id is not None and not _SESSION.match(session_id):
        raise LslConfigurationError(
            f"session id {session_id!r} may hold letters, digits, '_', '.', '-' only"
        )
    if scope not in _SCOPES:
        raise LslConfigurationError(f"scope {scope!r} is none of {list(_SCOPES)}")
    wanted = (session_id, scope)
    if _configured == wanted:
        return
    if _configured is not None:
        raise LslConfigurationError(
            f"LSL is configured with session {_configured[0]!r}, scope "
            f"{_configured[1]!r} in this process; {wanted} needs a process of its own"
        )
    pylsl.set_config_content(_content(session_id, scope))
    _configured = wanted


def is_configured() -> bool:
    """Whether `configure` was called in this process."""
    return _configured is not None


def configured_session_id() -> str | None:
    """Return the session id in use; None before `configure` or for the default."""
    return _configured[0] if _configured else None


def configured_scope() -> str:
    """Return the scope in use, or ``as in lsl_api.cfg`` before `configure`."""
    return _configured[1] if _configured else "as in lsl_api.cfg"


def _content(session_id: str | None, scope: str) -> str:
    """Return our settings; what else this computer's `lsl_api.cfg` says stays."""
    ours = {
        "multicast": {"ResolveScope": scope},
        "ports": {"PortRange": str(PORT_RANGE)},
        "lab": {"SessionID": session_id or "default"},
        "log": {"level": str(LOG_LEVEL)},
        "tuning": {"TimeUpdateInterval": str(OFFSET_EVERY_S)},
    }
    if scope == "machine":  # loopback is reached by IPv4; IPv6 doubles every probe
        ours["ports"]["IPv6"] = "disable"
    return as_text(merged(read_settings(config_file()), ours))
