"""Alignment: every stream of a recording on one clock, and how sure that is."""

from acquire.align.alignment import Alignment, align
from acquire.align.evidence import TrialEvidence, evidence_of
from acquire.align.session import align_session
from acquire.align.shared import shared_skews
from acquire.align.stream_clock import SharedSkew, StreamClock

__all__ = [
    "Alignment",
    "SharedSkew",
    "StreamClock",
    "TrialEvidence",
    "align",
    "align_session",
    "evidence_of",
    "shared_skews",
]
