"""`kinemuse plan` tells what a session will be, and refuses what the rig cannot do."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from acquire.cli import app
from acquire.rig import load_rig
from protocols.errors import ProtocolFileError
from protocols.schema import library


def plan(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["plan", *arguments])


@pytest.mark.parametrize("name", library())
def test_every_library_protocol_passes(name: str) -> None:
    result = plan(name, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["total_s"] > 0
    assert len(told["trials"]) == len(set(told["trials"]))


def test_sums_and_concerns_are_printed(tmp_path: Path) -> None:
    picture = tmp_path / "plan.png"
    result = plan("fatigue", "--deck-rate", "1", "--plot", str(picture))
    assert result.exit_code == 0
    assert "12 recordings" in result.stdout
    assert "unknown" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_rig_that_cannot_do_it_fails_the_plan(tmp_path: Path) -> None:
    bertec = load_rig().devices["bertec"].settings
    limits = bertec.limits.model_dump() | {"min_speed_mps": 0.0}
    rig = tmp_path / "rig.yaml"
    rig.write_text(load_rig().with_device("bertec", limits=limits).to_yaml())
    result = plan("young_ideal", "--rig", str(rig))
    assert result.exit_code == 1
    assert "impossible" in result.stdout
    assert "belts at -1.5 m/s" in result.stdout


def test_values_for_a_rehearsal() -> None:
    told = json.loads(
        plan("young_ideal", "--trials", "1", "--trial-seconds", "6", "--json").stdout
    )
    assert len(told["trials"]) == 15 + 6
    result = plan("young_ideal", "--set", "setle_s=1")
    assert isinstance(result.exception, ProtocolFileError)
    assert "settle_s" in str(result.exception)


def test_orders_differ_between_participants() -> None:
    orders = set()
    for person in ("P01", "P02", "P03"):
        told = plan("young_ideal", "--participant", person, "--json").stdout
        orders.add(tuple(json.loads(told)["trials"]))
    assert len(orders) == 3


def test_schema_is_printed() -> None:
    schema = json.loads(plan("--schema").stdout)
    assert schema["properties"]["steps"]
    assert plan().exit_code == 2
