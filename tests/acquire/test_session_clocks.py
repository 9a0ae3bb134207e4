"""Archives of one session tell each other what they know of the clocks."""

import json
from pathlib import Path

import pytest

from acquire.derive import derive
from acquire.session_clocks import SessionClocks, session_archives
from acquire.storage.derived_file import read_derived
from acquire.storage.provenance import sha256
from tests.builders.dataset import archive, dataset, key
from tests.builders.striding import later
from tests.builders.walking import Walk, session


@pytest.fixture
def trials(tmp_path: Path) -> list[Path]:
    root = dataset(tmp_path / "K2")
    walks = [session(Walk(duration_s=9.0), first_frame=1000 + 3000 * k) for k in (0, 1)]
    made = [
        archive(root, key(k + 1), later(walk, 30.0 * k)) for k, walk in enumerate(walks)
    ]
    other = key(1, session="2026-11-23_1")
    archive(root, other, walks[0])
    return made


def test_a_derived_file_says_what_its_clocks_rest_on(trials: list[Path]) -> None:
    first, second = trials
    name = "raw/P43/2026-11-22_1/Ideal/LG_0/S_1/Trial_2_take1.h5"
    assert session_archives(first)[name] == second
    assert len(session_archives(first)) == 2  # the other session's is none of them
    alone = read_derived(derive(first))
    assert alone.inputs[first.name] == sha256(first)
    assert name not in alone.inputs
    clock = alone["clock/semg"].attributes
    assert (clock["fit_of"], clock["fit_trials"]) == ("trial", "[]")
    together = read_derived(derive(first, SessionClocks()))
    assert together.inputs == {**alone.inputs, name: sha256(second)}
    shared = together["clock/semg"].attributes
    assert shared["fit_of"] == "session (2 trials)"
    assert json.loads(str(shared["fit_trials"])) == [name]
    narrow, wide = (float(g["skew_half_width_ppm"]) for g in (shared, clock))
    assert narrow < wide
    assert abs(float(shared["skew_ppm"]) - 60.0) <= narrow + 0.5


def test_a_damaged_archive_tells_nothing(trials: list[Path]) -> None:
    first, second = trials
    second.chmod(0o644)
    second.write_bytes(b"no archive")
    known = SessionClocks()
    assert known.skews(first) == {}
    assert second.name in next(iter(known.inputs(first)))


def test_outside_a_dataset_there_is_no_session(tmp_path: Path) -> None:
    known = SessionClocks()
    assert known.inputs(tmp_path / "Trial_1_take1.h5") == {}
    assert known.skews(tmp_path / "Trial_1_take1.h5") == {}
