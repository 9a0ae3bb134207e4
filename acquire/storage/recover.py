"""Finish what a crash or a power cut interrupted: recordings without an archive."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquire.storage.durable import is_locked
from acquire.storage.errors import LayoutError
from acquire.storage.journal import read_journal
from acquire.storage.layout import dataset_root, parse_path, session_folder
from acquire.storage.manifest import append_to_manifest
from acquire.storage.trial_file import Value, write_trial
from acquire.storage.xdf_journal import journal_path
from acquire.storage.xdf_reader import read_xdf

log = logging.getLogger("kinemuse.storage")

RECENT_S = 10.0
GROWTH_S = 1.2  #: other recorders write at least this often

_SUFFIXES = (".xdf", ".xdfz")


@dataclass(frozen=True)
class Recovered:
    """What became of one recording: its archive, or the reason why there is none."""

    recording: Path
    archive: Path | None
    n_samples: int = 0
    complete: bool = False
    problems: tuple[str, ...] = ()
    error: str = ""

    @property
    def failed(self) -> bool:
        return self.archive is None

    def to_json(self) -> dict[str, Any]:
        return {
            "recording": str(self.recording),
            "archive": str(self.archive) if self.archive else None,
            "n_samples": self.n_samples,
            "complete": self.complete,
            "problems": list(self.problems),
            "error": self.error,
        }

    def describe(self) -> str:
        """Say in a few lines what became of the recording."""
        if self.archive is None:
            return f"{self.recording}: not recovered: {self.error}"
        whole = "whole" if self.complete else "incomplete"
        first = f"{self.archive}: {self.n_samples} samples, {whole}"
        return "\n".join([first, *(f"  {problem}" for problem in self.problems)])


def recover(path: Path) -> list[Recovered]:
    """Write the archive of every recording that has none; the recordings stay as is.

    `path` is one XDF file, ours or foreign, or a folder that is searched. A recording
    of a dataset that has no archive was interrupted, and its archive says ``complete
    = false`` however whole the file is; elsewhere the file itself decides. Recordings
    that are being written are left alone. Failures are returned, not raised.
    """
    if not path.exists():
        return [Recovered(path, None, error="there is no such file or folder")]
    return [_recover_one(recording) for recording in unfinished(path)]


def unfinished(path: Path) -> Iterator[Path]:
    """Yield the recordings in a folder (or the one given) that have no archive."""
    found = [path] if path.is_file() else sorted(path.rglob("*.xdf*"))
    candidates = [
        recording
        for recording in found
        if recording.suffix in _SUFFIXES
        and recording.is_file()
        and not archive_path(recording).exists()
    ]
    growing = _growing(candidates)
    for recording in candidates:
        if recording in growing or is_locked(recording):
            log.warning("%s is being recorded", recording)
        else:
            yield recording


def _growing(recordings: list[Path]) -> set[Path]:
    """Return those that another recorder is writing: it does not lock its file."""
    oldest_s = time.time() - RECENT_S
    sizes = {
        recording: recording.stat().st_size
        for recording in recordings
        if not journal_path(recording).exists() and recording.stat().st_mtime > oldest_s
    }
    if not sizes:
        return set()
    time.sleep(GROWTH_S)
    return {path for path, size in sizes.items() if path.stat().st_size != size}


def archive_path(recording: Path) -> Path:
    """Name the archive that stands beside a recording."""
    return recording.with_suffix(".h5")


def _recover_one(recording: Path) -> Recovered:
    try:
        content = read_xdf(recording)
        attributes, texts = _context(recording)
        complete = content.complete and not attributes
        archive = write_trial(
            content,
            archive_path(recording),
            {**attributes, "complete": complete, "recovered": True},
            provenance=texts,
        )
        dataset = dataset_root(archive)
        if dataset is not None and attributes:
            for finished in (recording, archive):
                append_to_manifest(dataset, finished)
    except (OSError, ValueError) as error:
        log.warning("%s cannot be recovered: %s", recording, error)
        return Recovered(recording, None, error=str(error))
    n_samples = sum(len(stream.t_lsl) for stream in content.streams)
    log.info("recovered %s: %d samples", archive, n_samples)
    return Recovered(recording, archive, n_samples, complete, content.problems)


def _context(recording: Path) -> tuple[dict[str, Value], dict[str, str]]:
    """Return what the dataset knows of a trial: attributes, rig and protocol."""
    dataset = dataset_root(recording.resolve())
    try:
        key = parse_path(recording.resolve())
    except LayoutError:
        return {}, {}
    if dataset is None:
        return dict(key.attributes()), {}
    session = session_folder(dataset, key.participant, key.session)
    texts = {
        name: (session / f"{name}.yaml").read_text(encoding="utf-8", errors="replace")
        for name in ("rig", "protocol")
        if (session / f"{name}.yaml").is_file()
    }
    return {**key.attributes(), "facing": _facing(session, key.attributes())}, texts


def _facing(session: Path, trial: dict[str, str | int]) -> str:
    """Return how the participant faced when the trial was armed, from the journal."""
    facing = "unknown"
    for line in read_journal(session / "journal.jsonl"):
        if line.get("event") == "facing" and isinstance(line.get("reversed"), bool):
            facing = "reversed" if line["reversed"] else "forward"
        armed = line.get("event") == "trial_armed"
        if armed and all(line.get(name) == value for name, value in trial.items()):
            return str(line.get("facing", "forward" if facing == "unknown" else facing))
    return facing
