"""``kinemuse gait``: what it writes, and what it says when something is missing."""

import sys

import numpy as np
import pytest

from acquire import cli
from tests.builders.nexus import pair


def kinemuse(*words, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["kinemuse", *map(str, words)])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(name, *words):
        static, trial, _ = pair(name)
        return kinemuse(
            *("gait", "--static", static, trial, "--out", "gait.npz", *words),
            monkeypatch=monkeypatch,
        )

    return run


def test_arrays_are_named_as_in_c3d(run, tmp_path) -> None:
    assert run("HC030A") == 0
    with np.load(tmp_path / "gait.npz") as found:
        assert {"LHipAngles", "RKneeMoment", "LAnklePower", "RHipForce"} <= set(found)
        assert found["LHipAngles"].shape == (197, 3)
        assert found["Left_Foot_Strike"].size == 2
        assert np.nanmax(np.abs(found["RKneeMoment"])) < 2  # N·m/kg, not N·mm/kg


def test_a_missing_measure_names_the_option(run, capsys, tmp_path) -> None:
    assert run("BELT_C") == 2
    assert "--marker-diameter-mm" in capsys.readouterr().err
    assert not (tmp_path / "gait.npz").exists()
    assert run("BELT_C", "--marker-diameter-mm", "16") == 0


def test_measures_come_from_a_file(run, tmp_path) -> None:
    (tmp_path / "sheet.yaml").write_text("marker_diameter_mm: 16\nknee_width_mm: 105\n")
    assert run("BELT_C", "--subject", "sheet.yaml") == 0
    table = "participant_id\tmarker_diameter_mm\tsex\nP01\t16\tF\nP02\t14\tn/a\n"
    (tmp_path / "participants.tsv").write_text(table)
    assert run("BELT_C", "--subject", "participants.tsv") == 2
    words = ("--subject", "participants.tsv", "--participant", "P01")
    assert run("BELT_C", *words) == 0


def offsets(path):
    with np.load(path) as found:
        return {
            name: float(found[name])
            for side in "LR"
            for name in (f"{side}StaticPlantFlex", f"{side}StaticRotOff")
        }


def test_static_offsets_may_be_those_of_the_files(run, tmp_path) -> None:
    """The calibration file of one recording holds none, its trial does."""
    from acquire.dataset.c3d import read_c3d

    assert run("BELT_C", "--marker-diameter-mm", "16", "--stored-offsets") == 0
    stored = read_c3d(pair("BELT_C")[1]).processing
    for name, found in offsets(tmp_path / "gait.npz").items():
        assert found == pytest.approx(np.degrees(stored[name]), abs=1e-9)


def test_a_subject_file_of_nexus_gives_measures_and_offsets(run, tmp_path) -> None:
    lines = ["{*VICON BodyLanguage (tm) file*}", "$MarkerDiameter = 16"]
    angles = {"StaticPlantFlex": 0.1, "StaticRotOff": -0.02}
    lines += [
        f"${side}{name} = {value}" for side in "LR" for name, value in angles.items()
    ]
    (tmp_path / "Ann.mp").write_text("\n".join(lines))
    assert run("BELT_C", "--subject", "Ann.mp") == 0
    found = offsets(tmp_path / "gait.npz")
    assert found["LStaticPlantFlex"] == pytest.approx(np.degrees(0.1))
    assert found["RStaticRotOff"] == pytest.approx(np.degrees(-0.02))
    (tmp_path / "Ann.vsk").write_text(
        '<?xml version="1.0"?><KinematicModel><Parameters>'
        '<Parameter NAME="MarkerDiameter" VALUE="16"/>'
        '<StaticParameter HIDDEN="0" NAME="Note" VALUE="tall"/>'
        "</Parameters></KinematicModel>"
    )
    assert run("BELT_C", "--subject", "Ann.vsk") == 0
    (tmp_path / "none.vsk").write_text("<KinematicModel/>")
    assert run("BELT_C", "--subject", "none.vsk") == 2


@pytest.mark.parametrize("option", ["--mass-kg", "--marker-diameter-mm"])
def test_zero_is_no_measure(run, capsys, option: str) -> None:
    assert run("HC030A", option, "0") == 2
    assert f"{option} is 0: it must be above 0" in capsys.readouterr().err


def test_no_static_trial_is_a_usage_error(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("gait", "walk.c3d", "--out", "x.npz")
    assert kinemuse(*words, monkeypatch=monkeypatch) == 2
    assert "--static" in capsys.readouterr().err


def test_a_file_that_is_none(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no.c3d").write_text("no")
    words = ("gait", "--static", "no.c3d", "no.c3d", "--out", "x.npz")
    assert kinemuse(*words, monkeypatch=monkeypatch) == 1
    assert "no readable C3D file" in capsys.readouterr().err
    words = ("gait", "--static", "gone.c3d", "no.c3d", "--out", "x.npz")
    assert kinemuse(*words, monkeypatch=monkeypatch) == 2
