"""Checks that no file tells who took part, when, and on whose computers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from acquire.dataset.checks.codes import found
from acquire.dataset.checks.texts import texts_of
from acquire.dataset.checks.watch import PSEUDONYM, Told, Watch
from acquire.findings import Finding
from acquire.storage.recording import Recording

OF_THE_LABORATORY: Final = ("privacy-host", "privacy-user", "privacy-path")
"""What raw recordings may tell: they stay in the laboratory."""
ABOUT_PEOPLE: Final = frozenset(("name", "address", "phone", "telephone", "mobile"))
"""Columns that a table of participants must not have; elsewhere they are harmless."""
WORDS: Final = {
    "privacy-name": "could name a person",
    "privacy-birth-date": "holds a date of birth",
    "privacy-contact": "holds an e-mail address",
    "privacy-date": "tells a day",
    "privacy-host": "names a computer",
    "privacy-user": "names the user of a computer",
    "privacy-path": "holds an absolute path",
    "privacy-subject": "names a subject that is no pseudonym",
}


def privacy_findings(
    path: Path, where: str, watch: Watch, *, raw: bool = False
) -> Iterator[Finding]:
    """Look through every text of a file; what was found is not repeated.

    Of `raw` recordings, which stay in the laboratory, days may be told, and computers,
    users and paths are only pointed out.
    """
    places: dict[str, list[str]] = {}
    for told in texts_of(path):
        if told.place.startswith("EZC3D"):  # names the library's author
            continue
        for code in _leaks(path, told, watch):
            places.setdefault(code, []).append(told.place or "its text")
    for code, at in places.items():
        if raw and code == "privacy-date":
            continue
        text = f"{WORDS[code]}: {at[0]}"
        text += f", and {len(at) - 1} more places" if len(at) > 1 else ""
        inside = raw and code in OF_THE_LABORATORY
        yield found("privacy-raw" if inside else code, where, text)


def subject_findings_of(recording: Recording) -> Iterator[Finding]:
    """Tell of a subject that the motion capture system knows by another name."""
    prefixes = {
        label.rpartition(":")[0]
        for stream in recording.streams
        if stream.name.startswith("vicon")
        for label in stream.labels
        if label.endswith("_X")
    }
    if any(prefix and not PSEUDONYM.fullmatch(prefix) for prefix in prefixes):
        text = f"{WORDS['privacy-subject']}: labels of markers"
        yield found("privacy-subject", recording.path.name, text)


def _leaks(path: Path, told: Told, watch: Watch) -> Iterator[str]:
    key, text = told.key.lower(), told.text.strip()
    if key == "subjects:names":
        if text and not PSEUDONYM.fullmatch(text):
            yield "privacy-subject"
    elif key == "trial:date" and text:
        yield "privacy-date"
    elif (
        path.stem == "participants" and key in ABOUT_PEOPLE and text not in ("", "n/a")
    ):
        yield "privacy-name"
    yield from watch.leaks(told)
