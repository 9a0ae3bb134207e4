"""liblsl drops the oldest samples in silence when nobody pulls: the counter tells."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from acquire.dataset.check import check_path
from acquire.recorder import Recorder
from acquire.recorder.writer import WriterThread
from acquire.storage.recorder_notes import read_notes
from acquire.storage.xdf_reader import read_xdf
from tests.builders.lsl_source import Source, spec


class StuckWriter(WriterThread):
    """A writer that has no room for a while, as when the disk hangs for minutes."""

    free = threading.Event()

    @property
    def has_room(self) -> bool:
        return self.free.is_set()


@pytest.mark.usefixtures("lsl_session")
def test_what_the_network_library_drops_is_counted_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acquire.recorder.watch.RATE_MIN_SPAN_S", 0.5)
    monkeypatch.setattr("acquire.recorder.joining.INLET_BUFFER_S", 1.0)
    StuckWriter.free.set()
    recorder, out = Recorder(make_writer=StuckWriter), tmp_path / "a.xdf"
    try:
        with Source(spec("ov-a", 1000.0)):
            assert recorder.arm(out, ["ov-a"]) == []
            recorder.start()
            time.sleep(0.3)
            StuckWriter.free.clear()
            time.sleep(2.5)
            StuckWriter.free.set()
            time.sleep(0.5)
            seen = recorder.snapshot()
            assert recorder.stop() == []
            warnings = recorder.warnings()
    finally:
        recorder.close()
    recording = read_xdf(out)
    index = recording["ov-a"].column("index").astype(np.int64)
    (at,) = np.flatnonzero(np.diff(index) != 1)
    n_lost = int(index[at + 1] - index[at] - 1)
    assert 1000 < n_lost < 2500
    assert warnings == [f"ov-a: {n_lost} samples lost"]
    told = [n for n in read_notes(recording) if n["event"] == "samples_missing"]
    assert [note["gaps"][0][:2] for note in told] == [[index[at] + 1, n_lost]]
    assert "stream_stalled" not in [entry["event"] for entry in seen["events"]]
    numbers = [entry["n"] for entry in seen["events"]]
    assert numbers == list(range(1, seen["n_events"] + 1))
    found = {finding.code: finding.message for finding in check_path(out)}
    assert f"{n_lost} samples are missing" in found["stream-gap"]
