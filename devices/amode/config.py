"""What the rig file says about an A-mode ultrasound source."""

from typing import Literal

from pydantic import BaseModel, Field


class TriggerConfig(BaseModel, frozen=True, extra="forbid"):
    """How the trigger line reaches the ultrasound frames."""

    role: Literal["recorded", "gates"] = "recorded"
    """`recorded`: frames always flow and carry the level as a flag. `gates`: frames
    flow only while the line is high."""

    edge_delay_s: float = Field(default=0.0, ge=0, le=1)
    """Known delay of the line itself."""

    start_latency_max_s: float = Field(default=0.05, ge=0, le=2)
    """Gated: the first frame comes at most this long after the rise."""


class AModeConfig(BaseModel, frozen=True, extra="forbid"):
    """Address and geometry of a source that speaks the framed TCP protocol."""

    host: str = "127.0.0.1"
    """Computer that serves the frames."""

    port: int = Field(default=5060, ge=1, le=65535)
    """TCP port of its frame server."""

    serial: str = "0"
    """Serial number of the device; part of the stream's source id."""

    n_probes: int = Field(default=4, ge=1, le=64)
    """Probes per frame; a source with another number is refused."""

    n_depths: int = Field(default=1000, ge=1, le=65535)
    """Samples per line; a source with another number is refused."""

    dtype: Literal["auto", "uint8", "int16", "uint16", "int32"] = "auto"
    """What the source sends. `auto` learns it from the first frame; a gated source
    sends none before the line rises, so `auto` means int16 there."""

    rate_hz: float = Field(default=20.0, gt=0, le=1000)
    """Frames per second."""

    sample_rate_hz: float = Field(default=20e6, gt=0)
    """Samples per second along a line."""

    centre_frequency_hz: float = Field(default=5e6, gt=0)
    """Centre frequency of the probes."""

    sound_speed_mps: float = Field(default=1540.0, gt=0)
    """Speed of sound that depths are computed with."""

    muscles: tuple[str, ...] = ("L_TA", "L_LG", "L_RF", "L_BF")
    """What lies under each probe."""

    latency_s: float = Field(default=0.0, ge=0, le=1)
    """From the instant of a frame to its last byte, as the maker states it."""

    stall_s: float = Field(default=2.0, gt=0, le=60)
    """A source that is not gated and sends nothing for so long has stalled."""

    trigger: TriggerConfig = TriggerConfig()
