"""Keep the memory of a process that runs for hours from growing in pieces (glibc)."""

import ctypes
import sys
from typing import Any, Final

M_MMAP_THRESHOLD: Final = -3  # numbers of glibc's malloc.h
M_ARENA_MAX: Final = -8
LARGE_BYTES: Final = 64 * 1024


def _find_libc() -> Any:  # noqa: ANN401 (ctypes has no types)
    """Return glibc; None on other systems, which need none of this."""
    if not sys.platform.startswith("linux"):
        return None
    library: Any = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


_libc = _find_libc()


def keep_memory_together() -> None:
    """Let all threads share one heap, and large blocks have pages of their own.

    Call it once, before threads start. By default every thread has a heap of its own
    and keeps what is left there between two pieces in use.
    """
    if _libc is not None:
        _libc.mallopt(M_ARENA_MAX, 1)
        _libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


def return_free_memory() -> None:
    """Hand free memory of this process back to the system; takes about 1 ms.

    When a recorder cannot run for some seconds, samples wait in liblsl; glibc keeps
    what they needed, in pieces, for good.
    """
    if _libc is not None:
        _libc.malloc_trim(0)
