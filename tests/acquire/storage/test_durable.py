"""Durable writing: order, exclusivity, full disks, renames."""

import errno
import os
import types
import zlib
from pathlib import Path
from typing import Any

import pytest

from acquire.storage import durable
from acquire.storage.durable import (
    AppendFile,
    is_locked,
    make_directory,
    replace_atomically,
    write_text_atomically,
)
from acquire.storage.errors import (
    AlreadyExistsError,
    StorageError,
    StorageFullError,
)


@pytest.mark.parametrize("vectored", [True, False], ids=["writev", "joined"])
def test_parts_arrive_in_order_and_are_counted(tmp_path: Path, vectored: bool) -> None:
    parts = [bytes([k % 256]) * (k % 7) for k in range(1500)]  # more than IOV_MAX
    with AppendFile(tmp_path / "a", vectored=vectored) as file:
        file.write(parts)
        assert file.size == sum(map(len, parts))
        assert file.crc32_since_sync == zlib.crc32(b"".join(parts))
        file.sync()
        assert (file.crc32_since_sync, file.synced_size) == (0, file.size)
        file.write([b"tail"])
        assert file.crc32_since_sync == zlib.crc32(b"tail")
    assert (tmp_path / "a").read_bytes() == b"".join(parts) + b"tail"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    with pytest.raises(AlreadyExistsError, match="never overwritten"):
        AppendFile(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_resume_appends(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    with AppendFile(tmp_path / "a", resume=True) as file:
        assert file.size == 3
        file.write([b"two"])
    assert (tmp_path / "a").read_bytes() == b"onetwo"


def test_a_file_being_written_is_locked(tmp_path: Path) -> None:
    with AppendFile(tmp_path / "a") as file:
        assert is_locked(file.path)
        with pytest.raises(StorageError, match="another process"):
            AppendFile(file.path, resume=True)
    assert not is_locked(tmp_path / "a")


class _FullDisk:
    """Takes `room` bytes, some at a time, then says that there is no space left."""

    def __init__(self, room: int, at_once: int = 5) -> None:
        self.room, self.at_once = room, at_once

    def writev(self, fd: int, parts: list[Any]) -> int:
        return self.write(fd, b"".join(parts))

    def write(self, fd: int, data: bytes) -> int:
        n = min(self.room, self.at_once, len(data))
        if n == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= n
        return self._write(fd, data[:n])

    _write = staticmethod(os.write)


@pytest.mark.parametrize("vectored", [True, False], ids=["writev", "joined"])
def test_a_full_disk_is_said_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vectored: bool
) -> None:
    disk = _FullDisk(room=17)
    file = AppendFile(tmp_path / "a", vectored=vectored)
    monkeypatch.setattr(durable.os, "writev", disk.writev)
    monkeypatch.setattr(durable.os, "write", disk.write)
    with pytest.raises(StorageFullError, match="23 bytes wait") as caught:
        file.write([b"0123456789", b"abcdefghij" * 3])
    assert caught.value.errno == errno.ENOSPC
    assert str(tmp_path / "a") in str(caught.value)
    assert (file.size, file.unwritten) == (17, 23)
    with pytest.raises(StorageFullError):
        file.write([b"later"])
    disk.room = 1000  # somebody made room
    file.sync()
    assert (file.unwritten, file.synced_size) == (0, 45)
    file.close()
    assert (tmp_path / "a").read_bytes() == b"0123456789" + b"abcdefghij" * 3 + b"later"


def test_closing_on_a_full_disk_says_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendFile(tmp_path / "a")
    monkeypatch.setattr(durable.os, "writev", _FullDisk(room=0).writev)
    with pytest.raises(StorageFullError):
        file.write([b"abc"])
    with pytest.raises(StorageFullError, match="3 bytes"):
        file.close()
    file.close()


def test_after_a_failed_sync_nothing_is_called_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendFile(tmp_path / "a")
    file.write([b"safe"])
    file.sync()
    file.write([b"lost"])

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "_sync_data", fail)
        with pytest.raises(StorageError, match="only the first 4 of 8 bytes"):
            file.sync()
    with pytest.raises(StorageError, match="only the first 4"):
        file.sync()  # the disk "works" again, but the pages are gone
    assert file.synced_size == 4
    file.close()


def test_replace_waits_for_a_scanner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp, final = tmp_path / "tmp", tmp_path / "final"
    tmp.write_bytes(b"new")
    final.write_bytes(b"old")
    refusals, waited = [PermissionError(13, "held")] * 3, []
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    replace_atomically(tmp, final, pause=waited.append)
    assert final.read_bytes() == b"new"
    assert len(waited) == 3


def test_replace_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Path) -> Path:
        raise PermissionError(13, "held")

    clock = iter(range(100))
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageError, match="cannot take the place"):
        replace_atomically(
            tmp_path / "a",
            tmp_path / "b",
            pause=lambda _: None,
            now=lambda: float(next(clock)),
        )


def test_text_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text_atomically(path, "one\n")
    write_text_atomically(path, "zwei ü\n")
    assert path.read_bytes() == "zwei ü\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b" / "c")
    make_directory(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_windows_locks_a_byte_behind_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []

    def locking(fd: int, _mode: int, n_bytes: int) -> None:
        calls.append((os.lseek(fd, 0, os.SEEK_CUR), n_bytes))

    fake = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
    monkeypatch.setitem(__import__("sys").modules, "msvcrt", fake)
    with (tmp_path / "a").open("wb") as file:
        assert durable._lock_windows(file.fileno())
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0
    assert calls == [(1 << 40, 1)]
