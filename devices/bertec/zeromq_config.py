"""Settings of Bertec's newer interface: what is not published about it is one."""

from typing import Literal

from pydantic import BaseModel, Field


class ZeroMqConfig(BaseModel, frozen=True, extra="forbid"):
    """Addresses, number format and names of the ZeroMQ interface.

    Known from one program in use: the ports, the methods and the reply codes. Not
    known: whether its data messages hold belt speeds and deck angle at all, and under
    which names. Without them Kinemuse has no readback and refuses to connect.
    """

    data_port: int = Field(default=5556, ge=1, le=65535)
    """Port on which the server publishes its data."""

    heartbeat_port: int = Field(default=5560, ge=0, le=65535)
    """Where this computer answers the server's heartbeat; 0 takes a free port."""

    client_ip: str = ""
    """Address at which the server finds this computer; empty: that of the way there."""

    number_style: Literal["number", "string_dot", "string_comma"] = "number"
    """How numbers are sent. Servers on a computer with a decimal comma were seen to
    need ``string_comma``."""

    left_key: str = "leftVel"
    """Name of the left belt's speed in data messages; assumed to be as in requests."""

    right_key: str = "rightVel"
    """Name of the right belt's speed."""

    incline_key: str = "inclineAngle"
    """Name of the deck angle, in degrees."""

    units_per_mps: float = Field(default=1.0, gt=0)
    """Size of 1 m/s in the server's unit of speed, for requests and data alike; that of
    acceleration is taken to match. Check it with a stopwatch before anybody walks."""

    reply_timeout_s: float = Field(default=1.0, gt=0.1, le=5)
    """A request without a reply for this long: the server no longer takes commands."""
