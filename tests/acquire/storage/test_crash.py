"""Kills and power cuts at any instant: what was promised is there, and nothing else."""

import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from acquire.storage import durable
from acquire.storage.recover import recover
from acquire.storage.trial_file import read_trial
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_journal import check_file
from acquire.storage.xdf_reader import read_xdf
from tests.builders.recordings import COUNTED, add, values

PAGE = 4096
N_ROWS = 3000
N_CUTS = 500  #: with zeros, and again with garbage
CHUNK_OF_20 = bytes.fromhex("0300010000000114")  # tag, stream id, count
CHUNK_BYTES = len(CHUNK_OF_20) + 20 * (9 + 3 * 4)
DATA = values("float32", (N_ROWS, 3), 11)
TIMES = 10.0 + np.arange(N_ROWS) / 100


@dataclass(frozen=True)
class Op:
    """A write, or a sync of the first `covers` bytes of a file."""

    name: str
    data: bytes = b""
    covers: int = -1


@dataclass
class Disk:
    """Every write and sync of a recording and its journal, in the order they ended.

    A sync covers what was in the file when it began: what another thread writes
    meanwhile may be lost.
    """

    ops: list[Op] = field(default_factory=list)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        writev, sync = os.writev, durable._sync_data

        def name(fd: int) -> str:
            return Path(f"/proc/self/fd/{fd}").readlink().name

        def log_write(fd: int, parts: list[memoryview]) -> int:
            self.ops.append(Op(name(fd), b"".join(parts)))
            return writev(fd, parts)

        def log_sync(fd: int) -> None:
            covers = os.fstat(fd).st_size
            sync(fd)
            self.while_syncing(name(fd))
            self.ops.append(Op(name(fd), covers=covers))

        patch.setattr(durable.os, "writev", log_write)
        patch.setattr(durable, "_sync_data", log_sync)

    def while_syncing(self, name: str) -> None:
        """Replaced by what happens before a sync returns."""

    def synced(self, n_ops: int) -> dict[str, int]:
        """Bytes of each file that are safe behind `n_ops` operations."""
        return {op.name: op.covers for op in self.ops[:n_ops] if op.covers >= 0}

    def image(self, n_ops: int, rng: random.Random, stale: bytes) -> dict[str, bytes]:
        """Return the files after a power cut behind `n_ops` operations.

        Everything synced is there. Of later pages a random half is, in whatever order
        they were written; the others hold `stale`. The file's length is anything
        between the synced and the last one.
        """
        written: dict[str, bytearray] = {}
        for op in self.ops[:n_ops]:
            written.setdefault(op.name, bytearray()).extend(op.data)
        files, synced = {}, self.synced(n_ops)
        for name, content in written.items():
            safe = synced.get(name, 0)
            length = rng.randint(safe, len(content))
            kept = content[:safe]
            for start in range(safe - safe % PAGE, length, PAGE):
                stop = min(start + PAGE, length)
                begin = max(start, safe)
                lost = rng.random() < 0.5
                kept += (stale * PAGE)[: stop - begin] if lost else content[begin:stop]
            files[name] = bytes(kept)
        return files


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    """A recording of which every sync overlaps with the writes that follow it."""
    disk = Disk()
    with pytest.MonkeyPatch.context() as patch:
        disk.install(patch)
        path = tmp_path_factory.mktemp("disk") / "a.xdf"
        with XdfWriter(path) as writer:
            stream_id = add(writer, COUNTED)
            starts = iter(range(0, N_ROWS, 20))

            def write_one() -> None:
                start = next(starts, N_ROWS)
                rows = slice(start, start + 20)
                writer.write_samples(stream_id, DATA[rows], TIMES[rows])
                writer.flush_to_file()

            patch.setattr(disk, "while_syncing", lambda _: write_one())
            for k in range(N_ROWS // 20):
                write_one()
                if k % 20 == 19:
                    writer.finish_sync(writer.begin_sync())
            patch.setattr(disk, "while_syncing", lambda _: None)
    return disk


def _promised_rows(disk: Disk, n_ops: int) -> int:
    """Rows in the file at the last journal line that was on the disk."""
    content, safe, promised = b"", 0, 0
    for op in disk.ops[:n_ops]:
        if op.name == "a.xdf":
            content += op.data
            safe = max(safe, op.covers)
        elif op.covers >= 0:
            promised = _rows(content[:safe])
    return promised


def _rows(data: bytes) -> int:
    """Rows in chunks of 20 that are whole: found by their bytes, not by a reader."""
    n, at = 0, data.find(CHUNK_OF_20)
    while at >= 0:
        n += 20 if at + CHUNK_BYTES <= len(data) else 0
        at = data.find(CHUNK_OF_20, at + 8)
    return n


@pytest.mark.parametrize("stale", [b"\0", b"\xa5"], ids=["zeros", "garbage"])
def test_power_cuts(tmp_path: Path, disk: Disk, stale: bytes) -> None:
    rng = random.Random(5)
    path = tmp_path / "a.xdf"
    n_lost, n_cuts = 0, 0
    while n_cuts < N_CUTS:
        n_ops = rng.randint(1, len(disk.ops))
        if "a.xdf" not in disk.synced(n_ops):
            continue  # before the first sync there may be anything in the file
        n_cuts += 1
        for name, content in disk.image(n_ops, rng, stale).items():
            (tmp_path / name).write_bytes(content)
        case = (n_cuts, n_ops)
        recording = read_xdf(path)
        promised = _promised_rows(disk, n_ops)
        if not promised and not recording.streams:
            continue
        stream = recording["counted"]
        rows = np.searchsorted(TIMES, stream.t_lsl)
        rows = np.minimum(rows, N_ROWS - 1)
        true = (TIMES[rows] == stream.t_lsl) & np.all(
            (DATA[rows] == stream.data) | np.isnan(DATA[rows]), axis=1
        )
        assert (rows[:promised] == np.arange(promised)).all(), case
        assert true[:promised].all(), case
        if stale == b"\0":
            assert true.all(), case  # a page of zeros is never taken for data
        checked = check_file(path, path.read_bytes())
        if checked is not None and checked.length < path.stat().st_size:
            assert any("are unverified: " in p for p in recording.problems), case
        n_lost += N_ROWS - len(true)
        if n_ops < len(disk.ops):
            assert not recording.complete, case
    assert n_lost > 0


def test_pyxdf_reads_what_was_synced(tmp_path: Path, disk: Disk) -> None:
    """An independent reader agrees on the rows that a power cut leaves."""
    path = tmp_path / "synced.xdf"
    for n_ops in range(len(disk.ops) // 3, len(disk.ops), len(disk.ops) // 7):
        files = disk.image(n_ops, random.Random(n_ops), b"\0")
        path.write_bytes(files["a.xdf"][: disk.synced(n_ops)["a.xdf"]])
        (stream,), _ = pyxdf.load_xdf(
            path, synchronize_clocks=False, dejitter_timestamps=False
        )
        n = len(stream["time_stamps"])
        assert n >= _promised_rows(disk, n_ops) > 0
        np.testing.assert_array_equal(stream["time_series"], DATA[:n])
        np.testing.assert_array_equal(stream["time_stamps"], TIMES[:n])


WRITER = """
import sys
from pathlib import Path
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_journal import check_file
from tests.acquire.storage.test_crash import DATA, TIMES
from tests.builders.recordings import COUNTED, add
writer = XdfWriter(Path(sys.argv[1]))
stream_id = add(writer, COUNTED)
for k in range(len(TIMES)):
    writer.write_samples(stream_id, DATA[k : k + 1], TIMES[k : k + 1])
    writer.flush_to_file()
    if k % 500 == 499:
        writer.sync()
    sys.stdout.write(f"{k + 1}\\n")
    sys.stdout.flush()
sys.stdin.read()
"""


@pytest.mark.parametrize("n_before", [1, 250, 777])
def test_kill_9_loses_nothing_that_was_flushed(tmp_path: Path, n_before: int) -> None:
    path = tmp_path / "a.xdf"
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        cwd=root,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= n_before:
                break
        writer.send_signal(signal.SIGKILL)
        told = [int(line) for line in writer.stdout if line.endswith("\n")]
        writer.wait()
    flushed = max([n_before, *told])
    (found,) = recover(path)
    assert found.archive is not None
    archive = read_trial(found.archive)
    stream = archive["counted"]
    n = len(stream.t_lsl)
    assert flushed <= n <= min(flushed + 1, N_ROWS)
    np.testing.assert_array_equal(stream.data, DATA[:n])
    np.testing.assert_array_equal(stream.t_lsl, TIMES[:n])
    assert not archive.complete
