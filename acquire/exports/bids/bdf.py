"""Write BDF+ files: 24-bit samples in physical units, times of losses as notes.

The format has no missing sample: what is NaN is written as zero and named in an
annotation. It has no day before 1985 either: 01.01.85 stands for a hidden one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HIGHEST: Final = 2**23 - 1
LOST: Final = "BAD_lost"
_RECORD_FRAMES: Final = (
    100,
    50,
    20,
    10,
    5,
    4,
    2,
    1,
)  #: of 10 ms, that may make a record
_NOTE_BYTES: Final = 3


@dataclass(frozen=True, eq=False)
class BdfSignal:
    """One channel: `samples` (n,) in `unit`, NaN where lost."""

    label: str
    unit: str
    samples: Floats
    prefilter: str = ""


def bdf_bytes(signals: Sequence[BdfSignal], rate_hz: float, n_frames: int) -> bytes:
    """Return a BDF+ file of signals sampled evenly for `n_frames` hundredths of 1 s.

    The quantum of a channel is its greatest value over 2²³.
    """
    frames = next(n for n in _RECORD_FRAMES if n_frames % n == 0)
    n_records = n_frames // frames
    per_record = round(rate_hz * frames / 100)
    notes = _notes(signals, rate_hz, n_records, frames / 100)
    ranges = [_range(signal.samples) for signal in signals]
    head = _header(
        signals,
        ranges,
        frames / 100,
        n_records,
        per_record,
        len(notes[0]) // _NOTE_BYTES,
    )
    digital = np.stack(
        [
            np.rint(np.nan_to_num(signal.samples) / most * HIGHEST).astype("<i4")
            for signal, most in zip(signals, ranges, strict=True)
        ]
    ).reshape(len(signals), n_records, per_record)
    records = []
    for k in range(n_records):
        whole = np.ascontiguousarray(digital[:, k]).view(np.uint8)
        low = whole.reshape(len(signals), per_record, 4)[:, :, :3]
        records += [low.tobytes(), notes[k]]
    return head + b"".join(records)


def lost_spans(samples: Floats, rate_hz: float) -> list[tuple[float, float]]:
    """Return onset and duration, s, of every run of NaN in samples (n,)."""
    lost = np.isnan(samples)
    steps = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]])))
    return [
        (first / rate_hz, (last - first) / rate_hz)
        for first, last in steps.reshape(-1, 2).tolist()
    ]


def _range(samples: Floats) -> float:
    """Return the physical maximum, one that eight characters hold exactly."""
    most = float(np.nanmax(np.abs(samples), initial=0.0))
    most = most if np.isfinite(most) and most > 0 else 1.0
    return float(_eight(np.nextafter(most, np.inf) * 1.0001))


def _eight(value: float) -> str:
    """Return a number of at most seven characters, so that a sign fits too."""
    for digits in range(5, -1, -1):
        text = f"{value:.{digits}f}"
        if len(text) <= 7:
            return text
    raise ValueError(f"{value:g} does not fit the eight characters of a BDF header")


def _notes(
    signals: Sequence[BdfSignal], rate_hz: float, n_records: int, record_s: float
) -> list[bytes]:
    """Return the annotations of every record, all of one length: its time, losses."""
    lost: dict[tuple[float, float], list[str]] = {}
    for signal in signals:
        for span in lost_spans(signal.samples, rate_hz):
            lost.setdefault(span, []).append(signal.label)
    texts = [f"+{k * record_s:.6f}\x14\x14\0" for k in range(n_records)]
    for (onset, duration), labels in sorted(lost.items()):
        where = "" if len(labels) == len(signals) else f" {','.join(labels)}"
        note = f"+{onset:.6f}\x15{duration:.6f}\x14{LOST}{where}\x14\0"
        texts[min(int(onset / record_s), n_records - 1)] += note
    width = max(len(text) for text in texts)
    width += -width % _NOTE_BYTES
    return [text.encode().ljust(width, b"\0") for text in texts]


def _header(
    signals: Sequence[BdfSignal],
    ranges: Sequence[float],
    record_s: float,
    n_records: int,
    per_record: int,
    note_samples: int,
) -> bytes:
    n = len(signals) + 1
    fixed = [
        ("X X X X", 80),
        ("Startdate X X X X", 80),
        ("01.01.85", 8),
        ("00.00.00", 8),
        (str(256 * (n + 1)), 8),
        ("BDF+C", 44),
        (str(n_records), 8),
        (f"{record_s:g}", 8),
        (str(n), 4),
    ]
    columns = [
        ([*(s.label for s in signals), "BDF Annotations"], 16),
        ([""] * n, 80),
        ([*(s.unit for s in signals), ""], 8),
        ([*(f"-{_eight(most)}" for most in ranges), "-1"], 8),
        ([*(_eight(most) for most in ranges), "1"], 8),
        ([*(str(-HIGHEST) for _ in signals), str(-HIGHEST - 1)], 8),
        ([str(HIGHEST)] * n, 8),
        ([*(s.prefilter for s in signals), ""], 80),
        ([*(str(per_record) for _ in signals), str(note_samples)], 8),
        ([""] * n, 32),
    ]
    texts = [text.ljust(width)[:width] for text, width in fixed]
    texts += [v.ljust(width)[:width] for values, width in columns for v in values]
    return b"\xffBIOSEMI" + "".join(texts).encode("ascii", "replace")
