"""Benchmarks: what is claimed, measured, beside peers where there are some."""

from collections.abc import Callable
from typing import Any

from acquire.bench import sync, vicon

BENCHES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "sync": sync.run,
    "vicon": vicon.run,
}
