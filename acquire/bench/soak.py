"""Hours at full load: what is lost, and how memory grows."""

import json
import logging
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from acquire.bench.load import bytes_per_s, load, load_specs
from acquire.bench.losses import count_losses
from acquire.bench.meter import Meter
from acquire.bench.ours import our_recorder
from acquire.storage.disk import free_bytes

log = logging.getLogger("kinemuse.bench")

SECONDS = 7200.0
SETTLE_S = 600.0
TELL_EVERY_S = 60.0
_SPARE = 1.5


def run(seconds: float = SECONDS, folder: Path | None = None) -> list[dict[str, Any]]:
    """Record the full load for `seconds`; return a row per stream, and the totals.

    The file, 0.41 MB per second, is written to `folder` (default: a temporary one)
    and removed again. Memory counts behind the first ten minutes, or the first tenth
    if that is shorter. Losses are counted in the file.
    """
    with TemporaryDirectory(dir=folder) as name:
        out = Path(name) / "soak.xdf"
        needed, free = _SPARE * seconds * bytes_per_s(), free_bytes(out)
        if free < needed:
            raise OSError(
                f"{out.parent} has {free / 1e9:.1f} GB free; {seconds:g} s at full "
                f"load need {needed / 1e9:.1f} GB: give another folder"
            )
        return _run(seconds, out)


def _run(seconds: float, out: Path) -> list[dict[str, Any]]:
    session = f"soak-{os.getpid()}-{secrets.token_hex(4)}"
    names = [spec.name for spec in load_specs()]
    with load(session) as sources, our_recorder(session) as recorder:
        recorder.start(out, names)
        meter = Meter(recorder.pid, every_s=5.0)
        end = time.monotonic() + seconds
        worst_queue = 0
        while (left_s := end - time.monotonic()) > 0:
            time.sleep(min(left_s, TELL_EVERY_S))
            snapshot = recorder.snapshot()
            worst_queue = max(worst_queue, int(snapshot["queued_bytes"]))
            log.info("%s", json.dumps(_progress(snapshot, meter)))
        meter.stop()
        stopped = recorder.stop()
        sources.stop()
    rows: list[dict[str, Any]] = [
        {
            "what": name,
            "samples": stream.n_samples,
            "lost": stream.n_lost,
            "repeated": stream.n_repeated,
            "seconds": round(stream.t_last - stream.t_first, 1),
            "source late ms": round(1e3 * sources.sent[name].late_max_s),
            "figure": "",
        }
        for name, stream in sorted(count_losses(out).items())
    ]
    settle_s = min(SETTLE_S, seconds / 10)
    figures = {
        "verified": f"{stopped['state']} {'; '.join(stopped['problems'])}".strip(),
        "file": f"{out.stat().st_size / 1e6:.0f} MB",
        "stop": f"{stopped['closed_s']:.2f} s",
        "stop, with the file read back": f"{stopped['seconds']:.2f} s",
        "CPU of one core": f"{meter.cpu_percent:.1f} %",
        "memory at most": f"{meter.most_mb:.1f} MB",
        "memory growth": f"{meter.slope_mb_per_h(settle_s):.2f} MB/h",
        "queue at most": f"{worst_queue / 1e3:.0f} kB",
    }
    blank = dict.fromkeys(rows[0], "")
    return rows + [{**blank, "what": k, "figure": v} for k, v in figures.items()]


def _progress(snapshot: Mapping[str, Any], meter: Meter) -> dict[str, Any]:
    return {
        "elapsed_s": snapshot["elapsed_s"],
        "bytes": snapshot["bytes"],
        "lost": sum(stream["n_lost"] or 0 for stream in snapshot["streams"]),
        "rss_mb": round(float(meter.rows[-1, 2]) / 1e6, 2),
        "cpu_percent": round(meter.cpu_percent, 2),
        "sync_ms_max": snapshot["sync_ms_max"],
    }
