"""Runs the gait model on live streams, on a thread of its own, and says what it does.

Before there are markers, measures and a static trial it waits, and says for what.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from acquire.gait.live_gait import LiveGait
from acquire.gait.live_model import LiveFrames
from acquire.gait.marker_checks import LEG_MARKERS, MarkerError, check_markers
from acquire.gait.survey import DeckSettings, surveyed_plates
from acquire.gait_live.basis import LiveBasis
from acquire.live import LiveStreams
from acquire.repeating import Repeating

logger = logging.getLogger("kinemuse.acquire.gait_live")

Floats = NDArray[np.float64]
MARKERS: Final = "vicon-markers"
FORCES: Final = "vicon-forces"
TREADMILL: Final = "treadmill"
WANTED: Final = frozenset({MARKERS, FORCES, TREADMILL})
REVERSED: Final = -1.0  #: of the treadmill's channel `facing`
PERIOD_S: Final = 0.01
WAITING_S: Final = 0.5
PELVIS: Final = ("LASI", "RASI", "LPSI", "RPSI", "SACR")
USED: Final = frozenset({*PELVIS, *(s + name for s in "LR" for name in LEG_MARKERS)})


class Publisher(Protocol):
    """Where frames go: `acquire.gait_live.publish.GaitPublisher`."""

    def open(self, delay_s: float, basis: Mapping[str, str]) -> None: ...
    def push(self, first: int, frames: LiveFrames, t_last: float) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class GaitState:
    """``waiting`` or ``streaming``; `reason` says for what, or what is not known yet.

    `cpu_ms_per_frame` is that of the whole process since it streams.
    """

    state: str
    reason: str
    n_frames: int = 0
    cpu_ms_per_frame: float = float("nan")


class _NotYetError(Exception):
    """Something is missing; the text says what."""


class GaitLiveService:
    """Follows markers, plates and deck; every marker frame becomes one row."""

    def __init__(
        self,
        live: LiveStreams,
        basis: Callable[[], LiveBasis],
        publisher: Publisher,
        deck: DeckSettings | None = None,
    ) -> None:
        self._live, self._basis, self._publisher = live, basis, publisher
        self._deck = deck
        self._model: LiveGait | None = None
        self._rests_on: tuple[object, ...] = ()
        self._published: LiveBasis | None = None
        self._columns: dict[str, int] = {}
        self._index_column = 0
        self._next = {MARKERS: 0, FORCES: 0}
        self._last: int | None = None
        self._incline_deg, self._facing = 0.0, "forward"
        self._reason = "not started"
        self._n_frames, self._began_cpu_s = 0, 0.0
        failed = "a frame could not be computed"
        self._stepping = Repeating(
            "gait-live", self.step, self._pause_s, failed, logger
        )

    @property
    def state(self) -> GaitState:
        """What it does now."""
        if self._model is None:
            return GaitState("waiting", self._reason)
        unzeroed = self._model.unzeroed
        reason = (
            f"no kinetics until {' and '.join(unzeroed)} was unloaded at this angle"
            if unzeroed
            else ""
        )
        spent_s = time.process_time() - self._began_cpu_s
        return GaitState(
            "streaming", reason, self._n_frames, 1e3 * spent_s / max(self._n_frames, 1)
        )

    def start(self) -> "GaitLiveService":
        """Begin."""
        self._stepping.start()
        return self

    def close(self) -> None:
        """Stop; waits for a step under way."""
        self._stepping.close()
        self._publisher.close()

    def step(self) -> int:
        """Publish what has come since the last step; return the number of frames."""
        try:
            model = self._ready()
        except _NotYetError as missing:
            if str(missing) != self._reason or self._model is not None:
                logger.info("waiting: %s", missing)
            self._reason, self._model, self._rests_on = str(missing), None, ()
            return 0
        forces = self._live.since(FORCES, self._next[FORCES])
        if forces is not None and len(forces.stamps):
            self._next[FORCES] = forces.end
            model.forces(forces.samples[:, self._index_column], forces.samples)
        self._look_at_deck()
        rows = self._live.since(MARKERS, self._next[MARKERS])
        if rows is None or not len(rows.stamps):
            return 0
        self._next[MARKERS] = rows.end
        return self._publish(model, rows.samples, rows.stamps)

    def _publish(self, model: LiveGait, samples: Floats, stamps: Floats) -> int:
        """Compute and send rows (n, c); each run of consecutive frames is a chunk."""
        offset_s = self._live.stats()[MARKERS].offset_s
        offset_s = offset_s if np.isfinite(offset_s) else 0.0
        values = samples.astype(np.float64)
        numbers = values[:, self._columns["frame"]].astype(np.int64)
        new = np.diff(numbers, prepend=-1 if self._last is None else self._last) != 0
        values, stamps, numbers = values[new], stamps[new], numbers[new]
        if not len(numbers):
            return 0
        self._last = int(numbers[-1])
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
        for begin, end in pairwise([0, *breaks.tolist(), len(numbers)]):
            markers = {
                name: values[begin:end, column : column + 3]
                for name, column in self._columns.items()
                if name != "frame"
            }
            first = int(numbers[begin])
            frames = model.frames(first, markers, self._incline_deg, self._facing)
            self._publisher.push(first, frames, float(stamps[end - 1]) + offset_s)
        self._n_frames += len(numbers)
        return len(numbers)

    def _ready(self) -> LiveGait:
        """Return the model for what there is now, made anew when that has changed."""
        basis = self._basis()
        rests_on = (
            basis,
            self._live.generation(MARKERS),
            self._live.generation(FORCES),
        )
        if self._model is not None and rests_on == self._rests_on:
            return self._model
        known = basis.model
        if known.measures is None or known.calibration is None:
            raise _NotYetError("; ".join(known.remarks) or "no static trial")
        self._columns = self._marker_columns()
        self._check_person()
        plates = []
        forces = self._live.facts(FORCES)
        if forces is not None and forces.counter_column is not None:
            plates = surveyed_plates(forces.metadata, forces.labels)
            self._index_column = forces.counter_column
        for name in self._next:
            newest = self._live.latest(name, 0.0)
            self._next[name] = newest.end if newest else 0
        self._model = LiveGait(
            known.measures,
            known.calibration,
            plates,
            self._deck,
            baselines=basis.baselines,
        )
        if basis is not self._published:  # plates that come later change no channel
            self._publisher.open(self._model.delay_s, known.inputs)
            self._published = basis
        self._rests_on, self._last = rests_on, None
        self._n_frames, self._began_cpu_s = 0, time.process_time()
        logger.info("streaming; plates: %s", [one.plate.name for one in plates])
        return self._model

    def _marker_columns(self) -> dict[str, int]:
        """Return the first column of each marker the model uses, and of the frame."""
        facts = self._live.facts(MARKERS)
        if facts is None:
            raise _NotYetError(f"no stream {MARKERS}")
        labels = facts.labels
        found = {
            label[:-2]: column
            for column, label in enumerate(labels)
            if label.endswith("_X") and label[:-2] in USED
        }
        if facts.counter_column is None:
            raise _NotYetError(f"{MARKERS} has no frame counter")
        return {**found, "frame": facts.counter_column}

    def _check_person(self) -> None:
        """Refuse markers that cannot be right in the last second."""
        rows = self._live.latest(MARKERS, 1.0)
        if rows is None or len(rows.stamps) < 10:
            raise _NotYetError(f"no frames of {MARKERS}")
        positions = {
            name: rows.samples[:, column : column + 3].astype(np.float64)
            for name, column in self._columns.items()
            if name != "frame"
        }
        try:
            check_markers(positions, MARKERS)
        except MarkerError as error:
            raise _NotYetError(str(error)) from error

    def _look_at_deck(self) -> None:
        """Learn the deck's angle and which way the participant faces."""
        facts, rows = self._live.facts(TREADMILL), self._live.latest(TREADMILL, 1)
        if facts is None or rows is None or not len(rows.stamps):
            return
        newest = dict(zip(facts.labels, rows.samples[-1].tolist(), strict=True))
        if np.isfinite(newest.get("incline_deg", np.nan)):
            self._incline_deg = newest["incline_deg"]
        if np.isfinite(newest.get("facing", np.nan)):
            self._facing = "reversed" if newest["facing"] == REVERSED else "forward"

    def _pause_s(self) -> float:
        return PERIOD_S if self._model is not None else WAITING_S
