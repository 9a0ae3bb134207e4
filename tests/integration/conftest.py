"""One LSL session per test process, and the demonstration, run once for all modules."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acquire.conftest import lsl_session
from tests.builders.demo_run import run_demo_process

__all__ = ["demo", "lsl_session"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Yield what the demonstration printed; look at its files, change copies."""
    out = tmp_path_factory.mktemp("demo") / "dataset"
    yield run_demo_process(out, seconds=8)
    shutil.rmtree(out)
