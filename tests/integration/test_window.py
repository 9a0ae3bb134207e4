"""The real window, on a real display, over the real wire protocols."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="xvfb is not installed")
def test_displayed_values_follow_belts_and_an_unplugged_electrode(
    tmp_path: Path,
) -> None:
    screen = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    done = subprocess.run(
        [*screen, sys.executable, "-m", "tests.builders.window_probe", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "QT_QPA_PLATFORM": "xcb"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    shown = json.loads(done.stdout)
    assert shown["platform"] == "xcb"
    assert shown["before"] == ["+0.00", "ok", True]
    assert shown["walking"] in ("+0.99", "+1.00")
    level, advice = shown["unplugged"]
    assert level == "red"
    assert "R_SOL" in advice
    assert shown["stopped"] == "+0.00"
    assert (tmp_path / "window.png").stat().st_size > 50_000
