"""The seam between the toolkit and a device."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from devices.stream import Chunk, Notice, StreamSpec


@runtime_checkable
class DeviceAdapter(Protocol):
    """A source of sample streams: ``connect, start, read..., stop, close``.

    One worker thread makes every call. `close` is legal in any state, twice too.
    Whatever fails raises a `DeviceError`; after one the owner closes the adapter and
    connects again. An adapter takes the host clock as an argument and never sleeps
    longer than the `timeout_s` it is given.
    """

    name: str  #: key in the rig file

    def connect(self, timeout_s: float) -> Sequence[StreamSpec]:
        """Open the link, prove that the peer speaks the protocol, describe streams."""
        ...

    def start(self) -> None: ...

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        """Return what arrived since the last call; empty when the time is up."""
        ...

    def stop(self) -> None: ...
    def close(self) -> None: ...


@runtime_checkable
class Reporting(Protocol):
    """A device that has more to say than samples: gaps, reconnects, bad packets."""

    def notices(self) -> Sequence[Notice]:
        """Return what happened since the last call."""
        ...


@runtime_checkable
class Restreaming(Protocol):
    """A device whose set of streams can change while it runs (a new marker set)."""

    def changed_specs(self) -> Sequence[StreamSpec]:
        """Return specs that replace earlier ones of the same name; empty if none."""
        ...


@runtime_checkable
class Commandable(Protocol):
    """A device that a protocol can drive, such as a treadmill.

    `command` is called by the worker thread between reads, with a verb and its
    arguments, and returns what was done: for example ``command("belts", {"left_mps":
    1.0, "right_mps": 1.0, "accel_mps2": 0.25})``. A value out of limits raises
    `SetpointRejectedError` and sends nothing. `snapshot` says what is known now.
    """

    def command(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]: ...
    def snapshot(self) -> Mapping[str, Any]: ...
