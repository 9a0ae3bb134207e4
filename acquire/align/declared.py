"""What an imported file's layout declares of time, where no line was recorded.

Imported streams carry a block ``import`` in their metadata: ``start_half_width_s``
where the first sample is taken to be at the rise of the trigger line, and
``rise_frame`` and ``fall_frame`` where a capture begins and ends with the line.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import sync
from acquire.storage.recording import RecordedStream
from acquire.storage.stream_header import parse_header

BLOCK: Final = "import"


def captured_span_s(stream: RecordedStream) -> tuple[float, float] | None:
    """Return rise and fall of the line (reference seconds) that a capture declares."""
    block = _block(stream)
    if "rise_frame" not in block or stream.rate_hz <= 0:
        return None
    rise, fall = (float(block[name]) for name in ("rise_frame", "fall_frame"))
    return rise / stream.rate_hz, fall / stream.rate_hz


def start_half_width_s(stream: RecordedStream) -> float | None:
    """Return how well the first sample's time is known; None for a live recording."""
    text = _block(stream).get("start_half_width_s")
    return None if text is None else float(text)


def start_aligned(fit: sync.ClockFit, half_width_s: float) -> sync.ClockFit:
    """Say of a clock made of declared stamps what it rests on."""
    reason = (
        "start-aligned: the first sample is taken at the rise of the line, "
        f"± {half_width_s * 1e3:g} ms as the import profile says"
    )
    return replace(fit, reasons=(reason,))


def _block(stream: RecordedStream) -> Mapping[str, Any]:
    if f"<{BLOCK}>" not in stream.header_xml:
        return {}
    block = parse_header(stream.header_xml).metadata.get(BLOCK, {})
    return block if isinstance(block, Mapping) else {}
