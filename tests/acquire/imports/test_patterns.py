"""What paths say of a trial, in every published spelling and in others' words."""

import pytest

from acquire.imports.errors import ProfileError
from acquire.imports.files import TrialName, find_files
from acquire.imports.patterns import Pattern, PatternError, trial_labels
from acquire.imports.profile import load_profile, parse_profile

K2MUSE = load_profile("k2muse")
PATHS = [
    ("Vicon/P01/Fatigue/P01+Fatigue+LG+0+1+10.c3d", "Fatigue LG_0 S_1 10"),
    ("SourceData/Vicon/P01/Ideal/P01+Ideal+AS+5+0.5+1.c3d", "Ideal AS_5 S_0x5 1"),
    ("Vicon/P01/Ideal/P01+Ideal+DS+10+1x5+2.c3d", "Ideal DS_10 S_1x5 2"),
    ("Vicon/P01/Inter-day/P01+Inter-day+LG+0+1.0+3.c3d", "InterDay LG_0 S_1 3"),
    ("Vicon/P01/Shift/P01+ShiftUpward+LG+0+1+4.c3d", "ShiftUpward LG_0 S_1 4"),
    ("Noraxon/P01/Fatigue-LG-0-1-1.mat", "Fatigue LG_0 S_1 1"),
    ("Noraxon/P01/ShiftUpward-LG-0-1-5.mat", "ShiftUpward LG_0 S_1 5"),
    ("Noraxon/P01/Ideal-AS-5-1x0-1.mat", "Ideal AS_5 S_1 1"),
    ("Noraxon/P01/Inter-Day-LG-0-0x5-1.mat", "InterDay LG_0 S_0x5 1"),
    ("ELONXI/P01/Fatigue/LG_0/US_Ch1_S_1_Trial_1.txt", "Fatigue LG_0 S_1 1"),
    ("ELONXI/P01/InterDay/AS_5/US_CH4_S_1x0_2.txt", "InterDay AS_5 S_1 2"),
    ("ELONXI/P01/Inter-day/AS-5/US_CH4_S_0x5_2.txt", "InterDay AS_5 S_0x5 2"),
]


def read(path):
    texts = [*K2MUSE.vicon.files, *K2MUSE.emg.files, *K2MUSE.ultrasound.files]
    found = [K2MUSE.pattern(text).match(path) for text in texts]
    (said,) = [one for one in found if one]
    return trial_labels(said)


@pytest.mark.parametrize(("path", "wanted"), PATHS)
def test_published_names_are_understood(path, wanted) -> None:
    found = read(path)
    assert found["participant"] == "P01"
    parts = ("condition", "mode", "speed", "trial")
    assert " ".join(str(found[name]) for name in parts) == wanted


def test_static_trials_are_no_walks() -> None:
    path = "Vicon/P01/Ideal/P01+Ideal+Static+1.c3d"
    assert K2MUSE.pattern(K2MUSE.vicon.static[0]).match(path)
    assert K2MUSE.pattern(K2MUSE.vicon.files[0]).match(path) is None


def test_a_laboratory_has_its_own_words() -> None:
    values = {
        "participant": {"Subj07": "P50"},
        "condition": {"base line": "Ideal"},
        "mode": {"up5": "AS_5"},
        "speed": {"slow": "0.5"},
    }
    pattern = Pattern("{participant}/{condition}_{mode}_{speed}_{trial}.c3d", values)
    said = pattern.match("Subj07/base line_up5_slow_03.c3d")
    assert trial_labels(said) == {
        "participant": "P50",
        "condition": "Ideal",
        "mode": "AS_5",
        "speed": "S_0x5",
        "trial": 3,
    }


def test_a_field_said_twice_is_the_same_twice() -> None:
    pattern = Pattern("{participant}/{participant}_{trial}.c3d")
    assert pattern.match("P01/P01_2.c3d") == {"participant": "P01", "trial": "2"}
    assert pattern.match("P01/P02_2.c3d") is None


def test_stars_and_dots_mean_what_they_should() -> None:
    pattern = Pattern("**/a*/{trial}.c3d")
    assert pattern.match("a/1.c3d")
    assert pattern.match("x/y/abc/1.c3d")
    assert pattern.match("ab/c/1.c3d") is None
    assert pattern.match("a/1xc3d") is None


def test_what_is_missing_or_unknown_is_named() -> None:
    with pytest.raises(PatternError, match=r"\{leg\} is none of participant"):
        Pattern("{leg}.c3d")
    said = {"participant": "P01", "mode": "LG_0", "speed": "1", "trial": "1"}
    with pytest.raises(PatternError, match="nothing says the condition"):
        trial_labels(said)
    with pytest.raises(PatternError, match=r"'hop': there are Ideal.*under values"):
        trial_labels({**said, "condition": "hop"})
    with pytest.raises(PatternError, match="nothing says the angle"):
        trial_labels({**said, "condition": "Ideal", "mode": "AS"})


def profile(**changes):
    lines = ["kinemuse_import: 1", "name: lab", "vicon: {files: ['{trial}.c3d']}"]
    lines += [f"{name}: {text}" for name, text in changes.items()]
    return parse_profile("\n".join(lines), "lab.yaml")


DEFAULTS = "{participant: P50, condition: Ideal, mode: LG_0, speed: S_1}"


def test_defaults_say_what_no_name_says(tmp_path) -> None:
    (tmp_path / "3.c3d").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".3.c3d").touch()
    found = find_files(tmp_path, profile(defaults=DEFAULTS))
    (name,) = found.trials
    assert name == TrialName("P50", "Ideal", "LG_0", "S_1", 3)
    assert found.unmatched == ["notes.txt"]
    with pytest.raises(ProfileError, match="is of P51; there are files of P50"):
        find_files(tmp_path, profile(defaults=DEFAULTS), "P51")


def test_two_files_for_one_place_are_told(tmp_path) -> None:
    for name in ("1.c3d", "01.c3d"):
        (tmp_path / name).touch()
    found = find_files(tmp_path, profile(defaults=DEFAULTS))
    assert list(found.problems.values()) == [
        "01.c3d is already the c3d file of this trial"
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"defaults": "{leg: left}"}, r"defaults: \['leg'\]"),
        ({"vicom": "1"}, "vicom: Extra inputs"),
        ({"emg": "{files: ['{leg}.mat']}"}, r"\{leg\} is none of"),
        ({"emg": "{files: []}"}, "emg.files"),
        ({"emg": "{files: [a], channels: {x: R_XX}}"}, "R_XX"),
        ({"emg": "{files: [a], channels: {x: R_TA, y: R_TA}}"}, "one of our names"),
        ({"emg": "{files: [a], unit: W}"}, "emg.unit"),
    ],
)
def test_a_profile_that_does_not_hold_together_is_refused(changes, told) -> None:
    with pytest.raises(ProfileError, match=told):
        profile(**changes)


def test_profiles_are_named_or_files(tmp_path) -> None:
    with pytest.raises(ProfileError, match="nor one of k2muse"):
        load_profile("k2mouse")
    with pytest.raises(FileNotFoundError):
        load_profile(tmp_path / "no.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(ProfileError, match=r"bad\.yaml"):
        load_profile(tmp_path / "bad.yaml")
