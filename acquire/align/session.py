"""Align the trials of one session together: a device keeps its skew between them."""

from collections.abc import Sequence

from acquire.align.alignment import Alignment, align
from acquire.align.evidence import evidence_of
from acquire.align.shared import shared_skews
from acquire.storage.recording import Recording


def align_session(
    recordings: Sequence[Recording], names: Sequence[str] = ()
) -> list[Alignment]:
    """Align the recordings of a session, in order of time, each with what all know.

    `names` (by default those of the files) tell which trials a fit has drawn on.
    """
    called = list(names) or [recording.path.name for recording in recordings]
    alone = [align(recording) for recording in recordings]
    known = shared_skews(
        [
            evidence_of(name, recording, alignment)
            for name, recording, alignment in zip(
                called, recordings, alone, strict=True
            )
        ]
    )
    return [
        align(recording, skews=skews) if skews else alignment
        for recording, alignment, skews in zip(recordings, alone, known, strict=True)
    ]
