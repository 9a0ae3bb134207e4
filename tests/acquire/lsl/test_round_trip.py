import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from acquire import lsl
from acquire.lsl.binding import pylsl
from acquire.storage.stream_header import parse_header
from devices.stream import Channel, Chunk, Counter, DType, StreamSpec, TriggerInput
from tests.builders.lsl_source import spec

pytestmark = pytest.mark.usefixtures("lsl_session")

BUILDERS = Path(__file__).parents[2] / "builders"
OURS = {"device": "dev", "kind": "test", "simulated": True, "waveform": "level"}


def opened(name: str, timeout_s: float = 5.0) -> lsl.Inlet:
    (found,) = lsl.discover(timeout_s, 1, f"name='{name}'")
    inlet = lsl.Inlet(found)
    inlet.open(timeout_s)
    return inlet


def pull_all(inlet: lsl.Inlet, n: int) -> tuple[object, np.ndarray]:
    parts, stamps = [], []
    end = time.monotonic() + 3.0
    while sum(map(len, stamps)) < n and time.monotonic() < end:
        part, t = inlet.pull(0.2)
        parts.append(part)
        stamps.append(t)
    if isinstance(parts[0], list):
        return [text for part in parts for text in part], np.concatenate(stamps)
    return np.concatenate(parts), np.concatenate(stamps)


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int8", "int16", "int32", "int64"]
)
def test_samples_arrive_as_sent(dtype: DType) -> None:
    stream = StreamSpec(
        f"rt-{dtype}", "T", 100.0, (Channel("a"), Channel("b")), dtype=dtype
    )
    outlet = lsl.Outlet(stream, **OURS)
    inlet = opened(stream.name)
    top = np.finfo(dtype).max if "float" in dtype else np.iinfo(dtype).max
    samples = np.array([[0, top], [1, -1], [2, top]], dtype)
    outlet.push(Chunk(stream.name, samples, 10.0))
    got, stamps = pull_all(inlet, 3)
    inlet.close()
    outlet.close()
    assert got.dtype == samples.dtype
    np.testing.assert_array_equal(got, samples)
    np.testing.assert_allclose(stamps, [9.98, 9.99, 10.0], atol=1e-12)


def test_texts_arrive_as_sent() -> None:
    outlet = lsl.Outlet(spec("rt-text", dtype="string"), **OURS)
    inlet = opened("rt-text")
    outlet.push_text('{"event": "Müller \\u0000"}', 7.25)
    outlet.push_text("", 8.0)
    got, stamps = pull_all(inlet, 2)
    inlet.close()
    outlet.close()
    assert got == ['{"event": "Müller \\u0000"}', ""]
    assert stamps.tolist() == [7.25, 8.0]


def test_metadata_crosses_processes(lsl_session: str) -> None:
    source = subprocess.Popen(
        [sys.executable, str(BUILDERS / "lsl_source.py"), lsl_session, "rt-other"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert source.stdout is not None
        assert source.stdout.readline() == b"ready\n"
        inlet = opened("rt-other")
        got, stamps = pull_all(inlet, 100)
        offset = inlet.offset(2.0)
        inlet.close()
    finally:
        source.communicate(timeout=5)
    header = inlet.spec
    assert header == parse_header(inlet.header_xml)
    assert header.labels == ("index", "v0", "v1")
    assert header.channels[1] == Channel("v0", "uV", "EMG")
    assert header.counter == Counter("device", "index", 2**24)
    assert (header.device, header.kind, header.simulated) == ("dev", "test", True)
    assert header.source_id == "kinemuse:dev:0:rt-other"
    assert header.session_id == lsl_session
    assert np.all(np.diff(got[:, 0]) == 1)
    assert np.ptp(np.diff(stamps)) < 0.005
    assert offset is not None
    assert abs(offset.offset_s) < 0.005
    assert 0 < offset.rtt_s < 0.05


def test_offset_never_waits_and_tells_a_new_measurement() -> None:
    outlet = lsl.Outlet(spec("rt-offset"), **OURS)
    inlet = opened("rt-offset")
    began = time.monotonic()
    assert inlet.offset() is None
    assert time.monotonic() - began < 0.1
    first = inlet.offset(2.0)
    assert first is not None
    assert inlet.offset() == first
    assert first.remote_time_s == pytest.approx(lsl.local_clock(), abs=1.0)
    inlet.close()
    outlet.close()


def test_wide_stream_with_full_description() -> None:
    stream = spec(
        "rt-wide",
        20.0,
        dtype="int16",
        n_values=4000,
        trigger=TriggerInput("sync", "digital"),
        metadata={"acquisition": {"manufacturer": "A <&> B"}},
    )
    outlet = lsl.Outlet(stream, **OURS)
    inlet = opened("rt-wide")
    header = inlet.spec
    outlet.push(Chunk("rt-wide", np.ones((2, 4002), np.int16), 1.0))
    got, _ = pull_all(inlet, 2)
    inlet.close()
    outlet.close()
    assert header.channels == stream.channels
    assert header.trigger == TriggerInput("sync", "digital")
    assert header.metadata == {"acquisition": {"manufacturer": "A <&> B"}}
    assert got.shape == (2, 4002)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((1, 3), np.float64), "float64"),
        (np.zeros((1, 2), np.float32), "2 channels"),
    ],
)
def test_wrong_chunks_are_refused(samples: np.ndarray, message: str) -> None:
    outlet = lsl.Outlet(spec("rt-wrong"), **OURS)
    with pytest.raises(ValueError, match=message):
        outlet.push(Chunk("rt-wrong", samples, 1.0))
    with pytest.raises(ValueError, match="single texts"):
        outlet.push_text("x", 1.0)
    outlet.close()
    outlet.close()
    with pytest.raises(ValueError, match="closed"):
        outlet.push(Chunk("rt-wrong", np.zeros((1, 3), np.float32), 1.0))


def test_a_stream_without_source_id_is_lost_for_good() -> None:
    bare = pylsl.StreamOutlet(pylsl.StreamInfo("rt-bare", "T", 1, 100, "float32", ""))
    inlet = opened("rt-bare")
    del bare
    time.sleep(0.2)
    with pytest.raises(lsl.StreamLostError, match="rt-bare"):
        inlet.pull(2.0)
    inlet.close()
