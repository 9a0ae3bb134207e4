"""Refuses to start on a Qt binding that loses references and kills the process.

PySide6 6.12 on Python before 3.12 drops a reference of None with every call that
returns nothing; a plotting window dies within a second.
"""

import sys
from collections.abc import Callable

N_CALLS = 200
ADVICE = 'install "PySide6-Essentials<6.12", or use Python 3.12 or newer'


class QtBindingError(RuntimeError):
    """The installed Qt binding cannot be used."""


def lost_references(call: Callable[[], object], n_calls: int = N_CALLS) -> int:
    """Return how many references of None are lost by `n_calls` of `call`."""
    before = sys.getrefcount(None)
    for _ in range(n_calls):
        call()
    return before - sys.getrefcount(None)


def check_binding(call: Callable[[], object], version: str) -> None:
    """Raise `QtBindingError` when `call`, which returns None, loses references."""
    if sys.version_info >= (3, 12):
        return  # None is immortal there
    lost = lost_references(call)
    if lost > N_CALLS // 2:
        raise QtBindingError(
            f"PySide6 {version} on Python {sys.version.split()[0]} lost {lost} "
            f"references of None in {N_CALLS} calls and would crash: {ADVICE}"
        )
