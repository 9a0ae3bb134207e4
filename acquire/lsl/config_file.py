"""The file ``lsl_api.cfg``, by which LSL programs are told about their network."""

import configparser
import logging
import os
from collections.abc import Mapping
from pathlib import Path

log = logging.getLogger("kinemuse.lsl")

Settings = Mapping[str, Mapping[str, str]]
ENVIRONMENT = "LSLAPICFG"


def config_file() -> Path | None:
    """Return the file that liblsl would read here; None when there is none."""
    named = os.environ.get(ENVIRONMENT)
    places = [
        *([Path(named)] if named else []),
        Path("lsl_api.cfg"),
        Path.home() / "lsl_api" / "lsl_api.cfg",
        Path("/etc/lsl_api/lsl_api.cfg"),
    ]
    return next((path for path in places if path.is_file()), None)


def read_settings(path: Path | None) -> dict[str, dict[str, str]]:
    """Return sections and keys of such a file; empty where it cannot be read."""
    if path is None:
        return {}
    parser = configparser.ConfigParser(
        strict=False, interpolation=None, inline_comment_prefixes=(";",)
    )
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"), source=str(path))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        log.warning("%s is not used: %s", path, error)
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}


def merged(below: Settings, above: Settings) -> dict[str, dict[str, str]]:
    """Return both; where they differ, `above` holds."""
    return {
        name: {**below.get(name, {}), **above.get(name, {})}
        for name in dict.fromkeys([*below, *above])
    }


def as_text(settings: Settings) -> str:
    """Return the text of such a file."""
    lines: list[str] = []
    for name, section in settings.items():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in section.items())]
    return "\n".join(lines) + "\n"
