"""How well clocks are aligned, beside what others do with the same recording."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.bench.sync_scenario import Trial, make_loss_trial, make_trial

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
CASES = (
    (2000.0, 600.0),
    (1000.0, 600.0),
    (1000.0, 60.0),
    (148.148, 600.0),
    (100.0, 600.0),
    (100.0, 60.0),
    (20.0, 600.0),
    (20.0, 60.0),
)


def run(n_seeds: int = 20) -> list[dict[str, Any]]:
    """Return a row per case: greatest error over the record, in ms, of each method.

    `median` and `worst` are over `n_seeds` recordings; `covered` is the least share of
    samples whose interval holds the truth; `better` is the best other method's median
    over ours.
    """
    rows = [
        _row(
            f"{rate_hz:g} Hz, {seconds:g} s",
            [make_trial(rate_hz, seconds, seed) for seed in range(n_seeds)],
        )
        for rate_hz, seconds in CASES
    ]
    lossy = [make_loss_trial(seed) for seed in range(n_seeds)]
    away = [trial.away for trial in lossy]
    return [*rows, _row("2000 Hz, 10 s, 40 samples lost unseen", lossy, away)]


def _row(
    case: str, trials: Sequence[Trial], away: Sequence[Mask] | None = None
) -> dict[str, Any]:
    """Score some trials; errors count at the rows `away` from a loss, or at all."""
    ours, covered, widths = [], [], []
    others: dict[str, list[float]] = {
        "first/last pulse": [],
        "nearest neighbour": [],
        "LSL stamps": [],
    }
    for k, trial in enumerate(trials):
        rows = away[k] if away is not None else np.ones(trial.index.size, dtype=bool)
        fit = _fit(trial)
        error = np.abs(fit.time_s(trial.index) - trial.true_s)
        width = fit.half_width_s(trial.index)
        ours.append(float(error[rows].max()) * 1e3)
        covered.append(float(np.mean(error <= width)))
        widths.append(float(np.median(width)) * 1e3)
        for name, times in (
            ("first/last pulse", first_last(trial)),
            ("nearest neighbour", nearest(trial)),
            ("LSL stamps", dejittered(trial)),
        ):
            others[name].append(float(np.abs(times - trial.true_s)[rows].max()) * 1e3)
    median = float(np.median(ours))
    peers = {name: float(np.median(errors)) for name, errors in others.items()}
    return {
        "case": case,
        "median ms": round(median, 3),
        "worst ms": round(max(ours), 3),
        "interval ± ms": round(float(np.median(widths)), 3),
        "covered": round(min(covered), 4),
        **{f"{name} ms": round(value, 2) for name, value in peers.items()},
        "better": f"{min(peers.values()) / median:.0f}x",
    }


def _fit(trial: Trial) -> sync.ClockFit:
    line = sync.fit_stamps(trial.index, trial.stamps_s, rate_hz=trial.rate_hz)
    at = trial.device.index[:1]
    prior = float((line.time_s(at) - at / trial.rate_hz)[0])
    return sync.fit_clock(
        trial.device, trial.reference, rate_hz=trial.rate_hz, prior_offset_s=prior
    )


def first_last(trial: Trial) -> Array:
    """Return times by the first and the last pulse each side saw."""
    device, seen = trial.device.index, trial.reference.index
    slope = (seen[-1] - seen[0]) / (device[-1] - device[0])
    return np.asarray(seen[0] + (trial.index - device[0]) * slope)


def nearest(trial: Trial) -> Array:
    """Return times by a line through pulses that are nearest in LSL time."""
    seen, device = trial.reference.index, trial.device.index
    guess = np.interp(device, trial.index, dejittered(trial))
    after = np.clip(np.searchsorted(seen, guess), 1, seen.size - 1)
    earlier = guess - seen[after - 1] < seen[after] - guess
    partner = np.where(earlier, seen[after - 1], seen[after])
    return _line(device, partner, trial.index)


def dejittered(trial: Trial) -> Array:
    """Return times by a straight line through the LSL stamps."""
    return _line(trial.index, trial.stamps_s, trial.index)


def _line(x: Array, y: Array, at: Array) -> Array:
    x0, y0 = x.mean(), y.mean()
    slope = float(((x - x0) @ (y - y0)) / ((x - x0) @ (x - x0)))
    return np.asarray(y0 + slope * (at - x0))
