"""Keeps child processes running: start, watch, restart with back-off, say so.

A child that dies is started again, at once the first time and then after a growing
pause; one that ran well for a while starts again without a pause. What a child prints
goes to a log file of its own. Children run in sessions of their own, so an interrupt at
the terminal reaches the supervisor alone, which then stops them in order.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger("kinemuse.supervise")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
RAN_WELL_S = 10.0
LIFELINE = "KINEMUSE_LIFELINE"  #: a child with this set ends when its stdin closes


@dataclass(frozen=True)
class ChildSpec:
    """One process: ``python -m module arguments``."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()


@dataclass
class ChildStatus:
    """What is known of a child now."""

    name: str
    pid: int | None = None
    n_restarts: int = 0
    last_exit: int | None = None
    pause_s: float = 0.0  #: before the last restart


@dataclass
class _Child:
    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    pause_s: float = 0.0
    due_s: float = 0.0
    status: ChildStatus = field(init=False)

    def __post_init__(self) -> None:
        self.status = ChildStatus(self.spec.name)


class Supervisor:
    """Context manager around the children of one rig."""

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        log_dir: Path,
        *,
        on_restart: Callable[[ChildStatus], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._children = {spec.name: _Child(spec) for spec in specs}
        self._log_dir = log_dir
        self._on_restart = on_restart
        self._environment = {**os.environ, **(environment or {})}
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, name="supervisor", daemon=True
        )

    def start(self) -> None:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for child in self._children.values():
            self._launch(child)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ask every child to end, last started first; kill those that do not."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        processes = [c.process for c in self._children.values() if c.process]
        for process in reversed(processes):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        end_s = time.monotonic() + timeout_s
        for process in reversed(processes):
            try:
                process.wait(max(0.05, end_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()

    def status(self) -> dict[str, ChildStatus]:
        return {name: child.status for name, child in self._children.items()}

    def log_file(self, name: str) -> Path:
        return self._log_dir / f"{name}.log"

    def __enter__(self) -> "Supervisor":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self, child: _Child) -> None:
        spec = child.spec
        environment = {**self._environment, LIFELINE: "1"}
        with self.log_file(spec.name).open("ab") as output:
            child.process = subprocess.Popen(
                [sys.executable, "-m", spec.module, *spec.arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        child.started_s = time.monotonic()
        child.status.pid = child.process.pid

    def _watch(self) -> None:
        while not self._stopping.wait(0.05):
            for child in self._children.values():
                try:
                    self._look_after(child)
                except Exception:  # the others still need looking after
                    log.exception("looking after %s failed", child.spec.name)
                    child.due_s = time.monotonic() + LONGEST_PAUSE_S

    def _look_after(self, child: _Child) -> None:
        now_s = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            if child.process.stdin:
                child.process.stdin.close()
            child.process, child.status.pid = None, None
            child.status.last_exit = code
            ran_well = now_s - child.started_s > RAN_WELL_S
            child.pause_s = 0.0 if ran_well else child.pause_s
            child.due_s = now_s + child.pause_s
            child.status.pause_s = child.pause_s
            child.pause_s = min(max(2 * child.pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            log.warning(
                "%s ended (exit %s), starting again in %.1f s",
                child.spec.name,
                code,
                child.status.pause_s,
            )
        if child.process is None and now_s >= child.due_s:
            self._launch(child)
            child.status.n_restarts += 1
            if self._on_restart:
                self._on_restart(child.status)


def hold_lifeline(
    may_end: Callable[[], bool] = lambda: True,
    on_gone: Callable[[], None] = lambda: None,
) -> None:
    """End this process when the supervisor that started it is gone.

    `on_gone` is called then. `may_end` can put the end off: a treadmill's process
    brings its belts to rest first.
    """
    if not os.environ.get(LIFELINE):
        return

    def wait_for_end() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        on_gone()
        while not may_end():
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_end, name="lifeline", daemon=True).start()
