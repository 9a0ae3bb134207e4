"""A virtual trial out as source files, in again elsewhere, built: the same values."""

import dataclasses
import json
from datetime import date

import h5py
import numpy as np
import pytest

from acquire.dataset.build import build
from acquire.dataset.placed_trial import placed_trial
from acquire.dataset.source_tree import write_source_tree
from acquire.dataset.trial_source import load
from acquire.imports import ProfileError, import_folder, load_profile
from acquire.imports.nexus import facing_of
from acquire.storage.errors import MixedDatasetError
from acquire.storage.layout import TrialKey
from acquire.storage.manifest import verify_manifest
from acquire.storage.provenance import sha256
from acquire.storage.trial_file import read_provenance, read_trial
from tests.builders.dataset import archive, dataset, key, verdict
from tests.builders.person_dataset import person_dataset
from tests.builders.walking import Walk, session

DAY = date(2026, 11, 23)
KEY = TrialKey("P43", "2026-11-23_1", "Ideal", "LG_0", "S_1", 1, 1)
VIRTUAL = load_profile("k2muse").model_copy(update={"simulated": True})


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    root = person_dataset(tmp_path_factory.mktemp("first") / "K2", key(1))
    write_source_tree(root, "P43")
    return root


@pytest.fixture(scope="module")
def second(tmp_path_factory, first):
    root = tmp_path_factory.mktemp("second") / "K2"
    result = import_folder(first / "SourceData", root, VIRTUAL, today=DAY)
    return root, result


@pytest.fixture(scope="module")
def trials(first, second):
    return load(key(1).h5(first))[0], load(KEY.h5(second[0]))[0]


def test_trials_and_their_static_trial_come_in(second) -> None:
    root, result = second
    static = TrialKey("P43", KEY.session, "Calibration", "Static", "", 1, 1)
    assert list(result.imported) == [static, KEY]
    assert result.refused == {}
    told = result.imported[KEY]
    assert "semg: shared sync channel" in told
    assert "amode: start-aligned" in told
    assert any("synthetic" in line for line in told)
    assert verify_manifest(root) == []


def test_points_and_frames_are_the_same(trials) -> None:
    was, now = trials
    assert now.n_frames == was.n_frames
    for name, rows in was.markers_m.items():
        assert now.markers_m[name] == pytest.approx(rows, abs=2e-7, nan_ok=True)
    assert np.array_equal(now.echo, was.echo)
    assert not now.echo_missing.any()


def test_samples_are_the_same_and_in_their_place(first, second, trials) -> None:
    was, now = (placed_trial(p) for p in (key(1).h5(first), KEY.h5(second[0])))
    at = was.time_s("semg")
    inside = (at >= 0) & (at < was.duration_s)
    for name in ("R_TA", "L_BF"):
        recorded = was.recording["semg"].column(name)[inside]
        assert np.array_equal(now.recording["semg"].column(name), recorded)
    apart = np.abs(now.time_s("semg") - at[inside])
    widths = [
        t.derived["interval"].arrays["semg"][rows]
        for t, rows in ((was, inside), (now, slice(None)))
    ]
    assert (apart <= sum(widths)).all()
    assert apart.max() < 1e-3  # by the line, not by the start
    group = now.derived["clock/semg"].attributes
    assert (group["method"], group["status"]) == ("edges", "ok")
    difference = (trials[1].emg_uv - trials[0].emg_uv)[20:-20]
    assert np.nanstd(difference) < 0.15 * np.nanstd(trials[0].emg_uv)


def test_frames_without_a_line_say_how_well_they_are_known(first, second) -> None:
    was, now = (placed_trial(p) for p in (key(1).h5(first), KEY.h5(second[0])))
    group = now.derived["clock/amode"].attributes
    assert group["status"] == "degraded"
    assert "start-aligned" in group["reasons"]
    at = was.time_s("amode")
    inside = (at >= 0) & (at < was.duration_s)
    apart = np.abs(now.time_s("amode") - at[inside])
    widths = now.derived["interval"].arrays["amode"]
    assert widths.min() > 0.045
    assert (apart <= widths).all()
    assert now.status == "degraded"


def test_gait_is_the_same(trials) -> None:
    was, now = trials
    inner = slice(30, -30)  # filters begin and end elsewhere
    for name in ("LHipAngles", "RKneeAngles", "LAnkleAngles"):
        assert now.model[name] == pytest.approx(was.model[name], abs=0.02, nan_ok=True)
    for name in ("RKneeMoment", "LAnkleMoment"):
        difference = (now.model[name] - was.model[name])[inner]
        assert np.nanmax(np.abs(difference)) < 0.02
    for side, force in was.forces_n.items():
        difference = (now.forces_n[side] - force)[inner]
        assert np.nanmax(np.abs(difference)) < 2.0
    strikes = [
        [e.time_s for e in t.events if e.kind == "strike" and 0.3 < e.time_s < 6]
        for t in trials
    ]
    assert strikes[1] == pytest.approx(strikes[0], abs=5e-3)


