"""The real window, on a real display, over the real wire protocols."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acquire.storage.journal import read_journal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="no xvfb-run"),
]


def probe(name: str, folder: Path, screen: str) -> Any:
    """Run a probe on a display of its own; return what it saw."""
    display = ["xvfb-run", "-a", "-s", f"-screen 0 {screen}x24"]
    done = subprocess.run(
        [*display, sys.executable, "-m", f"tests.builders.{name}", folder],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "QT_QPA_PLATFORM": "xcb"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_displayed_values_follow_belts_and_an_unplugged_electrode(
    tmp_path: Path,
) -> None:
    shown = probe("window_probe", tmp_path, "1600x1000")
    assert shown["platform"] == "xcb"
    assert shown["before"] == ["+0.00", "ok", True]
    assert shown["walking"] in ("+0.99", "+1.00")
    level, advice = shown["unplugged"]
    assert level == "red"
    assert "R_SOL" in advice
    assert shown["stopped"] == "+0.00"
    assert (tmp_path / "window.png").stat().st_size > 50_000


def test_an_operator_rates_repeats_skips_reports_and_aborts(tmp_path: Path) -> None:
    shown = probe("operator_probe", tmp_path, "1280x720")
    assert shown["range"] == "0 to 10"
    assert "'42' is no number from 0 to 10" in shown["refused"]
    assert "Repeat Ideal LG_0 0.5 m/s trial 1?" in shown["sure"]
    assert shown["aborted"] == "+0.00"
    state, said = shown["gone"]
    assert state == "✕ ABORTED"
    assert said.startswith("Run ended, state aborted")
    (file,) = tmp_path.glob("dataset/raw/P43/*/journal.jsonl")
    lines = read_journal(file)

    def told(event: str, fact: str) -> list[object]:
        return [line[fact] for line in lines if line["event"] == event]

    assert told("borg", "value") == [3.0]
    assert told("adverse_event", "text") == ["button pressed; words follow", "dizzy"]
    reasons = [
        reason for reason in told("verdict", "reason") if "not rec" not in reason
    ]
    assert any(reason.startswith("adverse event") for reason in reasons)
    assert "repeat: the operator" in reasons
    left_out = [line for line in lines if line.get("outcome") == "skipped"]
    assert [line["reason"] for line in left_out] == ["cable loose"]
    assert told("state", "state")[-2:] == ["aborting", "aborted"]
