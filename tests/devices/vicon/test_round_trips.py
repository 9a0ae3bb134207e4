"""What the twin packs with its own code, the client's decoder reads."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from devices.vicon import frames, objects, twin_pack

u8, u16 = st.integers(0, 2**8 - 1), st.integers(0, 2**16 - 1)
u32, u64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
name = st.text(st.characters(codec="utf-8"), max_size=12)
number = st.floats(allow_nan=False, width=64)
triple = st.tuples(number, number, number)
nine = st.tuples(*[number] * 9)


def body(packed: twin_pack.Object, object_id: int) -> bytes:
    assert packed[0] == object_id
    return packed[1]


@settings(max_examples=60)
@given(st.integers(-(2**63), 2**63 - 1))
def test_stream_info(ticks: int) -> None:
    assert objects.stream_period(body(twin_pack.stream_info(ticks), 1)) == ticks


@settings(max_examples=60)
@given(st.booleans())
def test_application_info(y_up: bool) -> None:
    packed = twin_pack.application_info(y_up=y_up)
    assert objects.application_y_up(body(packed, 37)) is y_up


@settings(max_examples=60)
@given(
    u32,
    name,
    st.lists(st.tuples(u32, name), max_size=5),
    st.lists(st.tuples(u32, u32, name), max_size=4),
    st.lists(st.tuples(u32, u32), max_size=4),
)
def test_subject_info(subject_id, text, markers, segments, attachments) -> None:
    packed = twin_pack.subject_info(subject_id, text, markers, segments, attachments)
    found = objects.subject(body(packed, 2))
    assert (found.subject_id, found.name) == (subject_id, text)
    assert list(found.markers) == markers
    assert [(s.parent_id, s.segment_id, s.name) for s in found.segments] == segments
    assert found.attachments.tolist() == attachments


@settings(max_examples=60)
@given(u32, number, number)
def test_health_and_quality(subject_id, error_mm, health) -> None:
    packed = twin_pack.subject_health(subject_id, error_mm, health)
    found = objects.subject_health(body(packed, 29))
    assert found == (subject_id, (error_mm, health))
    packed = twin_pack.object_quality(subject_id, health)
    assert objects.object_quality(body(packed, 40)) == (subject_id, health)


@settings(max_examples=60)
@given(u32, u64, name)
def test_device_info(device_id, ticks, text) -> None:
    found = objects.device(body(twin_pack.device_info(device_id, ticks, text), 3))
    assert found == objects.Device(device_id, ticks, text)
    packed = twin_pack.device_info_extra(device_id, ticks)
    assert objects.device_start(body(packed, 38)) == (device_id, ticks)


@settings(max_examples=60)
@given(u32, u32, name, st.lists(name, max_size=6))
def test_channel_info(device_id, channel_id, text, components) -> None:
    packed = twin_pack.channel_info(device_id, channel_id, text, components)
    expected = objects.DeviceChannel(device_id, channel_id, text, tuple(components))
    assert objects.channel(body(packed, 4)) == expected
    packed = twin_pack.channel_info_extra(device_id, channel_id, text, "kind")
    found = objects.channel_unit(body(packed, 34))
    assert found == ((device_id, channel_id), (text, "kind"))


@settings(max_examples=60)
@given(u32, hnp.arrays("f4", 18, elements=st.floats(-1e4, 1e4, width=32)))
def test_force_plate_info(device_id, values) -> None:
    at, turned, bounds = values[:3], values[3:12], values[12:]
    packed = twin_pack.force_plate_info(
        device_id,
        at.astype("f8"),
        turned.reshape(3, 3).astype("f8"),
        bounds.reshape(2, 3).astype("f8"),
    )
    assert len(packed[1]) == 4 + 4 * 30
    found = objects.plate_pose(body(packed, 20))
    assert found.device_id == device_id
    np.testing.assert_array_equal(found.translation_mm, at)
    np.testing.assert_array_equal(found.rotation.ravel(), turned)
    np.testing.assert_array_equal(found.bounds_mm.ravel(), bounds)
    np.testing.assert_array_equal(found.local_rotation, np.eye(3))
    np.testing.assert_array_equal(found.local_translation_mm, 0)


@settings(max_examples=60)
@given(u32)
def test_frame_numbers(value: int) -> None:
    assert frames.frame_id(body(twin_pack.frame_info(value), 5)) == value
    packed = twin_pack.hardware_frame_info(value)
    assert frames.hardware_frame(body(packed, 36)) == value


@settings(max_examples=60)
@given(st.tuples(u8, u8, u8, u8), u16, u16, u32)
def test_timecode(clock, subframe, per_frame, standard) -> None:
    packed = twin_pack.timecode(clock, subframe, per_frame, standard)
    assert len(packed[1]) == 17
    found = frames.timecode(body(packed, 23))
    assert (found.hours, found.minutes, found.seconds, found.frames) == clock
    assert (found.subframes, found.subframes_per_frame) == (subframe, per_frame)
    assert (found.standard, found.user_bits, found.field_flag) == (standard, 0, 0)


@settings(max_examples=60)
@given(st.lists(st.tuples(name, number), max_size=5))
def test_latency_and_rates(stages) -> None:
    assert frames.latency(body(twin_pack.latency_info(stages), 26)) == stages
    found = frames.frame_rates(body(twin_pack.frame_rate_info(stages), 39))
    assert found == dict(stages)


@settings(max_examples=60)
@given(st.lists(st.tuples(u32, u32, triple), max_size=6), number)
def test_labeled(recons, radius_mm) -> None:
    found = frames.labeled(body(twin_pack.labeled_recons(recons, radius_mm), 6))
    again = zip(found["subject"], found["marker"], found["position_mm"], strict=True)
    assert [(s, m, tuple(p)) for s, m, p in again] == recons
    assert np.all(found["radius_mm"] == radius_mm)


@settings(max_examples=60)
@given(st.lists(triple, max_size=6), number)
def test_unlabeled(positions, radius_mm) -> None:
    found = frames.unlabeled(body(twin_pack.unlabeled_recons(positions, radius_mm), 7))
    assert [tuple(p) for p in found["position_mm"]] == positions


@settings(max_examples=60)
@given(st.sampled_from([8, 9]), u32, st.lists(st.tuples(u32, triple, nine), max_size=4))
def test_segments(object_id, subject_id, poses) -> None:
    packed = twin_pack.segments(object_id, subject_id, poses)
    found_id, found = frames.segments(body(packed, object_id), object_id)
    assert found_id == subject_id
    assert found["segment"].tolist() == [pose[0] for pose in poses]
    assert [tuple(p) for p in found["translation_mm"]] == [pose[1] for pose in poses]
    assert [tuple(r.ravel()) for r in found["rotation"]] == [p[2] for p in poses]


@settings(max_examples=60)
@given(
    st.sampled_from([10, 11, 12, 13]),
    u32,
    hnp.arrays("f4", st.tuples(st.integers(0, 20), st.integers(1, 6))),
)
def test_samples_are_planar(object_id, device_frame, values) -> None:
    packed = twin_pack.samples(object_id, device_frame, 3, 4, values)
    found = frames.samples(body(packed, object_id), object_id)
    assert (found.device_frame, found.device_id, found.channel_id) == (
        device_frame,
        3,
        4,
    )
    planar = found.values.reshape(values.shape[1], values.shape[0])
    np.testing.assert_array_equal(planar.T, values)


@settings(max_examples=60)
@given(st.dictionaries(u32, u32, max_size=4), st.lists(u32, max_size=4))
def test_contents(counts, unchanged) -> None:
    from devices.vicon.wire import parse_unchanged

    packed = twin_pack.contents(counts, unchanged)
    assert parse_unchanged(body(packed, 100004)) == set(unchanged)
