import errno
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acquire import lsl
from acquire.recorder import (
    Recorder,
    RecorderState,
    RecorderStateError,
    RecordingRefusedError,
)
from acquire.recorder.verification import verify
from acquire.recorder.writer import WriterThread
from acquire.storage.errors import StorageFullError
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_reader import read_xdf
from devices.stream import TriggerInput
from tests.builders.lsl_source import Source, spec

pytestmark = pytest.mark.usefixtures("lsl_session")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge rates sooner than a session does."""
    monkeypatch.setattr("acquire.recorder.watch.RATE_MIN_SPAN_S", 0.5)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def events(recorder: Recorder) -> list[str]:
    return [entry["event"] for entry in recorder.snapshot()["events"]]


def test_a_trial_is_recorded_and_verified(recorder: Recorder, tmp_path: Path) -> None:
    out, t_rise = tmp_path / "trial.xdf", float("inf")
    with ExitStack() as stack:
        semg, forces, _ = (
            stack.enter_context(Source(stream))
            for stream in (
                spec("r1-semg", 2000.0, n_values=13),
                spec("r1-forces", 1000.0, trigger=TriggerInput("sync")),
                spec("r1-amode", 20.0, dtype="int16", n_values=400),
            )
        )
        forces._level = lambda t: t > t_rise
        marks = lsl.Outlet(
            spec("r1-events", dtype="string"),
            device="session",
            kind="session",
            simulated=True,
        )
        names = ["r1-semg", "r1-forces", "r1-amode", "r1-events"]
        expected = {"r1-semg": "kinemuse:dev:0:r1-semg"}
        assert recorder.arm(out, names, expected=expected) == []
        recorder.start()
        t_rise = lsl.local_clock() + 0.2
        marks.push_text('{"event": "trial_start"}', lsl.local_clock())
        time.sleep(0.6)
        semg.drop(40)
        time.sleep(0.4)
        snapshot = recorder.snapshot()
        began = time.monotonic()
        problems = recorder.stop()
        took_s = time.monotonic() - began
        marks.close()
    assert (problems, recorder.state) == ([], RecorderState.VERIFIED)
    assert took_s < 1.5
    seen = {stream["name"]: stream for stream in snapshot["streams"]}
    assert seen["r1-semg"]["n_lost"] == 40
    assert seen["r1-events"]["n_lost"] is None
    assert seen["r1-forces"]["trigger"]["n_rises"] == 1
    assert snapshot["problems"] == ["r1-semg: 40 samples lost"]
    json.dumps(snapshot)

    recording = read_xdf(out)
    assert recording.complete
    assert recording.problems == ()
    index = recording["r1-semg"].column("index")
    assert np.sum(np.diff(index) - 1) == 40
    assert recording["r1-amode"].dtype == "int16"
    assert recording["r1-events"].data.tolist() == [['{"event": "trial_start"}']]
    stream = recording["r1-forces"]
    assert len(stream.offsets) >= 1
    assert np.all(stream.offsets[:, 2] > 0)
    notes = [json.loads(row[0]) for row in recording["kinemuse-recorder"].data]
    assert [note["event"] for note in notes][:2] == ["start", "wall_clock"]
    assert notes[0]["library"] == lsl.library_info()
    assert all(s.simulated for s in recording.streams)


def test_start_is_refused_with_all_reasons_and_overridden_with_one(
    recorder: Recorder, tmp_path: Path
) -> None:
    out = tmp_path / "trial.xdf"
    with pytest.raises(RecorderStateError, match="arm first"):
        recorder.start()
    with Source(spec("r2-slow", 100.0), actual_hz=90.0):
        assert len(recorder.arm(out, ["r2-slow", "r2-none"], timeout_s=1.2)) == 2
        with pytest.raises(RecordingRefusedError) as refused:
            recorder.start(timeout_s=0.3)
        assert not out.exists()
        assert recorder.state is RecorderState.ARMED
        assert len(refused.value.reasons) == 2
        assert "instead of 100" in refused.value.reasons[0]
        assert refused.value.reasons[1] == "r2-none is not on the network"
        recorder.start(override_reason="pilot: amplifier without licence")
        time.sleep(0.2)
        assert recorder.stop() == []
    recording = read_xdf(out)
    start = json.loads(recording["kinemuse-recorder"].data[0][0])
    assert start["override_reason"] == "pilot: amplifier without licence"
    assert start["overridden"] == list(refused.value.reasons)


def test_nothing_is_overwritten_not_even_by_override(
    recorder: Recorder, tmp_path: Path
) -> None:
    out = tmp_path / "trial.xdf"
    out.write_bytes(b"precious")
    reasons = recorder.arm(out, timeout_s=0.0)
    assert "exists already" in reasons[0]
    with pytest.raises(RecordingRefusedError, match="exists"):
        recorder.start(override_reason="please")
    assert out.read_bytes() == b"precious"


def test_stall_restart_and_late_stream(recorder: Recorder, tmp_path: Path) -> None:
    out = tmp_path / "trial.xdf"

    def stream(name: str) -> dict[str, Any]:
        return next(s for s in recorder.snapshot()["streams"] if s["name"] == name)

    with Source(spec("r3-a", 1000.0), first=50_000) as first:
        assert recorder.arm(out, ["r3-a"], optional=["r3-late"]) == []
        recorder.start()
        first.paused = True
        began = time.monotonic()
        assert within(1.5, lambda: "stream_stalled" in events(recorder))
        assert time.monotonic() - began < 1.0
        first.paused = False
        assert within(1.0, lambda: "stream_back" in events(recorder))
    with Source(spec("r3-a", 1000.0)), Source(spec("r3-late", 50.0)):
        assert within(5.0, lambda: "stream_restarted" in events(recorder))
        assert within(5.0, lambda: events(recorder).count("stream_joined") == 2)
        assert within(5.0, lambda: stream("r3-a")["n_restarts"] == 1)
        time.sleep(0.2)
        assert recorder.stop() == []
    recording = read_xdf(out)
    assert [s.name for s in recording.streams if s.name.startswith("r3")] == [
        "r3-a",
        "r3-late",
    ]
    index = recording["r3-a"].column("index")
    assert np.sum(np.diff(index) < 0) == 1
    assert len(recording["r3-late"].t_lsl) > 5


class FullDisk(XdfWriter):
    """A disk that is full after a while."""

    def flush_to_file(self) -> None:
        if self.size > 20_000:
            raise StorageFullError(errno.ENOSPC, "no space left on device")
        super().flush_to_file()


def test_a_full_disk_fails_the_recording_and_keeps_what_is_written(
    tmp_path: Path,
) -> None:
    out = tmp_path / "trial.xdf"
    recorder = Recorder(make_writer=partial(WriterThread, make_writer=FullDisk))
    with Source(spec("r4-a", 2000.0, n_values=8)):
        assert recorder.arm(out, ["r4-a"]) == []
        recorder.start()
        assert within(3.0, lambda: recorder.state is RecorderState.FAILED)
        assert "no space left" in recorder.snapshot()["problems"][0]
        assert "no space left" in recorder.stop()[0]
        again = tmp_path / "again.xdf"
        assert recorder.arm(again, ["r4-a"]) == []
        recorder.close()
    recording = read_xdf(out)
    assert not recording.complete
    assert len(recording["r4-a"].t_lsl) > 0


class BrokenWriter(XdfWriter):
    """Fails in a way that nobody thought of, and so does closing it."""

    def write_offset(self, *_: float) -> None:
        raise RuntimeError("a bug")

    def abandon(self) -> None:
        super().abandon()
        raise RuntimeError("another one")


def test_a_writer_that_breaks_fails_the_recording(tmp_path: Path) -> None:
    recorder = Recorder(make_writer=partial(WriterThread, make_writer=BrokenWriter))
    with Source(spec("r8-a", 1000.0)):
        assert recorder.arm(tmp_path / "a.xdf", ["r8-a"]) == []
        recorder.start()
        assert within(3.0, lambda: recorder.state is RecorderState.FAILED)
        assert recorder.stop() == ["writing failed: a bug"]
        recorder.close()


class SlowToClose(WriterThread):
    """A disk that hangs when the first recording is closed, and fails much later."""

    made: list[WriterThread] = []  # noqa: RUF012 (a list of the test's own)

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.made.append(self)

    def close(self, timeout_s: float) -> bool:
        return super().close(timeout_s) and self.made[0] is not self


def test_a_disk_that_fails_late_does_not_touch_the_next_recording(
    tmp_path: Path,
) -> None:
    SlowToClose.made.clear()
    recorder = Recorder(make_writer=SlowToClose)
    with Source(spec("r9-a", 1000.0)):
        assert recorder.arm(tmp_path / "a.xdf", ["r9-a"]) == []
        recorder.start()
        assert recorder.stop() == ["the disk took longer than 10 s to close"]
        assert recorder.arm(tmp_path / "b.xdf", ["r9-a"]) == []
        recorder.start()
        SlowToClose.made[0]._on_failure("input/output error")
        time.sleep(0.2)
        assert recorder.state is RecorderState.RECORDING
        assert recorder.stop() == []
        recorder.close()
    assert len(read_xdf(tmp_path / "b.xdf")["r9-a"].t_lsl) > 150


def test_a_file_that_cannot_be_judged_is_not_verified(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(_: object) -> list[str]:
        raise KeyError("length")

    monkeypatch.setattr("acquire.recorder.recorder.verify", judge)
    with Source(spec("r10-a", 1000.0)):
        assert recorder.arm(tmp_path / "a.xdf", ["r10-a"]) == []
        recorder.start()
        (reason,) = recorder.stop()
    assert "cannot be read back" in reason
    assert recorder.state is RecorderState.FAILED


def test_verification_sees_a_file_that_lacks_something(
    recorder: Recorder, tmp_path: Path
) -> None:
    out = tmp_path / "trial.xdf"
    with Source(spec("r5-a", 1000.0)):
        assert recorder.arm(out, ["r5-a"]) == []
        recorder.start()
        time.sleep(0.5)
        assert recorder.stop() == []
    writer = recorder._writer
    assert writer is not None
    (file,) = writer.files
    (written,) = file.written.values()
    written.n_samples += 1
    assert "samples in the file" in verify([file])[0]
    written.n_samples -= 1
    cut = tmp_path / "cut.xdf"
    shutil.copy(out, cut)
    with cut.open("r+b") as torn:
        torn.truncate(out.stat().st_size * 2 // 3)
    file.path = cut
    assert verify([file])


def test_two_trials_in_a_row_start_from_zero(
    recorder: Recorder, tmp_path: Path
) -> None:
    with Source(spec("r6-a", 1000.0)):
        for k in (1, 2):
            out = tmp_path / f"trial{k}.xdf"
            assert recorder.arm(out, ["r6-a"]) == []
            recorder.start()
            time.sleep(0.3)
            assert recorder.stop() == []
            assert len(read_xdf(out)["r6-a"].t_lsl) < 700
    assert events(recorder).count("stream_joined") == 1


def test_a_listener_that_fails_ends_nothing(tmp_path: Path) -> None:
    def listener(*_: object) -> None:
        raise RuntimeError("broken plot")

    recorder = Recorder()
    recorder.listeners.append(listener)
    with Source(spec("r7-a", 1000.0)):
        assert recorder.arm(tmp_path / "a.xdf", ["r7-a"]) == []
        recorder.start()
        time.sleep(0.1)
        recorder.close()
    assert recorder.state is RecorderState.VERIFIED
