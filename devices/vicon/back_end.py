"""Chooses how to speak to the server: the vendor's SDK, or our own client."""

import logging
from collections.abc import Callable
from typing import Literal, Protocol

from devices.errors import DeviceError
from devices.link import TcpLink
from devices.vicon.client import CgStreamClient, StreamMode
from devices.vicon.config import ViconConfig
from devices.vicon.frames import Frame
from devices.vicon.sdk_process import SdkProcess
from devices.vicon.wire import ObjectId

log = logging.getLogger("kinemuse.vicon")

BackEnd = Literal["native", "sdk"]

WANTED = frozenset(
    {
        ObjectId.CONTENTS,
        ObjectId.STREAM_INFO,
        ObjectId.SUBJECT_INFO,
        ObjectId.FRAME_INFO,
        ObjectId.LABELED_RECONS,
        ObjectId.TIMECODE,
        ObjectId.LATENCY_INFO,
        ObjectId.HARDWARE_FRAME_INFO,
        ObjectId.APPLICATION_INFO,
    }
)
WANTED_FOR_FORCES = frozenset(
    {
        ObjectId.DEVICE_INFO,
        ObjectId.DEVICE_INFO_EXTRA,
        ObjectId.CHANNEL_INFO,
        ObjectId.CHANNEL_INFO_EXTRA,
        ObjectId.FORCE_PLATE_INFO,
        ObjectId.FORCE_FRAME,
        ObjectId.MOMENT_FRAME,
        ObjectId.VOLTAGE_FRAME,
    }
)


class Client(Protocol):
    """What the adapter needs of either; `CgStreamClient` says what the calls do.

    `died` says how the process of the SDK ended, when it did.
    """

    round_trip_s: float | None
    died: str

    def open(self, timeout_s: float) -> None: ...
    def ask(self) -> None: ...
    def start(self, mode: StreamMode) -> None: ...
    def poll(self, timeout_s: float) -> list[Frame]: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


def choose(
    name: str, config: ViconConfig, where: str, now: Callable[[], float]
) -> tuple[BackEnd, Client]:
    """Return the client the configuration asks for; the log says which.

    `auto` takes the SDK where it is installed; `sdk` raises `DeviceError` elsewhere.
    """
    if config.back_end == "native":
        return "native", native(name, config, where, now)
    try:
        client = SdkProcess(config, where, now)
    except (ImportError, OSError) as error:
        if config.back_end == "sdk":
            raise DeviceError(
                f"{name}: back_end 'sdk' needs the package pyvicon-datastream, which "
                f"does not load ({error}); install it with `make vicon-sdk`, or use "
                "back_end 'native'"
            ) from error
        log.info("%s: the vendor's SDK is not installed", name)
        return "native", native(name, config, where, now)
    log.info("%s: back end sdk", name)
    return "sdk", client


def native(
    name: str, config: ViconConfig, where: str, now: Callable[[], float]
) -> CgStreamClient:
    """Build our own client."""
    log.info("%s: back end native", name)
    link = TcpLink(config.host, config.port, now=now, port_option="port")
    wanted = set(WANTED | WANTED_FOR_FORCES if config.forces else WANTED)
    if config.segments:
        wanted.add(ObjectId.GLOBAL_SEGMENTS)
    if config.unlabeled_markers:
        wanted.add(ObjectId.UNLABELED_RECONS)
    return CgStreamClient(link, where, frozenset(wanted), now)
