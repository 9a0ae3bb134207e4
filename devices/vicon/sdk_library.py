"""Calls into the vendor's library that its Python package does not offer.

The package installs the C++ library and hands out a pointer to its client; frames,
analog devices and timecode are reached by the exported C++ names, as Linux has them.
`GetFrame` is called without the interpreter's lock, because it waits up to a second;
the getters keep the lock, because they are short and many.
"""

import ctypes
from collections.abc import Callable
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char_p,
    c_double,
    c_int,
    c_void_p,
    py_object,
)
from ctypes import c_uint as c_u32
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.vicon.frames import Timecode
from devices.vicon.sdk_package import VendorClient, library_path

SUCCESS, NOT_CONNECTED, NO_FRAME = 2, 9, 10

_CLIENT = "18ViconDataStreamSDK3CPP6Client"


class _String(Structure):
    _fields_ = (("owned", c_char_p), ("constant", c_char_p), ("factory", c_void_p))


class _Result(Structure):
    _fields_ = (("result", c_int),)


class _Count(Structure):
    _fields_ = (("result", c_int), ("n", c_u32))


class _Subsamples(Structure):
    _fields_ = (("result", c_int), ("n", c_u32), ("occluded", c_bool))


class _Value(Structure):
    _fields_ = (("result", c_int), ("value", c_double), ("occluded", c_bool))


class _Seconds(Structure):
    _fields_ = (("result", c_int), ("value", c_double))


class _Timecode(Structure):
    _fields_ = (
        ("result", c_int),
        *((name, c_u32) for name in ("hours", "minutes", "seconds")),
        *((name, c_u32) for name in ("frames", "subframes")),
        ("field", c_bool),
        ("standard", c_int),
        ("per_frame", c_u32),
        ("user_bits", c_u32),
    )


_NETWORK = _String(None, b"Network Transmission", None)


class Component:
    """Names of one component of a device's output, ready for calls."""

    def __init__(self, device: str, channel: str, component: str) -> None:
        self.label, self.name = f"{device}/{channel}/{component}", component
        texts = (device, channel, component)
        self._strings = [_String(None, text.encode(), None) for text in texts]
        self.arguments = tuple(byref(string) for string in self._strings)


class SdkLibrary:
    """The C++ client behind one `PyViconDatastream`, which must outlive this."""

    def __init__(self, package: ModuleType, client: VendorClient) -> None:
        path = str(library_path(package))
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = c_void_p, [py_object, c_char_p]
        capsule = b"pyvicon_datastream.client"
        self._client = c_void_p(pointer(py_object(client.client_), capsule))
        waiting, short = ctypes.CDLL(path), ctypes.PyDLL(path)
        text3 = "ERKNS0_6StringES4_S4_"
        self._get_frame = _function(waiting, "8GetFrameEv", _Result, const=False)
        self._enable_debug = _function(
            short, "15EnableDebugDataEv", _Result, const=False
        )
        self._device_count = _function(short, "14GetDeviceCountEv", _Count)
        self._hardware = _function(short, "22GetHardwareFrameNumberEv", _Count)
        self._timecode = _function(short, "11GetTimecodeEv", _Timecode)
        self._total_latency = _function(short, "15GetLatencyTotalEv", _Seconds)
        self._latency = _function(
            short,
            "21GetLatencySampleValueERKNS0_6StringE",
            _Seconds,
            POINTER(_String),
        )
        strings = [POINTER(_String)] * 3
        self._subsamples = _function(
            short, f"25GetDeviceOutputSubsamples{text3}", _Subsamples, *strings
        )
        self._value = _function(
            short, f"20GetDeviceOutputValue{text3}j", _Value, *strings, c_u32
        )

    def get_frame(self) -> int:
        """Wait for a frame, at most a second; `SUCCESS`, `NO_FRAME`..."""
        return int(self._get_frame(self._client).result)

    def enable_debug_data(self) -> None:
        """Ask for the hardware's frame number too."""
        self._enable_debug(self._client)

    def device_count(self) -> int:
        found = self._device_count(self._client)
        return int(found.n) if found.result == SUCCESS else 0

    def hardware_frame(self) -> int | None:
        found = self._hardware(self._client)
        return int(found.n) if found.result == SUCCESS else None

    def latency_s(self) -> float:
        """Sum the stages the server told, without the SDK's guess at the network."""
        total = self._total_latency(self._client)
        network = self._latency(self._client, byref(_NETWORK))
        return float(
            (total.value if total.result == SUCCESS else 0.0)
            - (network.value if network.result == SUCCESS else 0.0)
        )

    def timecode(self) -> Timecode | None:
        """Return the frame's SMPTE time, with the standard as on the wire."""
        t = self._timecode(self._client)
        if t.result != SUCCESS or t.standard == 0:
            return None
        clock = t.hours, t.minutes, t.seconds, t.frames, t.subframes, t.per_frame
        return Timecode(*clock, t.standard - 1, t.user_bits, int(t.field))

    def n_subsamples(self, component: Component) -> int | None:
        """Count a component's samples in this frame; None when it does not exist."""
        found = self._subsamples(self._client, *component.arguments)
        return int(found.n) if found.result == SUCCESS else None

    def samples(self, component: Component, n: int) -> NDArray[np.float32]:
        """Return the first `n` samples, NaN where occluded."""
        call, client, names = self._value, self._client, component.arguments
        values = np.full(n, np.nan, np.float32)
        for k in range(n):
            found = call(client, *names, k)
            if found.result == SUCCESS and not found.occluded:
                values[k] = found.value
        return values


def _function(
    library: ctypes.CDLL,
    tail: str,
    result: type[Structure],
    *arguments: type,
    const: bool = True,
) -> Callable[..., Any]:
    function = library[f"_ZN{'K' if const else ''}{_CLIENT}{tail}"]
    function.restype = result
    function.argtypes = [c_void_p, *arguments]
    return function
