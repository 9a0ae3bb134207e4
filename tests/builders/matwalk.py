"""A walker over MAT-files in C on libmatio: a reader that shares nothing with ours.

It uses the system's libmatio, or that of another Debian named by ``MATIO_ROOT``: a
folder made by ``debootstrap --variant=minbase --include=libc6-dev,libmatio-dev sid``.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("matwalk.c")
LOADER, LIBRARIES = "lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"


def built_matwalk(folder: Path) -> Path:
    """Compile ``matwalk.c`` into `folder`; skip where compiler or library lack."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed")
    root = os.environ.get("MATIO_ROOT", "")
    program = folder / "matwalk"
    other = [f"--sysroot={root}", f"-L{root}/{LIBRARIES}"] if root else []
    built = subprocess.run(
        [compiler, *other, "-O1", "-o", program, SOURCE, "-lmatio"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "matio.h" in built.stderr and not root:
        pytest.skip("libmatio-dev is not installed")
    assert built.returncode == 0, built.stderr
    return _with_libraries_of(Path(root), program) if root else program


def _with_libraries_of(root: Path, program: Path) -> Path:
    """Return a command that runs `program` with the libraries of another system."""
    command = program.with_name("matwalk-elsewhere")
    command.write_text(
        f'#!/bin/sh\nexec "{root / LOADER}" --library-path "{root / LIBRARIES}" '
        f'"{program}" "$@"\n'
    )
    command.chmod(0o755)
    return command
