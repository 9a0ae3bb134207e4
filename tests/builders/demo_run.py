"""The demonstration as a process of its own, as an operator starts it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from protocols.states import Snapshot


class Silent:
    """A progress that says nothing."""

    def say(self, text: str) -> None:
        pass

    def show(self, snapshot: Snapshot) -> None:
        pass


SILENT = Silent()


def run_demo_process(
    out: Path, *, seconds: float, rig: Path | str = "virtual_lab"
) -> dict[str, Any]:
    """Run ``kinemuse demo --json``; return what it printed."""
    command = [sys.executable, "-m", "acquire", "demo", "--json", "--out", str(out)]
    command += ["--seconds", str(seconds), "--rig", str(rig)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise AssertionError(f"demo exit {done.returncode}: {done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result
