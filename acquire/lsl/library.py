"""The LSL library itself: its clock, its version."""

from acquire.lsl.binding import pylsl


def local_clock() -> float:
    """Seconds on the host's monotonic clock, which every stamp refers to."""
    return float(pylsl.local_clock())


def library_info() -> str:
    """Return the version and build of liblsl, for the record."""
    return str(pylsl.library_info())
