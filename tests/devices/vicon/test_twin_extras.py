"""Second subject, segments, stray markers and EMG, as three readers see them."""

import importlib.util
import json
import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import pytest

from devices.link import TcpLink
from devices.vicon.back_end import WANTED, WANTED_FOR_FORCES
from devices.vicon.client import CgStreamClient
from devices.vicon.frames import Frame
from devices.vicon.sdk_library import SUCCESS, SdkLibrary
from devices.vicon.sdk_package import load_package
from devices.vicon.wire import ObjectId
from tests.builders.vicon_sdk import needs_sdk
from tests.builders.vicon_twin import (
    Collected,
    RunningTwin,
    collect,
    frames,
    lab_config,
)

OPTIONS = {"wand": True, "segments": True, "unlabeled": 3, "emg": True}
EVERYTHING = (
    WANTED
    | WANTED_FOR_FORCES
    | {ObjectId.UNLABELED_RECONS, ObjectId.GLOBAL_SEGMENTS, ObjectId.LOCAL_SEGMENTS}
)


def native_frames(running: RunningTwin, n: int, host: str = "127.0.0.1") -> list[Frame]:
    link = TcpLink(host, running.port, now=time.perf_counter, port_option="")
    wanted = frozenset(EVERYTHING)
    client = CgStreamClient(link, "test", wanted, time.perf_counter)
    found: list[Frame] = []
    with closing(client):
        client.open(5.0)
        client.start("push")
        deadline = time.perf_counter() + 20.0
        while len(found) < n and time.perf_counter() < deadline:
            found += client.poll(0.1)
    return [frame for frame in found if frame.global_segments]


@pytest.mark.parametrize("back_end", ["native", pytest.param("sdk", marks=needs_sdk)])
def test_wand_is_left_out_by_rule_and_taken_when_named(back_end: str) -> None:
    with RunningTwin(lab_config(options=OPTIONS)) as running:
        adapter = running.adapter(back_end=back_end)
        with closing(adapter):
            markers, _ = adapter.connect(5.0)
            assert len(markers.channels) == 1 + 3 * 16
            assert markers.metadata["setup"]["ignored_subjects"] == ["Wand"]
        adapter = running.adapter(back_end=back_end, subjects=("P43", "Wand"))
        with closing(adapter):
            seen = Collected(adapter.connect(5.0))
            adapter.start()
            collect(adapter, seen, frames(10))
    labels = [c.label for c in seen.specs["vicon-markers"].channels]
    assert labels[-1] == "Wand:W5_Z"
    rows = seen.data("vicon-markers")
    corner, end = (
        rows[:, labels.index(f"Wand:W{i}_X") :][:, :3].astype(float) for i in (1, 3)
    )
    length_m = np.linalg.norm(end - corner, axis=1)
    np.testing.assert_allclose(length_m, 0.24, atol=1e-6)


def test_native_client_reads_all_of_it() -> None:
    with RunningTwin(lab_config(options=OPTIONS)) as running:
        (first, *_, last) = native_frames(running, 10)
    assert {s.name: len(s.segments) for s in last.statics.subjects} == {
        "P43": 1,
        "Wand": 1,
    }
    assert last.unlabeled["position_mm"][:, 0].tolist() == [0.0, 111.1, 222.2]
    emg = [s for s in last.samples if s.device_id == 4]
    assert [s.values.size for s in emg] == [10] * 13
    assert last.statics.units[4, 1] == ("volt", "emg")
    for frame in (first, last):
        pelvis, wand = frame.global_segments[1][0], frame.global_segments[2][0]
        rotation = pelvis["rotation"]
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        by_marker = frame.labeled["position_mm"][frame.labeled["subject"] == 2][0]
        np.testing.assert_allclose(by_marker, wand["translation_mm"], atol=1e-9)


@needs_sdk
def test_sdk_reads_the_same_segments_and_stray_markers() -> None:
    package = load_package()
    client = package.PyViconDatastream()
    with RunningTwin(lab_config(options=OPTIONS)) as running:
        library = SdkLibrary(package, client)
        client.connect(f"127.0.0.1:{running.port}")
        client.enable_segment_data()
        client.enable_unlabeled_marker_data()
        client.set_buffer_size(1000)
        client.set_stream_mode(package.StreamMode.ServerPush)
        ours = {frame.number: frame for frame in native_frames(running, 15)}
        n_equal = 0
        while n_equal < 5 and library.get_frame() == SUCCESS:
            frame = ours.get(client.get_frame_number())
            if frame is None:
                assert client.get_frame_number() < max(ours)
                continue
            for number, (subject, segment) in enumerate(
                (("P43", "Pelvis"), ("Wand", "Wand")), start=1
            ):
                at = client.get_segment_global_translation(subject, segment)
                turned = client.get_segment_global_rotation_matrix(subject, segment)
                pose = frame.global_segments[number][0]
                assert at.tobytes() == pose["translation_mm"].tobytes()
                assert np.asarray(turned).tobytes() == pose["rotation"].tobytes()
            assert client.get_unlabeled_marker_count() == 3
            for i, place in enumerate(frame.unlabeled["position_mm"].tolist()):
                found = client.get_unlabeled_marker_global_translation(i)
                assert list(found) == place
            n_equal += 1
        client.disconnect()
    assert n_equal == 5


THIRD = """
import json, motioncapture
server = motioncapture.connect("vicon", {"hostname": "127.0.0.83"})
for _ in range(25):
    server.waitForNextFrame()
    for name, body in server.rigidBodies.items():
        turn = body.rotation
        numbers = [*map(float, body.position), turn.w, turn.z]
        print(json.dumps([name, *numbers]), flush=True)
"""


@pytest.mark.skipif(
    importlib.util.find_spec("motioncapture") is None,
    reason="motioncapture is not installed",
)
def test_motioncapture_reads_the_same_poses() -> None:
    """It is bound to port 801; a loopback address of its own keeps that free."""
    settings = lab_config(options=OPTIONS | {"capture_port": 0}).model_dump()
    settings["twins"]["vicon"] |= {"host": "127.0.0.83"}
    try:
        running = RunningTwin(lab_config().model_validate(settings), port=801)
    except OSError as error:
        pytest.skip(f"port 801 cannot be taken here: {error}")
    with running:
        command = [sys.executable, "-c", THIRD]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            head = other.stdout.readline()
            ours = native_frames(running, 60, "127.0.0.83")
            tail, _ = other.communicate(timeout=20.0)
    told = [json.loads(line) for line in (head + tail).splitlines()]
    poses = [frame.global_segments[2][0] for frame in ours]
    known_m = np.array([pose["translation_mm"] for pose in poses]) / 1000.0
    n_equal = 0
    for name, *place_m, w, z in told:
        assert name == "Wand"  # it looks for a segment of the subject's own name
        apart_m = np.abs(known_m - place_m).max(axis=1)
        if apart_m.min() < 2e-7:  # single precision; else before or after ours
            n_equal += 1
            turned = poses[int(apart_m.argmin())]["rotation"]
            half = complex(w, z)
            assert complex(*turned[:2, 0]) == pytest.approx(half**2, abs=1e-5)
    assert n_equal >= 10
