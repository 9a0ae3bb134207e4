"""Alignment of whole recordings, against the truth of the devices that made them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sync
from acquire.align import align
from acquire.align.cross_check import compare_stamps
from acquire.storage.recording import RecordedStream, Recording
from devices.stream import Channel, Counter, TriggerInput
from tests.builders.lab_recording import (
    LSL_AT_ZERO_S,
    Device,
    Lab,
    amode,
    record,
    semg,
)

GATED = TriggerInput("", "digital", "gates", start_latency_max_s=0.02)


def worst_ms(lab: Lab, name: str) -> float:
    clock = align(lab.recording).streams[name]
    error = lab.errors(name, clock.time_s)
    assert np.mean(error <= clock.fit.half_width_s(clock.index)) >= 0.99
    return float(error.max()) * 1e3


@pytest.mark.parametrize("seed", range(4))
def test_trial_with_notches(seed: int) -> None:
    lab = record(semg(), amode(), seed=seed)
    assert worst_ms(lab, "semg") <= 1.0
    assert worst_ms(lab, "amode") <= 10.0
    found = align(lab.recording)
    assert found.status == "ok"
    assert found.reference == "vicon-markers"
    assert {c.n_lost for c in found.streams.values()} == {0}
    rise = lab.reference_s(lab.toggles[0])
    assert found.rise_s == pytest.approx(rise, abs=5.1e-4)
    assert found.fall_s == pytest.approx(lab.reference_s(lab.toggles[-1]), abs=5.1e-4)
    assert found.t0_s == pytest.approx(np.ceil(rise * 100) / 100)
    assert 0 <= found.t0_s - found.rise_s <= 0.01


def test_vicon_streams_are_exact() -> None:
    lab = record(semg())
    found = align(lab.recording)
    for name in ("vicon-markers", "vicon-forces"):
        assert lab.errors(name, found.time_s[name]).max() < 1e-9
        assert found.streams[name].fit.method == "exact"


def test_segments_have_the_times_of_their_frames() -> None:
    lab = record(semg())
    markers = lab.recording["vicon-markers"]
    segments = replace(markers, name="vicon-segments", t_lsl=markers.t_lsl + 0.004)
    found = align(replace(lab.recording, streams=(*lab.recording.streams, segments)))
    assert found.streams["vicon-segments"].fit.method == "exact"
    np.testing.assert_array_equal(
        found.time_s["vicon-segments"], found.time_s["vicon-markers"]
    )


@pytest.mark.parametrize("seed", range(4))
def test_level_with_gated_ultrasound_holds_the_truth(seed: int) -> None:
    lab = record(semg(), amode(gated=True, trigger=GATED), notches=False, seed=seed)
    found = align(lab.recording)
    clock = found.streams["amode"]
    error = lab.errors("amode", clock.time_s)
    width = clock.fit.half_width_s(clock.index)
    assert np.all(error <= width)
    assert 0.02 < np.median(width) < 0.05
    assert worst_ms(lab, "semg") <= 1.5


@pytest.mark.parametrize(
    ("lost", "at_s"),
    [(3, 8.0), (5, 8.0), (40, 4.0), (40, 8.0), (40, 12.5), (137, 8.0), (137, 12.5)],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_unseen_loss_is_inferred(lost: int, at_s: float, seed: int) -> None:
    first = int(at_s * 2000)
    lab = record(semg(drop=((first, lost),)), amode(), seed=seed)
    clock = align(lab.recording).streams["semg"]
    (gap,) = clock.gaps
    assert gap.kind == "inferred"
    assert abs(gap.n - lost) <= gap.n_half_width
    assert abs(gap.n - lost) <= (1 if lost > 3 else 2)
    assert gap.not_before - 1 <= first <= gap.not_after + 1
    assert clock.status == "degraded"
    assert "inferred" in clock.completeness
    error = lab.errors("semg", clock.time_s)
    away = (clock.index < gap.not_before) | (clock.index > gap.not_after)
    assert error[away].max() <= 1.5e-3
    assert np.all(error <= clock.fit.half_width_s(clock.index))


def test_loss_between_a_rise_and_a_fall_alone() -> None:
    lab = record(semg(drop=((18000, 40),)), notches=False)
    clock = align(lab.recording).streams["semg"]
    (gap,) = clock.gaps
    assert abs(gap.n - 40) <= gap.n_half_width
    error = lab.errors("semg", clock.time_s)
    assert error[clock.index > gap.not_after].max() <= 2e-3


def test_device_counter_counts_its_losses() -> None:
    lab = record(semg(), amode(drop=((80, 3), (150, 7))))
    clock = align(lab.recording).streams["amode"]
    assert [(g.first_missing_index, g.n, g.kind) for g in clock.gaps] == [
        (80.0, 3, "counted"),
        (150.0, 7, "counted"),
    ]
    assert worst_ms(lab, "amode") <= 15.0


def test_long_unseen_loss_breaks_the_clock() -> None:
    lab = record(semg(drop=((18000, 2500),)), amode())
    clock = align(lab.recording).streams["semg"]
    (gap,) = clock.gaps
    assert abs(gap.n - 2500) <= gap.n_half_width <= 6
    assert lab.errors("semg", clock.time_s).max() <= 3e-3
    before, after = clock.fit.runs
    assert sync.skew_range(before) == pytest.approx(sync.skew_range(after))
    assert f"{gap.n} ± {gap.n_half_width} lost (inferred)" in clock.completeness


@pytest.mark.parametrize("frame0", [0, 1_677_700, 5_000_000, 16_777_000])
def test_force_counter_wraps_before_the_frames_do(frame0: int) -> None:
    lab = record(semg(), amode(counter0=32_700), frame0=frame0)
    assert worst_ms(lab, "semg") <= 1.0
    assert worst_ms(lab, "amode") <= 10.0


def test_restarted_device_makes_a_segment_of_its_own() -> None:
    def restart(stream: RecordedStream) -> RecordedStream:
        if stream.name != "semg":
            return stream
        data = stream.data.copy()
        data[16000:, 2] -= 16000
        return replace(stream, data=data)

    lab = record(semg(), change=restart)
    clock = align(lab.recording).streams["semg"]
    assert len(clock.fit.runs) == 2
    error = lab.errors("semg", clock.time_s)
    assert np.nanmax(error) <= 2e-3
    assert any("restarts" in reason for reason in clock.reasons)


def test_without_trigger_stamps_serve_with_a_wide_interval() -> None:
    treadmill = Device("treadmill", 0.0)
    lab = record(semg(trigger=None))
    stamps = LSL_AT_ZERO_S + np.arange(0, 16, 0.09)
    source = RecordedStream(
        name=treadmill.name,
        type="Treadmill",
        source_id="t",
        uid="t",
        rate_hz=0.0,
        dtype="float32",
        channels=(Channel("left"),),
        data=np.zeros((stamps.size, 1)),
        t_lsl=stamps,
        offsets=np.empty((0, 3)),
        header_xml="",
    )
    events = replace(
        source,
        name="kinemuse-events",
        dtype="string",
        data=np.array([["{}"]] * 3, dtype=object),
        t_lsl=stamps[[0, 5, 90]],
    )
    recording = replace(lab.recording, streams=(*lab.recording.streams, source, events))
    found = align(recording)
    for name in ("semg", "treadmill", "kinemuse-events"):
        assert found.streams[name].status == "degraded"
        assert found.streams[name].half_widths_s()[1] >= 0.05
    assert lab.errors("semg", found.time_s["semg"]).max() < 0.05
    truth = lab.reference_s(stamps - LSL_AT_ZERO_S)
    assert np.abs(found.time_s["treadmill"] - truth).max() < 0.02
    assert np.abs(found.time_s["kinemuse-events"] - truth[[0, 5, 90]]).max() < 0.02
    assert found.status == "ok"  # every stream with a trigger is


def test_no_edges_on_the_reference() -> None:
    def flat(stream: RecordedStream) -> RecordedStream:
        data = stream.data.copy()
        data[:, 1] = 0.0
        return replace(stream, data=data)

    found = align(record(semg(), change=flat).recording)
    assert found.status == "degraded"
    assert np.isnan(found.rise_s)
    assert np.isnan(found.t0_s)
    assert found.streams["semg"].fit.method == "stamps"
    assert any("never moves" in reason for reason in found.reasons)


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
@pytest.mark.parametrize("which", ["semg", "vicon-markers", "vicon-forces", "all"])
def test_nearly_empty_streams(rows: int, which: str) -> None:
    def cut(stream: RecordedStream) -> RecordedStream:
        if which not in (stream.name, "all"):
            return stream
        return replace(stream, data=stream.data[:rows], t_lsl=stream.t_lsl[:rows])

    found = align(record(semg(), amode(), change=cut).recording)
    for clock in found.streams.values():
        assert clock.time_s.shape == clock.index.shape
    assert json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("missing", ["vicon-markers", "vicon-forces", "both", "all"])
def test_missing_streams(missing: str) -> None:
    lab = record(semg(), amode())
    kept = tuple(
        stream
        for stream in lab.recording.streams
        if missing != "all"
        and stream.name != missing
        and not (missing == "both" and stream.name.startswith("vicon"))
    )
    found = align(Recording(Path("x.xdf"), kept))
    if missing == "vicon-markers":
        assert found.status == "ok"
        assert lab.errors("semg", found.time_s["semg"]).max() < 1e-3
    else:
        assert found.status in ("degraded", "failed")
        assert found.reasons
    assert json.dumps(found.to_json(), allow_nan=False)


def test_foreign_stream_without_counter_or_trigger() -> None:
    def bare(stream: RecordedStream) -> RecordedStream:
        if stream.name != "semg":
            return stream
        return replace(stream, counter=Counter("none"), trigger=None)

    clock = align(record(semg(), change=bare).recording).streams["semg"]
    assert clock.status == "degraded"
    assert clock.completeness == "losses: not known"


def test_spoilt_stamps_do_not_spoil_edges() -> None:
    def spoil(stream: RecordedStream) -> RecordedStream:
        stamps = stream.t_lsl.copy()
        stamps[::11] = np.nan
        stamps[5::17] = stamps[4::17][: stamps[5::17].size]
        stamps[100:130] = stamps[100:130][::-1]
        return replace(stream, t_lsl=stamps)

    lab = record(semg(), amode(), change=spoil)
    assert worst_ms(lab, "semg") <= 1.0
    assert worst_ms(lab, "amode") <= 10.0


def test_a_burst_after_a_stall_leaves_the_clock_alone() -> None:
    """All that came in 4 s bears the stamps of its arrival at the end of them."""

    def stall(stream: RecordedStream) -> RecordedStream:
        if stream.name not in ("semg", "amode"):
            return stream
        held = (stream.t_lsl > LSL_AT_ZERO_S + 5) & (stream.t_lsl < LSL_AT_ZERO_S + 9)
        arrived = LSL_AT_ZERO_S + 9 + np.cumsum(held) * 1e-6
        return replace(stream, t_lsl=np.where(held, arrived, stream.t_lsl))

    lab = record(semg(), amode(), change=stall)
    assert worst_ms(lab, "semg") <= 1.0
    assert worst_ms(lab, "amode") <= 10.0
    found = align(lab.recording)
    assert {c.n_lost for c in found.streams.values()} == {0}
    assert all(len(c.fit.runs) == 1 for c in found.streams.values())


def test_evenly_spaced_pulses_are_ambiguous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps serve, but nobody claims to know which pulse was which."""

    def even(rise: float, fall: float, *_: object) -> np.ndarray:
        return rise + np.arange(2 * round((fall - rise) / 0.2)) * 0.1

    monkeypatch.setattr("tests.builders.lab_recording.line", even)
    lab = record(semg())
    found = align(lab.recording)
    clock = found.streams["semg"]
    assert found.status == clock.status == "ambiguous"
    assert clock.fit.method == "stamps"
    assert any("another offset" in reason for reason in clock.reasons)
    assert clock.fit.ambiguity > 0.6
    error = lab.errors("semg", clock.time_s)
    assert np.all(error <= clock.fit.half_width_s(clock.index))


