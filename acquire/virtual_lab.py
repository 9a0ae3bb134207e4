"""Starts the twins of a rig, each in a process of its own, and finds their ports."""

import json
import logging
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acquire.rig import RigConfig
from devices import registry
from devices.sim.lab import LabClient

log = logging.getLogger("kinemuse.virtual_lab")

READY_TIMEOUT_S = 20.0


class VirtualLabError(RuntimeError):
    """A twin did not start; the message holds its own words."""


class VirtualLab:
    """The lab server and one twin per device, as a context manager.

    After `start`, `rig` is the rig with the ports the twins really listen on, and
    `addresses` say where each is. `free_ports` lets every twin choose a port.
    """

    def __init__(
        self,
        rig: RigConfig,
        *,
        truth: Path | None = None,
        faults: Sequence[str] = (),
        free_ports: bool = False,
    ) -> None:
        if rig.lab is None:
            raise VirtualLabError(
                f"rig {rig.name!r} has no section 'lab': its instruments are real"
            )
        self.rig = rig
        self.addresses: dict[str, str] = {}
        self._lab = rig.lab.model_copy(update={"waveform": rig.trigger.waveform})
        self._truth, self._faults, self._free_ports = truth, tuple(faults), free_ports
        self._processes: list[subprocess.Popen[str]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="kinemuse-lab-")

    def start(self) -> RigConfig:
        """Start everything; return the rig with the true ports."""
        try:
            self._start_lab()
            for name in self.rig.devices:
                self._start_twin(name)
        except BaseException:
            self.stop()
            raise
        return self.rig

    def client(self) -> LabClient:
        """Connect to the lab itself, to inject faults or to turn the person round."""
        return LabClient(self.addresses["lab"])

    def stop(self) -> None:
        """End the twins, then the lab (which completes the truth file)."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        self._processes.clear()
        self._folder.cleanup()

    def __enter__(self) -> "VirtualLab":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_lab(self) -> None:
        config = Path(self._folder.name) / "lab.json"
        config.write_text(self._lab.model_dump_json(), encoding="utf-8")
        arguments = ["--config", str(config), "--port", "0"]
        if self._truth:
            arguments += ["--truth", str(self._truth)]
        for fault in self._faults:
            arguments += ["--fault", fault]
        ready = self._launch("lab", "devices.sim.lab", arguments)
        self.addresses["lab"] = f"127.0.0.1:{ready['port']}"

    def _start_twin(self, name: str) -> None:
        entry = self.rig.devices[name]
        module = registry.load(entry.kind).twin
        if not module:
            raise VirtualLabError(f"devices.{name}: kind {entry.kind!r} has no twin")
        port = 0 if self._free_ports else entry.settings.port
        arguments = ["--lab", self.addresses["lab"], "--name", name]
        ready = self._launch(name, module, [*arguments, "--port", str(port)])
        host = "127.0.0.1"
        changes: dict[str, Any] = {"host": host, "port": ready["port"]}
        if "capture_port" in ready:
            capture = {"host": host, "port": ready["capture_port"]}
            changes["capture"] = entry.settings.capture.model_dump() | capture
        self.rig = self.rig.with_device(name, **changes)
        self.addresses[name] = f"{host}:{ready['port']}"

    def _launch(self, name: str, module: str, arguments: list[str]) -> dict[str, Any]:
        errors = (Path(self._folder.name) / f"{name}.log").open("w+", encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        line = _first_line(process, READY_TIMEOUT_S)
        try:
            ready = json.loads(line)
        except ValueError:
            ready = {}
        if not isinstance(ready, dict) or not ready.get("ready"):
            errors.seek(0)
            said = errors.read().strip()[-2000:] or line or "nothing"
            raise VirtualLabError(f"the twin {name!r} did not start; it said: {said}")
        errors.close()
        return ready


def _first_line(process: subprocess.Popen[str], timeout_s: float) -> str:
    """Return the first line a process prints, or "" when it prints none in time."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        lines.put(process.stdout.readline() if process.stdout else "")

    threading.Thread(target=read, daemon=True).start()
    try:
        return lines.get(timeout=timeout_s)
    except queue.Empty:
        return ""
