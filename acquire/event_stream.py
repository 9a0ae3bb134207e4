"""The stream `kinemuse-events`: one JSON object per event, stamped when it happened."""

import json
import threading
from collections.abc import Mapping

from acquire.lsl import Outlet, local_clock
from acquire.rig import RigConfig
from devices.stream import Channel, StreamSpec

EVENTS = StreamSpec(
    name="kinemuse-events",
    type="Markers",
    rate_hz=0.0,
    channels=(Channel("event", "json", "Marker"),),
    dtype="string",
    serial="session",
)


class EventStream:
    """Publishes a session's events. Thread-safe."""

    def __init__(self, rig: RigConfig) -> None:
        self._lock = threading.Lock()
        self._outlet = Outlet(
            EVENTS,
            device="session",
            kind="events",
            simulated=rig.simulated,
            waveform=rig.trigger.waveform,
        )

    @property
    def source_id(self) -> str:
        return self._outlet.source_id

    def send(self, event: str, facts: Mapping[str, object]) -> None:
        """Send one event, stamped now; values that are not JSON are sent as text."""
        t_lsl = local_clock()
        text = json.dumps({"event": event, "t_lsl": t_lsl, **facts}, default=str)
        with self._lock:
            self._outlet.push_text(text, t_lsl)

    def close(self) -> None:
        self._outlet.close()
