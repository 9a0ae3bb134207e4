"""What several modules look at: the demonstration, run once."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.demo_run import run_demo_process


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Yield what the demonstration printed; look at its files, change copies."""
    out = tmp_path_factory.mktemp("demo") / "dataset"
    yield run_demo_process(out, seconds=8)
    shutil.rmtree(out)
