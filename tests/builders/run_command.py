"""`kinemuse run` as an operator starts it, watched through its journal."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acquire.rig import RigConfig, load_rig
from acquire.storage.journal import read_journal

ADDRESS = re.compile(r"virtual lab at (\S+)")
Line = dict[str, Any]


class RunCommand:
    """One run of a protocol in the virtual lab, in a session of its own."""

    def __init__(
        self,
        protocol: str,
        folder: Path,
        *options: str,
        participant: str = "P43",
        rig: RigConfig | None = None,
    ) -> None:
        self.dataset, self.participant = folder / "dataset", participant
        folder.mkdir(parents=True, exist_ok=True)
        rig = rig or load_rig()
        lsl = rig.lsl.model_copy(update={"session_id": f"run-{time.time_ns()}"})
        self.rig_file = folder / "rig.yaml"
        if not self.rig_file.exists():
            text = rig.model_copy(update={"lsl": lsl}).to_yaml()
            self.rig_file.write_text(text, encoding="utf-8")
        self._command = [
            *(sys.executable, "-m", "acquire", "run", protocol, "--auto", "--json"),
            *("--rig", str(self.rig_file), "--dataset", str(self.dataset)),
            *("--participant", participant, *options),
        ]
        self._said = folder / "said.txt"

    def start(self) -> "RunCommand":
        with self._said.open("w", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=said, text=True
            )
        return self

    @property
    def said(self) -> str:
        """What it said so far."""
        return self._said.read_text(encoding="utf-8")

    @property
    def lab_address(self) -> str:
        found = ADDRESS.search(self.said)
        assert found, self.said
        return found[1]

    def journal(self) -> list[Line]:
        """Lines of all sessions of the participant, in their order."""
        folder = self.dataset / "raw" / self.participant
        journals = sorted(folder.glob("*/journal.jsonl"))
        return [line for path in journals for line in read_journal(path)]

    def watch(self, until: Callable[[Line], bool], timeout_s: float) -> None:
        """Show every new line to `until`, in order, up to the one it wants."""
        end_s, n_seen = time.monotonic() + timeout_s, len(self.journal())
        while time.monotonic() < end_s:
            lines = self.journal()
            for line in lines[n_seen:]:
                if until(line):
                    return
            n_seen = len(lines)
            if self.process.poll() is not None:
                return
            time.sleep(0.05)
        raise AssertionError(f"nothing after {timeout_s:g} s: {self.said[-2000:]}")

    def result(self, timeout_s: float) -> Line:
        """Wait for the end; return what it printed."""
        out, _ = self.process.communicate(timeout=timeout_s)
        assert out.strip(), self.said[-3000:]
        printed: Line = json.loads(out)
        return printed

    def kill(self) -> None:
        """End it as a power cut would; its children end with it."""
        self.process.kill()
        self.process.communicate()
