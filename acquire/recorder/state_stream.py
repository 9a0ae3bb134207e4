"""The recorder's own state as the LSL stream `kinemuse-recorder-state`.

Others can show or record how well a recording goes: one JSON object per second, and one
at once for every event::

    {"state": "recording", "out": "walk.xdf", "elapsed_s": 12.3, "bytes": 6291456,
     "queued_bytes": 0, "disk_free_bytes": 51539607552, "disk_minutes_left": 1009.0,
     "streams": {"semg": {"state": "flowing", "n_samples": 24600, "n_lost": 0}},
     "missing": [], "problems": [], "event": "stream_stalled", "facts": {...}}

`n_lost` counts by the stream's own counter and is null where it has none; `missing`
names required streams that are not there. `event` and `facts` are there when an event
is why the object was sent.
"""

import json
import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acquire.lsl import Outlet, local_clock
from acquire.recorder.recorder import Recorder
from acquire.storage.recorder_notes import STATE_TYPE
from devices.stream import Channel, StreamSpec

log = logging.getLogger("kinemuse.recorder")

NAME = "kinemuse-recorder-state"
EVERY_S = 1.0
_SHOWN = (
    "state",
    "elapsed_s",
    "bytes",
    "queued_bytes",
    "disk_free_bytes",
    "disk_minutes_left",
    "missing",
    "problems",
)
_OF_STREAM = ("state", "n_samples", "n_lost")


def spec() -> StreamSpec:
    """Describe the stream of this process."""
    return StreamSpec(
        name=NAME,
        type=STATE_TYPE,
        rate_hz=0.0,
        channels=(Channel("state", "", "JSON"),),
        dtype="string",
        serial=f"{socket.gethostname()}-{os.getpid()}",
    )


def describe_state(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is published of a `Recorder.snapshot`."""
    out = snapshot["out"]
    return {
        **{key: snapshot[key] for key in _SHOWN},
        "out": Path(out).name if out else None,
        "streams": {
            stream["name"]: {key: stream[key] for key in _OF_STREAM}
            for stream in snapshot["streams"]
        },
    }


class StateStream:
    """Publishes a recorder's state from construction to `close`, on its own thread.

    The recorder does not record it itself.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._outlet = Outlet(
            spec(), device="recorder", kind="recorder", simulated=False
        )
        recorder.excluded |= {self._outlet.source_id}
        recorder.listeners.append(self._heard)
        self._events: deque[tuple[str, Mapping[str, Any]]] = deque(maxlen=100)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="state", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Publish a last time and take the stream off the network; legal twice."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._outlet.close()

    def _heard(self, event: str, facts: Mapping[str, Any]) -> None:
        self._events.append((event, facts))
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(EVERY_S)
            self._wake.clear()
            self._publish()
        self._publish()  # whatever happened since the last time

    def _publish(self) -> None:
        try:
            self._push_state()
        except Exception:  # the recording goes on; what failed is in the log
            log.exception("publishing the recorder's state failed")

    def _push_state(self) -> None:
        state = describe_state(self._recorder.snapshot())
        events = [self._events.popleft() for _ in range(len(self._events))]
        for event, facts in events:
            self._push({**state, "event": event, "facts": dict(facts)})
        if not events:
            self._push(state)

    def _push(self, state: Mapping[str, Any]) -> None:
        self._outlet.push_text(json.dumps(state, default=str), local_clock())
