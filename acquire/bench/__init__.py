"""Benchmarks: what is claimed, measured, beside peers where there are some.

Each is a module with a function ``run`` that returns rows for a table. They are
imported when asked for: their helper processes start lean.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

ALL = ("dataset", "gait", "record", "sync", "vicon")
BY_NAME = ("busy", "soak")  #: run only when asked for: they take long


def bench(name: str) -> Callable[..., list[dict[str, Any]]]:
    """Return the function that runs a bench."""
    run: Callable[..., list[dict[str, Any]]]
    run = import_module(f"acquire.bench.{name}").run
    return run
