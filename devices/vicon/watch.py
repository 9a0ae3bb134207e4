"""What an operator should know of the frames: losses, repeats, missing samples."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from devices.stream import Notice
from devices.vicon.frames import Frame
from devices.vicon.layout import Layout
from devices.vicon.sequence import FrameSequence, Step
from devices.vicon.specs import FORCES, MARKERS

MAX_NOTICES = 1000
COLUMNS_PER_PLATE = 6


class FrameWatch:
    """Follows frame numbers and missing samples, and collects notices."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._sequence = FrameSequence()
        self._notices: deque[Notice] = deque(maxlen=MAX_NOTICES)
        self._refused: list[int] = []
        self._missing_since: dict[str, tuple[int, int]] = {}
        self._tell_clock = True
        self._doubted = False

    @property
    def newest_frame(self) -> int | None:
        return self._sequence.newest

    def connect(self) -> None:
        """Follow a new connection; what was missed since the last one is lost."""
        self._sequence.reconnect()

    def start(self) -> None:
        self._tell_clock = True

    def stop(self) -> None:
        """Frames that are not asked for from now on count as no loss."""
        self._sequence.pause()

    def add(self, notice: Notice) -> None:
        self._notices.append(notice)

    def take(self) -> Sequence[Notice]:
        if self._refused:
            self._report_refused()
        taken = list(self._notices)
        self._notices.clear()
        return taken

    def look(self, frame: Frame) -> Step:
        """Judge a frame by its number; one not `accepted` is to be dropped."""
        step = self._sequence.step(frame.number)
        if step.verdict == "duplicate":
            self._refused.append(frame.number)
        elif step.verdict == "gap":
            self._report_gap(frame.number, step)
        elif step.verdict == "restart":
            self._report_restart(frame.number, step)
        if self._tell_clock and step.accepted:
            self._report_clock(frame)
        return step

    def look_at_samples(
        self, block: NDArray[np.float32], frame: Frame, layout: Layout
    ) -> None:
        """Note when samples of a plate or of the sync input begin or cease to miss."""
        absent = np.isnan(block[:, :-1])
        if not self._missing_since and not absent.any():
            return
        per_column = absent.sum(axis=0)
        for i, name in enumerate(_inputs(layout)):
            first = i * COLUMNS_PER_PLATE
            n = int(per_column[first : first + COLUMNS_PER_PLATE].max())
            self._follow(name, n, frame.number)

    def doubt_latency(self, frame: Frame) -> None:
        """Note, once, that the reported latency cannot be true and is not used."""
        if not self._doubted:
            self._doubted = True
            text = f"reports a latency of {frame.latency_s} s; it is not used"
            self._warn("latency", text, latency_s=frame.latency_s)

    def _follow(self, name: str, n_missing: int, number: int) -> None:
        since = self._missing_since.get(name)
        if n_missing:
            first, n_before = since or (number, 0)
            self._missing_since[name] = first, n_before + n_missing
            if since is None:
                text = f"samples of {name} are missing from frame {number} on"
                self._warn("missing_samples", text, frame=number, input=name)
        elif since:
            first, n = self._missing_since.pop(name)
            text = f"{name} is back at frame {number}; {n} samples are missing"
            self._inform(
                "samples_back", text, frame=first, until=number, input=name, n_missing=n
            )

    def _report_gap(self, number: int, step: Step) -> None:
        text = f"{step.n_lost} frames lost between {step.previous} and {number}"
        self._warn(
            "gap",
            text,
            n_lost=step.n_lost,
            previous=step.previous,
            frame=number,
            streams=[MARKERS, FORCES],
        )

    def _report_restart(self, number: int, step: Step) -> None:
        text = f"frame numbering began anew: {number} after {step.previous}"
        self._warn("restart", text, previous=step.previous, frame=number)

    def _report_refused(self) -> None:
        n, first = len(self._refused), self._refused[0]
        text = f"{n} frames came twice or too late and were dropped, first {first}"
        self._warn("duplicate", text, n=n, frames=self._refused[:20])
        self._refused = []

    def _report_clock(self, frame: Frame) -> None:
        self._tell_clock = False
        timecode = str(frame.timecode) if frame.timecode else ""
        text = f"first frame {frame.number}" + (f", {timecode}" if timecode else "")
        self._inform(
            "first_frame",
            text,
            frame=frame.number,
            timecode=timecode,
            hardware_frame=frame.hardware_frame,
        )

    def _warn(self, code: str, text: str, **data: object) -> None:
        self.add(Notice("warning", code, f"{self._where}: {text}", data))

    def _inform(self, code: str, text: str, **data: object) -> None:
        self.add(Notice("info", code, f"{self._where}: {text}", data))


def _inputs(layout: Layout) -> list[str]:
    """Names of the plates and the sync input, in column order."""
    names = [f"{plate.label} ({plate.name})" for plate in layout.plates]
    return [*names, "sync"] if layout.sync else names
