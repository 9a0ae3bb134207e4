"""Ten minutes at full load, every core kept busy by another job half of the time."""

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acquire.bench import soak

SECONDS = 600.0
TURN_S = 15.0
_SPIN = "while True: pass"


def run(seconds: float = SECONDS, folder: Path | None = None) -> list[dict[str, Any]]:
    """Return what `soak.run` does, measured under contention."""
    with other_jobs():
        return soak.run(seconds, folder)


@contextmanager
def other_jobs(turn_s: float = TURN_S) -> Iterator[None]:
    """Keep one busy process per core, of ordinary priority, every other turn."""
    stop = threading.Event()

    def alternate() -> None:
        for is_busy in itertools.cycle((True, False)):
            n_jobs = (os.cpu_count() or 1) if is_busy else 0
            jobs = [subprocess.Popen([sys.executable, "-c", _SPIN])
                    for _ in range(n_jobs)]  # fmt: skip
            ended = stop.wait(turn_s)
            for job in jobs:
                job.kill()
                job.wait()
            if ended:
                return

    thread = threading.Thread(target=alternate, name="other-jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
