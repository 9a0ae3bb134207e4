"""The first day's page: its files are valid, its commands and settings exist."""

import re
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from acquire.cli import app
from acquire.dataset.participants import participant
from acquire.rig import RigConfig, parse_rig
from protocols.schema import parse_protocol

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"
PAGES = [ROOT / "docs" / "how-to" / f"{name}.md" for name in ("first-day", "treadmill")]


def rig() -> RigConfig:
    text = (EXAMPLES / "laboratory.yaml").read_text(encoding="utf-8")
    return parse_rig(text, source="laboratory.yaml")


def test_the_rig_to_fill_in_is_real_and_arms_nothing_by_itself() -> None:
    found = rig()
    assert not found.simulated
    assert found.devices["bertec"].settings.requires_arm


def test_the_protocol_for_empty_belts_is_valid() -> None:
    text = (EXAMPLES / "empty-belts.yaml").read_text(encoding="utf-8")
    protocol = parse_protocol(text, source="empty-belts.yaml")
    assert protocol.settings.steady_cv_percent is None


def test_the_table_of_participants_holds_all_that_a_subject_file_needs(
    tmp_path: Path,
) -> None:
    table = str(EXAMPLES / "participants.csv")
    command = ["participants", "--dataset", str(tmp_path), "--json", "--import", table]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    measures = participant(tmp_path, "P01")
    assert measures.leg_length_left_mm == 940.0
    assert measures.sex == "O"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_and_option_on_the_page_exists(page: Path) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    lines = re.findall(r"kinemuse ([a-z]+)((?: [^\s#`]+)*)", page.read_text("utf-8"))
    assert lines or page.stem == "treadmill"
    for name, rest in lines:
        if name not in commands:
            assert not rest.startswith(" --"), f"no command {name!r}"
            continue
        options = {o for p in commands[name].params for o in p.opts}
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in options, f"kinemuse {name} has no {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_setting_on_the_page_exists(page: Path) -> None:
    known = rig().to_yaml() + " kind path ready_s recorded gates"
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)`", text):
        last = name.rsplit(".", 1)[-1]
        if "_" in last:
            assert last in known or last in STATES, f"no setting {name!r}"


STATES = ("unexpected_stop", "connection_lost", "string_comma", "treadmill_notice")
