"""The window as a program: starts, takes its picture, ends; refuses a broken Qt."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gui import refcount_guard
from gui.__main__ import run
from gui.refcount_guard import QtBindingError, check_binding, lost_references


def test_starts_without_streams_or_session_and_ends(tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-m", "gui", "--runtime", tmp_path),
            *("--screenshot", picture, "--seconds", "1.5"),
        ],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 10_000
    assert "Traceback" not in done.stderr


def test_a_call_that_loses_references_is_caught(monkeypatch) -> None:
    counts = iter([1000, 800])
    monkeypatch.setattr(refcount_guard.sys, "getrefcount", lambda _: next(counts))
    assert lost_references(lambda: None) == 200


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal there")
def test_a_broken_binding_is_refused_with_advice(monkeypatch) -> None:
    monkeypatch.setattr(refcount_guard, "lost_references", lambda _call: 200)
    with pytest.raises(QtBindingError, match=r"PySide6-Essentials<6\.12"):
        check_binding(lambda: None, "6.12.0")


def test_a_good_binding_is_not() -> None:
    check_binding(lambda: None, "6.11.3")


def test_a_rig_that_does_not_exist_is_a_usage_error(tmp_path, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(["--runtime", str(tmp_path), "--rig", "nowhere"])
    assert "nowhere" in capsys.readouterr().err
