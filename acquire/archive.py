"""From a closed recording to its trial archive."""

from pathlib import Path

from acquire.lsl import library_info
from acquire.storage.layout import TrialKey
from acquire.storage.manifest import append_to_manifest
from acquire.storage.trial_file import write_trial
from acquire.storage.xdf_reader import read_xdf


def archive_take(
    key: TrialKey, dataset: Path, session_folder: Path, *, facing: str
) -> Path:
    """Write the archive beside a take's XDF file, list both in the manifest.

    Rig and protocol of the session go into the provenance word for word.
    """
    texts = {
        name: (session_folder / f"{name}.yaml").read_text(encoding="utf-8")
        for name in ("rig", "protocol")
    }
    archive = write_trial(
        read_xdf(key.xdf(dataset)),
        key.h5(dataset),
        {**key.attributes(), "facing": facing},
        provenance={**texts, "library": library_info()},
    )
    for finished in (key.xdf(dataset), archive):
        append_to_manifest(dataset, finished)
    return archive
