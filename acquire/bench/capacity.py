"""The largest multiple of the load that is recorded without loss."""

import logging
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from acquire.bench.load import bytes_per_s, load, load_specs
from acquire.bench.losses import total_lost
from acquire.bench.meter import Meter
from acquire.bench.ours import our_recorder
from acquire.control import ControlError
from acquire.storage.disk import free_bytes

log = logging.getLogger("kinemuse.bench")

MULTIPLES = (5, 10, 20, 40, 80, 160, 320)
SECONDS = 10.0
LATE_MAX_S = 1.0
_SPARE = 2.0


@dataclass(frozen=True)
class Largest:
    """The largest multiple recorded without loss, and what keeps it from being larger.

    `limit` tells the generator's limit from the recorder's.
    """

    multiple: int
    limit: str


def largest_multiple(
    folder: Path,
    multiples: tuple[int, ...] = MULTIPLES,
    seconds: float = SECONDS,
) -> Largest:
    """Record for `seconds` at each multiple, until samples are lost or sources fail."""
    best = 0
    for multiple in multiples:
        if free_bytes(folder) < _SPARE * seconds * bytes_per_s(multiple):
            return Largest(best, f"the disk is too small for {multiple} x")
        limit = _limit(folder / f"{multiple}.xdf", multiple, seconds)
        if limit:
            return Largest(best, f"at {multiple} x: {limit}")
        best = multiple
    return Largest(best, "nothing: no larger multiple was tried")


def _limit(out: Path, multiple: int, seconds: float) -> str:
    """Return what went wrong at one multiple; empty when nothing did."""
    session = f"capacity-{os.getpid()}-{secrets.token_hex(4)}"
    names = [spec.name for spec in load_specs(multiple)]
    refused = ""
    with load(session, multiple) as sources:
        try:
            with our_recorder(session) as recorder:
                recorder.start(out, names)
                meter = Meter(recorder.pid)
                time.sleep(seconds)
                meter.stop()
                stopped = recorder.stop()
        except ControlError as error:
            refused = str(error)
        sources.stop()
    late_s = max(sent.late_max_s for sent in sources.sent.values())
    if refused:
        return f"refused ({refused}), sources late by {late_s:.1f} s"
    lost = total_lost(out)
    size = out.stat().st_size
    out.unlink()
    log.info(
        "%d x: %d lost, %.0f MB/s, CPU %.0f %%, memory %.0f MB, sources late %.0f ms, "
        "%s %s",
        multiple,
        lost,
        size / seconds / 1e6,
        meter.cpu_percent,
        meter.most_mb,
        1e3 * late_s,
        stopped["state"],
        stopped["problems"],
    )
    if late_s > LATE_MAX_S:
        return f"the sources fall behind by {late_s:.1f} s ({lost} lost)"
    if lost or stopped["problems"]:
        return f"{lost} samples lost; {'; '.join(stopped['problems'])}"
    return ""
