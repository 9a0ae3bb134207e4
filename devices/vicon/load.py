"""A CGStream server of any size and speed: ``python -m devices.vicon.load``.

For benchmarks and tests of throughput. Its numbers mean nothing, but fill the mantissa,
differ from frame to frame, and repeat after `N_KINDS` frames; every seventh frame lacks
a marker. `--rate 0` sends as fast as the clients read.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack

import numpy as np

from devices.vicon import twin_pack
from devices.vicon.twin_pack import Object
from devices.vicon.twin_server import CgStreamServer

FRAME_HZ = 100
PERIOD_TICKS = 135_000_000 // FRAME_HZ
N_KINDS = 50
SUPPORTED = frozenset({1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 20, 23, 26, 34, 36, 37, 38})
ANALOG_ID = 100
FULL_BYTES = 64 << 10
_PARTS = ((10, "Force", "F"), (11, "Moment", "M"), (12, "CoP", "C"))


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is in a frame; the first analog channel is called ``sync``."""

    n_markers: int = 45
    n_plates: int = 2
    n_analog: int = 16
    n_samples: int = 20  #: of each device in a frame: 20 are 2 kHz


class LoadScene:
    """Describes the session and hands out frames, made beforehand."""

    def __init__(self, load: Load, seed: int = 0) -> None:
        self.load = load
        rng = np.random.default_rng(seed)
        self._labeled = [self._recons(rng, kind) for kind in range(N_KINDS)]
        self._samples = [self._planar(rng) for _ in range(N_KINDS)]

    def statics(self) -> list[Object]:
        """Describe subject, plates and analog device."""
        markers = [(i, f"M{i:02}") for i in range(1, self.load.n_markers + 1)]
        found = [
            twin_pack.stream_info(PERIOD_TICKS),
            twin_pack.application_info(y_up=False),
            twin_pack.subject_info(1, "Load", markers),
        ]
        bounds = np.array([[-250.0, -500.0, -15.0], [250.0, 500.0, 0.0]])
        for plate in range(1, self.load.n_plates + 1):
            at_mm = np.array([500.0 * plate, 0.1, 0.0])
            found += [
                twin_pack.device_info(plate, PERIOD_TICKS, f"Plate {plate}"),
                twin_pack.force_plate_info(plate, at_mm, np.eye(3), bounds),
            ]
            for channel, (_, name, letter) in enumerate(_PARTS, start=1):
                parts = [letter + axis for axis in "xyz"]
                found.append(twin_pack.channel_info(plate, channel, name, parts))
        found.append(twin_pack.device_info(ANALOG_ID, PERIOD_TICKS, "Lock Lab"))
        for channel in range(1, self.load.n_analog + 1):
            name = "sync" if channel == 1 else f"EMG{channel}"
            found.append(twin_pack.channel_info(ANALOG_ID, channel, name, [name]))
        return found

    def frame(self, frame_id: int) -> list[Object]:
        """Return the objects of one frame."""
        kind = frame_id % N_KINDS
        found = [
            twin_pack.frame_info(frame_id),
            twin_pack.hardware_frame_info(frame_id + 7),
            twin_pack.latency_info([("Cameras", 0.004)]),
            self._labeled[kind],
        ]
        for object_id, device, channel, n, planar in self._samples[kind]:
            header = pack("<4I", frame_id, device, channel, n)
            found.append((object_id, header + planar))
        return found

    def _recons(self, rng: np.random.Generator, kind: int) -> Object:
        at_mm = rng.normal(0.0, 1000.0, (self.load.n_markers, 3)).tolist()
        missing = 3 if kind % 7 == 0 else 0
        recons = [
            (1, marker, (x, y, z))
            for marker, (x, y, z) in enumerate(at_mm, start=1)
            if marker != missing
        ]
        return twin_pack.labeled_recons(recons, 7.0)

    def _planar(
        self, rng: np.random.Generator
    ) -> list[tuple[int, int, int, int, bytes]]:
        n = self.load.n_samples
        plates = [
            (object_id, plate, channel, 3 * n)
            for plate in range(1, self.load.n_plates + 1)
            for channel, (object_id, *_) in enumerate(_PARTS, start=1)
        ]
        analog = [(13, ANALOG_ID, i, n) for i in range(1, self.load.n_analog + 1)]
        return [
            (*head, rng.normal(0.0, 100.0, head[-1]).astype("<f4").tobytes())
            for head in plates + analog
        ]


class LoadServer:
    """Sends the frames of a scene at `rate_hz`, or as fast as they are read."""

    def __init__(self, scene: LoadScene, rate_hz: float, port: int = 0) -> None:
        self.server = CgStreamServer("127.0.0.1", port, SUPPORTED)
        self.server.describe(scene.statics(), 0)
        self._scene, self._rate_hz = scene, rate_hz
        self._began_s, self._number = time.perf_counter(), 0

    def step(self) -> None:
        """Send what is due and serve the network for a while."""
        if self._rate_hz:
            due = int((time.perf_counter() - self._began_s) * self._rate_hz)
            while self._number <= due:
                self._publish()
            next_s = self._began_s + self._number / self._rate_hz
            self.server.poll(max(next_s - time.perf_counter(), 0.0005))
            return
        asking = [client for client in self.server.clients if client.asks]
        room = asking and max(len(c.queue) for c in asking) < FULL_BYTES
        if room:
            self._publish()
        self.server.poll(0.0 if room else 0.001)

    def _publish(self) -> None:
        self.server.publish(self._number, self._scene.frame(self._number))
        self._number += 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM; a line of JSON on standard output tells the port."""
    parser = argparse.ArgumentParser(description="CGStream server of any load.")
    parser.add_argument("--rate", type=float, default=float(FRAME_HZ))
    parser.add_argument("--markers", type=int, default=45)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args(arguments)
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda signum, _frame: ended.append(signum))
    scene = LoadScene(Load(n_markers=given.markers))
    source = LoadServer(scene, given.rate, given.port)
    sys.stdout.write(json.dumps({"ready": True, "port": source.server.port}) + "\n")
    sys.stdout.flush()
    while not ended:
        source.step()
    source.server.close()


if __name__ == "__main__":
    main()
