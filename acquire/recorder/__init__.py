"""The recorder: LSL streams into one XDF file, and how well, at any moment."""

from acquire.recorder.recorder import Recorder
from acquire.recorder.states import (
    RecorderState,
    RecorderStateError,
    RecordingRefusedError,
)

__all__ = [
    "Recorder",
    "RecorderState",
    "RecorderStateError",
    "RecordingRefusedError",
]
