"""The device kind ``vicon`` of a rig file."""

from devices.registry import DeviceKind
from devices.vicon.adapter import ViconAdapter
from devices.vicon.config import ViconConfig

KIND = DeviceKind(
    config=ViconConfig,
    make=ViconAdapter,
    twin="devices.vicon.twin",
    capture="datagram",
)
