"""What the rig file says about a Bertec treadmill."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from devices.bertec.limits import Limits
from devices.bertec.zeromq_config import ZeroMqConfig

SERVER_PORT = 5555  #: of requests over ZeroMQ


class BertecConfig(BaseModel, frozen=True, extra="forbid"):
    """Address, limits and habits of one treadmill control panel.

    The defaults of the limits are ours, not Bertec's: set them for the mill at hand.
    """

    interface: Literal["tcp", "zeromq"] = "tcp"
    """``tcp``: the Treadmill Control Panel's remote control; ``zeromq``: the server of
    Bertec's newer software."""

    host: str = "127.0.0.1"
    """Computer that runs Bertec's software with its remote control enabled."""

    port: int = Field(default=4000, ge=1, le=65535)
    """TCP port of its remote control; with ``zeromq`` that of requests, 5555 unless
    given."""

    zeromq: ZeroMqConfig = ZeroMqConfig()
    """What else the interface ``zeromq`` needs to know."""

    serial: str = "0"
    """Serial number of the mill; part of the stream's source id."""

    limits: Limits = Limits()
    """Setpoints outside are rejected, whoever asks."""

    requires_arm: bool = True
    """Live hardware obeys nothing but stop and abort until it is armed."""

    allow_moving_deck_under_load: bool = False
    """Let the deck move while the belts run; the plan marks it unsafe."""

    allow_backward_walking: bool = False
    """Let the belts run against the direction the participant faces."""

    stop_decel_mps2: float = Field(default=0.5, gt=0, le=5)
    """Deceleration of an ordinary stop and of the dead man."""

    abort_decel_mps2: float = Field(default=1.0, gt=0, le=5)
    """Deceleration of an abort."""

    dead_man_s: float = Field(default=0.5, gt=0, le=2)
    """Without a heartbeat for this long the belts ramp down."""

    pacing_s: float = Field(default=0.14, ge=0.14, le=1)
    """Least time between ordinary command packets; stop and abort do not wait."""

    fresh_s: float = Field(default=0.3, gt=0, le=2)
    """A status older than this is not fresh: nothing but stop and abort is sent."""

    status_timeout_s: float = Field(default=2.0, gt=0, le=30)
    """Without a status for this long the connection is given up."""

    ramp_band_mps: float = Field(default=0.15, gt=0, le=1)
    """How far readback may leave the commanded ramp."""

    ramp_latency_s: float = Field(default=0.5, gt=0, le=2)
    """How late readback may follow the commanded ramp."""

    ramp_persist_s: float = Field(default=0.15, ge=0, le=1)
    """How long readback must stay outside before it counts as unexpected."""

    zero_band_mps: float = Field(default=0.02, gt=0, le=0.1)
    """Belts within this of zero, for `settle_s`, are read as zero."""

    reach_band_mps: float = Field(default=0.03, gt=0, le=0.2)
    """Belts within this of their setpoint, for `settle_s`, have reached it."""

    incline_band_deg: float = Field(default=0.1, gt=0, le=1)
    """A deck within this of its target, for `settle_s`, has reached it."""

    deck_stall_s: float = Field(default=3.0, gt=0, le=30)
    """A deck that comes no nearer to its target for this long has been stopped: it is
    frozen where it stands, and goes on only when asked again."""

    settle_s: float = Field(default=0.2, gt=0, le=2)
    """How long readback must stay within a band to count."""

    accept_s: float = Field(default=1.5, gt=0, le=10)
    """A command with no sign of acceptance in readback after this is reported."""

    disarm_after_s: float = Field(default=30.0, ge=1, le=600)
    """An armed mill at rest without a heartbeat for this long disarms itself."""

    state_file: Path | None = None
    """Remembers across a crash of the adapter that the mill was armed."""

    @model_validator(mode="before")
    @classmethod
    def _port_by_interface(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("interface") == "zeromq":
            return {"port": SERVER_PORT, **data}
        return data

    @model_validator(mode="after")
    def _stops_are_within_limits(self) -> "BertecConfig":
        for name in ("stop_decel_mps2", "abort_decel_mps2"):
            value, most = getattr(self, name), self.limits.max_decel_mps2
            if value > most:
                raise ValueError(f"{name}={value} exceeds max_decel_mps2={most}")
        return self
