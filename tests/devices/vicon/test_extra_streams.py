"""`vicon-segments` and `vicon-unlabeled`: poses, gaps and both back ends alike."""

from contextlib import closing

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devices.errors import DeviceError
from devices.vicon import twin_pack
from devices.vicon.config import ViconConfig
from devices.vicon.extra_rows import SegmentRows, UnlabeledRows, quaternions
from devices.vicon.layout import build_layout
from tests.builders.vicon_script import ScriptedServer
from tests.builders.vicon_sdk import needs_sdk
from tests.builders.vicon_session import decoded, dynamics, frame, lock, plate, session
from tests.builders.vicon_twin import Collected, collect, frames

BACK_ENDS = ["native", pytest.param("sdk", marks=needs_sdk)]
SEGMENTS, STRAY = "vicon-segments", "vicon-unlabeled"
TURNS = Rotation.from_euler("xyz", [[10, 20, 30], [-170, 5, 80]], degrees=True)
AT_MM = ((100.0, 200.0, 900.0), (110.0, 220.0, 400.0))
WANTED = {"segments": True, "unlabeled_markers": 2}


def posed_subject(*names: str):
    segments = [(i, i + 1, name) for i, name in enumerate(names)]
    return twin_pack.subject_info(1, "P43", [(1, "A"), (2, "B")], segments)


def statics(*names: str, y_up: bool = False):
    return session(posed_subject(*names), *plate(), *lock(), y_up=y_up)


def poses(*numbers: int):
    found = [
        (n, AT_MM[n - 1], tuple(TURNS[n - 1].as_matrix().ravel().tolist()))
        for n in numbers
    ]
    return twin_pack.segments(9, 1, found)


def stray(n: int):
    return twin_pack.unlabeled_recons([(1000.0 * i, 0.0, 50.0) for i in range(n)], 7.0)


def whole(i: int):
    """The second segment is hidden in every third frame."""
    return [*dynamics(i), poses(1, 2) if i % 3 else poses(1), stray(i % 4)]


def test_quaternions_are_those_of_another_library() -> None:
    rng = np.random.default_rng(1)
    axes = np.concatenate([rng.normal(size=(200, 3)), np.eye(3), -np.eye(3)])
    half_turns = Rotation.from_rotvec(
        np.pi * axes / np.linalg.norm(axes, axis=1)[:, None]
    )
    for turns in (Rotation.random(500, rng=rng), half_turns, Rotation.identity(1)):
        ours = quaternions(turns.as_matrix())
        assert (ours[:, 3] >= 0).all()
        np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1.0, atol=1e-12)
        apart = (Rotation.from_quat(ours) * turns.inv()).magnitude()
        assert apart.max() < 1e-7


def test_a_hidden_segment_is_nan_and_a_foreign_one_ignored() -> None:
    told = decoded(statics("Pelvis", "Thigh"))
    rows = SegmentRows(build_layout(told, ViconConfig(segments=True), "test"))
    far = twin_pack.segments(9, 7, [(1, AT_MM[0], (1.0, 0, 0, 0, 1, 0, 0, 0, 1))])
    row = rows.row(frame([*dynamics(4), poses(2), far], told))
    assert row.shape == (1, 15)
    assert row[0, 0] == 5
    assert np.isnan(row[0, 1:8]).all()
    np.testing.assert_allclose(row[0, 8:11], [0.11, 0.22, 0.4], atol=1e-6)
    expected = TURNS[1].as_quat(canonical=True)
    np.testing.assert_allclose(row[0, 11:], expected, atol=1e-6)


def test_more_stray_markers_than_places_are_counted() -> None:
    told = decoded(statics("Pelvis"))
    rows = UnlabeledRows(build_layout(told, ViconConfig(), "test"), 2)
    row = rows.row(frame([*dynamics(4), stray(3)], told))
    np.testing.assert_allclose(row[0], [5, 3, 0, 0, 0.05, 1, 0, 0.05], atol=1e-6)
    row = rows.row(frame(dynamics(5), told))
    assert row[0, 1] == 0
    assert np.isnan(row[0, 2:]).all()


def test_a_session_without_segments_is_refused_with_advice() -> None:
    told = decoded(session())
    with pytest.raises(DeviceError, match=r"\['P43'\] has segments.*kinematic fit"):
        build_layout(told, ViconConfig(segments=True), "test")


def published(back_end: str, *, y_up: bool = False) -> Collected:
    described = statics("Pelvis", "Thigh", y_up=y_up)
    with ScriptedServer(whole, described) as served:
        adapter = served.adapter(back_end=back_end, **WANTED)
        with closing(adapter):
            seen = Collected(adapter.connect(5.0))
            adapter.start()
            return collect(adapter, seen, frames(40))


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_streams_beside_the_markers(back_end: str) -> None:
    seen = published(back_end)
    assert [*seen.specs] == ["vicon-markers", "vicon-forces", SEGMENTS, STRAY]
    assert [c.label for c in seen.specs[SEGMENTS].channels[1:8]] == [
        f"Pelvis_{part}" for part in ("X", "Y", "Z", "QX", "QY", "QZ", "QW")
    ]
    number = seen.column(SEGMENTS, "frame")
    np.testing.assert_array_equal(number, seen.column("vicon-markers", "frame"))
    hidden = (number - 1) % 3 == 0
    np.testing.assert_array_equal(np.isnan(seen.column(SEGMENTS, "Thigh_QW")), hidden)
    np.testing.assert_array_equal(seen.column(STRAY, "n"), (number - 1) % 4)
    stamps = [[c.t_last for c in seen.chunks if c.stream == s] for s in seen.specs]
    assert stamps[0] == stamps[2] == stamps[3]


@needs_sdk
@pytest.mark.parametrize("y_up", [False, True])
def test_both_back_ends_publish_the_same(y_up: bool) -> None:
    sdk, ours = published("sdk", y_up=y_up), published("native", y_up=y_up)
    assert sdk.specs == ours.specs
    for stream in (SEGMENTS, STRAY):
        one, two = sdk.data(stream), ours.data(stream)
        kinds_one = {tuple(row) for row in one[:, 1:].view(np.uint32).tolist()}
        kinds_two = {tuple(row) for row in two[:, 1:].view(np.uint32).tolist()}
        assert kinds_one == kinds_two  # the scene repeats every twelve frames


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_another_segment_is_another_generation(back_end: str) -> None:
    def render(i: int):
        if i == 100:
            served.describe(statics("Pelvis", "Shank"))
        return whole(i)

    served = ScriptedServer(render, statics("Pelvis", "Thigh"))
    with served, closing(served.adapter(back_end=back_end, **WANTED)) as adapter:
        seen = Collected(adapter.connect(5.0))
        adapter.start()
        collect(adapter, seen, lambda s: bool(s.changed))
    (changed,) = seen.changed
    assert (changed.name, changed.generation) == (SEGMENTS, 1)
    assert changed.channels[8].label == "Shank_X"
