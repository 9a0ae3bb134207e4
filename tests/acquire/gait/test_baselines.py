"""Plate zeros: baselines of an angle and a facing, refused by name at another."""

import numpy as np
import pytest

from acquire.gait.baselines import (
    Baseline,
    BaselineError,
    fitting,
    measure_baseline,
    plate_zero,
)
from tests.builders.walking import PLATES, Walk, loads

RATE_HZ = 1000.0
ZERO = np.array([4.0, 85.0, -8.0, 1.0, -12.0, 0.5])


def still(seconds=3.0, zero=ZERO):
    noise = np.random.default_rng(3).normal(0, 1.0, (int(seconds * RATE_HZ), 6))
    return zero + noise


def measured(rows=None, incline_deg=5.0, **changes):
    rows = still() if rows is None else rows
    angle = np.full(len(rows), incline_deg)
    given = {"name": "Unloaded 1", "facing": "forward", "rate_hz": RATE_HZ, **changes}
    return measure_baseline(loads={"FP1": rows}, incline_deg=angle, **given)


def test_all_six_components_are_measured() -> None:
    rows = still()
    rows[100:200] = np.nan
    found = measured(rows)
    assert found.zeros["FP1"] == pytest.approx(ZERO, abs=0.1)
    assert (found.incline_deg, found.facing) == (5.0, "forward")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (still(0.5), r"0\.5 s; a baseline needs 1 s"),
        (still(zero=np.array([0, 0, 350.0, 0, 0, 0])), "not unloaded: Fz is 350 N"),
        (
            still() + np.outer(np.linspace(0, 40, 3000), [0, 0, 1, 0, 0, 0]),
            r"changes by 3[56] N",
        ),
    ],
)
def test_a_loaded_or_short_recording_is_no_baseline(rows, why) -> None:
    with pytest.raises(BaselineError, match=why):
        measured(rows)


def test_the_deck_must_rest_at_a_known_angle() -> None:
    rows = still()
    given = ({"FP1": rows}, np.linspace(0, 5, len(rows)), "forward", RATE_HZ)
    with pytest.raises(BaselineError, match=r"moves from 0\.0° to 5\.0°"):
        measure_baseline("Unloaded 1", *given)
    unknown = np.full(len(rows), np.nan)
    with pytest.raises(BaselineError, match="angle was not recorded"):
        measure_baseline("Unloaded 1", {"FP1": rows}, unknown, "forward", RATE_HZ)


def test_the_last_baseline_of_the_angle_is_taken() -> None:
    level, first, again = (
        Baseline(name, {}, angle)
        for name, angle in (("a", 0.0), ("b", 5.0), ("c", 5.1))
    )
    assert fitting([level, first, again], 5.0, "forward") == (again, ())


@pytest.mark.parametrize("angle", [10.0, 5.5, -5.0, 0.0])
def test_a_baseline_of_another_angle_is_refused_by_name(angle: float) -> None:
    taken, refusals = fitting([measured()], angle, "forward")
    assert taken is None
    assert refusals == (
        f"baseline Unloaded 1 is refused: it was taken at 5.0°, the trial at "
        f"{angle:.1f}°",
    )


def test_the_baseline_of_the_trials_facing_goes_first() -> None:
    ahead, back, other = (
        Baseline(name, {}, 5.0, facing)
        for name, facing in (("a", "forward"), ("b", "reversed"), ("c", "forward"))
    )
    assert fitting([ahead, back, other], 5.0, "reversed") == (back, ())
    assert fitting([back, ahead, other], 5.0, "forward") == (other, ())
    assert fitting([ahead, other], 5.0, "reversed") == (other, ())


def test_the_baseline_goes_before_the_swing() -> None:
    t = np.arange(0, 5, 1e-3)
    rows = loads(Walk(offset_n=(9.0, 0.0)), t)[0]
    swing, remark = plate_zero("FP1", rows, RATE_HZ, None)
    assert (swing.source, remark) == ("swing", "")
    zero = np.array([0, 0, 7.0, 0, 0, 0])
    found, remark = plate_zero("FP1", rows, RATE_HZ, Baseline("b", {"FP1": zero}, 0.0))
    assert (found.source, remark) == ("baseline", "")
    assert found.offset is zero


def test_an_outdated_baseline_gives_way_to_the_swing() -> None:
    rows = loads(Walk(offset_n=(9.0, 0.0)), np.arange(0, 5, 1e-3))[0]
    old = Baseline("b", {PLATES[0].name: np.array([0, 60.0, 9.0, 0, 0, 0])}, 0.0)
    found, remark = plate_zero(PLATES[0].name, rows, RATE_HZ, old)
    assert found.source == "swing"
    assert remark == (
        "baseline b is refused for plate FP1: in swing it reads 60 N off it; it "
        "drifted or was zeroed since"
    )


def test_without_swing_and_baseline_no_zero_is_invented() -> None:
    standing = np.tile([0, 0, 350.0, 0, 0, 0], (3000, 1))
    found, remark = plate_zero("FP1", standing, RATE_HZ, None)
    assert (found.source, found.offset.any()) == ("none", False)
    assert "never unloaded" in remark
