"""What starts a capture, and with it the trigger line."""

from pathlib import Path
from typing import Protocol

from acquire.control import ControlClient
from acquire.rig import RigConfig
from devices import registry
from devices.vicon.capture import CaptureSender

TIMEOUT_S = 0.5  #: the runner waits: it must not miss its heartbeats


class Capture(Protocol):
    """Starts and stops a capture, and with it the trigger line."""

    def start(self, name: str) -> None: ...
    def stop(self, name: str) -> None: ...


class DeviceCapture:
    """Asks the process of a device that drives the line; returns once it has."""

    def __init__(self, device: str, runtime_dir: Path) -> None:
        self._device, self._runtime_dir = device, runtime_dir

    def start(self, name: str) -> None:
        self._ask("capture_start", name)

    def stop(self, name: str) -> None:
        self._ask("capture_stop", name)

    def _ask(self, verb: str, name: str) -> None:
        client = ControlClient(self._device, self._runtime_dir)
        try:
            arguments = {"name": name}
            client.request("command", TIMEOUT_S, verb=verb, arguments=arguments)
        finally:
            client.close()


def capture_of(rig: RigConfig, runtime_dir: Path) -> Capture | None:
    """Return what the rig names to start captures; None where it names nothing."""
    if rig.capture is None:
        return None
    entry = rig.devices[rig.capture]
    if registry.load(entry.kind).capture == "command":
        return DeviceCapture(rig.capture, runtime_dir)
    return CaptureSender.of(entry.settings)
