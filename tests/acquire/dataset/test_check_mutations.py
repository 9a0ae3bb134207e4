"""Every code of the registry: a corruption of one property, and that code alone."""

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest

from acquire.dataset.build import build
from acquire.dataset.check import check_path
from acquire.dataset.checks.codes import codes
from acquire.findings import Finding
from tests.acquire.dataset.mutations import (
    ECHO,
    FLAT,
    MUTATIONS,
    PLANNED,
    PROTOCOL,
    WATCH,
    c3d,
    json_with,
    markers_moved,
    number_changed,
    with_protocol,
)
from tests.acquire.dataset.test_subject_checks import CODES as SUBJECT_CODES
from tests.builders.person_dataset import person_dataset
from tests.builders.spoiling import (
    Mutation,
    h5,
    listed,
    table,
    text,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = person_dataset(tmp_path_factory.mktemp("clean") / "K2")
    (root / PROTOCOL).write_text(PLANNED)
    build(root, "P43", sources=True)
    return root


@pytest.fixture(scope="module")
def before(clean: Path) -> dict[Any, set[Finding]]:
    """What each check finds before anything is spoiled."""
    checks = {mutation.check for mutation in MUTATIONS}
    return {check: set(check(clean)) for check in checks}


DECLARED = {
    ("emg-mains", "R_VMO"),  # the schematic sEMG is sines, two of them near the mains
    ("emg-mains", "L_LG"),
    ("privacy-raw", "raw"),  # streams name the computer they were sent from
}


def test_a_clean_dataset_has_only_what_is_declared(clean: Path) -> None:
    found = {
        (f.code, f.message.partition(":")[0] if "mat" in f.where else f.where)
        for f in check_path(clean, WATCH)
    }
    assert found == DECLARED


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_corruption_has_its_code_and_no_other(
    mutation: Mutation,
    clean: Path,
    before: dict[Any, set[Finding]],
    tmp_path: Path,
) -> None:
    root = tmp_path / "K2"
    shutil.copytree(clean, root)
    mutation.change(root)
    new = [f for f in mutation.check(root) if f not in before[mutation.check]]
    assert {f.code for f in new} == {mutation.code}, new
    assert {f.severity for f in new} == {codes()[mutation.code].severity}


def test_every_code_has_a_mutation() -> None:
    here = [mutation.code for mutation in MUTATIONS]
    assert set(codes()) == set(here) | SUBJECT_CODES
    assert len(here) == len(set(here))


def test_a_spoiled_file_is_seen_by_the_whole_check(clean: Path, tmp_path: Path) -> None:
    """Several faults at once, each of another part, through the one entry point."""
    root = tmp_path / "K2"
    shutil.copytree(clean, root)
    spoils = [
        c3d(markers_moved),
        text(ECHO, number_changed),
        json_with(remark="by amuster"),
        h5(lambda r: r / FLAT, lambda f: f["emg"].__setitem__((5, 3), 777.0)),
        with_protocol("1.0}]", "1.0, repeat: 2}]"),
        table(knee_width_left_mm="n/a"),
        lambda r: (r / "notes.docx").write_bytes(b""),
    ]

    def spoil(at: Path) -> None:
        for one in spoils:
            one(at)

    listed(spoil)(root)
    declared = {code for code, _ in DECLARED}
    assert {f.code for f in check_path(root, WATCH)} - declared == {
        *("source-c3d-differs", "source-us-differs", "privacy-user"),
        *("trial-h5-differs", "protocol-missing", "participant-missing"),
        *("dataset-stray", "derived-stale"),
    }


def test_the_registry_says_something_of_every_code() -> None:
    assert all(code.meaning and code.remedy for code in codes().values())
    for one, other in itertools.pairwise(sorted(codes())):
        assert one != other
