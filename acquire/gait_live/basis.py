"""Watches a session for what the live model rests on: measures and a static trial."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from acquire.dataset.participants import FILE
from acquire.gait.baselines import Baseline
from acquire.model_basis import (
    STATIC,
    UNLOADED,
    ModelBasis,
    ReadBaseline,
    ReadMarkers,
    baselines_of,
    basis_of,
)
from acquire.repeating import Repeating
from acquire.storage.layout import TrialKey, find_archives

logger = logging.getLogger("kinemuse.acquire.gait_live")

LOOK_EVERY_S: Final = 2.0


@dataclass(frozen=True, eq=False)
class LiveBasis:
    """What the live model rests on; each new one is another object."""

    model: ModelBasis = field(
        default_factory=lambda: ModelBasis(remarks=("the session is being looked at",))
    )
    baselines: tuple[Baseline, ...] = ()


class BasisWatcher:
    """Keeps `basis`, read anew whenever the sheet or calibration trials change."""

    def __init__(
        self,
        dataset: Path,
        participant: str,
        session: str,
        read_markers: ReadMarkers,
        read_baseline: ReadBaseline,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._dataset = dataset
        self._read_markers, self._read_baseline = read_markers, read_baseline
        # Any trial of the session: its basis is the session's.
        self._key = TrialKey(participant, session, "Ideal", "LG_0", "S_1", 1)
        self._basis, self._seen = LiveBasis(), ""
        failed = "the basis of the gait model cannot be read yet"
        self._looking = Repeating(
            "basis", self.look, lambda: look_every_s, failed, logger
        )

    @property
    def basis(self) -> LiveBasis:
        """The newest basis; the model's remarks say what is missing."""
        return self._basis

    def start(self) -> "BasisWatcher":
        """Begin to look."""
        self._looking.start()
        return self

    def close(self) -> None:
        """Stop looking."""
        self._looking.close()

    def look(self) -> None:
        """Read the basis if anything it may rest on has changed."""
        signs = self._signs()
        if signs == self._seen:
            return
        trial = self._key.h5(self._dataset)
        model = basis_of(trial, self._read_markers)
        baselines, refused = baselines_of(trial, self._read_baseline)
        self._basis, self._seen = LiveBasis(model, tuple(baselines)), signs
        for remark in (*model.remarks, *refused):
            logger.info("basis: %s", remark)
        logger.info("basis: %s", ", ".join(model.inputs) or "nothing yet")

    def _signs(self) -> str:
        """Return what changes when the sheet, a calibration or a verdict does."""
        journal = self._key.folder(self._dataset).parents[2] / "journal.jsonl"
        calibrations = [
            path
            for key, path in find_archives(self._dataset, self._key.participant).items()
            if key.session == self._key.session and key.mode in (STATIC, UNLOADED)
        ]
        return " ".join(
            [
                _changed(self._dataset / FILE),
                _verdicts(journal),
                *map(str, calibrations),
            ]
        )


def _changed(path: Path) -> str:
    return str(path.stat().st_mtime_ns) if path.is_file() else "none"


def _verdicts(journal: Path) -> str:
    """Count the verdicts in a journal: a rejected static trial is none."""
    if not journal.is_file():
        return "0"
    return str(journal.read_bytes().count(b'"verdict"'))
