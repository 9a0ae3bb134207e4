"""Rows of the two streams: order, gaps and the arithmetic of ticks."""

from typing import Any

import numpy as np
import pytest

from devices.errors import DeviceError, WireFormatError
from devices.vicon import twin_pack
from devices.vicon.assemble import ForceRows, MarkerRows
from devices.vicon.config import ViconConfig
from devices.vicon.layout import build_layout
from devices.vicon.probe import PATIENCE_FRAMES, RateProbe
from tests.builders.vicon_session import (
    LOCK,
    PERIOD,
    PLATE,
    decoded,
    dynamics,
    frame,
    loads,
    lock,
    plate,
    ramp,
    session,
    subject,
    sync,
)

FRAME = 41


def rows(
    *more: Any, n: dict[int, int] | None = None, period: int = PERIOD
) -> tuple[ForceRows, Any]:
    statics = decoded(session(*more, period=period))
    layout = build_layout(statics, ViconConfig(), "vicon at test")
    return ForceRows(layout, statics, n or {PLATE: 10, LOCK: 10}), statics


def expected(n: int = 10) -> np.ndarray:
    values = ramp(FRAME, n, 3)
    return np.hstack([values, -values, np.full((n, 1), 5.0)]).astype("f4")


def test_markers_in_metres_with_the_number_of_the_sdk() -> None:
    statics = decoded(session())
    markers = MarkerRows(build_layout(statics, ViconConfig(), "vicon"))
    row = markers.row(frame(dynamics(FRAME), statics))
    assert row.dtype == np.float32
    expected_row = [FRAME + 1, FRAME / 1000, 0.001, 1.0, FRAME / 1000, 0.002, 1.0]
    np.testing.assert_array_equal(row, np.array([expected_row], "f4"))


def test_occluded_foreign_and_reordered_markers() -> None:
    statics = decoded(session())
    markers = MarkerRows(build_layout(statics, ViconConfig(), "vicon"))
    seen = [
        markers.row(frame(dynamics(7, markers=m), statics))[0, 1::3] for m in ORDERS
    ]
    for order, x in zip(ORDERS, seen, strict=True):
        there = np.isin([1, 2], order)
        np.testing.assert_array_equal(np.isnan(x), ~there)
        assert np.all(x[there] == np.float32(0.007))


ORDERS = [(1, 2), (2, 1), (2,), (), (1, 77, 2), (1, 2)]


def test_y_up_positions_are_turned() -> None:
    statics = decoded(session(y_up=True))
    markers = MarkerRows(build_layout(statics, ViconConfig(), "vicon"))
    row = markers.row(frame(dynamics(FRAME, markers=(1,)), statics))
    np.testing.assert_allclose(row[0, 1:4], [FRAME / 1000, -1.0, 0.001])


def test_counter_wraps_exactly() -> None:
    statics = decoded(session())
    layout = build_layout(statics, ViconConfig(), "vicon")
    id_ = 2**24 - 1
    row = MarkerRows(layout).row(frame(dynamics(id_), statics))
    assert row[0, 0] == 0.0
    forces, statics = rows()
    last = 2**24 // 10 - 1  # its number is one more
    block = forces.block(frame(dynamics(last), statics))
    number = (last + 1) * 10 + np.arange(10)
    np.testing.assert_array_equal(block[:, -1], number % 2**24)
    assert block[5, -1] > 0 == block[6, -1]


def test_forces_as_sent() -> None:
    forces, statics = rows()
    block = forces.block(frame(dynamics(FRAME), statics))
    np.testing.assert_array_equal(block[:, :-1], expected())
    np.testing.assert_array_equal(block[:, -1], (FRAME + 1) * 10 + np.arange(10))


