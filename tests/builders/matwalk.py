"""A walker over MAT-files in C on libmatio: a reader that shares nothing with ours."""

import shutil
import subprocess
from pathlib import Path

import pytest


def built_matwalk(folder: Path) -> Path:
    """Compile ``matwalk.c`` into `folder`; skip where compiler or library lack."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed")
    program = folder / "matwalk"
    source = Path(__file__).with_name("matwalk.c")
    built = subprocess.run(
        [compiler, "-O1", "-o", program, source, "-lmatio"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "matio.h" in built.stderr:
        pytest.skip("libmatio-dev is not installed")
    assert built.returncode == 0, built.stderr
    return program
