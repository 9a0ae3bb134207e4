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

from acquire.storage import durable
from acquire.storage.recover import recover
from acquire.storage.trial_file import read_trial
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_journal import check_file
from acquire.storage.xdf_reader import read_xdf
from tests.builders.recordings import COUNTED, add, values

PAGE = 4096
N_ROWS = 3000
DATA = values("float32", (N_ROWS, 3), 11)
TIMES = 10.0 + np.arange(N_ROWS) / 100


@dataclass
class Disk:
    """Every write and sync of a recording and its journal, in order."""

    ops: list[tuple[str, bytes | None]] = field(default_factory=list)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        writev, sync = os.writev, durable._sync_data

        def name(fd: int) -> str:
            return Path(f"/proc/self/fd/{fd}").readlink().name

        def log_write(fd: int, parts: list[memoryview]) -> int:
            self.ops.append((name(fd), b"".join(parts)))
            return writev(fd, parts)

        def log_sync(fd: int) -> None:
            self.ops.append((name(fd), None))
            sync(fd)

        patch.setattr(durable.os, "writev", log_write)
        patch.setattr(durable, "_sync_data", log_sync)

    def image(self, n_ops: int, rng: random.Random, stale: bytes) -> dict[str, bytes]:
        """Return the files after a power cut behind `n_ops` operations.

        Everything synced is there. Of later pages a random half is; the others hold
        `stale`. The file's length is anything between the synced and the last one.
        """
        written: dict[str, bytearray] = {}
        synced: dict[str, int] = {}
        for name, data in self.ops[:n_ops]:
            content = written.setdefault(name, bytearray())
            if data is None:
                synced[name] = len(content)
            else:
                content += data
        files = {}
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
    disk = Disk()
    with pytest.MonkeyPatch.context() as patch:
        disk.install(patch)
        path = tmp_path_factory.mktemp("disk") / "a.xdf"
        with XdfWriter(path) as writer:
            stream_id = add(writer, COUNTED)
            for start in range(0, N_ROWS, 20):
                rows = slice(start, start + 20)
                writer.write_samples(stream_id, DATA[rows], TIMES[rows])
                writer.flush_to_file()
                if start % 500 == 480:
                    writer.sync()
    return disk


def _promised_rows(disk: Disk, n_ops: int) -> int:
    """Rows in the file at the last journal line that was on the disk."""
    synced, rows, promised = 0, 0, 0
    for name, data in disk.ops[:n_ops]:
        if name == "a.xdf":
            rows += sum(1 for _ in _stamps(data)) if data else 0
            synced = rows if data is None else synced
        elif data is None:
            promised = synced
    return promised


def _stamps(data: bytes) -> list[int]:
    found, at = [], data.find(b"\x03\x00\x01\x00\x00\x00\x01\x14")  # 20 rows a chunk
    while at >= 0:
        found += [0] * 20
        at = data.find(b"\x03\x00\x01\x00\x00\x00\x01\x14", at + 8)
    return found


@pytest.mark.parametrize("stale", [b"\0", b"\xa5"], ids=["zeros", "garbage"])
def test_power_cuts(tmp_path: Path, disk: Disk, stale: bytes) -> None:
    rng = random.Random(5)
    path = tmp_path / "a.xdf"
    n_lost = 0
    for case in range(150):
        n_ops = rng.randint(1, len(disk.ops))
        files = disk.image(n_ops, rng, stale)
        for old in tmp_path.iterdir():
            old.unlink()
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        if ("a.xdf", None) not in disk.ops[:n_ops]:
            continue  # before the first sync there may be anything in the file
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
        if checked is not None and checked.length < len(files[path.name]):
            assert any("are unverified: " in p for p in recording.problems), case
        n_lost += N_ROWS - len(true)
        if n_ops < len(disk.ops):
            assert not recording.complete, case
    assert n_lost > 0


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
