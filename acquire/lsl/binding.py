"""The binding to liblsl, fenced: pylsl is untyped, and lacks one call we need."""

import ctypes
from typing import Any

import pylsl as _pylsl
from pylsl.lib import lib as _lib

pylsl: Any = _pylsl
lib: Any = _lib

lib.lsl_time_correction_ex.restype = ctypes.c_double
