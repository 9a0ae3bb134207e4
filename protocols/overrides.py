"""A protocol made shorter or otherwise set, for a rehearsal or a test."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from protocols.errors import ProtocolFileError
from protocols.schema import ProtocolDefinition, validated

_DEFAULTS = {"trials": 1, "matrix": 5, "cycle": 1}
_COUNTS = {"trials": "repeat", "matrix": "trials", "cycle": "repeat"}


def overridden(
    protocol: ProtocolDefinition,
    *,
    most_trials: int | None = None,
    record_s: float | None = None,
    settings: Sequence[str] = (),
) -> ProtocolDefinition:
    """Return a copy with other values, validated again.

    Parameters
    ----------
    most_trials
        At most so many trials of each combination, and rounds of each cycle.
    record_s
        Length of every walking trial; calibrations become no longer.
    settings
        Settings as ``key=value``.
    """
    if most_trials is None and record_s is None and not settings:
        return protocol
    data = protocol.model_dump(mode="json", exclude_unset=True)
    given = dict(_pair(text) for text in settings)
    if record_s is not None:
        given.setdefault("record_s", record_s)
    data["settings"] = data.get("settings", {}) | given
    data["steps"] = [_step(step, most_trials, record_s) for step in data["steps"]]
    return validated(data, source=f"{protocol.name} with other values")


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ProtocolFileError(f"setting {text!r} is not of the form key=value")
    return key.strip(), yaml.safe_load(value)


def _step(
    step: Mapping[str, Any], most_trials: int | None, record_s: float | None
) -> dict[str, Any]:
    changed = dict(step)
    count = _COUNTS.get(step.get("type", ""))
    if count and most_trials is not None:
        changed[count] = min(step.get(count, _DEFAULTS[step["type"]]), most_trials)
    if record_s is not None and "record_s" in step:
        changed["record_s"] = min(step["record_s"], record_s)
    for inner in ("steps", "blocks"):
        if inner in step:
            changed[inner] = [
                _step(each, most_trials, record_s) for each in step[inner]
            ]
    return changed
