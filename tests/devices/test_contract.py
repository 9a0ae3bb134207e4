"""Every adapter keeps the contract, against its twin, over a mangling proxy."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import pytest

from devices.amode.adapter import AModeAdapter
from devices.amode.config import AModeConfig
from devices.amode.twin import AModeTwin
from devices.bertec.adapter import BertecAdapter
from devices.bertec.config import BertecConfig
from devices.bertec.twin import BertecTwin
from devices.noraxon.adapter import NoraxonAdapter
from devices.noraxon.config import NoraxonConfig
from devices.noraxon.twin import NoraxonTwin
from devices.sim.config import LabConfig
from devices.sim.lab import LocalLab
from devices.testing import check_adapter
from devices.testing_peers import serving
from devices.vicon.adapter import ViconAdapter
from devices.vicon.config import ViconConfig
from devices.vicon.twin import ViconTwin


@dataclass(frozen=True)
class Case:
    name: str
    adapter: Callable[..., Any]
    config: Callable[..., Any]
    twin: Callable[..., Any]
    streams: tuple[str, ...]


CASES = [
    Case("bertec", BertecAdapter, BertecConfig, BertecTwin, ("treadmill",)),
    Case("amode", AModeAdapter, AModeConfig, AModeTwin, ("amode",)),
    Case("noraxon", NoraxonAdapter, NoraxonConfig, NoraxonTwin, ("semg",)),
    Case(
        "vicon", ViconAdapter, ViconConfig, ViconTwin, ("vicon-markers", "vicon-forces")
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_contract(case):
    lab = LocalLab(LabConfig())
    twin = case.twin(lab, case.name, 0)

    def make(host, port):
        return case.adapter(case.name, case.config(host=host, port=port), perf_counter)

    with serving(twin):
        samples = check_adapter(make, twin.port)
    assert tuple(samples) == case.streams
