"""Ultrasound frames as text, one file a probe: a line a frame, tabs between values."""

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.arrays import US_SHAPE
from acquire.dataset.placed_trial import PlacedTrial, even_rows

LOST = b"\t".join([b"NaN"] * US_SHAPE[1])


def elonxi_texts(trial: PlacedTrial) -> list[bytes]:
    """Return the text of each probe; a frame that was lost is a line of NaN."""
    stream = trial.recording["amode"]
    at = trial.time_s("amode")
    row, _ = even_rows(at, stream.rate_hz, trial.duration_s)
    first = stream.labels.index("CH1_0000")
    probes, depth = US_SHAPE
    return [
        _text(stream.data[:, first + probe * depth :][:, :depth], row)
        for probe in range(probes)
    ]


def _text(frames: NDArray[np.integer], row: NDArray[np.intp]) -> bytes:
    lines = [
        LOST if k < 0 else "\t".join(map(str, frames[k].tolist())).encode() for k in row
    ]
    return b"\n".join([*lines, b""])
