"""Find device kinds: our own and those of installed plug-ins, by entry point."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from pydantic import BaseModel

from devices.adapter import DeviceAdapter
from devices.errors import DeviceNotFoundError

GROUP = "kinemuse.devices"


@dataclass(frozen=True)
class DeviceKind:
    """What an entry point of the group `kinemuse.devices` names.

    `config` is the pydantic model of this device's part of the rig file; `make`
    builds an adapter from ``(name, config, now)`` where `now` is the host clock in
    seconds. `twin` is the module that runs as ``python -m <twin>``, or empty. `capture`
    says how the device starts a capture and with it the trigger line: by Vicon's
    ``datagram``, by the verbs ``capture_start`` and ``capture_stop`` (``command``), or
    not at all.
    """

    config: type[BaseModel]
    make: Callable[[str, Any, Callable[[], float]], DeviceAdapter]
    twin: str = ""
    capture: Literal["", "datagram", "command"] = ""


@cache
def available() -> dict[str, EntryPoint]:
    """Device kinds by name; nothing is imported, so a broken plug-in is harmless."""
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        first = found.setdefault(entry.name, entry)
        if first.value != entry.value:
            raise ValueError(f"{entry.name!r}: both {first.value} and {entry.value}")
    return found


def load(kind: str) -> DeviceKind:
    """Import one device kind; a missing SDK fails here, and only for this device."""
    entry = available().get(kind)
    if entry is None:
        raise DeviceNotFoundError(
            f"no device kind {kind!r}; there are {sorted(available())}"
        )
    loaded = entry.load()
    if not isinstance(loaded, DeviceKind):
        raise TypeError(f"entry point {entry.value!r} is not a DeviceKind")
    return loaded
