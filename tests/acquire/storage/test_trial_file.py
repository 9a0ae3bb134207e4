"""The trial archive: equal to the recording, complete in itself, written once."""

import errno
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from acquire.storage import trial_file
from acquire.storage.compare import differences
from acquire.storage.errors import (
    AlreadyExistsError,
    NotARecordingError,
    StorageError,
    StorageFullError,
    VerificationError,
)
from acquire.storage.provenance import sha256
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.trial_edges import read_edges, recorded_edges
from acquire.storage.trial_file import read_provenance, read_trial, write_trial
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_reader import read_xdf
from devices.stream import Channel, Counter, TriggerInput
from tests.builders.recordings import (
    COUNTED,
    NUMERIC,
    add,
    spec,
    values,
    write_all_kinds,
    write_counted,
)

ATTRIBUTES = {
    "participant": "P43",
    "condition": "Ideal",
    "mode": "LG_0",
    "speed": "S_1",
    "trial": 1,
    "take": 2,
    "facing": "forward",
}


def test_every_format_survives(tmp_path: Path) -> None:
    write_all_kinds(tmp_path / "a.xdf")
    recording = read_xdf(tmp_path / "a.xdf")
    out = write_trial(recording, tmp_path / "a.h5", ATTRIBUTES)
    again = read_trial(out)
    assert differences(recording, again) == []
    assert again.complete
    assert again.attributes == {**ATTRIBUTES, "simulated": True}
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "a.h5",
        "a.xdf",
        "a.xdf.journal",
    ]


def test_the_contract_of_the_layout(tmp_path: Path) -> None:
    write_counted(tmp_path / "a.xdf")
    recording = read_xdf(tmp_path / "a.xdf")
    out = write_trial(
        recording, tmp_path / "a.h5", ATTRIBUTES, provenance={"rig": "name: r\n"}
    )
    with h5py.File(out) as file:
        assert (
            dict(file.attrs).items()
            >= {
                "kinemuse_layout": 1,
                "complete": True,
                "simulated": True,
                **ATTRIBUTES,
            }.items()
        )
        stream = file["streams/counted"]
        assert set(stream) >= {"data", "t_lsl", "index", "gaps", "offsets"}
        assert stream["data"].shape == (2000, 3)
        assert stream["data"].chunks == (100, 3)  # one second
        assert stream["data"].shuffle
        assert stream["data"].fletcher32
        assert (stream["data"].compression, stream["data"].compression_opts) == (
            "gzip",
            1,
        )
        np.testing.assert_array_equal(stream["index"], np.arange(2000))
        assert stream["gaps"].shape == (0, 2)
        assert list(stream.attrs["labels"].astype(str)) == ["c0", "c1", "c2"]
        assert list(stream.attrs["units"].astype(str)) == ["uV"] * 3
        assert stream.attrs["rate_hz"] == 100.0
        assert stream.attrs["header_xml"] == recording["counted"].header_xml
        assert stream["t_lsl"].attrs["units"] == "s"
        assert set(file["edges/counted"]) == {"index", "rising", "half_width"}
        edges = read_edges(file["edges"], "counted")
        np.testing.assert_allclose(edges.index, np.arange(300, 2000, 300) - 0.5)
        np.testing.assert_array_equal(edges.rising, [True, False] * 3)
        assert file["events/t_lsl"].shape == (0,)
        assert file.id.get_create_plist().get_version()[0] == 0  # superblock
    said = read_provenance(out)
    assert said["rig"] == "name: r\n"
    assert said["recording_sha256"] == sha256(tmp_path / "a.xdf")
    assert said["code_version"].count("+") == 1
    assert "numpy" in said["software"]


def test_every_axis_has_a_scale(tmp_path: Path) -> None:
    write_all_kinds(tmp_path / "a.xdf")
    write_trial(read_xdf(tmp_path / "a.xdf"), tmp_path / "a.h5")
    bare = []

    def look(name: str, node: Any) -> None:
        scaled = isinstance(node, h5py.Dataset) and not node.is_scale
        if scaled and any(not len(dimension) for dimension in node.dims):
            bare.append(name)

    with h5py.File(tmp_path / "a.h5") as file:
        file.visititems(look)
    assert bare == []


