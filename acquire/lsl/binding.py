"""The binding to liblsl, fenced: pylsl is untyped, and lacks one call we need."""

import ctypes
from typing import Any

import pylsl as _pylsl
from pylsl.lib import lib as _lib

pylsl: Any = _pylsl
lib: Any = _lib

lib.lsl_time_correction_ex.restype = ctypes.c_double
lib.lsl_stream_info_matches_query.restype = ctypes.c_int32


def matches(info: Any, predicate: str) -> bool:  # noqa: ANN401 (pylsl is untyped)
    """Whether a complete stream info satisfies an XPath predicate."""
    return bool(lib.lsl_stream_info_matches_query(info.obj, predicate.encode()))
