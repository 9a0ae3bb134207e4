"""Takes are archived by a process of its own, whatever becomes of it."""

import os
import signal
from pathlib import Path

import pytest

from acquire.archiver import ArchiveError, Archiver
from acquire.storage.layout import TrialKey

KEY = TrialKey("P43", "2026-11-22_1", "Ideal", "LG_0", "S_1", 1)


def archive(archiver: Archiver, folder: Path) -> Path:
    return archiver.archive(KEY, folder, folder, facing="forward")


def test_failures_are_told_and_a_lost_process_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "rig.yaml").write_text("")
    (tmp_path / "protocol.yaml").write_text("")
    archiver = Archiver(tmp_path / "log" / "archiver.log")
    archiver.start()
    with pytest.raises(ArchiveError, match="Trial_1_take1"):
        archive(archiver, tmp_path)  # there is no such recording
    first = archiver._process
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    with pytest.raises(ArchiveError, match=r"ended|Trial_1_take1"):
        archive(archiver, tmp_path)
    with pytest.raises(ArchiveError, match="Trial_1_take1"):
        archive(archiver, tmp_path)
    again = archiver._process
    assert again is not None
    assert again.pid != first.pid
    archiver.close()
    assert again.poll() == 0
