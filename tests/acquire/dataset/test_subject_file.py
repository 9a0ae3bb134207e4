"""The reader of subject files: both MAT versions, all spellings, trial by trial."""

from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from acquire.dataset import open_subject
from acquire.dataset.mat_tree import MatReadError
from acquire.dataset.matfile import Cell, MatWriter
from acquire.dataset.subject_file import TrialName

RNG = np.random.default_rng(4)
EMG = RNG.normal(size=(400, 13))
ECHOES = RNG.integers(-2048, 2047, (4, 4, 1000)).astype(float)
CYCLES = RNG.normal(size=(200, 3, 2))
STRIDES = [RNG.normal(size=(190, 13)), RNG.normal(size=(170, 13))]


def trial_structs(cell):
    """Return both structs of one trial; `cell` makes a column cell of a list."""
    variable = {
        "rsGaitData": CYCLES,
        "MeanValues": CYCLES.mean(2),
        "StdValues": CYCLES.std(2, ddof=1),
    }
    original = {
        "Markers": {"LASI": np.full((20, 3), 0.9)},
        "Angles": {"RKneeAngles": np.full((20, 3), 60.0)},
        "Events": {
            "EventTime": {"Left_Foot_Strike": np.array([[0.1], [0.2]])},
            "EventFrame": {"Left_Foot_Strike": np.array([[11.0], [21.0]])},
        },
        "USData": cell(list(ECHOES)),
        "EMGData": EMG,
    }
    normal = {
        "Markers": {"LASI": variable},
        "Angles": {"RKneeAngles": variable},
        "Events": {"LStartFrame": np.array([[1.0, 6.0]])},
        "USData": cell([cell(list(ECHOES[:3])), cell([])]),
        "EMGData": {
            "Right": cell([s[:, :9] for s in STRIDES]),
            "Left": cell([s[:, 9:] for s in STRIDES]),
        },
    }
    return original, normal


def objects(items):
    made = np.empty((len(items), 1), dtype=object)
    for k, item in enumerate(items):
        made[k, 0] = item
    return made


def v73(path: Path, speed: str = "S_1") -> Path:
    first, second = trial_structs(lambda items: Cell(tuple(items)))
    place = f"Ideal/LG_0/{speed}"
    with MatWriter(path, created=datetime(2000, 1, 1)) as mat:
        for k in (1, 2):
            mat.write(f"P07/OriginalData/{place}/Trial_{k}", first)
        mat.write("P07/OriginalData/Fatigue/LG_0/S_1/Trial_1", first)
        for k in (1, 2):
            mat.write(f"P07/NormalizedData/{place}/Trial_{k}", second)
    return path


def v5(path: Path, speed: str = "S_1", *, compressed: bool = False) -> Path:
    first, second = trial_structs(objects)
    tree = {"Ideal": {"LG_0": {speed: {"Trial_1": first, "Trial_2": first}}}}
    tree["Fatigue"] = {"LG_0": {"S_1": {"Trial_1": first}}}
    normal = {"Ideal": {"LG_0": {speed: {"Trial_1": second, "Trial_2": second}}}}
    content = {"P07": {"OriginalData": tree, "NormalizedData": normal}}
    savemat(path, content, do_compression=compressed)
    return path


WRITERS = {
    "v7.3": v73,
    "v5": v5,
    "v7": lambda path, speed="S_1": v5(path, speed, compressed=True),
}


@pytest.fixture(params=WRITERS)
def write(request):
    return WRITERS[request.param]