def test_events_are_listed(tmp_path: Path) -> None:
    lines = [json.dumps({"event": "trial_start", "t_lsl": 1.5}), "not JSON", "[1]"]
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream_id = add(writer, spec("kinemuse-events", "string", 1, 0.0))
        writer.write_samples(stream_id, lines, [1.5, 2.5, 3.5])
    write_trial(read_xdf(tmp_path / "a.xdf"), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        events = file["events"]
        assert events["event"].asstr()[:].tolist() == ["trial_start", *lines[1:]]
        assert events["json"].asstr()[:].tolist() == lines
        np.testing.assert_array_equal(events["t_lsl"], [1.5, 2.5, 3.5])


def test_streams_of_one_name_get_groups_of_their_own(tmp_path: Path) -> None:
    with XdfWriter(tmp_path / "a.xdf") as writer:
        for generation in range(3):
            add(
                writer,
                spec("markers", n_channels=generation + 1, generation=generation),
            )
        add(writer, spec("a/b"))
    recording = read_xdf(tmp_path / "a.xdf")
    write_trial(recording, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        names = {"markers", "markers.2", "markers.3", "a_b"}
        assert set(file["streams"]) == names
    assert differences(recording, read_trial(tmp_path / "a.h5")) == []


def test_gaps_and_wraps_are_counted(tmp_path: Path) -> None:
    data = values("float32", (200, 3))
    rows = np.r_[0:90, 95:150, 151:206]  # 5 and 1 samples lost, the count wraps at 64
    data[:, 0] = rows % 64
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.write_samples(add(writer, COUNTED), data, rows / 100)
    write_trial(read_xdf(tmp_path / "a.xdf"), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["streams/counted/index"], rows)
        np.testing.assert_array_equal(file["streams/counted/gaps"], [[90, 5], [150, 1]])


def test_an_ultrasound_stream_fits(tmp_path: Path) -> None:
    channels = tuple(Channel(f"CH{k // 1000}_{k:04d}", "counts") for k in range(4012))
    stream = spec("amode", "int16", 4012, 20.0)
    stream = type(stream)("amode", "Ultrasound", 20.0, channels, dtype="int16")
    data = values("int16", (60, 4012))
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.write_samples(add(writer, stream), data, np.arange(60) / 20)
    recording = read_xdf(tmp_path / "a.xdf")
    write_trial(recording, tmp_path / "a.h5")
    again = read_trial(tmp_path / "a.h5")
    assert again["amode"].labels == tuple(channel.label for channel in channels)
    np.testing.assert_array_equal(again["amode"].data, data)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_counted(tmp_path / "a.xdf", 100)
    recording = read_xdf(tmp_path / "a.xdf")
    write_trial(recording, tmp_path / "a.h5")
    before = (tmp_path / "a.h5").read_bytes()
    with pytest.raises(AlreadyExistsError):
        write_trial(recording, tmp_path / "a.h5")
    assert (tmp_path / "a.h5").read_bytes() == before


def test_a_file_that_reads_back_differently_gets_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_counted(tmp_path / "a.xdf", 100)
    recording = read_xdf(tmp_path / "a.xdf")
    other = read_xdf(tmp_path / "a.xdf")["counted"]
    other.data[7, 2] += 1
    monkeypatch.setattr(trial_file, "read_stream", lambda _: other)
    with pytest.raises(VerificationError, match="counted: data differs"):
        write_trial(recording, tmp_path / "a.h5")
    assert [p.name for p in tmp_path.glob("*.h5*")] == []


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise StorageFullError(errno.ENOSPC, "No space left", "a.h5")

    write_counted(tmp_path / "a.xdf", 100)
    monkeypatch.setattr(trial_file, "sync_file", full)
    with pytest.raises(StorageFullError):
        write_trial(read_xdf(tmp_path / "a.xdf"), tmp_path / "a.h5")
    assert [p.name for p in tmp_path.glob("*.h5*")] == []


def test_a_flipped_bit_is_an_error_not_a_value(tmp_path: Path) -> None:
    write_counted(tmp_path / "a.xdf")
    out = write_trial(read_xdf(tmp_path / "a.xdf"), tmp_path / "a.h5")
    with h5py.File(out) as file:
        at = file["streams/counted/data"].id.get_chunk_info(3).byte_offset
    damaged = bytearray(out.read_bytes())
    damaged[at + 200] ^= 1
    out.write_bytes(damaged)
    with pytest.raises(StorageError, match="is damaged"):
        read_trial(out)


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"no HDF5"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(NotARecordingError):
        read_trial(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w"):
        pass
    with pytest.raises(NotARecordingError, match="no trial archive"):
        read_trial(tmp_path / "b.h5")


def test_gated_flow_makes_its_edges() -> None:
    stream = _stream(
        np.zeros((50, 2), np.float32),
        np.arange(50) / 20,
        trigger=TriggerInput(role="gates", start_latency_max_s=0.1),
    )
    edges = recorded_edges(stream)
    np.testing.assert_array_equal(edges.index, [-0.5, 49.5])
    np.testing.assert_array_equal(edges.rising, [True, False])
    np.testing.assert_array_equal(edges.half_width, [2.5, 0.5])


def _stream(data: np.ndarray, t: np.ndarray, **more: Any) -> RecordedStream:
    facts: dict[str, Any] = {
        "name": "s",
        "type": "T",
        "source_id": "id",
        "uid": "u",
        "rate_hz": 20.0,
        "dtype": "string" if data.dtype == object else data.dtype.name,
        "channels": tuple(Channel(f"c{k}") for k in range(data.shape[1])),
        "offsets": np.empty((0, 3)),
        "header_xml": "<info/>",
        "data": data,
        "t_lsl": t,
    }
    return RecordedStream(**{**facts, **more})


TEXT = st.text(max_size=12)
NAMES = TEXT.filter(
    lambda text: "\0" not in text
)  # XML, where they come from, has none


@st.composite
def recorded_streams(draw: st.DrawFn) -> RecordedStream:
    n, n_channels = draw(st.integers(0, 30)), draw(st.integers(1, 4))
    dtype = draw(st.sampled_from([*NUMERIC, "string"]))
    if dtype == "string":
        rows = draw(
            st.lists(
                st.lists(TEXT, min_size=n_channels, max_size=n_channels),
                min_size=n,
                max_size=n,
            )
        )
        data = np.empty((n, n_channels), object)
        for k, row in enumerate(rows):
            data[k] = row
    else:
        data = draw(hnp.arrays(dtype, (n, n_channels)))
    labels = draw(st.lists(NAMES, min_size=n_channels, max_size=n_channels))
    counter, trigger = Counter("none"), None
    if draw(st.booleans()) and len(set(labels)) == len(labels) and dtype != "string":
        counter = Counter(
            "device", labels[0], draw(st.sampled_from([16, 2**15, 2**24]))
        )
        trigger = TriggerInput(
            labels[-1], draw(st.sampled_from(["analog", "digital"])), "recorded", 0.002
        )
    return _stream(
        data,
        draw(hnp.arrays(np.float64, n)),
        name=draw(st.sampled_from(["s", "semg", "a/b", ".", "ü"])),
        uid=draw(NAMES),
        rate_hz=draw(st.sampled_from([0.0, 20.0, 148.148, 2000.0])),
        channels=tuple(Channel(label, draw(TEXT), "EMG") for label in labels),
        offsets=draw(hnp.arrays(np.float64, (draw(st.integers(0, 5)), 3))),
        counter=counter,
        trigger=trigger,
        waveform=draw(st.sampled_from(["level", "unknown"])),
        simulated=draw(st.booleans()),
        generation=draw(st.integers(0, 3)),
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    streams=st.lists(recorded_streams(), max_size=3),
    problems=st.lists(TEXT, max_size=2),
    complete=st.booleans(),
)
def test_any_recording_comes_back_equal(
    tmp_path: Path, streams: list[RecordedStream], problems: list[str], complete: bool
) -> None:
    (tmp_path / "a.h5").unlink(missing_ok=True)
    recording = Recording(
        tmp_path / "none.xdf",
        tuple(streams),
        complete=complete,
        attributes={"note": "ü", "trial": 3, "speed_mps": 1.5, "ok": True},
        problems=tuple(problems),
    )
    again = read_trial(write_trial(recording, tmp_path / "a.h5"))
    assert differences(recording, again) == []
    assert again.complete == complete
    simulated = any(stream.simulated for stream in streams)
    assert again.attributes == {**recording.attributes, "simulated": simulated}
    for value in again.attributes.values():
        assert type(value) in (str, int, float, bool)
