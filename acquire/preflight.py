"""Every check before a person walks; each finding says what to do."""

from pathlib import Path

from acquire.control import ControlClient, ControlError
from acquire.findings import Finding
from acquire.storage.disk import free_bytes, is_writable

MIN_FREE_BYTES = 2_000_000_000
LOW_FREE_BYTES = 10_000_000_000
USUAL_BYTES_PER_S = 0.85e6  #: of a whole rig, archives included


def disk_findings(folder: Path) -> list[Finding]:
    """Check the space left where the dataset lies."""
    if not is_writable(folder):
        text = "is on a read-only disk, or may not be written by you"
        return [Finding("disk-read-only", "error", str(folder), text)]
    free = free_bytes(folder)
    if free >= LOW_FREE_BYTES:
        return []
    short = free < MIN_FREE_BYTES
    minutes = free / USUAL_BYTES_PER_S / 60.0
    return [
        Finding(
            code="disk-short" if short else "disk-low",
            severity="error" if short else "warning",
            where=str(folder),
            message=f"{free / 1e9:.1f} GB free, room for about {minutes:.0f} min. "
            "Free some space or choose another folder",
        )
    ]


def device_findings(name: str, client: ControlClient) -> list[Finding]:
    """Check one device process: does it answer, and what does it say of itself."""
    try:
        seen = client.request("snapshot", 2.0)
    except ControlError as error:
        return [Finding("device-silent", "error", name, f"{error}; is it running?")]
    if seen.get("state") != "streaming":
        reason = seen.get("reason") or "no reason given"
        message = f"{seen.get('state')}: {reason}"
        return [Finding("device-not-streaming", "error", name, message)]
    found = []
    device = seen.get("device") or {}
    message = str(device.get("message") or "")
    if device.get("state") == "adopted":  # the run asks before it stops them
        found.append(Finding("treadmill-moves", "warning", name, message))
    if device.get("state") in ("unexpected_stop", "unknown"):
        found.append(Finding("treadmill-not-ready", "error", name, message))
    for notice in seen.get("notices", []):
        if notice.get("severity") != "info":
            text = f"{notice.get('code')}: {notice.get('message')}"
            found.append(Finding("device-notice", "warning", name, text))
    return found
