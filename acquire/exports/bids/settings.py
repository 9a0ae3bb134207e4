"""What a BIDS dataset must tell and no recording holds, said by the laboratory."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, PositiveFloat, ValidationError


class BidsSettings(BaseModel):
    """Facts of the laboratory for the sidecars; ``n/a`` is legal where unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "K2MUSE-format gait dataset"
    authors: tuple[str, ...] = ()
    license: str = ""
    acknowledgements: str = ""
    institution: str = "n/a"
    task_description: str = "walking on an instrumented treadmill"
    placement: str = (
        "over the belly of the muscle named in channels.tsv; how positions were found "
        "was not recorded"
    )
    reference: str = "bipolar: each channel is the difference of two electrodes"
    ground: str = "n/a"
    power_line_hz: PositiveFloat | None = None
    software_filters: dict[str, Any] = {}
    hardware_filters: dict[str, Any] = {}
    emg_manufacturer: str = "n/a"
    emg_model: str = "n/a"
    motion_manufacturer: str = "n/a"
    motion_model: str = "n/a"


def load_settings(path: Path) -> BidsSettings:
    """Load settings from YAML; ValueError says what is wrong with them."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return BidsSettings.model_validate(content or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise ValueError(f"{path}: {error}") from error
