"""Entities and file names of a trial, and tables and sidecars as BIDS wants them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from acquire.storage.layout import TrialKey

MISSING = "n/a"


@dataclass(frozen=True)
class Run:
    """Where one trial lies: ``sub-P43/ses-01``, ``task-IdealLG0S0x5``, ``run-1``."""

    key: TrialKey
    session: int  #: counted from 1 in the order of the visits; no day is told

    @property
    def subject(self) -> str:
        return f"sub-{self.key.participant}"

    @property
    def folder(self) -> PurePosixPath:
        return PurePosixPath(self.subject, f"ses-{self.session:02d}")

    @property
    def task(self) -> str:
        parts = (self.key.condition, self.key.mode, self.key.speed)
        return "".join(parts).replace("_", "")

    def file(self, kind: str, ending: str, *, system: str = "") -> PurePosixPath:
        """Return a file's path, of `kind` emg or motion, ending in ``emg.bdf``."""
        tracked = f"_tracksys-{system}" if system else ""
        name = (
            f"{self.subject}_ses-{self.session:02d}_task-{self.task}{tracked}"
            f"_run-{self.key.trial}_{ending}"
        )
        return self.folder / kind / name


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a TSV with a line of names; NaN, None and empty are ``n/a``."""
    lines = ["\t".join(columns)]
    lines += ["\t".join(cell(value) for value in row) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def cell(value: object) -> str:
    """Return a value as BIDS tables spell it."""
    if value is None or value == "" or value != value:
        return MISSING
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def sidecar(content: Mapping[str, Any]) -> bytes:
    """Return a JSON file."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
