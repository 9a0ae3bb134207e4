"""What every twin does as a process: arguments, the ready line, a clean end."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from devices.errors import DeviceError
from devices.sim.config import TwinConfig
from devices.sim.lab_client import LabClient
from devices.sim.world import Lab


class Twin(Protocol):
    """A server that plays a device. `step` serves for at most `timeout_s`.

    One that listens on more than one port may have a mapping `more_ports`, which is
    announced with the rest.
    """

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        ...

    def step(self, timeout_s: float) -> None: ...
    def close(self) -> None: ...


def run(
    make: Callable[[Lab, str, int | None], Twin],
    description: str,
    arguments: Sequence[str] | None = None,
) -> None:
    """Run a twin until SIGTERM, SIGINT or the end of the lab.

    `make` takes the lab, the device's name and the port (None: as the lab's
    configuration says).
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lab", required=True, help="lab server, HOST:PORT")
    parser.add_argument("--name", required=True, help="the device in the lab's config")
    parser.add_argument("--port", type=int, help="0 picks a free port")
    given = parser.parse_args(arguments)
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: ended.append(signum))
    try:
        lab = LabClient(given.lab)
        twin = make(lab, given.name, given.port)
    except (DeviceError, OSError, ValueError) as error:
        raise SystemExit(f"{given.name}: {error}") from error
    ready = {"ready": True, "port": twin.port, **getattr(twin, "more_ports", {})}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    try:
        while lab.alive and not ended:
            twin.step(0.05)
    except DeviceError:
        if lab.alive:
            raise
    finally:
        twin.close()
        lab.close()


def twin_config(lab: Lab, name: str, port: int | None) -> TwinConfig:
    """Return what the lab says about a twin, with another port if one is given."""
    config = lab.config.twins.get(name, TwinConfig())
    return config if port is None else config.model_copy(update={"port": port})
