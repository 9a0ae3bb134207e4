"""Durable writing on every operating system: append, sync, replace."""

import contextlib
import errno
import importlib
import os
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from acquire.storage.errors import (
    AlreadyExistsError,
    StorageError,
    StorageFullError,
)

VECTORED = hasattr(os, "writev")
_PARTS_PER_CALL = 512  # below every system's IOV_MAX
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REPLACE_TIMEOUT_S = 5.0
_REPLACE_PAUSE_S = 0.05
_LOCK_POSITION = 1 << 40

Part = bytes | bytearray | memoryview


class Mark(NamedTuple):
    """An end that a file had, and the CRC32 of its bytes since the mark before."""

    size: int
    crc32: int


class AppendFile:
    """A file that only grows; created exclusively, written in order, synced on demand.

    One thread makes every call, but `sync_to`, which may take its time in another.
    Bytes handed to `write` are either in the file or, when it raises, kept: the next
    `write` or `sync` tries them again first, so a disk that is freed in time loses
    nothing. After a failed `sync` the file is never called synced again: what the
    system dropped then cannot be known. `size` and `crc32_since_sync` (since the last
    `mark`) count bytes that reached the file. The file is locked (advisory) while open.
    """

    def __init__(
        self, path: Path, *, resume: bool = False, vectored: bool = VECTORED
    ) -> None:
        self.path = path
        self.size = 0
        self.synced_size = 0
        self.crc32_since_sync = 0
        self._vectored = vectored
        self._rest: list[memoryview] = []
        self._sync_error: OSError | None = None
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
        flags |= os.O_APPEND if resume else os.O_EXCL
        try:
            self._fd = os.open(path, flags, 0o644)
        except FileExistsError as error:
            raise AlreadyExistsError(
                errno.EEXIST, "exists already and is never overwritten", str(path)
            ) from error
        except OSError as error:
            raise _storage_error(error, path, "cannot be created") from error
        if not _lock(self._fd):
            os.close(self._fd)
            raise StorageError(
                errno.EBUSY, "is being written by another process", str(path)
            )
        self.size = self.synced_size = os.fstat(self._fd).st_size
        try:
            sync_directory(path.parent)
        except OSError:
            os.close(self._fd)
            raise

    @property
    def unwritten(self) -> int:
        """Bytes accepted but not yet in the file, after a failed write."""
        return sum(len(part) for part in self._rest)

    def write(self, parts: Sequence[Part]) -> None:
        """Append all parts, in one system call where possible."""
        self._rest += [memoryview(part).cast("B") for part in parts if len(part)]
        while self._rest:
            batch = self._rest[:_PARTS_PER_CALL]
            try:
                n = self._write_some(batch)
            except OSError as error:
                raise _storage_error(
                    error, self.path, f"{self.unwritten} bytes wait to be written"
                ) from error
            self._account(n)

    def sync(self) -> None:
        """Force everything written so far to the disk."""
        self.sync_to(self.mark())

    def mark(self) -> Mark:
        """Write what waits; return where the file now ends, for `sync_to`."""
        self.write([])
        mark = Mark(self.size, self.crc32_since_sync)
        self.crc32_since_sync = 0
        return mark

    def sync_to(self, mark: Mark) -> None:
        """Force everything up to `mark` to the disk; more may be written meanwhile."""
        if self._sync_error is None:
            try:
                _sync_data(self._fd)
            except OSError as error:
                self._sync_error = error
        if self._sync_error is not None:
            raise _storage_error(
                self._sync_error,
                self.path,
                f"only the first {self.synced_size} of {self.size} bytes are safe",
            ) from self._sync_error
        self.synced_size = mark.size

    def close(self) -> None:
        """Write what waits, then close; legal twice. Does not sync."""
        if self._fd < 0:
            return
        try:
            self.write([])
        finally:
            os.close(self._fd)
            self._fd = -1

    def _write_some(self, batch: list[memoryview]) -> int:
        if self._vectored:
            return os.writev(self._fd, batch)
        return os.write(self._fd, b"".join(batch))

    def _account(self, n: int) -> None:
        self.size += n
        if n == self.unwritten:
            for part in self._rest:
                self.crc32_since_sync = zlib.crc32(part, self.crc32_since_sync)
            self._rest.clear()
            return
        while n:
            part = self._rest[0]
            written = part[:n]
            self.crc32_since_sync = zlib.crc32(written, self.crc32_since_sync)
            n -= len(written)
            if len(written) == len(part):
                self._rest.pop(0)
            else:
                self._rest[0] = part[len(written) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_locked(path: Path) -> bool:
    """Whether another `AppendFile` (of any process) has this file open."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return not _lock(fd)
    finally:
        os.close(fd)


def sync_file(path: Path) -> None:
    """Force a file that something else wrote to the disk."""
    fd = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(fd)
    except OSError as error:
        raise _storage_error(error, path, "cannot be synced") from error
    finally:
        os.close(fd)


def sync_directory(path: Path) -> None:
    """Make names in a directory durable; Windows does so by itself."""
    if os.name == "nt":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network shares
            raise _storage_error(error, path, "cannot be synced") from error
    finally:
        os.close(fd)


def make_directory(path: Path) -> None:
    """Create a folder and its missing parents, durably."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_directory(folder.parent)


def replace_atomically(
    tmp: Path,
    final: Path,
    *,
    timeout_s: float = _REPLACE_TIMEOUT_S,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Rename a synced temporary file onto its final name, then sync the folder.

    On Windows a virus scanner may hold either file for a moment: refused renames are
    retried until `timeout_s` is over.
    """
    deadline = now() + timeout_s
    while True:
        try:
            tmp.replace(final)
            break
        except PermissionError as error:
            if now() >= deadline:
                raise _storage_error(
                    error, final, f"cannot take the place of {tmp.name}"
                ) from error
            pause(_REPLACE_PAUSE_S)
        except OSError as error:
            raise _storage_error(error, final, f"cannot replace {tmp.name}") from error
    sync_directory(final.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a small file so that readers see the old or the new one, never a mix."""
    tmp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    tmp.unlink(missing_ok=True)
    try:
        with AppendFile(tmp) as file:
            file.write([data])
            file.sync()
        replace_atomically(tmp, path)
    except OSError:
        with contextlib.suppress(OSError):
            tmp.unlink(missing_ok=True)
        raise


def write_text_atomically(path: Path, text: str) -> None:
    """Write a small UTF-8 text file as `write_atomically` does, newlines untouched."""
    write_atomically(path, text.encode())


def _sync_data(fd: int) -> None:
    getattr(os, "fdatasync", os.fsync)(fd)


def _lock(fd: int) -> bool:
    """Take the advisory lock; True where it was free, or where there are none."""
    if os.name == "nt":
        return _lock_windows(fd)
    fcntl: Any = importlib.import_module("fcntl")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    return True


def _lock_windows(fd: int) -> bool:
    """Lock one byte far behind the end: Windows locks keep others from reading it."""
    msvcrt: Any = importlib.import_module("msvcrt")
    position = os.lseek(fd, 0, os.SEEK_CUR)
    os.lseek(fd, _LOCK_POSITION, os.SEEK_SET)
    try:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    finally:
        os.lseek(fd, position, os.SEEK_SET)
    return True


def _storage_error(error: OSError, path: Path, state: str) -> StorageError:
    kind = StorageFullError if error.errno in _FULL else StorageError
    reason = error.strerror or str(error)
    return kind(error.errno or errno.EIO, f"{reason}; {state}", str(path))
