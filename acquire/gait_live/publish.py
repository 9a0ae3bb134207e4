"""The LSL stream `gait-live`: what its channels are, and an outlet for them."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from acquire.gait.live_model import LiveFrames
from acquire.gait.plug_in_gait import ANGLES, JOINT_OUTPUTS
from acquire.lsl import Outlet
from devices.stream import Channel, Chunk, Counter, StreamSpec

NAME: Final = "gait-live"
RATE_HZ: Final = 100.0
AXES: Final = "xyz"
MOMENTS: Final = tuple(name for name in JOINT_OUTPUTS if name.endswith("Moment"))
POWERS: Final = tuple(name for name in JOINT_OUTPUTS if name.endswith("Power"))
JOINT_COLUMNS: Final = np.array(
    [3 * JOINT_OUTPUTS.index(name) + k for name in MOMENTS for k in range(3)]
    + [3 * JOINT_OUTPUTS.index(name) + 2 for name in POWERS]
)
"""Columns of a frame's `joints` that are published; powers are scalars."""


class Sink(Protocol):
    """What an outlet offers."""

    def push(self, chunk: Chunk) -> None: ...
    def close(self) -> None: ...


def gait_channels(delay_s: float) -> tuple[Channel, ...]:
    """Return frame number, angles of the stamp, and kinetics `delay_s` older."""
    grounds = [f"{side}GroundReactionForce" for side in "LR"]
    return (
        Channel("frame"),
        *(Channel(f"{name}_{a}", "deg", "Angle") for name in ANGLES for a in AXES),
        *(
            Channel(f"{name}_{a}", "N/kg", "Force", delay_s)
            for name in grounds
            for a in AXES
        ),
        *(
            Channel(f"{name}_{a}", "N.m/kg", "Moment", delay_s)
            for name in MOMENTS
            for a in AXES
        ),
        *(Channel(name, "W/kg", "Power", delay_s) for name in POWERS),
    )


def gait_rows(first: int, frames: LiveFrames) -> NDArray[np.float32]:
    """Return frames, numbered from `first`, as rows of the stream (n, n_channels)."""
    n = len(frames.angles)
    return np.concatenate(
        [
            first + np.arange(n, dtype=np.float64)[:, None],
            frames.angles,
            frames.ground.reshape(n, 6),
            frames.joints[:, JOINT_COLUMNS],
        ],
        axis=1,
    ).astype(np.float32)


def gait_spec(delay_s: float, generation: int, basis: Mapping[str, str]) -> StreamSpec:
    """Describe the stream; `basis` names what the model rests on, and its hashes."""
    metadata: dict[str, Any] = {
        "model": {
            "name": "Plug-in Gait, lower body",
            "angles": "of the stamp; flexion, adduction, internal rotation",
            "kinetics": f"{delay_s:g} s older than the stamp: delay_s of the channel",
            "basis": [f"{name} sha256 {digest}" for name, digest in basis.items()],
        }
    }
    return StreamSpec(
        name=NAME,
        type="Gait",
        rate_hz=RATE_HZ,
        channels=gait_channels(delay_s),
        serial="model",
        generation=generation,
        counter=Counter("device", "frame"),
        metadata=metadata,
    )


class GaitPublisher:
    """Opens the stream for one basis at a time; another closes it for a new one."""

    def __init__(self, *, simulated: bool) -> None:
        self._simulated = simulated
        self._outlet: Sink | None = None
        self._generation = -1

    def open(self, delay_s: float, basis: Mapping[str, str]) -> None:
        """Put the stream on the network, in place of an earlier one."""
        self.close()
        self._generation += 1
        self._outlet = Outlet(
            gait_spec(delay_s, self._generation, basis),
            device="gait-live",
            kind="gait-live",
            simulated=self._simulated,
        )

    def push(self, first: int, frames: LiveFrames, t_last: float) -> None:
        """Send consecutive frames from number `first`; `t_last` stamps the last."""
        if self._outlet is not None:
            self._outlet.push(Chunk(NAME, gait_rows(first, frames), t_last))

    def close(self) -> None:
        """Take the stream off the network."""
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None
