"""Open a recording, whatever format it is in."""

from pathlib import Path

from acquire.storage.errors import NotARecordingError
from acquire.storage.recording import Recording
from acquire.storage.trial_file import read_trial
from acquire.storage.xdf_reader import read_xdf

_HDF5 = b"\x89HDF\r\n\x1a\n"
_GZIP = b"\x1f\x8b"


def open_recording(path: Path) -> Recording:
    """Read an XDF file, ours or foreign, or a trial archive, by what is in it.

    Raises
    ------
    NotARecordingError
        It is neither.
    """
    if path.is_dir():
        raise NotARecordingError(f"{path} is a folder; a recording is one file")
    with path.open("rb") as file:
        start = file.read(8)
    if start == _HDF5:
        return read_trial(path)
    if start.startswith((b"XDF:", _GZIP)) or path.suffix in (".xdf", ".xdfz"):
        return read_xdf(path)
    raise NotARecordingError(
        f"{path}: neither XDF nor a trial archive; it begins with {start!r}"
    )
