import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acquire.lsl.binding import pylsl
from acquire.recorder.adhoc import StreamNotFoundError, record
from acquire.storage.xdf_reader import read_xdf
from tests.builders.lsl_source import Source, spec

pytestmark = pytest.mark.usefixtures("lsl_session")

FORMATS = ["float32", "double64", "int8", "int16", "int32", "int64"]


def foreign(name: str, form: str, rate_hz: float, n_channels: int = 2) -> object:
    info = pylsl.StreamInfo(name, "Foreign", n_channels, rate_hz, form, f"id-{name}")
    return pylsl.StreamOutlet(info)


def test_records_foreign_streams_of_every_format(tmp_path: Path) -> None:
    out = tmp_path / "any.xdf"
    outlets = {form: foreign(f"ad-{form}", form, 50.0) for form in FORMATS}
    texts = foreign("ad-string", "string", 0.0)
    odd = foreign("ad-irregular", "double64", 0.0, 1)
    stop = threading.Event()

    def push() -> None:
        k = 0
        while not stop.wait(0.02):
            for form, outlet in outlets.items():
                dtype = form.replace("double64", "float64")
                outlet.push_chunk(
                    np.array([[k % 100, -(k % 100)]], dtype), 1.0 + k / 50
                )
            if k % 10 == 0:
                texts.push_chunk(["a", f"b{k}"], 1.0 + k / 50)
                odd.push_chunk(np.array([[k * 1.5]]), 1.0 + k / 50)
            k += 1

    thread = threading.Thread(target=push)
    thread.start()
    seen: list[str] = []
    try:
        result = record(
            out,
            ["starts-with(name,'ad-')"],
            1.0,
            progress=lambda snapshot: seen.append(snapshot["state"]),
        )
    finally:
        stop.set()
        thread.join()
    assert result.problems == ()
    assert result.verified
    assert result.n_bytes == out.stat().st_size
    assert len(result.streams) == 8
    assert set(seen) == {"recording"}
    recording = read_xdf(out)
    for form in FORMATS:
        stream = recording[f"ad-{form}"]
        assert len(stream.t_lsl) > 30
        np.testing.assert_array_equal(stream.data[:, 1], -stream.data[:, 0])
        assert np.all(np.diff(stream.data[:, 0]) % 100 == 1)
        np.testing.assert_allclose(np.diff(stream.t_lsl), 0.02, atol=1e-9)
    strings = recording["ad-string"].data
    assert strings.shape[1] == 2
    assert set(strings[:, 0]) == {"a"}
    assert np.all(np.diff(recording["ad-irregular"].data[:, 0]) == 15.0)


def test_says_what_there_is_when_nothing_matches(tmp_path: Path) -> None:
    with (
        Source(spec("an-there")),
        pytest.raises(StreamNotFoundError, match="an-there \\(3 x float32"),
    ):
        record(tmp_path / "a.xdf", ["an-none"], 1.0, find_timeout_s=0.6)
    assert list(tmp_path.iterdir()) == []


def test_refuses_an_existing_file_at_once(tmp_path: Path) -> None:
    out = tmp_path / "a.xdf"
    out.touch()
    began = time.monotonic()
    with pytest.raises(FileExistsError, match="exists already"):
        record(out, ["an-none"], 1.0)
    assert time.monotonic() - began < 0.5


def test_stops_when_asked_and_late_streams_join(tmp_path: Path) -> None:
    stop = threading.Event()
    late: list[Source] = []

    def progress(snapshot: Mapping[str, Any]) -> None:
        if not late:
            late.append(Source(spec("al-late")).__enter__())
        seen = {stream["name"]: stream["n_samples"] for stream in snapshot["streams"]}
        if seen.get("al-late", 0) > 0:
            stop.set()

    with Source(spec("al-first")):
        result = record(
            tmp_path / "a.xdf",
            ["starts-with(name,'al-')"],
            10.0,
            progress=progress,
            stop=stop,
        )
    late[0].close()
    assert result.verified
    assert result.seconds < 6.0
    assert [stream["name"] for stream in result.streams] == ["al-first", "al-late"]
