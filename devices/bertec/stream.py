"""The `treadmill` stream: one sample per status packet, irregular."""

import numpy as np
from numpy.typing import NDArray

from devices.bertec.config import BertecConfig
from devices.bertec.controller import Controller
from devices.bertec.state import BeltState
from devices.bertec.wire import Status
from devices.stream import Channel, Counter, StreamSpec

NAME = "treadmill"
COUNTER_MODULUS = 2**24
CHANNELS = (
    Channel("left_mps", "m/s", "Speed"),
    Channel("right_mps", "m/s", "Speed"),
    Channel("incline_deg", "deg", "Angle"),
    Channel("left_set_mps", "m/s", "Setpoint"),
    Channel("right_set_mps", "m/s", "Setpoint"),
    Channel("incline_set_deg", "deg", "Setpoint"),
    Channel("facing", "", "Facing"),
    Channel("state", "", "State"),
    Channel("index", "", "Counter"),
)


def spec(config: BertecConfig) -> StreamSpec:
    """Describe the stream; codes of `state` and `facing` are in its metadata."""
    return StreamSpec(
        name=NAME,
        type="Treadmill",
        rate_hz=0.0,
        channels=CHANNELS,
        dtype="float32",
        serial=config.serial,
        counter=Counter("adapter", "index", COUNTER_MODULUS),
        metadata={
            "acquisition": {
                "manufacturer": "Bertec",
                "model": "instrumented treadmill",
            },
            "speeds": "signed in the deck frame; positive moves the surface toward -x",
            "incline": "positive lifts the +x end of the deck",
            "state_codes": {state.label: str(state.value) for state in BeltState},
            "facing_codes": {"forward": "1", "reversed": "-1"},
            "setpoints": "commanded; NaN while none is",
            "synchronization": {"can_drop_samples": "true"},
        },
    )


def row(status: Status, controller: Controller, index: int) -> NDArray[np.float32]:
    """Return one sample, shape (1, 9)."""
    wanted, held = controller.drive.wanted, controller.drive.deck.held_deg
    nan = float("nan")
    values = (
        status.left_mps,
        status.right_mps,
        status.incline_deg,
        wanted.left_mps if wanted else nan,
        wanted.right_mps if wanted else nan,
        nan if held is None else held,
        -1.0 if controller.is_reversed else 1.0,
        float(controller.state.value),
        float(index % COUNTER_MODULUS),
    )
    return np.array([values], np.float32)
