"""Trials of one session, aligned together."""

from dataclasses import replace

import numpy as np
import pytest

from acquire.align import Alignment, align, align_session
from acquire.storage.recording import RecordedStream
from tests.builders.lab_recording import Device, Lab, amode, record, semg


def later(device: Device, seconds: float) -> Device:
    """Return the same device, its count and clock run on for a while."""
    period = (1.0 + device.skew_ppm * 1e-6) / device.rate_hz
    n = int(seconds / period)
    return replace(
        device,
        counter0=device.counter0 + n,
        phase_s=device.phase_s + n * period - seconds,
    )


def session(*devices: Device, n_trials: int = 8, notches: bool = False) -> list[Lab]:
    """Record a trial every minute, each of another length."""
    labs, rng = [], np.random.default_rng(5)
    for k in range(n_trials):

        def move(stream: RecordedStream, by: float = 60.0 * k) -> RecordedStream:
            offsets = stream.offsets + np.array([by, 0.0, 0.0])
            return replace(stream, t_lsl=stream.t_lsl + by, offsets=offsets)

        labs.append(
            record(
                *(later(device, 60.0 * k) for device in devices),
                seed=k,
                notches=notches,
                frame0=1234 + 6000 * k,
                rise=2.0 + rng.random(),
                fall=11.5 + rng.random(),
                change=move,
            )
        )
    return labs


def widths(found: list[Alignment], name: str) -> float:
    return float(np.median([a.streams[name].fit.skew_half_width_ppm for a in found]))


def check(labs: list[Lab], found: list[Alignment], name: str) -> float:
    """Return the greatest error in ms; the bounds hold the truth."""
    worst = 0.0
    for lab, alignment in zip(labs, found, strict=True):
        clock = alignment.streams[name]
        error = lab.errors(name, clock.time_s)
        assert np.all(error <= clock.fit.half_width_s(clock.index))
        worst = max(worst, float(error.max()) * 1e3)
    return worst


def test_starts_and_stops_of_a_counting_device_give_its_skew() -> None:
    labs = session(amode())
    alone = [align(lab.recording) for lab in labs]
    found = align_session([lab.recording for lab in labs])
    check(labs, found, "amode")
    assert widths(alone, "amode") > 290.0
    assert widths(found, "amode") < 160.0
    skews = [alignment.streams["amode"].fit.skew_ppm for alignment in found]
    assert np.median(skews) == pytest.approx(-20.0, abs=100.0)


def test_streams_that_do_not_count_share_what_trials_say() -> None:
    labs = session(semg())
    alone = [align(lab.recording) for lab in labs]
    found = align_session([lab.recording for lab in labs])
    assert check(labs, found, "semg") <= 1.5
    assert widths(found, "semg") < 0.8 * widths(alone, "semg")
    assert [a.t0_s for a in found] == [a.t0_s for a in alone]


def test_a_restart_between_trials_keeps_them_apart() -> None:
    labs = session(semg(), n_trials=3)
    again = session(replace(semg(), skew_ppm=-140.0, counter0=-300_000), n_trials=4)[3:]
    mixed = [*labs, *again]
    found = align_session([lab.recording for lab in mixed])
    check(mixed, found, "semg")
    alone = align(again[0].recording).streams["semg"].fit
    assert found[3].streams["semg"].fit.skew_ppm == alone.skew_ppm


@pytest.mark.parametrize("lost", [4, 6])
def test_other_trials_show_a_loss_that_a_rise_and_a_fall_hide(lost: int) -> None:
    """Of one trial alone, the loss passes for a slower clock."""
    labs = session(semg(), n_trials=8)
    (spoiled,) = session(semg(drop=((18000, lost),)), n_trials=4)[3:]
    labs[3] = spoiled
    alone = align(spoiled.recording).streams["semg"]
    assert alone.status == "ok"
    assert (alone.smallest_visible_loss or 0) > lost
    found = align_session([lab.recording for lab in labs])
    for k, alignment in enumerate(found):
        clock = alignment.streams["semg"]
        assert (clock.n_lost > 0) == (k == 3)
        assert clock.shared is not None
        assert len(clock.shared.trials) == 7
    clock = found[3].streams["semg"]
    (gap,) = clock.gaps
    assert gap.kind == "inferred"
    assert abs(gap.n - lost) <= gap.n_half_width
    assert clock.status == found[3].status == "degraded"
    check(labs, found, "semg")


def test_one_trial_with_a_hidden_loss_does_not_bend_the_others() -> None:
    """Three samples in 10 s look like 150 ppm: no bound rests on them alone."""
    labs = session(semg(), n_trials=5)
    (spoiled,) = session(semg(drop=((18000, 3),)), n_trials=3)[2:]
    labs[2] = spoiled
    found = align_session([lab.recording for lab in labs])
    good = [k for k in range(5) if k != 2]
    check([labs[k] for k in good], [found[k] for k in good], "semg")
    for k in good:
        assert found[k].streams["semg"].n_lost == 0


def test_nothing_to_share() -> None:
    assert align_session([]) == []
    (only,) = align_session([session(semg(), n_trials=1)[0].recording])
    assert only.status == "ok"
