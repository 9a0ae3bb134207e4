"""What people do by hand reaches a virtual lab from another terminal."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from acquire.cli import app
from acquire.commands import hand
from acquire.hands import Hands, lab_that_runs
from acquire.rig import load_rig
from acquire.virtual_lab import VirtualLab
from devices.bertec.twin import BertecTwin
from devices.sim.lab import LocalLab

Inputs = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalLab]:
    """A lab of the shipped rig, without its processes."""
    rig = load_rig()
    assert rig.lab is not None
    local = LocalLab(rig.lab)
    monkeypatch.setattr(hand, "runtime_dir", lambda _: tmp_path)
    addresses = {"lab": "127.0.0.1:9"}
    virtual = SimpleNamespace(rig=rig, client=lambda: local, addresses=addresses)
    with Hands(cast("VirtualLab", virtual), tmp_path):
        yield local


def said(*words: str) -> str:
    result = CliRunner().invoke(app, ["hand", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_panel_moves_belts_and_deck(lab: LocalLab) -> None:
    assert "belts set to 0.5 m/s" in said("belts", "0.5")
    assert "deck set to 5 deg" in said("deck", "5")
    belts, deck = lab.history.inputs
    assert (belts.value["left_mps"], belts.value["right_mps"]) == (0.5, 0.5)
    assert deck.value == {"target_deg": 5.0, "rate_dps": 1.0}


def test_an_emergency_stop_is_pressed_now_and_let_go(lab: LocalLab) -> None:
    said("estop", "--seconds", "0.4")
    twin = BertecTwin(lab, "bertec", 0)
    try:
        twin.step(0.0)
        (pressed,) = [item for item in lab.history.inputs if item.kind == "belts"]
        assert pressed.value["left_mps"] == 0.0
        time.sleep(0.5)
        assert not twin._mill._estop(lab.world_now() + 0.2)
    finally:
        twin.close()


def test_a_cable_is_pulled_for_a_while(lab: LocalLab) -> None:
    said("unplug", "noraxon", "--seconds", "3")
    said("fault", "amode:coupling_loss:for=2")
    (out,) = lab.faults("noraxon")
    assert (out.fault, out.for_s) == ("disconnect", 3.0)
    assert abs(out.at - lab.history.inputs[0].t_s) < 1e-9
    assert [fault.fault for fault in lab.faults("amode")] == ["coupling_loss"]


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (["unplug", "toaster"], 1, "no device 'toaster' in this lab; it has vicon"),
        (["belts", "fast"], 2, "belts needs a number"),
        (["deck"], 2, "deck needs a value"),
        (["deck", "99"], 1, "beyond"),
    ],
)
def test_what_cannot_be_done_is_said(
    lab: LocalLab, words: list[str], exit_code: int, told: str
) -> None:
    result = CliRunner().invoke(app, ["hand", *words])
    assert result.exit_code == exit_code
    assert told in f"{result.output}{result.exception}"
    assert lab.history.inputs == ()


@pytest.mark.usefixtures("lab")
def test_a_session_finds_the_lab_of_its_own_rig(tmp_path: Path) -> None:
    rig = load_rig()
    assert lab_that_runs(rig, tmp_path) == "127.0.0.1:9"
    assert lab_that_runs(rig.with_device("bertec", port=4001), tmp_path) is None
    assert lab_that_runs(rig, tmp_path / "elsewhere") is None


def test_without_a_virtual_lab_it_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "runtime_dir", lambda _: tmp_path)
    result = CliRunner().invoke(app, ["hand", "estop"])
    assert result.exit_code == 1
    assert "start `kinemuse lab`" in str(result.exception)
