"""What the adapter and the process of the vendor's SDK say to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from devices.errors import DeviceError
from devices.vicon.frames import Frame
from devices.vicon.objects import Statics


@dataclass(frozen=True, slots=True)
class Request:
    """A call of `SdkClient`, answered by `Answer`."""

    verb: Literal["open", "ask", "start", "stop"]
    argument: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    error: DeviceError | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """Frames without their description; `statics` is told when it is another one.

    `failure` is what ended the stream, after these frames.
    """

    frames: Sequence[Frame] = ()
    statics: Statics | None = None
    failure: DeviceError | None = None
