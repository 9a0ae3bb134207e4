"""Benchmarks: what is claimed, measured, beside peers where there are some."""

from collections.abc import Callable
from typing import Any

from acquire.bench import gait, sync, vicon

BENCHES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "gait": gait.run,
    "sync": sync.run,
    "vicon": vicon.run,
}
