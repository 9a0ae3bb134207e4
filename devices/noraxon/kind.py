"""The entry point `noraxon`."""

from devices.noraxon.adapter import NoraxonAdapter
from devices.noraxon.config import NoraxonConfig
from devices.registry import DeviceKind

KIND = DeviceKind(
    config=NoraxonConfig, make=NoraxonAdapter, twin="devices.noraxon.twin"
)
