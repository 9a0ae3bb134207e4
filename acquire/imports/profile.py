"""What a laboratory's files are and where they lie, declared in YAML."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from acquire.dataset.arrays import EMG_CHANNELS
from acquire.imports.errors import ProfileError
from acquire.imports.patterns import FIELDS, Pattern, PatternError

Delimiter = Literal["tab", "comma", "semicolon", "space"]
Patterns = Annotated[tuple[str, ...], Field(min_length=1)]
SHIPPED = files("acquire.imports") / "profiles"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StartAlignment(_Part):
    """What is known of a file's first sample where no line was recorded with it.

    The first sample is taken `delay_s` after the rise of the trigger line, give or
    take `half_width_s`. Without `delay_s` it is half a period: samples run freely and
    the first one after the rise is in the file.
    """

    delay_s: float | None = None
    half_width_s: NonNegativeFloat = 0.05

    def first_s(self, rise_s: float, rate_hz: float) -> float:
        """Return the time of the first sample, seconds on the clock of `rise_s`."""
        return rise_s + (0.5 / rate_hz if self.delay_s is None else self.delay_s)


class ViconFiles(_Part):
    """C3D files; markers at 100 Hz or more, plates of types 1 to 4."""

    files: Patterns
    static: tuple[str, ...] = ()  #: static trials of Plug-in Gait
    sync: str | None = None  #: analog channel that holds the trigger line
    first_frame: Literal["rise", "free"] = "rise"
    """``rise``: frame 1 is the rise of the trigger line and the last frame its fall;
    ``free``: the line's edges in `sync` say where the trial begins and ends."""
    smoothed: bool = False
    """Whether trajectories were filtered in Nexus; they are not smoothed again then."""
    rename: dict[str, str] = {}  #: the file's marker labels → Plug-in Gait's


class EmgFiles(_Part):
    """sEMG files: MAT-files as MyoResearch exports them, plain matrices, or CSV."""

    files: Patterns
    channels: dict[str, str] = {}  #: the file's channel names → ours (R_TA…)
    sync: str | None = None  #: the file's channel that holds the trigger line
    variable: str | None = None  #: of a MAT-file that holds a plain matrix
    columns: tuple[str, ...] = ()  #: names of such a matrix's columns
    rate_hz: PositiveFloat | None = None  #: where the file does not say
    unit: Literal["uV", "mV", "V"] | None = None  #: where the file does not say
    delimiter: Delimiter = "comma"
    decimal: Literal[".", ","] = "."
    start: StartAlignment = StartAlignment()

    @model_validator(mode="after")
    def _known_channels(self) -> Self:
        unknown = sorted(set(self.channels.values()) - set(EMG_CHANNELS))
        if unknown:
            raise ValueError(f"channels {unknown} are not of {', '.join(EMG_CHANNELS)}")
        if len(set(self.channels.values())) < len(self.channels):
            raise ValueError("two channels of the file have one of our names")
        return self


class UltrasoundFiles(_Part):
    """Ultrasound frames as text, one file a probe, four probes."""

    files: Patterns
    delimiter: Delimiter = "tab"
    header_rows: int = Field(0, ge=0)
    frames: Literal["rows", "columns"] = "rows"  #: what one frame is in the file
    first_frame: int = Field(0, ge=0)  #: rows or columns before the first frame
    rate_hz: PositiveFloat = 20.0
    samples: PositiveInt = 1000  #: of a frame
    synthetic_frames: Literal["possible", "none"] = "possible"
    """Whether the vendor's software may have filled lost frames with made-up ones."""
    start: StartAlignment = StartAlignment()


class ImportProfile(_Part):
    """One laboratory's files. Paths are below the folder that is imported.

    A pattern holds ``{participant} {condition} {mode} {angle} {speed} {trial}
    {channel}`` where the names say them, ``*`` for what does not matter; `defaults`
    give what no name says, `values` what the laboratory's own words mean. `facing` is
    the way people walk, along +x (forward) or -x, or told by their pelvis.
    """

    kinemuse_import: Literal[1]
    name: str
    simulated: bool = False
    facing: Literal["markers", "forward", "reversed"] = "markers"
    defaults: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    vicon: ViconFiles
    emg: EmgFiles | None = None
    ultrasound: UltrasoundFiles | None = None

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        for place, given in (("defaults", self.defaults), ("values", self.values)):
            unknown = sorted(set(given) - set(FIELDS))
            if unknown:
                raise ValueError(f"{place}: {unknown} are none of {', '.join(FIELDS)}")
        for part in (self.vicon, self.emg, self.ultrasound):
            for text in part.files if part else ():
                self.pattern(text)
        for text in self.vicon.static:
            self.pattern(text)
        return self

    def pattern(self, text: str) -> Pattern:
        """Return one of the profile's patterns, with its words."""
        try:
            return Pattern(text, self.values)
        except PatternError as error:
            raise ValueError(str(error)) from error


def load_profile(name: str | Path) -> ImportProfile:
    """Load a shipped profile by name (``k2muse``) or a YAML file by path.

    Raises
    ------
    ProfileError
        There is none, or it does not hold together; the message says where.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such profile")
        return parse_profile(path.read_text(encoding="utf-8"), str(path))
    shipped = SHIPPED / f"{name}.yaml"
    if not shipped.is_file():
        have = sorted(p.name.removesuffix(".yaml") for p in SHIPPED.iterdir())
        raise ProfileError(
            f"profile {str(name)!r}: neither a YAML file nor one of {', '.join(have)}"
        )
    return parse_profile(shipped.read_text(encoding="utf-8"), str(name))


def parse_profile(text: str, where: str) -> ImportProfile:
    """Parse a profile; `where` names it in errors."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProfileError(f"{where}: {error}") from error
    try:
        return ImportProfile.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, item['loc'])) or 'profile'}: {item['msg']}"
            for item in error.errors()
        ]
        raise ProfileError(f"{where}: {'; '.join(lines)}") from error