def test_what_may_be_missing_unseen_is_told() -> None:
    clock = align(record(semg()).recording).streams["semg"]
    least = clock.smallest_visible_loss
    assert least is not None
    assert 3 <= least <= 6
    assert (
        clock.completeness == f"fewer than {least} may be missing unseen between edges"
    )
    assert align(record(amode()).recording).streams["amode"].smallest_visible_loss == 1


def test_rows_handed_over_twice_are_counted() -> None:
    def repeat(stream: RecordedStream) -> RecordedStream:
        rows = np.sort(np.r_[np.arange(stream.data.shape[0]), np.arange(200, 210)])
        return replace(stream, data=stream.data[rows], t_lsl=stream.t_lsl[rows])

    lab = record(amode(), change=repeat)
    clock = align(lab.recording).streams["amode"]
    assert clock.n_repeated == 10
    assert clock.n_lost == 0


def test_known_delay_of_the_line_is_removed() -> None:
    plain = align(record(semg()).recording).streams["semg"]
    delayed = align(
        record(
            semg(trigger=TriggerInput("sync", "digital", edge_delay_s=0.003))
        ).recording
    ).streams["semg"]
    shift = delayed.time_s - plain.time_s
    assert np.median(shift) == pytest.approx(0.003, abs=1e-4)
    assert delayed.row()["edge_delay_ms"] == pytest.approx(3.0)


