"""Asks a server over the wire how its session is made, before the SDK takes over.

The SDK tells neither where force plates are nor how long a device's frames last, and
ends the process when the latter is 0.
"""

from collections.abc import Callable
from dataclasses import replace

from devices.errors import DeviceError, DeviceTimeoutError
from devices.link import TcpLink
from devices.vicon.client import CgStreamClient
from devices.vicon.layout import Z_FROM_Y_UP
from devices.vicon.objects import Statics
from devices.vicon.wire import ObjectId

#: The first frame after a new subscription may lack what was asked for.
ENOUGH_FRAMES = 2

_WANTED = frozenset(
    {
        ObjectId.STREAM_INFO,
        ObjectId.SUBJECT_INFO,
        ObjectId.FRAME_INFO,
        ObjectId.APPLICATION_INFO,
        ObjectId.DEVICE_INFO,
        ObjectId.DEVICE_INFO_EXTRA,
        ObjectId.CHANNEL_INFO,
        ObjectId.CHANNEL_INFO_EXTRA,
        ObjectId.FORCE_PLATE_INFO,
    }
)


class SdkRefusedError(DeviceError):
    """The SDK cannot be used with this server; the native back end can."""


def describe(
    host: str, port: int, where: str, now: Callable[[], float], timeout_s: float
) -> Statics:
    """Connect, read the description of the session and disconnect."""
    deadline = now() + timeout_s
    link = TcpLink(host, port, now=now, port_option="port")
    client = CgStreamClient(link, where, frozenset(_WANTED), now)
    n_frames = 0
    try:
        client.open(timeout_s)
        client.ask()
        while (remaining_s := deadline - now()) > 0:
            for _ in client.poll(remaining_s):
                n_frames += 1
                client.ask()
            if n_frames >= ENOUGH_FRAMES and client.statics.period_ticks > 0:
                return client.statics
    finally:
        client.close()
    raise DeviceTimeoutError(
        f"{where} did not describe its session within {timeout_s:g} s ({n_frames} "
        f"frames came); is it live?"
    )


def as_the_sdk_tells(statics: Statics, where: str) -> Statics:
    """Turn a description into the terms of the SDK, which refuses some.

    The SDK turns Y-up data Z-up, and sorts samples of devices into stream frames:
    device frames are stream frames then.
    """
    for device in statics.devices:
        if device.period_ticks <= 0:
            raise SdkRefusedError(
                f"{where}: device {device.name!r} has a frame period of "
                f"{device.period_ticks} ticks, which would end the process inside the "
                f"vendor's SDK; use back_end native"
            )
    period = statics.period_ticks
    devices = tuple(replace(d, period_ticks=period) for d in statics.devices)
    poses = dict(statics.poses)
    if statics.y_up:
        for device_id, pose in poses.items():
            poses[device_id] = replace(
                pose,
                translation_mm=Z_FROM_Y_UP @ pose.translation_mm,
                rotation=Z_FROM_Y_UP @ pose.rotation,
            )
    return replace(statics, y_up=False, devices=devices, start_ticks={}, poses=poses)
