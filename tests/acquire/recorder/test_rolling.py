"""A recording that rolls: several files, and no sample missing between them."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from acquire.recorder import Recorder, RecorderState
from acquire.recorder.adhoc import record
from acquire.recorder.recording_file import next_path
from acquire.recorder.selection import Selection
from acquire.recorder.verification import verify
from acquire.recorder.writer import WriterThread
from acquire.storage.xdf_reader import read_xdf
from tests.builders.lsl_source import Source, spec
from tests.builders.recorder_fakes import Bench
from tests.builders.recorder_process import within

ROLL_BYTES = 60_000
RAW = {
    "synchronize_clocks": False,
    "dejitter_timestamps": False,
    "handle_clock_resets": False,
}


@pytest.mark.usefixtures("lsl_session")
def test_files_go_on_with_each_other(tmp_path: Path) -> None:
    taken = tmp_path / "walk_part2.xdf"
    taken.write_bytes(b"somebody else's")
    recorder = Recorder(make_writer=partial(WriterThread, roll_bytes=ROLL_BYTES))
    with Source(spec("roll-a", 2000.0, n_values=8)), Source(spec("roll-b", 100.0)):
        assert recorder.arm(tmp_path / "walk.xdf", ["roll-a", "roll-b"]) == []
        recorder.start()
        assert within(10.0, lambda: len(list(tmp_path.glob("*.xdf"))) >= 4)
        assert recorder.stop() == []
        recorder.close()
    assert recorder.state is RecorderState.VERIFIED
    assert taken.read_bytes() == b"somebody else's"
    files = [tmp_path / "walk.xdf"]
    files += sorted(set(tmp_path.glob("*.xdf")) - {files[0], taken})
    assert [path.name for path in files[:3]] == [
        "walk.xdf",
        "walk_part3.xdf",
        "walk_part4.xdf",
    ]
    for name in ("roll-a", "roll-b"):
        parts = [read_xdf(path)[name] for path in files]
        numbers = np.concatenate([part.data[:, 0] for part in parts])
        np.testing.assert_array_equal(np.diff(numbers), 1.0)
        assert all(len(part.offsets) for part in parts)
    for path in files:
        assert read_xdf(path).complete
        streams, _ = pyxdf.load_xdf(path, **RAW)
        assert {s["info"]["name"][0] for s in streams} >= {"roll-a", "roll-b"}
    (said,) = [event for event in recorder.snapshot()["events"]
               if event["event"] == "verified"]  # fmt: skip
    assert said["files"] == [str(path) for path in files]


def test_what_is_missing_between_two_files_is_seen(tmp_path: Path) -> None:
    bench = Bench(Selection(required=("semg",)))
    source = bench.network.add(spec("semg", 2000.0), "u-1")
    bench.keep()
    writer = WriterThread(tmp_path / "a.xdf", now=bench.now, roll_bytes=1.0)
    bench.streams.record_into(writer)
    for n_dropped in (0, 0, 7, 0):
        source.counter += n_dropped
        for _ in range(30):
            bench.step(0.025, semg=source)
        writer._step()
        assert writer._syncing is not None
        writer._syncing.result(timeout=5.0)
    bench.streams.release(writer)
    writer._closing.set()
    writer._run()
    assert len(writer.files) >= 4
    (worker,) = bench.streams.workers
    assert worker.counter.n_lost == 7
    assert verify(writer.files) == []
    del writer.files[2]
    assert any("were received" in reason for reason in verify(writer.files))
    bench.streams.close()


def test_names_count_on(tmp_path: Path) -> None:
    first = tmp_path / "Trial_1_take1.xdf"
    assert next_path(first).name == "Trial_1_take1_part2.xdf"
    next_path(first).touch()
    assert next_path(first).name == "Trial_1_take1_part3.xdf"


@pytest.mark.usefixtures("lsl_session")
def test_a_recording_on_command_rolls_too(tmp_path: Path) -> None:
    with Source(spec("roll-c", 2000.0, n_values=8)):
        result = record(tmp_path / "walk.xdf", ["roll-c"], 2.0, roll_bytes=ROLL_BYTES)
    assert result.verified
    assert result.problems == ()
    assert len(result.paths) >= 2
    assert result.n_bytes == sum(path.stat().st_size for path in result.paths)
    rows = sum(len(read_xdf(path)["roll-c"].t_lsl) for path in result.paths)
    assert rows == next(s["n_samples"] for s in result.streams)