def test_a_subject_file_can_be_built(second) -> None:
    made = build(second[0], "P43")
    assert made.simulated
    (facts,) = made.trials.values()
    assert facts["clock_status"] == "degraded"
    assert any("synthetic" in remark for remark in facts["remarks"])
    with h5py.File(made.path) as file:
        trial = file["P43/OriginalData/Ideal/LG_0/S_1/Trial_1"]
        assert {"Angles", "Moments", "Powers", "USData"} <= set(trial)


def test_an_archive_says_where_it_comes_from(first, second) -> None:
    archive = KEY.h5(second[0])
    told = read_provenance(archive)
    sources = json.loads(told["import_files"])
    assert len(sources) == 6
    for name, digest in sources.items():
        assert sha256(first / "SourceData" / name) == digest
    assert '"name": "k2muse"' in told["import_profile"]
    recording = read_trial(archive)
    assert recording.attributes["simulated"]
    assert recording.attributes["imported"]
    events = recording["kinemuse-events"].data[:, 0]
    assert sum("Foot Strike" in text for text in events) >= 10


def test_a_second_import_adds_nothing(first, second) -> None:
    again = import_folder(first / "SourceData", second[0], VIRTUAL, today=DAY)
    assert again.imported == {}
    assert len(again.known) == 2


def test_virtual_files_are_no_real_ones(first, second, tmp_path) -> None:
    real = load_profile("k2muse")
    with pytest.raises(MixedDatasetError):
        import_folder(first / "SourceData", second[0], real, today=DAY)
    result = import_folder(first / "SourceData", tmp_path / "real", real, today=DAY)
    assert result.imported == {}
    assert all("is virtual but the profile" in why for why in result.refused.values())


def test_without_a_line_all_is_aligned_by_its_start(first, tmp_path) -> None:
    blind = VIRTUAL.model_copy(
        update={
            "vicon": VIRTUAL.vicon.model_copy(update={"sync": None}),
            "emg": VIRTUAL.emg.model_copy(update={"sync": None}),
        }
    )
    result = import_folder(first / "SourceData", tmp_path / "K2", blind, today=DAY)
    assert "semg: start-aligned" in result.imported[KEY]
    was, now = (placed_trial(p) for p in (key(1).h5(first), KEY.h5(tmp_path / "K2")))
    assert now.n_frames == was.n_frames
    assert now.status == "degraded"
    at = was.time_s("semg")
    apart = np.abs(now.time_s("semg") - at[(at >= 0) & (at < was.duration_s)])
    assert (apart <= now.derived["interval"].arrays["semg"]).all()
    assert "± 50 ms" in now.derived["clock/semg"].attributes["reasons"]
    assert "sync" not in now.recording["vicon-forces"].labels


@pytest.fixture(scope="module")
def uphill(tmp_path_factory):
    """Up with the deck, and down a deck that is up ahead, walking backwards to it."""
    root = dataset(tmp_path_factory.mktemp("uphill") / "K2")
    for trial, walk in (
        (key(1, mode="AS_5"), Walk(duration_s=7.0, incline_deg=5.0)),
        (key(1, mode="DS_5"), Walk(duration_s=7.0, incline_deg=5.0, facing=-1)),
    ):
        archive(root, trial, session(walk))
        verdict(root, trial, accepted=True)
    write_source_tree(root, "P43")
    other = tmp_path_factory.mktemp("other") / "K2"
    result = import_folder(root / "SourceData", other, VIRTUAL, today=DAY)
    assert result.refused == {}
    return root, other


@pytest.mark.parametrize("mode", ["AS_5", "DS_5"])
def test_leaning_plates_bear_the_same(uphill, mode) -> None:
    was, n = load(key(1, mode=mode).h5(uphill[0]))[0], slice(30, -30)
    archived = dataclasses.replace(KEY, mode=mode).h5(uphill[1])
    now, facts = load(archived)
    assert facts["facing"] == ("reversed" if mode == "DS_5" else "forward")
    assert (now.accepted("left"), now.accepted("right")) != ([], [])
    for side, force in was.forces_n.items():
        assert np.nanmax(np.abs(now.forces_n[side] - force)[n]) < 3.0
        assert np.nanmax(np.abs(now.forces_n[side][n, :2])) < 12.0  # along gravity


@pytest.mark.parametrize(
    ("front", "facing"),
    [((0.1, 0, 1), "forward"), ((-0.1, 0.02, 1), "reversed"), ((0, 0.1, 1), "forward")],
)
def test_the_pelvis_tells_where_somebody_walks(front, facing) -> None:
    front = np.array([front])
    markers = {"LASI": front, "RASI": front, "SACR": np.array([[0, 0, 1.0]])}
    assert facing_of(markers) == facing


def test_a_folder_of_something_else_is_refused(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("1 2 3")
    with pytest.raises(ProfileError, match=r"no file in .* fits .*; there are a\.txt"):
        import_folder(tmp_path, tmp_path / "out", VIRTUAL)
