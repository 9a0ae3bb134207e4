"""The entry point `amode`."""

from devices.amode.adapter import AModeAdapter
from devices.amode.config import AModeConfig
from devices.registry import DeviceKind

KIND = DeviceKind(config=AModeConfig, make=AModeAdapter, twin="devices.amode.twin")
