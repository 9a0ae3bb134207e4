"""Alignment: every stream of a recording on one clock, and how sure that is."""

from acquire.align.alignment import Alignment, align
from acquire.align.session import align_session
from acquire.align.streams import StreamClock

__all__ = ["Alignment", "StreamClock", "align", "align_session"]
