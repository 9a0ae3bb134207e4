"""Out of range is rejected, naming value and limit; nothing is clamped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.bertec.config import BertecConfig
from devices.bertec.limits import Limits
from devices.errors import SetpointRejectedError

LIMITS = Limits()


@pytest.mark.parametrize(
    ("left", "right", "accel", "names"),
    [
        (2.1, 2.1, 0.25, "left_mps=2.1 is outside its limits -2 to 2"),
        (1.0, -2.5, 0.25, "right_mps=-2.5"),
        (1.0, 1.0, 0.6, "accel_mps2=0.6 is outside its limits 0.01 to 0.5"),
        (1.0, 1.0, 0.0, "accel_mps2=0"),
        (1.0, 1.0, -0.2, "accel_mps2=-0.2"),
        (1.0, 1.4, 0.25, "belt difference"),
        (float("nan"), 1.0, 0.25, "left_mps=nan"),
        (1.0, 1.0, float("inf"), "accel_mps2=inf"),
    ],
)
def test_belts_out_of_range(left, right, accel, names):
    with pytest.raises(SetpointRejectedError, match=names):
        LIMITS.check_belts(left, right, accel)


@pytest.mark.parametrize("incline", [-0.01, 10.01, float("nan")])
def test_incline_out_of_range(incline):
    with pytest.raises(SetpointRejectedError, match="incline_deg"):
        LIMITS.check_incline(incline)


@pytest.mark.parametrize("rate", [2.01, 0.0, -1.0, float("nan")])
def test_slope_rate_out_of_range(rate):
    with pytest.raises(SetpointRejectedError, match="rate_dps"):
        LIMITS.check_slope_rate(rate)


@given(st.floats(), st.floats(), st.floats())
def test_whatever_passes_is_inside(left, right, accel):
    try:
        LIMITS.check_belts(left, right, accel)
    except SetpointRejectedError:
        return
    assert -2 <= left <= 2
    assert -2 <= right <= 2
    assert 0.01 <= accel <= 0.5
    assert abs(left - right) <= 0.3 + 1e-6


def test_the_limits_themselves_are_allowed():
    LIMITS.check_belts(2.0, 1.7, 0.5)
    LIMITS.check_belts(-2.0, -2.0, 0.01)
    LIMITS.check_incline(10.0)
    LIMITS.check_slope_rate(2.0)


def test_a_misspelt_limit_in_the_rig_file_is_an_error():
    with pytest.raises(ValueError, match="max_sped"):
        BertecConfig.model_validate({"limits": {"max_sped_mps": 1.0}})


def test_a_stop_beyond_the_mills_deceleration_is_a_config_error():
    with pytest.raises(ValueError, match="max_decel_mps2"):
        BertecConfig(stop_decel_mps2=3.0)
