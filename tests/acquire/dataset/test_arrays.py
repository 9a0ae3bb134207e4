"""Streams on the reference clock: interpolation, gaps, frames and means."""

from dataclasses import replace

import numpy as np
import pytest

from acquire.dataset.arrays import (
    EMG_CHANNELS,
    centred_means,
    echoes_of,
    emg_of,
    marker_positions,
    on_frames,
    on_grid,
)
from devices.stream import Channel
from tests.builders.walking import MARKERS, Session, Walk, emg_uv, markers, session


@pytest.fixture(scope="module")
def recorded() -> Session:
    return session(
        Walk(duration_s=8.0), lost_emg=slice(6000, 6040), lost_us=slice(60, 63)
    )


def test_emg_is_interpolated_at_its_true_times(recorded: Session) -> None:
    stream = recorded.recording["semg"]
    times = recorded.trial_time_s()["semg"]
    made, missing = emg_of(stream, times, 12000)
    assert missing == []
    assert made.shape == (12000, 13)
    truth = emg_uv(np.arange(12000) / 2000 + recorded.t0_s)
    lost = np.isnan(made[:, 0])
    assert 39 <= lost.sum() <= 42
    np.testing.assert_allclose(made[~lost], truth[~lost], atol=0.8)


def test_a_gap_stays_where_it_was(recorded: Session) -> None:
    stream = recorded.recording["semg"]
    made, _ = emg_of(stream, recorded.trial_time_s()["semg"], 12000)
    lost = np.flatnonzero(np.isnan(made[:, 0])) / 2000 + recorded.t0_s
    clock = recorded.clocks["semg"]
    assert lost[0] == pytest.approx(clock.at(np.array(6000.0)), abs=6e-4)
    assert lost[-1] == pytest.approx(clock.at(np.array(6039.0)), abs=6e-4)


def test_lost_echoes_keep_their_place(recorded: Session) -> None:
    stream = recorded.recording["amode"]
    echo, at, missing = echoes_of(stream, recorded.trial_time_s()["amode"], 6.0)
    assert echo.shape == (120, 4, 1000)
    assert missing.sum() == 3
    clock = recorded.clocks["amode"]
    first = clock.at(np.array(60.0)) - recorded.t0_s
    assert at[missing][0] == pytest.approx(first, abs=1e-6)
    index = np.round((at + recorded.t0_s - clock.start_s) * 20)
    kept = ~missing
    want = (index[kept] * 7 + 3 * 1000 + 5) % 2000 - 1000
    np.testing.assert_array_equal(echo[kept, 3, 5], want)


def test_markers_sit_in_their_frames(recorded: Session) -> None:
    positions = marker_positions(recorded.recording["vicon-markers"])
    assert list(positions) == list(MARKERS)
    made = on_frames(recorded.trial_time_s()["vicon-markers"], positions["LKNE"], 599)
    truth = markers(recorded.walk, np.arange(599) / 100 + recorded.t0_s)["LKNE"]
    np.testing.assert_allclose(made, truth, atol=1e-6)


def test_a_frame_that_never_came_is_unknown() -> None:
    rows = np.arange(6.0).reshape(3, 2)
    made = on_frames(np.array([0.0, 0.02, np.nan]), rows, 4)
    np.testing.assert_array_equal(
        made, [[0, 1], [np.nan, np.nan], [2, 3], [np.nan, np.nan]]
    )


def test_nothing_is_made_up_outside_the_rows() -> None:
    made = on_grid(np.array([0.1, 0.2]), np.array([[1.0], [2.0]]), 10.0, 5)
    np.testing.assert_array_equal(
        np.isnan(made[:, 0]), [True, False, False, True, True]
    )
    assert np.isnan(on_grid(np.array([0.1]), np.ones((1, 2)), 10.0, 3)).all()


def test_forces_are_means_centred_on_the_frame() -> None:
    t = np.arange(-500, 2500) / 1000.0
    ramp = np.column_stack([t, np.ones_like(t), np.sin(2 * np.pi * 100 * t)])
    made = centred_means(t, ramp, 1000.0, 200)
    np.testing.assert_allclose(made[:, 0], np.arange(200) / 100, atol=1e-12)
    np.testing.assert_allclose(made[:, 1], 1.0)
    np.testing.assert_allclose(
        made[:, 2], 0.0, atol=1e-9
    )  # a whole period averages out


def test_an_absent_channel_is_named() -> None:
    recorded = session(Walk(duration_s=3.0)).recording["semg"]
    renamed = replace(recorded, channels=(Channel("x"), *recorded.channels[1:]))
    made, missing = emg_of(renamed, recorded.t_lsl - recorded.t_lsl[0], 100)
    assert missing == ["semg has no channel R_TA"]
    assert np.isnan(made[:, 0]).all()
    assert np.isfinite(made[5:, 1]).all()
    assert len(EMG_CHANNELS) == 13


def test_markers_at_another_rate_come_to_the_frames() -> None:
    t = np.arange(240) / 120.0 + 0.003
    t[100] = np.nan  # one frame lost
    made = on_frames(t, np.column_stack([t, 2 * t]), 200, 120.0)
    at = np.arange(200) / 100.0
    lost = np.isnan(made[:, 0])
    assert np.flatnonzero(lost).tolist() == [0, 83, 84]
    assert made[~lost, 0] == pytest.approx(at[~lost])


@pytest.mark.parametrize("rate_hz", [1000.0, 1080.0, 1200.0])
def test_means_of_forces_keep_time_at_any_rate(rate_hz: float) -> None:
    t = np.arange(round(3 * rate_hz)) / rate_hz
    made = centred_means(t, np.column_stack([t, -t]), rate_hz, 290)
    at = np.arange(290) / 100.0
    assert made[1:, 0] == pytest.approx(at[1:], abs=1e-9)
