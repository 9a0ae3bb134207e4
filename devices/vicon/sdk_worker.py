"""The process the vendor's SDK runs in: ``python -m devices.vicon.sdk_worker FD``.

The SDK ends its process on some damaged packets and on a device whose frames last 0
ticks; the adapter, its outlets and its commands are in another one, `SdkProcess`.
Requests and frames travel as pickles over a socket pair, which nobody else can reach.
"""

import logging
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection

from devices.errors import DeviceError
from devices.vicon.config import ViconConfig
from devices.vicon.frames import Frame
from devices.vicon.layout import Output, build_layout
from devices.vicon.objects import Statics
from devices.vicon.sdk import SdkClient
from devices.vicon.sdk_frame import Wanted
from devices.vicon.sdk_messages import Answer, Arrived, Request

POLL_S = 0.02
_NOTHING = Statics()


class Worker:
    """Obeys requests and sends frames until the other end goes away."""

    def __init__(self, client: SdkClient, connection: Connection) -> None:
        self._client, self._connection = client, connection
        self._running = False
        self._told: Statics | None = None

    def run(self) -> None:
        while True:
            if not self._running or self._connection.poll(0):
                self._connection.send(Answer(self._obey(self._connection.recv())))
            if self._running:
                self._forward()

    def _obey(self, request: Request) -> DeviceError | None:
        client = self._client
        try:
            if request.verb == "open":
                self._running, self._told = False, None
                client.open(request.argument)
            elif request.verb == "ask":
                client.ask()
                self._running = True
            elif request.verb == "start":
                client.start(request.argument)
                self._running = True
            else:
                self._running = False
                client.stop()
        except DeviceError as error:
            return error
        return None

    def _forward(self) -> None:
        try:
            frames = self._client.poll(POLL_S)
        except DeviceError as error:
            self._running = False
            self._connection.send(Arrived(failure=error))
            return
        start = 0
        for i, frame in enumerate(frames):
            if frame.statics is not self._told:
                self._send(frames[start:i])
                self._connection.send(Arrived(statics=frame.statics))
                self._told, start = frame.statics, i
        self._send(frames[start:])

    def _send(self, frames: Sequence[Frame]) -> None:
        if frames:
            bare = [replace(frame, statics=_NOTHING) for frame in frames]
            self._connection.send(Arrived(bare))


def wanted_of(config: ViconConfig, where: str) -> Wanted:
    """Say what the streams need; no device channels where the session does not do."""

    def select(statics: Statics) -> Sequence[Output]:
        try:
            return build_layout(statics, config, where).outputs
        except DeviceError:
            return ()  # the adapter meets the same error, and says so

    return Wanted(
        outputs=select if config.forces else None,
        segments=config.segments,
        unlabeled=config.unlabeled_markers > 0,
    )


def main(arguments: Sequence[str]) -> None:
    """Serve the connection given by its file descriptor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the adapter
    connection = Connection(int(arguments[0]))
    try:
        config, where, level = connection.recv()
        logging.basicConfig(
            level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
        )
        wanted = wanted_of(config, where)
        client = SdkClient(config.host, config.port, where, wanted, time.monotonic)
        Worker(client, connection).run()
    except (EOFError, OSError):  # the adapter is gone, and the SDK with it
        return


if __name__ == "__main__":
    main(sys.argv[1:])
