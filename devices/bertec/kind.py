"""The entry point `bertec`."""

from devices.bertec.adapter import BertecAdapter
from devices.bertec.config import BertecConfig
from devices.registry import DeviceKind

KIND = DeviceKind(config=BertecConfig, make=BertecAdapter, twin="devices.bertec.twin")
