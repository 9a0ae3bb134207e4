"""Children are restarted when they die, and stopped when they are told to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from acquire.supervise import ChildSpec, ChildStatus, Supervisor

PACKAGE = "supervised"
CHILD = """
import sys, time
from acquire.supervise import hold_lifeline
hold_lifeline()
print("up", flush=True)
time.sleep(60)
"""


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def child_module(tmp_path: Path) -> dict[str, str]:
    (tmp_path / f"{PACKAGE}.py").write_text(CHILD)
    return {"PYTHONPATH": str(tmp_path)}


def test_a_killed_child_is_started_again_and_said(tmp_path: Path) -> None:
    told: list[ChildStatus] = []
    supervisor = Supervisor(
        [ChildSpec("c", PACKAGE)],
        tmp_path / "log",
        on_restart=told.append,
        environment=child_module(tmp_path),
    )
    with supervisor:
        first = supervisor.status()["c"].pid
        assert first is not None
        wait_for(lambda: "up" in supervisor.log_file("c").read_text())
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: supervisor.status()["c"].pid not in (first, None))
        second = supervisor.status()["c"].pid
        assert told[0].n_restarts >= 1
        assert told[0].last_exit == -signal.SIGKILL
    assert second is not None
    assert not is_alive(second)


def test_a_child_that_keeps_dying_is_started_ever_less_often(tmp_path: Path) -> None:
    pauses: list[float] = []
    (tmp_path / "dying.py").write_text("raise SystemExit(3)")
    supervisor = Supervisor(
        [ChildSpec("c", "dying")],
        tmp_path / "log",
        on_restart=lambda status: pauses.append(status.pause_s),
        environment={"PYTHONPATH": str(tmp_path)},
    )
    with supervisor:
        wait_for(lambda: len(pauses) == 4)
        assert supervisor.status()["c"].last_exit == 3
    assert pauses == [0.0, 0.1, 0.2, 0.4]


def test_children_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    script = f"""
import time
from pathlib import Path
from acquire.supervise import ChildSpec, Supervisor
s = Supervisor([ChildSpec("c", "{PACKAGE}")], Path("{tmp_path}/log"))
s.start()
print(s.status()["c"].pid, flush=True)
time.sleep(60)
"""
    environment = {**os.environ, **child_module(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        log = tmp_path / "log" / "c.log"
        wait_for(lambda: log.exists() and "up" in log.read_text())
        parent.kill()
    wait_for(lambda: not is_alive(pid))


def test_a_failing_listener_does_not_end_the_watch(tmp_path: Path) -> None:
    told: list[ChildStatus] = []

    def fail(status: ChildStatus) -> None:
        told.append(status)
        raise OSError("no space left on device")

    supervisor = Supervisor(
        [ChildSpec("c", PACKAGE)],
        tmp_path / "log",
        on_restart=fail,
        environment=child_module(tmp_path),
    )
    with supervisor:
        for n in (1, 2):
            pid = supervisor.status()["c"].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda n=n: len(told) == n)  # type: ignore[misc]
