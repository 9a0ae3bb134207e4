"""One check for everything Kinemuse writes: files by their kind, datasets by parts."""

from collections.abc import Iterator
from pathlib import Path

from acquire.dataset.subject_checks import subject_findings
from acquire.findings import Finding
from acquire.storage.checks import check_recording
from acquire.storage.layout import MANIFEST, dataset_kind, find_trials
from acquire.storage.manifest import verify_manifest


def check_path(path: Path) -> list[Finding]:
    """Check a recording, a trial archive, a subject file, or a dataset folder.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    ValueError
        It is neither of the kinds above.
    """
    if path.is_dir():
        return list(_dataset(path))
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if path.suffix == ".mat":
        return subject_findings(path)
    if path.suffix in (".xdf", ".h5"):
        return check_recording(path)
    raise ValueError(
        f"{path}: can check .xdf and .h5 recordings, .mat subject files and dataset "
        f"folders, not {path.suffix or 'a file without suffix'}"
    )


def _dataset(dataset: Path) -> Iterator[Finding]:
    if dataset_kind(dataset) is None:
        yield Finding(
            "dataset-empty", "error", str(dataset), "no dataset: it holds no session"
        )
        return
    for key in find_trials(dataset):
        recording, archive = key.xdf(dataset), key.h5(dataset)
        if recording.is_file():
            yield from check_recording(recording)
        if archive.is_file():
            yield from check_recording(archive)
        else:
            text = "has no archive; `kinemuse recover` makes it"
            yield Finding("trial-unarchived", "error", str(recording), text)
    for subject in sorted((dataset / "ProcessedData").glob("*.mat")):
        yield from subject_findings(subject)
    if (dataset / MANIFEST).is_file():
        yield from verify_manifest(dataset)
