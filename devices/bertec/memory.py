"""What a treadmill adapter must not forget when it is killed in mid-walk."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("kinemuse.devices.bertec")


@dataclass(frozen=True, slots=True)
class Remembered:
    """Whether the mill was armed, and which way the participant faced."""

    armed: bool = False
    is_reversed: bool = False


def remember(path: Path | None, what: Remembered) -> None:
    """Write it, atomically; a failure is logged, never raised: belts come first."""
    if path is None:
        return
    text = json.dumps({"armed": what.armed, "reversed": what.is_reversed})
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        log.warning("treadmill state not kept in %s: %s", path, error)


def recall(path: Path | None) -> Remembered:
    """Read what a killed adapter left behind; nothing, when it closed in order."""
    if path is None:
        return Remembered()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Remembered(found["armed"] is True, found["reversed"] is True)
    except FileNotFoundError:
        return Remembered()
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("treadmill state in %s cannot be read: %s", path, error)
        return Remembered()


def forget(path: Path | None) -> None:
    """Leave nothing behind: the adapter closes in order."""
    if path is not None:
        path.unlink(missing_ok=True)
