"""A BIDS dataset: accepted by the official validator, read by other programs."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import mne
import numpy as np
import pytest

from acquire.dataset.trial_source import load
from acquire.exports.bids import BidsSettings, export_bids
from acquire.exports.bids.bdf import BdfSignal, bdf_bytes
from acquire.exports.bids.settings import load_settings
from tests.builders.dataset import key

EMG = "sub-P43/ses-01/emg/sub-P43_ses-01_task-IdealLG0S1_run-{}_emg.bdf"
MOTION = "sub-P43/ses-01/motion/sub-P43_ses-01_task-IdealLG0S1_tracksys-vicon_run-{}_"


@pytest.fixture(scope="module")
def made(exported, tmp_path_factory):
    out = tmp_path_factory.mktemp("bids") / "new"
    settings = BidsSettings(authors=("A", "B"), license="CC BY-NC-SA 4.0")
    return out, export_bids(exported, ["P43"], out, settings=settings)


def test_the_official_validator_finds_no_error(made) -> None:
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.is_file():
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run(
        [validator, made[0], "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "NO_COLOR": "1", "HOME": str(made[0].parent)},
    )
    told = json.loads(done.stdout)
    issues = told["issues"]["issues"]
    errors = [issue for issue in issues if issue["severity"] == "error"]
    assert errors == []
    assert done.returncode == 0
    assert {"emg", "motion"} <= {name.lower() for name in told["summary"]["modalities"]}


def test_sheets_of_samples_are_read_by_mne(made, exported) -> None:
    for trial in (1, 2):
        raw = mne.io.read_raw_bdf(made[0] / EMG.format(trial), verbose="error")
        arrays, _ = load(key(trial).h5(exported))
        assert raw.info["sfreq"] == 2000
        assert raw.ch_names == [c for c in raw.ch_names if c[:2] in ("R_", "L_")]
        assert len(raw.ch_names) == 13
        emg_uv = raw.get_data() * 1e6
        wanted = np.nan_to_num(arrays.emg_uv.T)
        assert emg_uv.shape == wanted.shape
        step = 2 * np.abs(wanted).max() / 2**23
        assert emg_uv == pytest.approx(wanted, abs=step)
    assert raw.info["meas_date"].year == 1985


def test_losses_are_annotated(made, exported) -> None:
    raw = mne.io.read_raw_bdf(made[0] / EMG.format(2), verbose="error")
    arrays, _ = load(key(2).h5(exported))
    lost = np.isnan(arrays.emg_uv).all(axis=1)
    (note,) = [n for n in raw.annotations if n["description"] == "BAD_lost"]
    first = np.flatnonzero(lost)[0] / 2000
    assert note["onset"] == pytest.approx(first, abs=1e-4)
    assert note["duration"] == pytest.approx(lost.sum() / 2000, abs=1e-4)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file, delimiter="\t"))


def test_motion_has_a_column_for_each_channel(made, exported) -> None:
    arrays, _ = load(key(1).h5(exported))
    table = rows(made[0] / (MOTION.format(1) + "motion.tsv"))
    channels = rows(made[0] / (MOTION.format(1) + "channels.tsv"))
    names = [channel[0] for channel in channels[1:]]
    assert len(table) == arrays.n_frames
    assert {len(row) for row in table} == {len(names)}
    column = names.index("LHEE_z")
    heel = [float(row[column].replace("n/a", "nan")) for row in table]
    assert heel == pytest.approx(arrays.markers_m["LHEE"][:, 2], abs=1e-6, nan_ok=True)
    angle = names.index("RKneeAngles_x")
    assert channels[1 + angle][2:5] == ["JNTANG", "RKnee", "deg"]


def test_nobody_and_no_day_can_be_told(made) -> None:
    scans = rows(made[0] / "sub-P43/ses-01/sub-P43_ses-01_scans.tsv")
    assert {row[1] for row in scans[1:]} == {"1900-01-01T00:00:00"}
    for path in made[1].files:
        assert b"2026-11" not in path.read_bytes(), path.name
    people = rows(made[0] / "participants.tsv")
    assert people[0][0] == "participant_id"
    assert people[1][:4] == ["sub-P43", "F", "30", "176"]


def test_a_simulated_dataset_says_so(made) -> None:
    told = json.loads((made[0] / "dataset_description.json").read_text())
    assert told["Name"].startswith("SIMULATED")
    assert told["Authors"] == ["A", "B"]
    assert any("ultrasound" in remark for remark in made[1].remarks)


def test_each_length_of_record_holds_all_samples(tmp_path) -> None:
    for n in (1, 7, 15, 250, 301):
        samples = np.sin(np.arange(20 * n)) * 37.5
        path = tmp_path / f"{n}.bdf"
        path.write_bytes(bdf_bytes([BdfSignal("a", "uV", samples)], 2000.0, n))
        raw = mne.io.read_raw_bdf(path, verbose="error")
        assert raw.get_data()[0] * 1e6 == pytest.approx(samples, abs=1e-5)


@pytest.mark.parametrize("most", [1e-3, 0.7, 999.99995, 123456.7])
def test_ranges_fit_the_header_and_hold_the_values(tmp_path, most) -> None:
    path = tmp_path / "a.bdf"
    samples = np.array([most, -most] * 10)
    path.write_bytes(bdf_bytes([BdfSignal("a", "uV", samples)], 2000.0, 1))
    raw = mne.io.read_raw_bdf(path, verbose="error")
    assert raw.get_data()[0] * 1e6 == pytest.approx(samples, rel=1e-5, abs=2e-6)


def test_settings_come_from_a_file(tmp_path) -> None:
    path = tmp_path / "bids.yaml"
    path.write_text("name: Ours\npower_line_hz: 50\n")
    assert load_settings(path).power_line_hz == 50
    path.write_text("nme: Ours\n")
    with pytest.raises(ValueError, match="nme"):
        load_settings(path)
