"""Names of remotely started recordings: as LabRecorder's, and never one that exists."""

from pathlib import Path

import pytest

from acquire.recorder.remote.target import Target, TargetError, parse_options

CLASSIC = (
    r"{root:/data/study/} {template:exp%n\%p_block_%b.xdf} {run:2} "
    "{participant:P003} {task:MemoryGuided} {modality:eeg}"
)


def after(*commands: str, root: Path = Path("/data")) -> Target:
    target = Target(root)
    for command in commands:
        target = target.changed(parse_options(command))
    return target


def test_the_example_of_labrecorders_manual() -> None:
    path = after(CLASSIC).free_path()
    assert path == Path("/data/study/exp002/P003_block_MemoryGuided.xdf")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("{run:1}", "sub-P001/ses-S001/eeg/sub-P001_ses-S001_task-Default_run-001_eeg"),
        (
            "{participant:7}{session:b}{task:walk}{acquisition:hd}{run:12}{modality:EMG}",
            "sub-7/ses-b/emg/sub-7_ses-b_task-walk_acq-hd_run-012_emg",
        ),
        ("{template:%P-%S_%B_%A_%M_%R} {Run:3}", "P001-S001_Default__eeg_003"),
        ("{template:a.edf}", "a.edf"),
        ("{template: spaced name.XDF }", "spaced name"),
        ("{template:}{run:5}{task:%p}", "sub-P001/ses-S001/eeg/"),
    ],
)
def test_placeholders(command: str, name: str) -> None:
    path = str(after(command).free_path().relative_to("/data"))
    assert path.startswith(name)
    assert path.lower().endswith(".xdf")


def test_what_was_said_before_stays() -> None:
    target = after("{template:%p_%b_%n.xdf}", "{participant:A}", "{task:x}", "{run:4}")
    assert target.free_path().name == "A_x_004.xdf"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("{root:data}", "no full path"),
        ("{run:two}", "no number"),
        ("{template:../%p.xdf}", "leads out"),
        ("{participant:..}{template:a/%p/b.xdf}", "leads out"),
        ("{template:/etc/passwd}", "leads out"),
        ("{participant:a\tb}", "no file name may hold"),
        ("{subject:3}", "no option 'subject'; there are root template"),
        ("participant=3", "no {option:value}"),
    ],
)
def test_what_names_no_file_is_refused(command: str, words: str) -> None:
    with pytest.raises(TargetError, match=words.replace("{", r"\{")):
        after(command)


def test_a_number_that_is_free_is_found(tmp_path: Path) -> None:
    target = after("{template:%p_%n.xdf}", root=tmp_path)
    for run in (1, 2, 4):
        (tmp_path / f"P001_{run:03d}.xdf").touch()
    assert target.free_path().name == "P001_003.xdf"


def test_a_number_that_was_named_is_kept_and_taken_again(tmp_path: Path) -> None:
    target = after("{template:%p_%n.xdf}{run:2}", root=tmp_path)
    names = []
    for _ in range(3):
        path = target.free_path()
        path.touch()
        names.append(path.name)
    assert names == ["P001_002.xdf", "P001_002_take2.xdf", "P001_002_take3.xdf"]


def test_a_name_without_a_number_gets_takes(tmp_path: Path) -> None:
    (tmp_path / "eeg_data.xdf").touch()
    target = after("{template:eeg_data.xdf}", root=tmp_path)
    assert target.free_path().name == "eeg_data_take2.xdf"
