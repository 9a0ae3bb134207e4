"""The import contracts hold, and one wrong import breaks them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["acquire", "devices", "sync", "gui", "protocols"]
WRONG = {
    "devices/adapter.py": "import acquire.rig",
    "sync/edges.py": "import devices.errors",
    "protocols/schema.py": "import sync",
    "acquire/rig.py": "import PySide6.QtCore",
    "acquire/control.py": "import pylsl",
    "gui/theme.py": "import pyqtgraph",
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", WRONG)
def test_one_wrong_import_fails_the_check(file: str, tmp_path: Path) -> None:
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    wrong = tmp_path / file
    wrong.write_text(f"{wrong.read_text()}\n{WRONG[file]}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
