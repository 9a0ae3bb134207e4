"""A disk that fills up, is slow, or cannot be written: said in time, nothing lost."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from acquire.recorder import Recorder, RecorderState, RecordingRefusedError
from acquire.recorder.disk_guard import DiskGuard
from acquire.recorder.writer import WriterThread
from acquire.storage.disk import RESERVE_BYTES, room_reasons
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_reader import read_xdf
from tests.builders.lsl_source import Source, spec

MB = 1_000_000


class Disk:
    """A guard over numbers that a test moves by hand."""

    def __init__(self) -> None:
        self.free = 100_000 * MB
        self.rate, self.archive, self.queued = 1.0 * MB, 0, 0
        self.recording = True
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.stopped = 0
        self.guard = DiskGuard(
            Path("raw"),
            rate_bytes_per_s=lambda: self.rate,
            recording=lambda: self.recording,
            archive_bytes=lambda: self.archive,
            queued_bytes=lambda: self.queued,
            report=lambda event, facts: self.events.append((event, facts)),
            on_short=self._stop,
            free=self._free,
            threads=False,
        )

    def _free(self, _: Path) -> int:
        if self.free < 0:
            raise OSError("the share is gone")
        return self.free

    def _stop(self) -> None:
        self.stopped += 1
        self.recording = False

    def look(self, **now: float) -> list[str]:
        vars(self).update(now)
        self.guard.look_for_room()
        self.guard.look_for_delay()
        return [event for event, _ in self.events]


def test_minutes_are_those_of_recording_and_archive() -> None:
    disk = Disk()
    disk.look(free=RESERVE_BYTES + 660 * MB, archive=60 * MB)
    assert disk.guard.state.minutes_left == 10.0
    assert disk.look(rate=0.0)
    assert disk.guard.state.minutes_left is None


def test_warns_once_then_stops_once_before_the_disk_is_full() -> None:
    disk = Disk()
    assert disk.look(free=RESERVE_BYTES + 1300 * MB) == []
    assert disk.look(free=RESERVE_BYTES + 1100 * MB) == ["disk_low"]
    assert disk.look() == ["disk_low"]
    assert "room for 18 min" in disk.guard.problems()[0]
    assert disk.stopped == 0
    assert disk.look(archive=1101 * MB)[-1] == "disk_short"
    assert disk.stopped == 1
    assert disk.look().count("disk_short") == 1
    assert "stopped before the disk was full" in disk.guard.problems()[0]


def test_nothing_is_said_while_nothing_is_recorded() -> None:
    disk = Disk()
    assert disk.look(recording=False, free=1, queued=9 * MB) == []


def test_a_slow_disk_is_said_and_so_is_its_recovery() -> None:
    disk = Disk()
    assert disk.look(queued=3 * MB) == ["disk_slow"]
    assert disk.guard.problems() == ["the disk is slow: 3 MB wait to be written"]
    assert disk.look(queued=0) == ["disk_slow", "disk_back"]
    assert disk.guard.problems() == []


def test_a_disk_that_cannot_be_asked_stops_nothing() -> None:
    disk = Disk()
    assert disk.look(free=-1) == []
    assert disk.look(queued=3 * MB) == ["disk_slow"]
    assert disk.guard.state.free_bytes is None


def test_a_disk_that_does_not_answer_is_still_found_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("acquire.recorder.disk_guard.LOOK_EVERY_S", 0.02)
    answered, told = threading.Event(), threading.Event()

    def never(_: Path) -> int:
        answered.wait(10.0)
        return 100_000 * MB

    guard = DiskGuard(
        Path("share"),
        rate_bytes_per_s=lambda: 1.0 * MB,
        recording=lambda: True,
        archive_bytes=lambda: 0,
        queued_bytes=lambda: 3 * MB,
        report=lambda event, _: told.set() if event == "disk_slow" else None,
        on_short=lambda: None,
        free=never,
    )
    assert told.wait(5.0)
    assert guard.state.free_bytes is None
    answered.set()
    guard.close()


def test_no_start_without_room_for_five_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acquire.storage.disk.free_bytes", lambda _: 600 * MB)
    assert room_reasons(tmp_path, 1 * MB) == []
    (reason,) = room_reasons(tmp_path, 2.5 * MB)
    assert reason == f"only 600 MB free at {tmp_path}, room for 4.0 min"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder on a read-only disk, or one without permission for it."""
    folder = tmp_path / "locked"
    folder.mkdir()
    if os.geteuid():
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)
        return
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted: {made.stderr!r}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_read_only_disk_is_called_so(read_only: Path) -> None:
    assert "it is read-only" in room_reasons(read_only)[0]


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acquire.recorder.watch.RATE_MIN_SPAN_S", 0.5)
    monkeypatch.setattr("acquire.recorder.disk_guard.LOOK_EVERY_S", 0.05)


