"""The kinds of step a protocol is made of, each a small frozen model."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from protocols.settings import BorgScale, Part, Seconds

Mode = Literal["LG_0", "AS_5", "AS_10", "DS_5", "DS_10"]
Condition = Literal[
    "Ideal",
    "Fatigue",
    "InterDay",
    "ShiftInitial",
    "ShiftUpward",
    "ShiftDownward",
    "ShiftLeftward",
    "ShiftRightward",
    "SustainedFatigue",
    "DepthSuperficial",
    "DepthCompressed",
]
MODES: tuple[Mode, ...] = get_args(Mode)


def _millimetres_per_second(speed_mps: float) -> float:
    """Refuse what neither the mill nor the name of a trial can tell apart."""
    if abs(round(speed_mps, 3) - speed_mps) > 1e-9:
        raise ValueError("speeds are whole mm/s: at most three decimals")
    return round(speed_mps, 3)


Speed = Annotated[float, Field(gt=0, le=2.5), AfterValidator(_millimetres_per_second)]
Trials_n = Annotated[int, Field(ge=1, le=50)]


class Prompt(Part):
    """Something the operator reads, does and confirms, belts at zero."""

    type: Literal["prompt"]
    text: str


class Rest(Part):
    """The participant rests, belts at zero."""

    type: Literal["rest"]
    duration_s: Seconds | None = None
    """Default: the setting `block_rest_s`."""


class Walk(Part):
    """Walking that is not recorded: acclimatisation, or work between recordings."""

    type: Literal["walk"]
    mode: Mode = "LG_0"
    speed_mps: Speed
    duration_s: Seconds | None = None
    """Default: the setting `acclimatise_s`."""


class CalibrationTrial(Part):
    """One recording with the belts at rest."""

    type: Literal["calibration"]
    kind: Literal["Static", "Unloaded", "Quiet", "Rest", "MVC"]
    """``Static``: standing still on both plates, from which the gait model learns the
    body. ``Unloaded``: nobody on the plates. ``Quiet``, ``Rest``, ``MVC``: for sEMG."""
    record_s: Annotated[float, Field(gt=0, le=600)] = 5.0
    incline_deg: Annotated[float, Field(ge=0, le=20)] = 0.0
    """Deck angle; a plate has another zero on every incline."""
    label: str = ""
    """What a reference contraction is of, for example ``R_TA``."""
    text: str = ""
    """What the operator reads and confirms first."""
    optional: bool = False
    """The operator may leave it out; needs a `text`."""

    @model_validator(mode="after")
    def _optional_has_text(self) -> "CalibrationTrial":
        if self.optional and not self.text:
            raise ValueError("an optional calibration needs a text to decide on")
        return self


class Trials(Part):
    """Trials of one mode and speed, `repeat` times."""

    type: Literal["trials"]
    mode: Mode
    speed_mps: Speed
    repeat: Trials_n = 1
    condition: Condition | None = None
    """Where it differs from the protocol's."""
    record_s: Annotated[float, Field(gt=0, le=1800)] | None = None
    """Where it differs from the protocol's, s."""


class Cell(Part):
    """One mode at one speed."""

    mode: Mode
    speed_mps: Speed


class Matrix(Part):
    """Every mode at every speed, `trials` times each, in a stated order.

    ``fixed``: as written. ``blocked``: blocks in random order. ``latin_square``: blocks
    in the row of a balanced Latin square that belongs to the participant's number.
    ``random``: every single trial in random order, without blocks. Random orders
    depend on `seed` and the participant alone.
    """

    type: Literal["matrix"]
    modes: Annotated[tuple[Mode, ...], Field(min_length=1)] = MODES
    speeds_mps: Annotated[tuple[Speed, ...], Field(min_length=1)] = (0.5, 1.0, 1.5)
    trials: Trials_n = 5
    condition: Condition | None = None
    order: Literal["fixed", "blocked", "latin_square", "random"] = "fixed"
    inner: Literal["fixed", "blocked", "latin_square"] = "fixed"
    """Order of what differs inside a block."""
    block_by: Literal["mode", "speed"] = "mode"
    seed: int = 1
    skip: tuple[Cell, ...] = ()
    """Combinations that are left out."""
    rest_between: bool = True
    """Rest `block_rest_s` between blocks."""


class Squats(Part):
    """Squats beside the belts; the operator enters how many were done."""

    type: Literal["squats"]
    count: Annotated[int, Field(ge=1, le=200)] | None = None
    """Default: the setting `squats`."""


class Borg(Part):
    """The participant rates the effort."""

    type: Literal["borg"]
    scale: BorgScale | None = None
    """Default: the setting `borg_scale`."""
    while_walking: bool = False
    """Asked without stopping the belts."""


class ElectrodeShift(Part):
    """The operator moves electrodes, or changes the pressure on a probe."""

    type: Literal["electrode_shift"]
    direction: Literal[
        "initial",
        "upward",
        "downward",
        "leftward",
        "rightward",
        "superficial",
        "compressed",
    ]
    distance_mm: Annotated[float, Field(gt=0, le=50)] | None = None
    """Default: the setting `shift_mm`; without meaning for the last two and
    ``initial``."""


class GapCheck(Part):
    """Days since the participant's last session of another condition."""

    type: Literal["gap_check"]
    condition: Condition = "Ideal"
    min_days: Annotated[float, Field(ge=0)] = 1.0
    max_days: Annotated[float, Field(gt=0)] = 30.0


class StopRules(Part):
    """When a cycle ends early; the operator is asked, never overruled."""

    borg_at_least: Annotated[float, Field(ge=0, le=20)] | None = None
    median_frequency_drop_percent: Annotated[float, Field(gt=0, lt=100)] | None = None
    """Fall of the EMG median frequency against the first trial of that mode and
    speed, %."""
    rms_rise_percent: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Rise of the EMG's RMS against the first trial of that mode and speed, %."""
    muscles: Annotated[int, Field(ge=1, le=16)] = 3
    """So many muscles must show a change for it to count."""


class Cycle(Part):
    """Steps done over and over, up to `repeat` times, until a stop rule applies."""

    type: Literal["cycle"]
    repeat: Trials_n
    steps: Annotated[tuple["Step", ...], Field(min_length=1)]
    stop: StopRules = StopRules()


class Block(Part):
    """Steps that belong together and change places with other blocks."""

    name: str
    steps: Annotated[tuple["Step", ...], Field(min_length=1)]


class Blocks(Part):
    """Blocks of steps in a stated order, as in a matrix."""

    type: Literal["blocks"]
    blocks: Annotated[tuple[Block, ...], Field(min_length=1)]
    order: Literal["fixed", "blocked", "latin_square"] = "fixed"
    keep_first: Annotated[int, Field(ge=0)] = 0
    """So many blocks keep their place at the beginning."""
    seed: int = 1


Step = Annotated[
    Prompt
    | Rest
    | Walk
    | CalibrationTrial
    | Trials
    | Matrix
    | Squats
    | Borg
    | ElectrodeShift
    | GapCheck
    | Cycle
    | Blocks,
    Field(discriminator="type"),
]
STEP_MODELS: tuple[type[Part], ...] = get_args(get_args(Step)[0])

Cycle.model_rebuild()
Block.model_rebuild()
Blocks.model_rebuild()