def test_comparison_with_other_stamps() -> None:
    lab = record(semg())
    found = align(lab.recording)
    stamps = {s.name: s.t_lsl for s in lab.recording.streams}
    rows = {row["stream"]: row for row in compare_stamps(found, stamps)}
    assert abs(rows["vicon-markers"]["median_ms"]) < 1e-9
    assert 0 < rows["semg"]["max_ms"] < 60


def test_segment_without_edges_follows_its_stamps() -> None:
    def restart(stream: RecordedStream) -> RecordedStream:
        if stream.name != "semg":
            return stream
        data = stream.data.copy()
        data[28000:, 2] -= 28000  # after the fall
        return replace(stream, data=data)

    lab = record(semg(), change=restart)
    clock = align(lab.recording).streams["semg"]
    assert clock.status == "degraded"
    error = lab.errors("semg", clock.time_s)
    assert error[:28000].max() <= 2e-3
    assert np.all(error <= clock.fit.half_width_s(clock.index))
    assert np.isfinite(error).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_stamps_place_an_unseen_loss_between_its_edges(seed: int) -> None:
    lab = record(semg(drop=((18000, 40),)), seed=seed)
    clock = align(lab.recording).streams["semg"]
    (gap,) = clock.gaps
    assert abs(gap.first_missing_index - 18000) <= 60
    error = lab.errors("semg", clock.time_s)
    assert np.mean(error > 1.5e-3) < 0.005
    assert np.all(error <= clock.fit.half_width_s(clock.index))
    assert (
        gap.not_after - gap.not_before > 500
    )  # the interval claims no more than edges
