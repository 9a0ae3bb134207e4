"""Our five import names are ours: no installed distribution shadows them."""

import importlib.util
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["acquire", "devices", "sync", "gui", "protocols"]


@pytest.mark.parametrize("name", NAMES)
def test_name_is_ours(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin == str(ROOT / name / "__init__.py")
    assert set(packages_distributions().get(name, [])) <= {"kinemuse"}
