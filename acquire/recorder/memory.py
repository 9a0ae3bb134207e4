"""Give memory back that was needed for a moment only."""

import ctypes
import sys
from collections.abc import Callable
from typing import Any


def _find_trim() -> Callable[[int], int] | None:
    """Return glibc's ``malloc_trim``; None on other systems, which need none."""
    if not sys.platform.startswith("linux"):
        return None
    library: Any = ctypes.CDLL(None)
    trim: Callable[[int], int] | None = getattr(library, "malloc_trim", None)
    return trim


_trim = _find_trim()


def return_free_memory() -> None:
    """Hand free memory of this process back to the system; takes about 1 ms.

    When a recorder cannot run for some seconds, samples wait in liblsl; glibc keeps
    what they needed, in pieces, for good.
    """
    if _trim is not None:
        _trim(0)
