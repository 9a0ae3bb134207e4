"""The commands import, export and participants, as they are typed."""

import json

import pytest
from typer.testing import CliRunner

from acquire.cli import app
from acquire.dataset.source_tree import write_source_tree
from tests.builders.dataset import key
from tests.builders.person_dataset import person_dataset


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = person_dataset(tmp_path_factory.mktemp("made") / "K2", key(1))
    write_source_tree(root, "P43")
    return root


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def told(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_proposed_profile_imports_what_was_proposed(made, tmp_path) -> None:
    profile = tmp_path / "lab.yaml"
    source = made / "SourceData"
    result = run("import", source, "--propose", profile)
    assert result.exit_code == 0
    assert "1 trials fit" in result.stdout
    assert "simulated: true" in profile.read_text()
    root = tmp_path / "new"
    done = told("import", source, "--dataset", root, "--profile", profile)
    assert [trial["mode"] for trial in done["imported"]] == ["Static", "LG_0"]
    again = told("import", source, "--dataset", root, "--profile", profile)
    assert (again["imported"], len(again["known"])) == ([], 2)


def test_without_a_profile_nothing_is_imported(made, tmp_path) -> None:
    result = run("import", made, "--dataset", tmp_path / "x")
    assert result.exit_code == 2
    assert "--propose" in result.output
    assert not (tmp_path / "x").exists()
    assert run("import", made, "--profile", "k2muse").exit_code == 2


def test_refused_trials_make_exit_status_1(made, tmp_path) -> None:
    result = run(
        "import", made / "SourceData", "--dataset", tmp_path / "x",
        "--profile", "k2muse",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "is virtual but the profile says real" in result.stdout


@pytest.mark.parametrize("kind", ["bids", "parquet", "xdf"])
def test_each_format_is_written_into_a_new_folder(made, tmp_path, kind) -> None:
    out = tmp_path / "out"
    done = told("export", kind, "--dataset", made, "--out", out)
    assert done["files"]
    assert all((out / name).is_file() for name in done["files"])
    result = run("export", kind, "--dataset", made, "--out", out)
    assert isinstance(result.exception, FileExistsError)


def test_an_absent_participant_is_told(made, tmp_path) -> None:
    result = run(
        "export", "xdf", "--dataset", made, "--out", tmp_path / "x",
        "--participants", "P44",
    )  # fmt: skip
    assert "P44" in str(result.exception)


def test_participants_are_shown_taken_and_given(tmp_path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("ID,Height (cm),Weight,Shoe\nP50,176,70,42\n")
    root = tmp_path / "K2"
    result = run("participants", "--dataset", root, "--import", table)
    assert result.exit_code == 0
    assert "Shoe" in result.output
    assert "the gait model needs leg_length_left_mm" in result.stdout
    given = tmp_path / "out.xlsx"
    done = told("participants", "--dataset", root, "--export", given)
    assert given.is_file()
    (person,) = done["participants"]
    assert (person["height_mm"], person["knee_width_left_mm"]) == (1760, None)
    assert [finding["code"] for finding in done["findings"]] == ["participant-missing"]


def test_a_build_writes_the_source_tree_unless_told_not_to(made) -> None:
    whole = told("build", "--dataset", made, "--participant", "P43")
    assert set(whole["sources"]["files"].values()) == {"unchanged"}
    bare = told("build", "--dataset", made, "--participant", "P43", "--no-source-tree")
    assert bare["sources"] is None
