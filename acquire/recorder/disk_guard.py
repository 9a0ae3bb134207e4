"""Watches the disk while a recording runs: minutes left, nearly full, slow."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquire.repeating import Repeating
from acquire.storage.disk import RESERVE_BYTES, free_bytes

log = logging.getLogger("kinemuse.recorder")

LOOK_EVERY_S = 0.5
LOW_MINUTES = 20.0
SLOW_S = 2.0  # of data that wait to be written


@dataclass(frozen=True)
class DiskState:
    """What is known of the disk; None where it cannot be asked."""

    free_bytes: int | None = None
    minutes_left: float | None = None
    """For how long recording and archive find room; None also while nothing flows."""


class DiskGuard:
    """Looks at the disk twice a second on threads of its own, and says what changes.

    Asking a disk may itself take long, so one thread does nothing else, and others read
    `state`; that data wait to be written is noticed meanwhile. Events
    are ``disk_low`` (less than 20 minutes left), ``disk_slow`` and ``disk_back`` (data
    wait for more than 2 s), and ``disk_short``: what is left is needed to close the
    file and to archive it, and `on_short` is called, which stops the recording.

    Parameters
    ----------
    rate_bytes_per_s
        What the streams need, an archive included if there will be one.
    recording
        Whether a recording is under way.
    archive_bytes
        What the archive of the recording so far will take.
    queued_bytes
        What of the recording waits to be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rate_bytes_per_s: Callable[[], float],
        recording: Callable[[], bool],
        archive_bytes: Callable[[], int],
        queued_bytes: Callable[[], int],
        report: Callable[[str, dict[str, Any]], None],
        on_short: Callable[[], None],
        free: Callable[[Path], int] = free_bytes,
        threads: bool = True,
    ) -> None:
        self.folder = folder
        self.state = DiskState()
        self.low = self.slow = self.short = False
        self._rate, self._recording = rate_bytes_per_s, recording
        self._archive, self._queued = archive_bytes, queued_bytes
        self._report = report
        self._on_short, self._free = on_short, free
        failed = "looking at the disk failed"
        self._threads = [
            Repeating(name, look, lambda: LOOK_EVERY_S, failed, log)
            for name, look in (
                ("disk", self.look_for_room),
                ("disk-delay", self.look_for_delay),
            )
        ]
        for thread in self._threads if threads else ():
            thread.start()

    def begin(self) -> None:
        """Forget what an earlier recording was told."""
        self.low = self.slow = self.short = False

    def close(self) -> None:
        """Stop looking; legal twice. A disk that does not answer is not waited for."""
        for thread in self._threads:
            thread.close(timeout_s=2 * LOOK_EVERY_S)

    def problems(self) -> list[str]:
        """Return what is wrong with the disk now, in words."""
        found = []
        if self.short:
            found.append(f"stopped before the disk was full: {self._said()}")
        elif self.low:
            found.append(f"the disk is nearly full: {self._said()}")
        if self.slow:
            waiting = self._queued() / 1e6
            found.append(f"the disk is slow: {waiting:.0f} MB wait to be written")
        return found

    def look_for_room(self) -> None:
        """Ask the disk once; a thread does so all the time."""
        free, rate = self._ask(), self._rate()
        if free is None:
            self.state = DiskState()
            return
        needed = RESERVE_BYTES + self._archive()
        room = max(0, free - needed)
        minutes = round(room / rate / 60.0, 1) if rate > 0 else None
        self.state = DiskState(free, minutes)
        if self._recording():
            self._tell_room(free, needed, minutes)

    def look_for_delay(self) -> None:
        """See once whether data wait for the disk; a thread does so all the time."""
        if not self._recording():
            return
        waiting, rate = self._queued(), self._rate()
        slow = rate > 0 and waiting > SLOW_S * rate
        if slow != self.slow:
            self.slow = slow
            event = "disk_slow" if slow else "disk_back"
            self._report(event, {"queued_bytes": waiting})

    def _tell_room(self, free: int, needed: int, minutes: float | None) -> None:
        facts = {"free_bytes": free, "minutes_left": minutes}
        if not self.low and minutes is not None and minutes < LOW_MINUTES:
            self.low = True
            self._report("disk_low", facts)
        if not self.short and free < needed:
            self.short = True
            self._report("disk_short", facts)
            self._on_short()

    def _ask(self) -> int | None:
        try:
            return self._free(self.folder)
        except OSError as error:
            log.warning("the disk of %s cannot be asked: %s", self.folder, error)
            return None

    def _said(self) -> str:
        free, minutes = self.state.free_bytes or 0, self.state.minutes_left
        left = "" if minutes is None else f", room for {minutes:.0f} min"
        return f"{free / 1e6:.0f} MB free at {self.folder}{left}"
