"""The device kind ``trigger`` of a rig file."""

from devices.registry import DeviceKind
from devices.trigger.adapter import TriggerBoxAdapter
from devices.trigger.config import TriggerBoxConfig

KIND = DeviceKind(
    config=TriggerBoxConfig,
    make=TriggerBoxAdapter,
    twin="devices.trigger.twin",
    capture="command",
)