@pytest.mark.usefixtures("lsl_session", "_quick")
def test_a_recording_stops_in_order_while_there_is_room(tmp_path: Path) -> None:
    free = [10_000 * MB]
    guard = partial(DiskGuard, free=lambda _: free[0])
    recorder = Recorder(make_disk_guard=guard)
    out = tmp_path / "a.xdf"
    try:
        with Source(spec("dg-a", 1000.0)):
            assert recorder.arm(out, ["dg-a"]) == []
            recorder.start()
            assert within(2.0, lambda: recorder.snapshot()["disk_minutes_left"])
            assert recorder.snapshot()["disk_minutes_left"] > 1000
            free[0] = RESERVE_BYTES - 1
            assert within(3.0, lambda: recorder.state is RecorderState.VERIFIED)
            snapshot = recorder.snapshot()
            said = recorder.stop()  # whoever started it asks too
    finally:
        recorder.close()
    assert said == snapshot["problems"]
    assert "stopped before the disk was full: 100 MB free" in said[0]
    recording = read_xdf(out)
    assert recording.complete
    assert "disk_short" in str(recording["kinemuse-recorder"].data)


class StuckDisk(XdfWriter):
    """A disk that takes nothing until it is let go."""

    go = threading.Event()

    def sync(self, **how: bool) -> None:
        self.go.wait(10.0)
        super().sync(**how)

    def flush_to_file(self) -> None:
        self.go.wait(10.0)
        super().flush_to_file()


@pytest.mark.usefixtures("lsl_session", "_quick")
def test_a_disk_that_hangs_costs_no_sample(tmp_path: Path) -> None:
    StuckDisk.go.set()
    recorder = Recorder(make_writer=partial(WriterThread, make_writer=StuckDisk))
    out = tmp_path / "a.xdf"

    def events() -> list[str]:
        return [entry["event"] for entry in recorder.snapshot()["events"]]

    try:
        with Source(spec("dh-a", 2000.0, n_values=8)):
            assert recorder.arm(out, ["dh-a"]) == []
            recorder.start()
            StuckDisk.go.clear()
            assert within(6.0, lambda: "disk_slow" in events())
            assert "the disk is slow" in recorder.snapshot()["problems"][0]
            assert "stream_stalled" not in events()
            StuckDisk.go.set()
            assert within(3.0, lambda: "disk_back" in events())
            assert recorder.stop() == []
            assert recorder.warnings() == []
    finally:
        StuckDisk.go.set()
        recorder.close()
    assert recorder.state is RecorderState.VERIFIED


LIMITED = """
import resource, sys, time
from pathlib import Path
from acquire import lsl
from acquire.recorder import Recorder
from acquire.recorder import watch
from tests.builders.lsl_source import Source, spec
watch.RATE_MIN_SPAN_S = 0.5
lsl.configure(sys.argv[1])
recorder = Recorder()
with Source(spec("df-a", 2000.0, n_values=8)):
    assert recorder.arm(Path(sys.argv[2]), ["df-a"]) == []
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    recorder.start()
    end = time.monotonic() + 10.0
    while recorder.state == "recording" and time.monotonic() < end:
        time.sleep(0.05)
    print(recorder.state, *recorder.stop())
    recorder.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits file sizes as POSIX does")
def test_a_file_that_may_not_grow_any_more_fails_and_stays_readable(
    lsl_session: str, tmp_path: Path
) -> None:
    out = tmp_path / "a.xdf"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, f"{lsl_session}-limit", out],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("failed writing failed:"), done.stderr[-2000:]
    assert "File too large" in done.stdout
    recording = read_xdf(out)
    assert not recording.complete
    assert len(recording["df-a"].t_lsl) > 500
    assert out.stat().st_size <= 100_000


@pytest.mark.usefixtures("lsl_session", "_quick")
def test_a_disk_that_turns_read_only_refuses_the_start(
    tmp_path: Path, read_only: Path
) -> None:
    recorder = Recorder()
    try:
        with Source(spec("dr-a", 1000.0)):
            reasons = recorder.arm(read_only / "a.xdf", ["dr-a"], timeout_s=1.5)
            assert reasons == [
                f"nothing can be written to {read_only}: it is read-only"
            ]
            with pytest.raises(RecordingRefusedError, match="read-only"):
                recorder.start(timeout_s=0.1)
            assert recorder.arm(tmp_path / "a.xdf", ["dr-a"]) == []
    finally:
        recorder.close()
