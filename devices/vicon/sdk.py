"""The vendor's SDK as a client: same calls and same frames as the native one."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from devices.errors import DeviceConnectionError, DeviceError
from devices.vicon.client import StreamMode
from devices.vicon.describe import as_the_sdk_tells, describe
from devices.vicon.frames import Frame
from devices.vicon.sdk_frame import SdkFrames, Wanted
from devices.vicon.sdk_library import NO_FRAME, NOT_CONNECTED, SUCCESS, SdkLibrary
from devices.vicon.sdk_package import VendorClient, load_package

log = logging.getLogger("kinemuse.vicon")

BUFFER_FRAMES = 2000  #: 2 s at 1000 Hz: until then the SDK drops nothing
QUEUED_FRAMES = 10_000
DESCRIBE_TIMEOUT_S, DESCRIBE_PERIOD_S = 3.0, 0.5
#: `GetFrame` waits a second at most, and nothing interrupts it.
JOIN_TIMEOUT_S = 5.0
FRESH_S = 0.001
EARLY_FRAMES = 10
#: So long, and for so many frames, without samples of devices, and the SDK connects
#: anew.
BARE_S, BARE_FRAMES = 1.0, 20
_MODES = {"push": "ServerPush", "pull": "ClientPull", "prefetch": "ClientPullPreFetch"}


class SdkClient:
    """Reads frames in a thread of its own; `poll` hands them out.

    The description comes from the wire: at `open`, and again whenever a frame shows
    other subjects, markers or devices. `wanted` says what to read beside the markers.
    """

    round_trip_s: float | None = None

    def __init__(
        self,
        host: str,
        port: int,
        where: str,
        wanted: Wanted,
        now: Callable[[], float],
    ) -> None:
        self._host, self._port, self._where = host, port, where
        self._wanted, self._now = wanted, now
        self._package = load_package()
        self._client: VendorClient | None = None
        self._library: SdkLibrary | None = None
        self._frames: SdkFrames | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._arrived = threading.Condition()
        self._queue: deque[Frame] = deque(maxlen=QUEUED_FRAMES)
        self._failure: DeviceError | None = None
        self._n_early = self._n_bare = 0
        self._devices_came = False
        self._link_due_s = float("inf")
        self._describe_due_s = float("-inf")

    def open(self, timeout_s: float) -> None:
        """Prove the protocol, learn the description, then connect the SDK."""
        self.close()
        package = self._package
        client: VendorClient = package.PyViconDatastream()
        self._library = SdkLibrary(package, client)
        self._frames = self._describe(client, self._library, timeout_s)
        self._client = client
        self._link(client, self._library)

    def _link(self, client: VendorClient, library: SdkLibrary) -> None:
        """Connect the SDK, see it through its handshake, then ask for data.

        What is asked for while it still shakes hands may be forgotten.
        """
        package = self._package
        client.set_buffer_size(BUFFER_FRAMES)
        result = client.connect(f"{self._host}:{self._port}")
        if result != package.Result.Success:
            raise DeviceConnectionError(f"{self._where}: the SDK says {result.name}")
        client.set_stream_mode(package.StreamMode.ClientPull)
        if library.get_frame() != SUCCESS:
            log.info("%s: no frame yet", self._where)
        client.enable_marker_data()
        if self._wanted.outputs:
            client.enable_device_data()
        if self._wanted.segments:
            client.enable_segment_data()
        if self._wanted.unlabeled:
            client.enable_unlabeled_marker_data()
        library.enable_debug_data()
        self._n_early = self._n_bare = 0
        self._devices_came, self._describe_due_s = False, float("-inf")
        self._link_due_s = self._now() + BARE_S

    def ask(self) -> None:
        """Let frames come one by one, until `start`."""
        if self._thread is None:
            self._run()

    def start(self, mode: StreamMode) -> None:
        """Drop what is still under way and let frames come."""
        self._pause()
        client, library = self._connected()
        client.set_stream_mode(self._package.StreamMode.ClientPull)
        for _ in range(BUFFER_FRAMES):
            began_s = self._now()
            if library.get_frame() != SUCCESS or self._now() - began_s > FRESH_S:
                break
        client.set_stream_mode(getattr(self._package.StreamMode, _MODES[mode]))
        self._run()

    def stop(self) -> None:
        self._pause()
        if self._client is not None:
            self._client.set_stream_mode(self._package.StreamMode.ClientPull)

    def poll(self, timeout_s: float) -> list[Frame]:
        """Wait once for frames; what went wrong in the thread is raised here."""
        with self._arrived:
            if not self._queue and not self._failure:
                self._arrived.wait(timeout_s)
            frames = list(self._queue)
            self._queue.clear()
            if self._failure and not frames:
                raise self._failure
        return frames

    def close(self) -> None:
        self._pause()
        if self._client is not None:
            self._client.disconnect()
        self._client = self._library = self._frames = None

    def _connected(self) -> tuple[VendorClient, SdkLibrary]:
        if self._client is None or self._library is None:
            raise DeviceError(f"{self._where} is not connected")
        return self._client, self._library

    def _describe(
        self, client: VendorClient, library: SdkLibrary, timeout_s: float
    ) -> SdkFrames:
        told = describe(self._host, self._port, self._where, self._now, timeout_s)
        devices = told if self._wanted.outputs else replace(told, devices=())
        statics = as_the_sdk_tells(devices, self._where)
        return SdkFrames(client, library, statics, self._wanted, turned=told.y_up)

    def _run(self) -> None:
        self._stopping.clear()
        self._failure = None
        self._thread = threading.Thread(
            target=self._read, name="vicon-sdk", daemon=True
        )
        self._thread.start()

    def _pause(self) -> None:
        """End the thread: disconnecting under a waiting call would be fatal."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join(JOIN_TIMEOUT_S)
            if self._thread.is_alive():
                raise DeviceError(f"{self._where}: the SDK does not return")
            self._thread = None
        self._queue.clear()

    def _read(self) -> None:
        try:
            while not self._stopping.is_set():
                frame = self._next()
                if frame is not None:
                    with self._arrived:
                        self._queue.append(frame)
                        self._arrived.notify()
        except DeviceError as error:
            self._fail(error)
        except Exception as error:  # what the vendor's code may raise
            log.exception("%s: the SDK failed", self._where)
            self._fail(DeviceError(f"{self._where}: the SDK failed: {error}"))

    def _next(self) -> Frame | None:
        client, library = self._connected()
        result = library.get_frame()
        arrival_s = self._now()
        silent = result == NO_FRAME
        if result == NOT_CONNECTED or (silent and not client.is_connected()):
            raise DeviceConnectionError(f"{self._where} closed the connection")
        if silent:  # the old frame stays readable: leave it
            return None
        if result != SUCCESS:
            raise DeviceError(f"{self._where}: GetFrame says {result}")
        if client.get_frame_number() == 0:
            return None
        return self._frame(client, library, arrival_s)

    def _frame(
        self, client: VendorClient, library: SdkLibrary, arrival_s: float
    ) -> Frame | None:
        if self._frames is None:
            return None
        if self._frames.signature() == self._frames.expected:
            self._n_early = EARLY_FRAMES
        elif self._n_early < EARLY_FRAMES:  # not all that was enabled comes yet
            self._n_early += 1
            return None
        elif arrival_s >= self._describe_due_s:
            log.info("%s: the session changed", self._where)
            self._frames = self._describe(client, library, DESCRIBE_TIMEOUT_S)
            self._describe_due_s = self._now() + DESCRIBE_PERIOD_S
        frame = self._frames.read(arrival_s)
        self._see_to_devices(client, library, bool(frame.samples))
        return frame

    def _see_to_devices(
        self, client: VendorClient, library: SdkLibrary, there: bool
    ) -> None:
        """Connect anew while no device data come: the SDK may forget to ask for them.

        Never once they did, so never while frames come unasked.
        """
        self._devices_came |= there
        if self._wanted.outputs is None or self._devices_came:
            return
        self._n_bare += 1
        if self._n_bare >= BARE_FRAMES and self._now() >= self._link_due_s:
            log.info("%s: no device data yet, connecting anew", self._where)
            client.disconnect()
            self._link(client, library)

    def _fail(self, error: DeviceError) -> None:
        with self._arrived:
            self._failure = error
            self._arrived.notify()
