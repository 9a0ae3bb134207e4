"""The demonstration recovers the truth, and the truth file decides nothing."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from acquire.demo import DemoResult, finish
from acquire.rig import load_rig
from acquire.storage.layout import find_archives
from acquire.storage.xdf_reader import read_xdf
from tests.builders.demo_run import SILENT, run_demo_process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def bad_rows(result: dict) -> list[dict]:
    tables = result["comparison"] or {"none": []}
    return [
        row
        for table in tables.values()
        if isinstance(table, list)
        for row in table
        if not row["ok"]
    ]


def rows(result: dict, table: str) -> list[dict]:
    return result["comparison"][table]


def test_everything_is_within_what_is_promised(demo: dict) -> None:
    assert demo["ok"], bad_rows(demo)
    clocks = {(r["trial"], r["stream"]): r for r in rows(demo, "clocks")}
    assert len(clocks) == 3 * 4  # a static trial and two walks
    for (_, stream), row in clocks.items():
        assert row["max_ms"] <= (10.0 if stream == "amode" else 1.0)
        assert row["inside_share"] == 1.0
    for row in rows(demo, "strikes"):
        assert row["missed"] == row["false"] == 0
        assert row["max_ms"] <= 10.0


def test_nothing_is_lost_by_counter_and_the_silent_loss_is_inferred(demo: dict) -> None:
    for row in rows(demo, "losses"):
        assert row["counted"] == 0
        if row["stream"] == "semg":
            assert row["true"] == 40
            assert abs(row["inferred"] - 40) <= row["inferred_half_width"] <= 4
        else:
            assert row["true"] == row["inferred"] == 0
    page = Path(demo["report"]).read_text(encoding="utf-8")
    assert "lost (inferred)" in page
    assert "SIMULATED" in page


def test_subject_file_holds_what_the_archives_hold(demo: dict) -> None:
    with h5py.File(demo["subject_file"]) as file:
        trial = file["P43/OriginalData/Ideal/LG_0/S_1/Trial_1"]
        emg = trial["EMGData"]
        assert emg.shape[0] == 13
        assert emg.shape[1] == pytest.approx(8 * 2000, abs=300)  # a notch may end it
        assert 156 <= trial["USData"].size <= 162
        assert trial.attrs["MATLAB_fields"].size == len(trial) == 8
        knee = file["P43/NormalizedData/Ideal/LG_0/S_1/Trial_1/Angles/RKneeAngles"]
        flexion_deg = knee["MeanValues"][0]
        assert flexion_deg.shape == (200,)
        assert 45 < flexion_deg.max() < 75


def test_truth_can_be_deleted(demo: dict, tmp_path: Path) -> None:
    copy = tmp_path / "dataset"
    shutil.copytree(demo["dataset"], copy)
    subject = copy / "ProcessedData" / "P43.mat"
    before = subject.read_bytes()
    clocks = {key: derived_clocks(path) for key, path in archives(copy).items()}
    (copy / "truth.jsonl").unlink()
    subject.unlink()
    for path in copy.rglob("*.derived.h5"):
        path.unlink()
    result: DemoResult = finish(copy, "P43", copy / "truth.jsonl", SILENT)
    assert result.comparison is None
    assert subject.read_bytes() == before
    assert {k: derived_clocks(p) for k, p in archives(copy).items()} == clocks
    assert "Against the truth" not in result.report.read_text(encoding="utf-8")


def test_fits_follow_the_twins(tmp_path: Path) -> None:
    """Another seed, skew and offset of the twins: other fits, as true as before."""
    text = load_rig().to_yaml()
    changes = {"seed: 1\n": "seed: 7\n", "-42.0": "130.0", "57.0": "-75.0"}
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    rig = tmp_path / "rig.yaml"
    rig.write_text(text.replace("offset_s: -3.1", "offset_s: 4.4"))
    result = run_demo_process(tmp_path / "dataset", seconds=8, rig=rig)
    assert result["ok"], bad_rows(result)
    for key, path in archives(tmp_path / "dataset").items():
        fits = derived_clocks(path)
        assert abs(fits["semg"]["skew_ppm"] - (130 - 18)) <= fits["semg"]["width"], key


def archives(dataset: Path) -> dict[str, Path]:
    return {str(key): path for key, path in find_archives(dataset).items()}


def derived_clocks(archive: Path) -> dict[str, dict[str, float]]:
    with h5py.File(archive.with_name(f"{archive.stem}.derived.h5")) as file:
        return {
            name: {
                "skew_ppm": float(group.attrs["skew_ppm"]),
                "offset_s": float(group.attrs["offset_s"]),
                "width": float(group.attrs["skew_half_width_ppm"]),
            }
            for name, group in file["clock"].items()
            if name in ("semg", "amode")
        }


def test_raw_recording_is_simulated_and_whole(demo: dict) -> None:
    for path in Path(demo["dataset"]).rglob("*.xdf"):
        recording = read_xdf(path)
        assert recording.complete
        assert recording.attributes["simulated"]
        markers = recording["vicon-markers"]
        assert np.all(np.diff(markers.column("frame")) == 1)
    mark = json.loads((Path(demo["dataset"]) / "dataset.json").read_text())
    assert mark["simulated"] is True
