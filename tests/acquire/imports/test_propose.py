"""What is suggested for a folder, and that it works once it is passed."""

from datetime import date

import numpy as np
import pytest
from scipy.io import savemat

from acquire.align import align
from acquire.dataset.c3d_writer import write_c3d
from acquire.imports.errors import ProfileError
from acquire.imports.profile import parse_profile
from acquire.imports.propose import _muscle, propose
from acquire.imports.run import import_folder
from acquire.storage.layout import find_archives
from acquire.storage.trial_file import read_trial

NAMES = {
    "Ultium EMG-TIB.ANT. RT": "R_TA",
    "MED. GASTRO RT": "R_MG",
    "LAT. GASTRO LT": "L_LG",
    "VLO RT": "R_VLO",
    "RECTUS FEM. LT": "L_RF",
    "BICEPS FEM. LT": "L_BF",
    "SEMITEND. RT": "R_SEM",
    "SOLEUS RT": "R_SOL",
    "BRACHIORAD. RT": None,
    "TIB.ANT.": None,
}


@pytest.mark.parametrize(("name", "ours"), NAMES.items())
def test_muscles_are_guessed_by_their_words(name, ours) -> None:
    assert _muscle(name) == ours


@pytest.fixture
def folder(tmp_path):
    """A laboratory's own layout: a folder a person, words of its own."""
    rng = np.random.default_rng(4)
    root = tmp_path / "lab"
    n = 300
    markers = {name: rng.normal(0, 1, (n, 3)) for name in ("LHEE", "LTOE", "LASI")}
    line = np.full(10 * n, 4.9)
    line[900:1020] = 0.1
    line[1800:1920] = 0.1
    for trial in (1, 2):
        place = root / "P07" / "Ideal"
        place.mkdir(parents=True, exist_ok=True)
        analogs = {"Electric.Sync": (line, "V")}
        stem = f"walk_AS_5_S_0x5_{trial}"
        write_c3d(place / f"{stem}.c3d", markers, 100.0, analogs=analogs)
        emg = rng.normal(0, 50, (2 * 10 * n, 2)).round(2)
        level = np.repeat(line > 2.5, 2).astype(int)
        rows = [
            f"{k / 2000:.4f};{a};{b};{level[k]}".replace(".", ",")
            for k, (a, b) in enumerate(emg.tolist())
        ]
        head = '"Time,s";"TIB.ANT. RT, uV";"LAT. GASTRO LT, uV";"Ultium EMG.Sync, On"'
        (place / f"{stem}.csv").write_text("\n".join([head, *rows]))
        for probe in (1, 2, 3, 4):
            frames = rng.integers(-900, 900, (60, 1000))
            text = "\n".join(" ".join(map(str, row)) for row in frames.tolist())
            (place / f"us_Ch{probe}_AS_5_S_0x5_{trial}.txt").write_text(text)
    (root / "notes.txt").write_text("nothing")
    return root


def test_a_suggestion_for_another_layout_works_as_it_is(folder, tmp_path) -> None:
    found = propose(folder)
    assert found.n_trials == 2
    assert found.unmatched == ["notes.txt"]
    profile = parse_profile(found.text, "proposal")
    pattern = "{participant}/{condition}/walk_{mode}_{speed}_{trial}.c3d"
    assert profile.vicon.files == (pattern,)
    assert profile.vicon.sync == "Electric.Sync"
    assert profile.emg.channels == {"TIB.ANT. RT": "R_TA", "LAT. GASTRO LT": "L_LG"}
    assert (profile.emg.delimiter, profile.emg.decimal) == ("semicolon", ",")
    assert profile.ultrasound.delimiter == "space"
    assert profile.ultrasound.frames == "rows"
    result = import_folder(folder, tmp_path / "K2", profile, today=date(2026, 11, 23))
    assert result.refused == {}
    first, second = find_archives(tmp_path / "K2", "P07").values()
    recording = read_trial(first)
    assert recording["semg"].rate_hz == 2000
    assert recording["semg"].labels == ("R_TA", "L_LG", "sync", "index")
    assert recording["amode"].data.shape == (60, 4007)
    assert not recording["amode"].simulated
    assert second.parent.name == "S_0x5"
    clock = align(recording).streams["semg"]
    assert (clock.fit.method, clock.start_aligned) == ("edges", False)
    assert clock.fit.n_matched == 4


def test_what_no_name_says_is_to_be_checked(tmp_path) -> None:
    write_c3d(tmp_path / "walk 1.c3d", {"LHEE": np.ones((10, 3))}, 100.0)
    savemat(tmp_path / "walk 1.mat", {"emg": np.ones((10, 2))})
    found = propose(tmp_path)
    profile = parse_profile(found.text, "proposal")
    assert profile.defaults == {
        "participant": "P01", "condition": "Ideal", "mode": "LG_0", "speed": "S_1",
    }  # fmt: skip
    assert profile.vicon.sync is None
    assert "# walk 1.mat needs more to be read" in found.text
    assert found.text.count("check") >= 2
    assert "Read every line" in found.describe()


def test_the_published_tree_is_recognised(tmp_path) -> None:
    place = tmp_path / "Vicon" / "P01" / "Fatigue"
    place.mkdir(parents=True)
    name = "P01+Fatigue+LG+0+1+1.c3d"
    write_c3d(place / name, {"LHEE": np.ones((10, 3))}, 100.0)
    assert "{participant}+{condition}+{mode}+{angle}+{speed}+{trial}.c3d" in (
        propose(tmp_path).text
    )


def test_without_a_c3d_file_there_is_nothing_to_suggest(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("1")
    with pytest.raises(ProfileError, match="holds no C3D file"):
        propose(tmp_path)