def test_two_device_frames_in_one_packet() -> None:
    more = [subject(), *plate(period=PERIOD // 2), *lock()]
    forces, statics = rows(*more, n={PLATE: 5, LOCK: 10})
    values = ramp(FRAME, 10, 3)
    halves = []
    for half in (1, 0):
        part, id_ = values[half * 5 : half * 5 + 5], 2 * FRAME + half
        halves += [
            twin_pack.samples(10, id_, PLATE, 1, part),
            twin_pack.samples(11, id_, PLATE, 2, -part),
        ]
    objects = [twin_pack.frame_info(FRAME), *halves, sync(FRAME)]
    block = forces.block(frame(objects, statics))
    np.testing.assert_array_equal(block[:, :-1], expected())


def test_rate_that_divides_the_period_not_exactly() -> None:
    forces, statics = rows(n={PLATE: 7, LOCK: 7})
    objects = [twin_pack.frame_info(FRAME), *loads(FRAME, 7), sync(FRAME, 7)]
    block = forces.block(frame(objects, statics))
    np.testing.assert_array_equal(block[:, :-1], expected(7))


def test_start_tick_shifts_device_frames() -> None:
    extra = twin_pack.device_info_extra(PLATE, 40 * PERIOD)
    forces, statics = rows(subject(), *plate(), extra, *lock())
    shifted = [twin_pack.samples(10, FRAME - 40, PLATE, 1, ramp(FRAME, 10, 3))]
    objects = [twin_pack.frame_info(FRAME), *shifted, sync(FRAME)]
    block = forces.block(frame(objects, statics))
    np.testing.assert_array_equal(block[:, :3], expected()[:, :3])


@pytest.mark.parametrize("device_frame", [FRAME - 1, FRAME + 1, 0, 2**32 - 1])
def test_samples_of_another_frame_are_not_used(device_frame: int) -> None:
    forces, statics = rows()
    objects = [
        twin_pack.frame_info(FRAME),
        twin_pack.samples(10, device_frame, PLATE, 1, ramp(1, 10, 3)),
        sync(FRAME),
    ]
    block = forces.block(frame(objects, statics))
    assert np.isnan(block[:, :6]).all()
    assert not np.isnan(block[:, 6:]).any()


def test_missing_samples_stay_nan() -> None:
    forces, statics = rows()
    short = loads(FRAME, 7)
    block = forces.block(frame([twin_pack.frame_info(FRAME), *short], statics))
    np.testing.assert_array_equal(block[:7, :6], expected()[:7, :6])
    assert np.isnan(block[7:, :6]).all()
    assert np.isnan(block[:, 6]).all()
    assert not np.isnan(block[:, 7]).any()


def test_faster_than_before_is_an_error() -> None:
    forces, statics = rows()
    objects = [twin_pack.frame_info(FRAME), *loads(FRAME, 20)]
    with pytest.raises(WireFormatError, match=r"20 samples.*held 10 before"):
        forces.block(frame(objects, statics))


def test_values_must_divide_into_components() -> None:
    forces, statics = rows()
    odd = twin_pack.samples(10, FRAME, PLATE, 1, np.zeros((11, 1)))
    with pytest.raises(WireFormatError, match="11 values for 3 components"):
        forces.block(frame([twin_pack.frame_info(FRAME), odd], statics))


def probe(*more: Any) -> tuple[RateProbe, Any]:
    statics = decoded(session(*more))
    layout = build_layout(statics, ViconConfig(), "vicon at test")
    return RateProbe(layout, statics, "vicon at test"), statics


def test_probe_learns_the_rate_from_two_frames() -> None:
    prober, statics = probe()
    empty = frame([twin_pack.frame_info(0)], statics)
    assert [prober.look(f) for f in (empty, frame(dynamics(1), statics))] == [False] * 2
    assert prober.look(frame(dynamics(2), statics))
    assert prober.result() == (10, {PLATE: 10, LOCK: 10})


def test_probe_assumes_the_rate_of_a_silent_device() -> None:
    more = [subject(), *plate(period=PERIOD // 2), *lock()]
    prober, statics = probe(*more)
    for i in range(PATIENCE_FRAMES - 1):
        assert not prober.look(frame([twin_pack.frame_info(i), sync(i)], statics))
    assert prober.look(frame([twin_pack.frame_info(50), sync(50)], statics))
    assert prober.result() == (10, {PLATE: 5, LOCK: 10})


def test_probe_refuses_two_rates() -> None:
    prober, statics = probe()
    for i in range(2):
        objects = [twin_pack.frame_info(i), *loads(i, 10), sync(i, 20)]
        prober.look(frame(objects, statics))
    with pytest.raises(DeviceError, match=r"'Plate': 1000.0, 'Lock Lab': 2000.0"):
        prober.result()


def test_probe_refuses_a_period_of_zero() -> None:
    prober, statics = probe(subject(), *plate(period=0), *lock())
    for i in range(2):
        prober.look(frame(dynamics(i), statics))
    with pytest.raises(DeviceError, match="no frame period"):
        prober.result()
