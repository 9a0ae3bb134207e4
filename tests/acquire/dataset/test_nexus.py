"""Model outputs of files processed in Nexus, in the place of ours."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from acquire.dataset.build import build
from acquire.dataset.c3d_writer import write_c3d
from acquire.dataset.check import check_path
from acquire.dataset.mat_reader import variables
from acquire.dataset.trial_source import up_to_date
from acquire.gait.plug_in_gait import ANGLES
from acquire.nexus_folder import NexusError, nexus_folder
from acquire.nexus_outputs import nexus_outputs
from acquire.session_clocks import SessionClocks
from acquire.storage.provenance import sha256
from acquire.stored_gait import stored_gait
from devices.sim.person import MARKERS
from tests.builders.dataset import archive, dataset, key, verdict
from tests.builders.person_session import listed, static_session, walk_session

STATIC = key(condition="Calibration", mode="Static", speed="")
RNG = np.random.default_rng(7)
WALK = walk_session()
FIRST = round(WALK.t0_s * 100)  # the recorded frame at trial time 0
ALL = WALK.walk.placed(np.arange(WALK.recording.streams[0].data.shape[0]) / 100)
PLACED = ALL[FIRST : FIRST + 590]
OUTPUTS = {
    "ANGLES": {name: RNG.uniform(-60, 60, (590, 3)) for name in ANGLES},
    "MOMENTS": {"LHipMoment": RNG.uniform(-1.2, 1.2, (590, 3))},
    "FORCES": {"LGroundReactionForce": RNG.uniform(-1, 11, (590, 3))},
    "POWERS": {"LHipPower": RNG.uniform(-2, 2, (590, 3))},
}


def processed(path: Path, first=0, last=590, outputs=OUTPUTS, **changes) -> Path:
    """What Nexus saves: the trial's markers, filled and smoothed, and its outputs."""
    given = {"first_frame": 1 + first, "rate_hz": 100.0, "placed": PLACED, **changes}
    smoothed = given.pop("placed") + RNG.normal(0, 3e-4, PLACED.shape)
    cut = {
        group: {name: rows[first:last] for name, rows in part.items()}
        for group, part in outputs.items()
    }
    return write_c3d(
        path,
        {name: smoothed[first:last, k] for k, name in enumerate(MARKERS)},
        outputs=cut,
        processing={"Bodymass": 72.0},
        **{"software": "Vicon Nexus", **given},
    )


def recorded():
    n = len(ALL)
    at = (np.arange(n) - FIRST) / 100
    return {name: ALL[:, k] for k, name in enumerate(MARKERS)}, at


def outputs(path: Path):
    return nexus_outputs(path, *recorded(), 100.0, 5.99)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = dataset(tmp_path_factory.mktemp("nexus") / "K2")
    listed(root)
    archive(root, STATIC, static_session())
    for number in (1, 2):
        archive(root, key(number), WALK)
        verdict(root, key(number), accepted=True)
    folder = root.parent / "Vicon"
    processed(folder / "Ideal" / "P43+Ideal+LG+0+1+1.c3d")
    processed(folder / "Ideal" / "P44+Ideal+LG+0+1+2.c3d")
    return root, folder, build(root, "P43", nexus=folder)


def trial_of(path: Path, number: int):
    with h5py.File(path, "r") as file:
        (node,) = variables(file)
        for name in ("OriginalData", "Ideal", "LG_0", "S_1", f"Trial_{number}"):
            node = node[name]
        return {
            name: node[group][name].value()
            for group, name in (
                ("Angles", "LHipAngles"),
                ("Moments", "LHipMoment"),
                ("Forces", "LGroundReactionForce"),
            )
        }


def test_outputs_of_nexus_are_in_the_subject_file_in_our_units(made) -> None:
    got = trial_of(made[2].path, 1)
    for group, name in (
        ("ANGLES", "LHipAngles"),
        ("MOMENTS", "LHipMoment"),
        ("FORCES", "LGroundReactionForce"),
    ):
        n = len(got[name])
        assert 580 <= n <= 600
        want = OUTPUTS[group][name][:n]
        assert got[name][: len(want)] == pytest.approx(want, abs=1e-3), name


def test_every_trial_says_whose_outputs_it_has(made) -> None:
    root, folder, result = made
    told = json.loads(result.sidecar.read_text())["trials"]
    assert told["Ideal/LG_0/S_1/Trial_1_take1"]["model_source"] == (
        "Nexus: P43+Ideal+LG+0+1+1.c3d"
    )
    assert told["Ideal/LG_0/S_1/Trial_2_take1"]["model_source"] == "kinemuse"
    assert "model of Nexus: P43+Ideal+LG+0+1+1.c3d" in result.describe()
    derived, _ = up_to_date(key(1).h5(root), SessionClocks())
    attributes = derived["gait/angles"].attributes
    path = folder / "Ideal" / "P43+Ideal+LG+0+1+1.c3d"
    assert attributes["source"] == "Nexus: P43+Ideal+LG+0+1+1.c3d"
    assert attributes["source_sha256"] == sha256(path)
    assert derived.inputs["nexus:P43+Ideal+LG+0+1+1.c3d"] == sha256(path)
    assert float(attributes["markers_apart_mm"]) < 1.0
    assert not [f for f in check_path(root) if f.code == "derived-stale"]


