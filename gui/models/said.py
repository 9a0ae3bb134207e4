"""Events of the session and notices of devices, in words."""

import json

HIDDEN = ("event", "t_lsl", "t_seen", "source_id", "participant", "session")
MOST_DETAILS = 6
WARNINGS = frozenset(
    {
        "adverse_event",
        "archive_failed",
        "disk_low",
        "disk_short",
        "disk_slow",
        "process_restarted",
        "samples_missing",
        "start_override",
        "stop_rule",
        "stream_lost",
        "stream_stalled",
        "override",
    }
)
"""Events that an operator must not miss."""
UNSAID = frozenset({"sent"})  #: notices for the journal alone: packets in hex


def words_of(text: str) -> tuple[str, str]:
    """Return what to say and how severe it is; nothing to say is an empty text.

    >>> words_of('{"event": "trial_start", "trial": "Trial_2"}')
    ('trial start: trial Trial_2', 'info')
    >>> words_of('{"device": "vicon", "severity": "warning", "message": "gap"}')
    ('vicon: gap', 'warning')
    >>> words_of('{"where": "disk", "severity": "error", "message": "read-only"}')
    ('disk: read-only', 'error')
    >>> words_of('{"device": "vicon", "severity": "info", "code": "connected"}')
    ('vicon: connected', 'info')
    >>> words_of('{"event": "stream_lost", "stream": "semg", "silent_s": 0.60123}')
    ('stream lost: stream semg, silent_s 0.6012', 'warning')
    """
    try:
        facts = json.loads(text)
    except ValueError:
        return text, "info"
    if not isinstance(facts, dict):
        return text, "info"
    if facts.get("code") in UNSAID:
        return "", "info"
    if "severity" in facts:
        where = facts.get("device") or facts.get("where") or "device"
        message = facts.get("message")
        what = message if message and message != where else facts.get("code", "")
        return f"{where}: {what}", str(facts["severity"])
    event = str(facts.get("event", "event"))
    severity = "warning" if event in WARNINGS else "info"
    words = event.replace("_", " ")
    if event == "state":
        parts = [str(facts.get("state", "")).replace("_", " "), facts.get("message")]
        return ": ".join(str(part) for part in parts if part), "info"
    shown = [
        f"{key} {_short(value)}"
        for key, value in facts.items()
        if key not in HIDDEN
        and value not in ("", None)
        and not isinstance(value, dict | list)
    ]
    details = ", ".join(shown[:MOST_DETAILS])
    return (f"{words}: {details}" if details else words), severity


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
