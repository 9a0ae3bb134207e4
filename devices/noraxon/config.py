"""What the rig file says about a Noraxon amplifier behind MR's HTTP streaming."""

from typing import Literal

from pydantic import BaseModel, Field, model_validator

LABELS = (
    *("R_TA", "R_MG", "R_LG", "R_SOL", "R_RF", "R_VLO", "R_VMO", "R_BF", "R_SEM"),
    *("L_TA", "L_LG", "L_RF", "L_BF"),
)


class SyncConfig(BaseModel, frozen=True, extra="forbid"):
    """How the trigger line reaches the amplifier."""

    channel: str = "Sync"
    """Name of the channel in MR that records the line."""

    kind: Literal["digital", "analog"] = "digital"
    """`digital`: a switch, 0 or 1. `analog`: a level in volts."""

    edge_delay_s: float = Field(default=0.0, ge=0, le=1)
    """Known delay of the line itself."""


class NoraxonConfig(BaseModel, frozen=True, extra="forbid"):
    """Address of the HTTP streaming module, and which of its channels to record."""

    host: str = "127.0.0.1"
    """Computer that runs MR with HTTP streaming enabled."""

    port: int = Field(default=9220, ge=1, le=65535)
    """Port of the HTTP streaming module."""

    serial: str = "0"
    """Serial number of the amplifier; part of the stream's source id."""

    channels: dict[str, str] = Field(
        default_factory=lambda: {label: label for label in LABELS}
    )
    """Our label of each channel and its name in MR, in the order of the stream."""

    sync: SyncConfig = SyncConfig()

    rate_hz: float = Field(default=2000.0, gt=0)
    """Sampling rate set in MR; another one is refused."""

    unit: str = "uV"
    """Unit set in MR for the sEMG channels; another one is refused."""

    poll_s: float = Field(default=0.03, ge=0.02, le=0.05)
    """Time between polls."""

    request_timeout_s: float = Field(default=1.0, gt=0, le=10)
    """A reply that takes longer is an error."""

    stall_s: float = Field(default=2.0, gt=0, le=60)
    """A running measurement without samples for so long has stalled."""

    latency_s: float = Field(default=0.0, ge=0, le=1)
    """From a sample to its delivery, as the maker states it."""

    highpass_hz: float = Field(default=20.0, ge=0)
    """High-pass filter set in MR; recorded, not applied."""

    lowpass_hz: float = Field(default=500.0, gt=0)
    """Low-pass filter set in MR; recorded, not applied."""

    @model_validator(mode="after")
    def _channels_are_distinct(self) -> "NoraxonConfig":
        if not self.channels:
            raise ValueError("channels is empty: name at least one sEMG channel")
        names = [*self.channels.values(), self.sync.channel]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"channels of MR named twice: {doubled}")
        return self
