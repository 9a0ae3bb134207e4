"""Several sessions of one participant add up to one subject."""

from pathlib import Path

from acquire.dataset.selection import select
from acquire.storage.journal import Journal
from acquire.storage.layout import TrialKey, session_folder


def visit(dataset: Path, session: str, *trials: tuple[str, int, bool]) -> None:
    """One session: condition, trial and verdict of each take."""
    folder = session_folder(dataset, "P43", session)
    folder.mkdir(parents=True)
    with Journal(folder / "journal.jsonl", clock=lambda: 0.0) as journal:
        for condition, number, accepted in trials:
            key = TrialKey("P43", session, condition, "LG_0", "S_1", number)
            key.folder(dataset).mkdir(parents=True, exist_ok=True)
            key.h5(dataset).touch()
            journal.append("verdict", **key.attributes(), accepted=accepted)


def chosen(dataset: Path) -> list[tuple[str, str, int]]:
    found = select(dataset, "P43").archives
    return [(key.session, key.condition, key.trial) for key in found]


def test_shift_interday_and_a_second_day_add_to_the_subject(tmp_path: Path) -> None:
    visit(tmp_path, "2026-11-01_1", ("Ideal", 1, True), ("Ideal", 2, True))
    visit(tmp_path, "2026-11-01_2", ("ShiftInitial", 1, True), ("ShiftUpward", 1, True))
    visit(tmp_path, "2026-11-08_1", ("InterDay", 1, True), ("InterDay", 2, False))
    assert chosen(tmp_path) == [
        ("2026-11-01_1", "Ideal", 1),
        ("2026-11-01_1", "Ideal", 2),
        ("2026-11-08_1", "InterDay", 1),
        ("2026-11-01_2", "ShiftInitial", 1),
        ("2026-11-01_2", "ShiftUpward", 1),
    ]


def test_a_trial_done_again_on_another_day_replaces_the_first(tmp_path: Path) -> None:
    visit(tmp_path, "2026-11-01_1", ("Ideal", 1, True), ("Ideal", 2, True))
    visit(tmp_path, "2026-11-09_1", ("Ideal", 2, True), ("Ideal", 1, False))
    assert chosen(tmp_path) == [
        ("2026-11-01_1", "Ideal", 1),
        ("2026-11-09_1", "Ideal", 2),
    ]
