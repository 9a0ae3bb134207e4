"""Opens the operator's window, on a session that already runs or on a new one.

Window and session are processes of their own: closing or losing the window leaves a
running session alone, and the next `kinemuse gui` finds it again.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from acquire.control import ControlClient, ControlError
from acquire.hands import Hands
from acquire.paths import runtime_dir
from acquire.rig import RigConfig
from acquire.session_plan import SessionError
from acquire.storage.layout import claim_dataset
from acquire.virtual_lab import VirtualLab

RIG_FILE = "session.rig.yaml"
START_TIMEOUT_S = 60.0
LOOK_EVERY_S = 0.5
LINGER_S = 2.0
MOST_SILENT = 120  #: looks that a session in a run may leave unanswered
OVER = ("idle", "finished", "aborted", "failed")


def open_window(rig: RigConfig, dataset: Path, participant: str, protocol: str) -> int:
    """Show the window until it is closed; return its exit status.

    A session of this rig that runs already is shown as it is. A new one ends with its
    window, unless it is in the middle of a run: then it goes on.
    """
    runtime = runtime_dir(rig.lsl.session_id)
    if _session_state(runtime):
        status = _window(runtime, dataset)
        if _session_state(runtime) in OVER[1:]:  # nobody else may be left to end it
            _shut_down(runtime)
        return status
    claim_dataset(dataset, simulated=rig.simulated)
    given = (dataset, participant, protocol, runtime)
    if not rig.simulated:
        return _with_session(rig, *given, "")
    with VirtualLab(rig, free_ports=True) as lab, Hands(lab, runtime):
        return _with_session(lab.rig, *given, lab.addresses["lab"])


def _with_session(
    rig: RigConfig,
    dataset: Path,
    participant: str,
    protocol: str,
    runtime: Path,
    lab_address: str,
) -> int:
    rig_file = runtime / RIG_FILE
    rig_file.write_text(rig.to_yaml(), encoding="utf-8")
    arguments = ["--rig", str(rig_file), "--protocol", protocol]
    arguments += ["--dataset", str(dataset), "--participant", participant]
    arguments += ["--runtime", str(runtime)]
    if lab_address:
        arguments += ["--lab", lab_address]
    log_file = runtime / "session.log"
    with log_file.open("wb") as output:
        session = subprocess.Popen(
            [sys.executable, "-m", "acquire.session_process", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(session, runtime, log_file)
        status = _window(runtime, dataset)
    finally:
        end_session(session, runtime)
    return status


def _wait_for(session: "subprocess.Popen[bytes]", runtime: Path, log: Path) -> None:
    end_s = time.monotonic() + START_TIMEOUT_S
    while not _session_state(runtime):
        if session.poll() is not None or time.monotonic() > end_s:
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise SessionError(f"the session did not start; it said: {said[-1500:]}")
        time.sleep(0.1)


def end_session(
    session: "subprocess.Popen[bytes]",
    runtime: Path,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """End a session that is not in a run; wait for one that is."""
    went_on = False
    n_silent = 0
    while session.poll() is None and n_silent < MOST_SILENT:
        state = _session_state(runtime)
        if state in OVER:
            break
        n_silent = 0 if state else n_silent + 1
        went_on = True
        wait(LOOK_EVERY_S)  # a run goes on without its window, and ends by itself
    if went_on and session.poll() is None:
        wait(LINGER_S)  # whoever else watches sees how it ended
    if session.poll() is None and not _shut_down(runtime):
        session.terminate()
    session.wait()


def _shut_down(runtime: Path) -> bool:
    """Ask the session to end; return whether it answered."""
    client = ControlClient("session", runtime)
    try:
        client.request("shutdown", 2.0)
    except ControlError:
        return False
    finally:
        client.close()
    return True


def _window(runtime: Path, dataset: Path) -> int:
    command = [sys.executable, "-m", "gui", "--runtime", str(runtime)]
    command += ["--rig", str(runtime / RIG_FILE), "--dataset", str(dataset)]
    return subprocess.run(command, check=False).returncode


def _session_state(runtime: Path) -> str:
    """Return the state of the session that answers there; empty when none does."""
    client = ControlClient("session", runtime)
    try:
        return str(client.request("snapshot", 1.0).get("state", ""))
    except ControlError:
        return ""
    finally:
        client.close()
