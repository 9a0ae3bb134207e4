"""The vendor's Python package, as far as it is used; nothing is imported before."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

PACKAGE = "pyvicon_datastream"
LIBRARY = "libViconDataStreamSDK_CPP.so"


class Result(Protocol):
    """What a call came to."""

    @property
    def name(self) -> str: ...


class VendorClient(Protocol):
    """The class `PyViconDatastream`. Positions are in mm; None: occluded, or no such.

    Data are enabled after `connect`, and again after each.
    """

    client_: object  #: capsule with the C++ client

    def connect(self, address: str) -> Result: ...
    def disconnect(self) -> Result: ...
    def is_connected(self) -> bool: ...
    def enable_marker_data(self) -> Result: ...
    def enable_device_data(self) -> Result: ...
    def set_stream_mode(self, mode: object) -> Result: ...
    def set_buffer_size(self, n_frames: int) -> None: ...
    def get_frame_number(self) -> int: ...
    def get_subject_count(self) -> int | None: ...
    def get_subject_name(self, index: int) -> str: ...
    def get_marker_count(self, subject: str) -> int | None: ...
    def get_marker_name(self, subject: str, index: int) -> str: ...
    def get_marker_global_translation(
        self, subject: str, marker: str
    ) -> NDArray[np.float64] | None: ...


def load_package() -> ModuleType:
    """Import the package; ImportError when it, or its library, is not there."""
    package = importlib.import_module(PACKAGE)
    if not library_path(package).exists():
        raise ImportError(f"{PACKAGE} has no {LIBRARY}, which Linux has")
    return package


def library_path(package: ModuleType) -> Path:
    """Return where the C++ library lies that comes with the package."""
    return Path(str(package.__file__)).parent / "lib" / LIBRARY
