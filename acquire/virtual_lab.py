"""Starts the twins of a rig, each in a process of its own, and finds their ports."""

import json
import logging
import queue
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acquire.rig import RigConfig
from devices import registry
from devices.sim.config import LabConfig
from devices.sim.faults import FaultSpec
from devices.sim.lab import LabClient

log = logging.getLogger("kinemuse.virtual_lab")

READY_TIMEOUT_S = 60.0


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
        log_dir: Path | None = None,
    ) -> None:
        if rig.lab is None:
            raise VirtualLabError(
                f"rig {rig.name!r} has no section 'lab': its instruments are real"
            )
        self.rig = rig
        self.addresses: dict[str, str] = {}
        self._lab = _with_faults(rig.lab, [FaultSpec.parse(text) for text in faults])
        self._lab = self._lab.model_copy(update={"waveform": rig.trigger.waveform})
        self._truth, self._free_ports = truth, free_ports
        self._processes: list[subprocess.Popen[str]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="kinemuse-lab-")
        self._log_dir = log_dir or Path(self._folder.name)

    def start(self) -> RigConfig:
        """Start everything; return the rig with the true ports."""
        try:
            self._start_lab()
            started = {name: self._start_twin(name) for name in self.rig.devices}
            for name, process in started.items():
                self._learn_port(name, self._wait_ready(name, process))
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
        arguments = ["--config", str(config), "--port", "0", "--until-eof"]
        if self._truth:
            arguments += ["--truth", str(self._truth)]
        process = self._launch("lab", "devices.sim.lab", arguments)
        ready = self._wait_ready("lab", process)
        self.addresses["lab"] = f"127.0.0.1:{ready['port']}"

    def _start_twin(self, name: str) -> "subprocess.Popen[str]":
        entry = self.rig.devices[name]
        module = registry.load(entry.kind).twin
        if not module:
            raise VirtualLabError(f"devices.{name}: kind {entry.kind!r} has no twin")
        port = 0 if self._free_ports else entry.settings.port
        if port and _is_taken(port):
            raise VirtualLabError(
                f"port {port} is taken: end the program that holds it, or change "
                f"devices.{name}.port in the rig (--rig)"
            )
        arguments = ["--lab", self.addresses["lab"], "--name", name]
        return self._launch(name, module, [*arguments, "--port", str(port)])

    def _learn_port(self, name: str, ready: Mapping[str, Any]) -> None:
        """Tell the rig where a twin listens."""
        entry, host = self.rig.devices[name], "127.0.0.1"
        changes: dict[str, Any] = {"host": host, "port": ready["port"]}
        if "capture_port" in ready:
            capture = {"host": host, "port": ready["capture_port"]}
            changes["capture"] = entry.settings.capture.model_dump() | capture
        if "data_port" in ready:
            data = {"data_port": ready["data_port"]}
            changes["zeromq"] = entry.settings.zeromq.model_dump() | data
        self.rig = self.rig.with_device(name, **changes)
        self.addresses[name] = f"{host}:{ready['port']}"

    def _launch(
        self, name: str, module: str, arguments: list[str]
    ) -> "subprocess.Popen[str]":
        self._log_dir.mkdir(parents=True, exist_ok=True)
        with self._log_file(name).open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def _log_file(self, name: str) -> Path:
        return self._log_dir / f"twin-{name}.log"

    def _wait_ready(
        self, name: str, process: "subprocess.Popen[str]"
    ) -> dict[str, Any]:
        """Return what a process says once it listens."""
        line = _first_line(process, READY_TIMEOUT_S)
        try:
            ready = json.loads(line)
        except ValueError:
            ready = {}
        if not isinstance(ready, dict) or not ready.get("ready"):
            said = (
                self._log_file(name).read_text(encoding="utf-8").strip()[-2000:] or line
            )
            raise VirtualLabError(
                f"the twin {name!r} did not start; it said: {said or 'nothing'}"
            )
        return ready


def _with_faults(lab: LabConfig, faults: Sequence[FaultSpec]) -> LabConfig:
    """Give each fault to the twin it names."""
    twins = dict(lab.twins)
    for fault in faults:
        if fault.device not in twins:
            have = ", ".join(twins) or "none"
            raise VirtualLabError(f"fault for {fault.device!r}: the twins are {have}")
        twin = twins[fault.device]
        twins[fault.device] = twin.model_copy(update={"faults": (*twin.faults, fault)})
    return lab.model_copy(update={"twins": twins})


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


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
