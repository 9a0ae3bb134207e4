"""The Vicon part of a rig file."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, field_validator


class CaptureConfig(BaseModel, frozen=True, extra="forbid"):
    """Where to send the datagram that starts and stops a capture."""

    host: str = ""
    """Address of the Vicon PC; empty for the host of the data stream."""

    port: int = Field(default=30, ge=1, le=65535)
    """UDP port Nexus listens on (its remote trigger settings)."""

    broadcast: bool = False
    """Send to 255.255.255.255, or to `host` when that is a broadcast address."""

    database_path: str = ""
    """DatabasePath of the datagram: the Nexus session folder, for example C:/Data/."""


class ViconConfig(BaseModel, frozen=True, extra="forbid"):
    """One Vicon DataStream server and what to take from it."""

    host: str = "127.0.0.1"
    """Address of the PC that runs Nexus, Tracker or Shogun."""

    port: int = Field(default=801, ge=1, le=65535)
    """TCP port of the data stream."""

    back_end: Literal["auto", "native", "sdk"] = "auto"
    """`sdk` uses the vendor's library (`make vicon-sdk`), `native` speaks the protocol
    itself, `auto` takes the SDK where it is installed; the log says which."""

    stream_mode: Literal["push", "pull", "prefetch"] = "push"
    """`push`: the server sends every frame. The others ask for each one."""

    subjects: tuple[str, ...] = ()
    """Subjects to take, by name; empty for all that are not ignored."""

    ignored_subjects: str = r"(?i)wand|calib"
    """Regular expression; a subject in whose name it is found is left out."""

    forces: bool = True
    """Publish force plates and the sync channel."""

    segments: bool = False
    """Publish the poses of the subjects' segments as `vicon-segments`."""

    unlabeled_markers: int = Field(default=0, ge=0, le=500)
    """Publish up to so many markers that belong to no subject as `vicon-unlabeled`."""

    plates: tuple[str, ...] = ()
    """Device names of the plates FP1, FP2...; empty for all, in the server's order."""

    sync_device: str = "Lock Lab"
    """Analog device that records the trigger line; empty when there is none."""

    sync_channel: str = "sync"
    """Its channel or component, or both as ``channel/component``."""

    sync_edge_delay_s: float = 0.0
    """Known delay of the trigger line into this device."""

    pose_incline_deg: float | None = None
    """Deck angle at which the plate poses were calibrated; None: from the poses."""

    serial: str = Field(default="0", pattern=r"^[^:\s]+$")
    """Part of the LSL source id that tells two Vicon systems apart."""

    stall_timeout_s: float = Field(default=2.0, gt=0)
    """Without a frame for this long the connection counts as dead."""

    state_file: Path | None = None
    """Remembers which channels had which source id, over a restart; the process of
    the device sets it."""

    capture: CaptureConfig = CaptureConfig()

    @field_validator("ignored_subjects")
    @classmethod
    def _is_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from error
        return value
