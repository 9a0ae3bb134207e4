"""sEMG as MyoResearch exports it: one struct, a signal a channel.

``record_….movements.sources.signals.signal_1.{name, units, frequency, data}``, the
layout that public code for its exports reads; the published files' own is not known.
"""

import io
from typing import Any

import numpy as np
from scipy.io import savemat

from acquire.dataset.placed_trial import PlacedTrial, even_rows
from acquire.storage.layout import TrialKey

HEADER = b"MATLAB 5.0 MAT-file, written by Kinemuse"
SYNC = "Sync"
_TEXT_BYTES = 116  #: of the header, which otherwise names a date and a machine


def noraxon_mat(key: TrialKey, trial: PlacedTrial) -> bytes:
    """Return a MAT-file (level 5) of the sEMG samples from trial time 0 to the end.

    Samples are those of the instrument, at its own rate; lost ones are NaN.
    ``info.first_sample_s`` is the trial time of the first.
    """
    stream = trial.recording["semg"]
    row, times = even_rows(trial.time_s("semg"), stream.rate_hz, trial.duration_s)
    line = stream.trigger.channel if stream.trigger else ""
    rows = stream.data[row].astype(np.float64)
    rows[row < 0] = np.nan
    signals: dict[str, dict[str, object]] = {}
    for k, channel in enumerate(stream.channels):
        if channel.label == stream.counter.channel:
            continue
        signals[f"signal_{len(signals) + 1}"] = {
            "name": SYNC if channel.label == line else channel.label,
            "units": channel.unit,
            "frequency": float(stream.rate_hz),
            "data": rows[:, [k]],
        }
    parts = (key.condition, key.mode, key.speed.removeprefix("S_"), str(key.trial))
    name = "_".join(("record", *parts))
    info = {
        "record_name": name,
        "first_sample_s": float(times[0]) if times.size else np.nan,
        "simulated": float(stream.simulated),
    }
    content: dict[str, Any] = {
        name: {"info": info, "movements": {"sources": {"signals": signals}}}
    }
    file = io.BytesIO()
    savemat(file, content, do_compression=True, long_field_names=True)  # type: ignore[arg-type]
    return HEADER.ljust(_TEXT_BYTES) + file.getvalue()[_TEXT_BYTES:]