def test_both_trees_of_a_trial_come_back_in_matlabs_orientation(write, tmp_path):
    with open_subject(write(tmp_path / "P07.mat")) as subject:
        assert subject.name == "P07"
        assert [str(t) for t in subject.trials] == [
            "Ideal/LG_0/S_1/Trial_1",
            "Ideal/LG_0/S_1/Trial_2",
        ]
        trial = subject[subject.trials[1]]
        np.testing.assert_array_equal(trial.original.emg_uv, EMG)
        np.testing.assert_array_equal(trial.original.echoes, ECHOES)
        np.testing.assert_array_equal(
            trial.original.angles_deg["RKneeAngles"], np.full((20, 3), 60.0)
        )
        assert trial.original.event_times_s["Left_Foot_Strike"].tolist() == [0.1, 0.2]
        cycles = trial.normalized.angles_deg["RKneeAngles"]
        np.testing.assert_array_equal(cycles.strides, CYCLES)
        np.testing.assert_array_equal(cycles.mean, CYCLES.mean(2))
        assert trial.normalized.stride_frames["LStartFrame"].tolist() == [1.0, 6.0]
        for got, wanted in zip(trial.normalized.emg_left_uv, STRIDES, strict=True):
            np.testing.assert_array_equal(got, wanted[:, 9:])


def test_a_stride_without_ultrasound_has_no_frames(write, tmp_path):
    with open_subject(write(tmp_path / "P07.mat")) as subject:
        strides = subject.trial("Ideal", "LG_0", 1.0, 1).normalized.echoes
        assert [s.shape for s in strides] == [(3, 4, 1000), (0, 4, 1000)]
        np.testing.assert_array_equal(strides[0], ECHOES[:3])


@pytest.mark.parametrize("asked", ["S_1", "S_1x0", 1, 1.0])
@pytest.mark.parametrize("spelt", ["S_1", "S_1x0"])
def test_every_spelling_of_a_speed_finds_the_trial(write, spelt, asked, tmp_path):
    with open_subject(write(tmp_path / "P07.mat", spelt)) as subject:
        found = subject.trial("Ideal", "LG_0", asked, 2)
        assert found.name == TrialName("Ideal", "LG_0", "S_1", 2)
        assert found.original.emg_uv.shape == EMG.shape


def test_a_trial_in_one_tree_alone_is_named_as_unread(write, tmp_path):
    with open_subject(write(tmp_path / "P07.mat")) as subject:
        assert subject.unread == ("Fatigue.LG_0.S_1.Trial_1",)


def test_an_absent_trial_is_told_with_what_there_is(write, tmp_path):
    with (
        open_subject(write(tmp_path / "P07.mat")) as subject,
        pytest.raises(KeyError, match=r"no trial Ideal/AS_5/S_1/Trial_9; of Ideal it"),
    ):
        subject.trial("Ideal", "AS_5", "S_1", 9)


def test_an_absent_data_type_is_an_empty_mapping(write, tmp_path):
    with open_subject(write(tmp_path / "P07.mat")) as subject:
        trial = subject.trial("Ideal", "LG_0", 1, 1)
        assert dict(trial.original.powers_w_per_kg) == {}
        with pytest.raises(KeyError, match="no such data type"):
            trial.original.powers_w_per_kg["RKneePower"]


def test_only_what_is_asked_for_is_read(tmp_path, monkeypatch):
    read = []
    plain = h5py.Dataset.__getitem__

    def counting(self, key, **given):
        read.append(self.name)
        return plain(self, key, **given)

    path = v73(tmp_path / "P07.mat")
    with open_subject(path) as subject:
        monkeypatch.setattr(h5py.Dataset, "__getitem__", counting)
        _ = subject.trial("Ideal", "LG_0", 1, 2).original.emg_uv
    assert read == ["/P07/OriginalData/Ideal/LG_0/S_1/Trial_2/EMGData"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no MAT-file"), (b"MATLAB 5.0 MAT-file" + bytes(200), "damaged MAT-file")],
)
def test_a_file_that_is_no_subject_file_is_refused(content, message, tmp_path):
    path = tmp_path / "P07.mat"
    path.write_bytes(content)
    with pytest.raises(MatReadError, match=message), open_subject(path):
        pass


def test_a_mat_file_without_a_subject_says_what_it_has(tmp_path):
    savemat(tmp_path / "x.mat", {"a": np.zeros((2, 2))})
    with (
        pytest.raises(MatReadError, match=r"OriginalData.*it has a \[\]"),
        open_subject(tmp_path / "x.mat"),
    ):
        pass
