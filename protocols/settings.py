"""How every trial of a protocol is walked and recorded, and the defaults of it.

Many of these values are not known of the published K2MUSE protocol. Such a setting
says so, and its default is ours: a protocol lists those it depends on under `unknown`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, le=7200)]
BorgScale = Literal["CR10", "RPE"]


class Part(BaseModel):
    """Frozen, and a misspelt key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )


class Settings(Part):
    """Values that hold for every step which does not give its own."""

    accel_mps2: Annotated[float, Field(gt=0, le=1.0)] = 0.25
    """Belt acceleration for every change of speed, m/s². Not published."""

    settle_s: Seconds = 8.0
    """Least walking at a new speed before the recording starts, s. Not published."""

    resettle_s: Seconds = 0.0
    """The same for the next trial of the same mode and speed, walked on, s."""

    steady_cv_percent: Annotated[float, Field(gt=0, le=50)] | None = 5.0
    """Steady: belts at their speed, and the last stride times vary by at most this
    (standard deviation over mean, %). None records without looking at the cadence."""

    steady_timeout_s: Seconds = 30.0
    """Longest wait for steady walking beyond `settle_s`; then the operator is asked."""

    record_s: Annotated[float, Field(gt=0, le=1800)] = 30.0
    """Time between trigger rise and fall, s. The length of K2MUSE's own trials is
    not published; 30 s is about its 31 strides at 1.0 m/s."""

    record_strides: Annotated[int, Field(ge=1, le=2000)] | None = None
    """Strides between rise and fall, counted by the measured cadence; `record_s` is
    then the longest."""

    line_low_s: Annotated[float, Field(ge=2.0, le=60)] = 2.0
    """Recorded time with the trigger line read low before the rise and after the
    fall, s."""

    trigger_seen_s: Annotated[float, Field(gt=0, le=30)] = 3.0
    """An instrument that has not recorded the rise after this is reported, s."""

    rest_s: Seconds = 0.0
    """Rest after each trial, s. Not published."""

    block_rest_s: Seconds = 120.0
    """Rest between blocks, and of a rest that gives no time, s. Not published."""

    acclimatise_s: Seconds = 180.0
    """Unrecorded walk that gives no time, s. Not published."""

    walk_on: bool = True
    """Keep walking between trials of one mode."""

    confirm_start: bool = True
    """Ask the operator before belts start from standstill."""

    borg_scale: BorgScale = "CR10"
    """Scale of every rating of effort: CR10 (0 to 10) or RPE (6 to 20)."""

    squats: Annotated[int, Field(ge=1, le=200)] = 20
    """Squats of a block that gives no number. Not published."""

    shift_mm: Annotated[float, Field(gt=0, le=50)] = 10.0
    """Distance of an electrode shift that gives none, mm. Not published."""

    propose_repeat_on: Literal["red", "amber", "never"] = "red"
    """Quality findings during a take that make the proposed verdict "repeat"."""

    prompt_s: Seconds = 20.0
    """What `kinemuse plan` allows for each answer of the operator, s."""
