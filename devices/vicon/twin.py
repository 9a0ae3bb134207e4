"""Twin of a Vicon system: ``python -m devices.vicon.twin --lab HOST:PORT``.

Serves the simulated person as a CGStream server at 100 Hz with two force plates and
the trigger line at 1000 Hz, on a clock of its own. Options in the lab's configuration
of this twin: `capture_port` (default: the TCP port plus 29, or a free one when the
TCP port is free), `first_frame` (FrameID at the start, default 0), `marker_sets`, a
list of ``{"at": world seconds, "markers": [labels]}``, and those of `twin_extras`.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devices.sim.clock import SimClock
from devices.sim.lab import Lab
from devices.sim.twin_process import run, twin_config
from devices.vicon.twin_capture import CaptureListener
from devices.vicon.twin_faults import Fate, FrameFaults, Outage
from devices.vicon.twin_numbering import Numbering
from devices.vicon.twin_pack import Object
from devices.vicon.twin_scene import FRAME_HZ, SAMPLES_PER_FRAME, SUPPORTED, Scene
from devices.vicon.twin_server import CgStreamServer

SAMPLE_HZ = FRAME_HZ * SAMPLES_PER_FRAME
CAPTURE_PORT_OFFSET = 29  #: from TCP 801 and 8801 to UDP 830 and 8830
MAX_FRAMES_PER_STEP = 50
LONGEST_WAIT_S = 0.02
SHORTEST_WAIT_S = 0.0005


@dataclass(frozen=True, slots=True)
class Delivery:
    """A rendered frame on its way out."""

    due_s: float
    frame_id: int
    objects: Sequence[Object]
    copies: int


class ViconTwin:
    """Renders, sends and listens in one thread: call `step` again and again."""

    def __init__(self, lab: Lab, name: str, port: int | None = None) -> None:
        config = twin_config(lab, name, port)
        self._lab = lab
        self.scene = Scene(lab.config, lab.history, config.options)
        self._faults = FrameFaults(lab, name)
        self.server = CgStreamServer(config.host, config.port, SUPPORTED)
        self.server.describe(self.scene.statics(), self.scene.version)
        capture_port = config.options.get(
            "capture_port", config.port and config.port + CAPTURE_PORT_OFFSET
        )
        try:
            self.capture = CaptureListener(lab, config.host, int(capture_port))
        except OSError:
            self.server.close()
            raise
        self.server.watch(self.capture.socket, self.capture.receive)
        start_s = max(lab.world_now(), 0.0)
        self._clock = SimClock(config.clock, SAMPLE_HZ, start_s, seed=lab.config.seed)
        first_id = int(config.options.get("first_frame", 0))
        self._numbering = Numbering(lab, name, self._clock, first_id)
        self._marker_sets = deque(
            sorted(config.options.get("marker_sets", ()), key=lambda set_: set_["at"])
        )
        self._latency = (
            ("Device Collection", (SAMPLES_PER_FRAME - 1) / SAMPLE_HZ),
            ("Processing", config.clock.latency_s),
        )
        self._slot = 0
        self._deliveries: deque[Delivery] = deque()
        self._outage: Outage | None = None
        self._paused = False

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def more_ports(self) -> dict[str, int]:
        return {"capture_port": self.capture.port}

    def step(self, timeout_s: float = LONGEST_WAIT_S) -> None:
        """Render what is due, send what is due, and serve the network for a while."""
        self._render_due()
        self._deliver_due()
        self.capture.advance()
        wait_s = min(self._until_next_s(), timeout_s)
        self.server.poll(max(wait_s, SHORTEST_WAIT_S))

    def close(self) -> None:
        self.server.close()
        self.capture.close()

    def _render_due(self) -> None:
        horizon_s = self._lab.horizon()
        for _ in range(MAX_FRAMES_PER_STEP):
            if self._complete_s() > horizon_s:
                return
            self._pass_slot(self._slot)
            self._slot += 1

    def _complete_s(self) -> float:
        """World time of the last sample of the frame to come."""
        last = (self._slot + 1) * SAMPLES_PER_FRAME - 1
        return float(self._clock.true_time(last))

    def _pass_slot(self, slot: int) -> None:
        t_s = self._numbering.time_s(slot)
        self._change_markers(t_s)
        fate = self._faults.fate(t_s)
        self._follow_outage(slot, t_s, fate)
        if fate.jump_to is not None:
            self._numbering.set(slot, fate.jump_to, "wrap")
        if fate.paused:
            self._numbering.hold()
        elif self._paused:
            self._numbering.tell("pause", slot)
        self._paused = fate.paused
        if not fate.copies:
            if not fate.paused:
                self._numbering.lose(slot)
            return
        self._numbering.flush()
        if self.server.wants_frames:
            self._render(slot, fate)
        else:
            self.server.skip()

    def _render(self, slot: int, fate: Fate) -> None:
        instant = self._numbering.instant(slot)
        objects = self.scene.frame(instant, self._latency, fate.spoilt)
        last = (slot + 1) * SAMPLES_PER_FRAME - 1
        delivered_s = self._clock.delivery_time(np.array([last]))
        due_s = max(float(delivered_s[0]), fate.held_s)
        if self._deliveries:
            due_s = max(due_s, self._deliveries[-1].due_s)
        delivery = Delivery(due_s, instant.frame_id, objects, fate.copies)
        self._deliveries.append(delivery)

    def _deliver_due(self) -> None:
        now_s = self._lab.world_now()
        while self._deliveries and self._deliveries[0].due_s <= now_s:
            delivery = self._deliveries.popleft()
            for _ in range(delivery.copies):
                self.server.publish(delivery.frame_id, delivery.objects)

    def _until_next_s(self) -> float:
        times = [self._complete_s()]
        if self._deliveries:
            times.append(self._deliveries[0].due_s)
        return min(times) - self._lab.world_now()

    def _follow_outage(self, slot: int, t_s: float, fate: Fate) -> None:
        if fate.outage:
            self._outage = fate.outage
            self._deliveries.clear()
            self.server.refuse()
        elif self._outage and t_s >= self._outage.until_s:
            if self._outage.restart:
                self._numbering.set(slot, 0, "restart")
            self._outage = None
            self.server.listen()

    def _change_markers(self, t_s: float) -> None:
        while self._marker_sets and self._marker_sets[0]["at"] <= t_s:
            self.scene.set_markers(self._marker_sets.popleft()["markers"])
        if self.server.version != self.scene.version:
            self.server.describe(self.scene.statics(), self.scene.version)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the lab goes away or SIGTERM comes."""
    logging.basicConfig(level=logging.INFO)
    run(ViconTwin, "Twin of a Vicon DataStream server.", arguments)


if __name__ == "__main__":
    main()
