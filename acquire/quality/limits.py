"""Amber and red limits of every metric, from a YAML file."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, TypeAdapter

DEFAULT_FILE = Path(__file__).with_name("limits.yaml")


class Limits(BaseModel, frozen=True, extra="forbid"):
    """Where a metric turns amber and red; either may be left out."""

    amber: float | None = None
    red: float | None = None


_FILE = TypeAdapter(dict[str, Limits])


class LimitsError(ValueError):
    """A limits file names a metric that does not exist."""


def load_limits(path: Path = DEFAULT_FILE) -> dict[str, Limits]:
    """Read a limits file: metric name → ``{amber: ..., red: ...}``."""
    return _FILE.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")) or {})


def merged(overrides: Mapping[str, Limits]) -> dict[str, Limits]:
    """Return the shipped limits with some replaced.

    Raises
    ------
    LimitsError
        A name is not one of the shipped ones, most likely misspelt.
    """
    foreign = sorted(set(overrides) - set(DEFAULT_LIMITS))
    if foreign:
        raise LimitsError(
            f"no metric is called {', '.join(foreign)}; "
            f"there are {', '.join(sorted(DEFAULT_LIMITS))}"
        )
    return {**DEFAULT_LIMITS, **overrides}


DEFAULT_LIMITS: Mapping[str, Limits] = load_limits()