def test_without_asking_our_own_outputs_come_back(made) -> None:
    root, folder, _ = made
    ours = build(root, "P43")
    first, second = (trial_of(ours.path, k) for k in (1, 2))
    assert first["LHipAngles"] == pytest.approx(second["LHipAngles"], nan_ok=True)
    told = json.loads(ours.sidecar.read_text())["trials"]
    assert {trial["model_source"] for trial in told.values()} == {"kinemuse"}
    build(root, "P43", nexus=folder)
    derived, _ = up_to_date(
        key(1).h5(root), SessionClocks()
    )  # a report leaves what was built
    assert stored_gait(derived).model_source.startswith("Nexus")


def test_a_part_of_a_trial_lies_where_its_frames_say(tmp_path) -> None:
    found = outputs(processed(tmp_path / "part.c3d", first=123, last=500))
    assert found.first_s == pytest.approx(1.23)
    assert found.model.time_s[[0, -1]] == pytest.approx([1.23, 4.99])
    (remark,) = found.model.remarks
    assert remark.startswith("part.c3d covers 1.23 to 4.99 s of 5.99 s")


def test_frames_that_were_counted_anew_are_placed_by_markers(tmp_path) -> None:
    found = outputs(processed(tmp_path / "cut.c3d", first=200, first_frame=1))
    assert found.first_s == pytest.approx(2.0)
    assert "frame 1 of cut.c3d lies 2.00 s after trial time 0" in found.model.remarks[1]


def bad(**changes):
    group, rows = changes["group"], changes["rows"]
    return {**OUTPUTS, group: {next(iter(OUTPUTS[group])): rows}}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"placed": PLACED[::-1]}, "at best they lie"),
        ({"rate_hz": 125.0}, "has 125 frames per second, the recording 100"),
        ({"first": 100, "last": 300}, "covers 33% of the trial"),
        ({"outputs": {}}, "has no outputs of Plug-in Gait such as LHipAngles"),
        (
            {"outputs": bad(group="FORCES", rows=np.full((590, 3), 800.0))},
            "forces reach 800 N/kg",
        ),
        (
            {"outputs": bad(group="MOMENTS", rows=np.full((590, 3), 1e-3))},
            r"moments reach 0\.001 N\.m/kg",
        ),
    ],
    ids=["other trial", "rate", "short", "no model", "newtons", "N.m"],
)
def test_what_does_not_fit_is_refused_and_says_why(tmp_path, given, why) -> None:
    with pytest.raises(NexusError, match=why):
        outputs(processed(tmp_path / "bad.c3d", **given))


@pytest.mark.parametrize(
    "name",
    [
        "P43+Ideal+LG+0+1+1.c3d",
        "P43+ideal+LG+0+1x0+1.c3d",
        "P43_Ideal_LG_0_1.0_mps_trial_1.c3d",
        "P43_Ideal_LG_0_1.0_mps_trial_1_take1.C3D",
        "Ideal/LG_0/S_1/Trial_1.c3d",
        "Ideal/LG_0/S_1x0/Trial_1_take1.c3d",
    ],
)
def test_names_of_the_runner_and_the_publication_are_understood(tmp_path, name) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    if "ideal" in name:
        with pytest.raises(NexusError, match="has no trial of P43"):
            nexus_folder(tmp_path, "P43")
    else:
        assert nexus_folder(tmp_path, "P43").of(key(1)) == path


def test_a_take_has_its_own_file_and_two_of_one_trial_are_refused(tmp_path) -> None:
    for name in ("P43+Ideal+LG+0+1+1", "P43+Ideal+LG+0+1+1_take2"):
        (tmp_path / f"{name}.c3d").write_bytes(b"")
    files = nexus_folder(tmp_path, "P43")
    assert files.of(key(1, 2)).name == "P43+Ideal+LG+0+1+1_take2.c3d"
    assert files.of(key(1, 1)).name == "P43+Ideal+LG+0+1+1.c3d"
    assert files.of(key(3)) is None
    (tmp_path / "P43_Ideal_LG_0_1.0_mps_trial_1.c3d").write_bytes(b"")
    with pytest.raises(NexusError, match="are both Ideal LG_0 S_1 trial 1"):
        nexus_folder(tmp_path, "P43").of(key(1))


def test_a_folder_of_other_people_is_said(tmp_path, made) -> None:
    with pytest.raises(NexusError, match="not a folder"):
        nexus_folder(tmp_path / "none", "P43")
    (tmp_path / "P43+Fatigue+LG+0+1+9.c3d").write_bytes(b"")
    with pytest.raises(NexusError, match="are of no trial that is built"):
        build(made[0], "P43", nexus=tmp_path)
    with pytest.raises(NexusError, match="no trial of P50 among P43"):
        nexus_folder(tmp_path, "P50")


def test_outputs_that_are_ours_are_not_taken_for_those_of_nexus(tmp_path) -> None:
    own = processed(tmp_path / "own.c3d", software="Kinemuse")
    with pytest.raises(NexusError, match="written by Kinemuse"):
        nexus_outputs(own, *recorded(), 100.0, 5.9)
