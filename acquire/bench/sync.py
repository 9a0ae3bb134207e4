"""How well clocks are aligned, beside what others do with the same recording."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.bench.sync_scenario import Trial, make_trial

Array = NDArray[np.float64]
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
    return [_row(rate_hz, seconds, n_seeds) for rate_hz, seconds in CASES]


def _row(rate_hz: float, seconds: float, n_seeds: int) -> dict[str, Any]:
    ours, covered, widths = [], [], []
    others: dict[str, list[float]] = {
        "first/last pulse": [],
        "nearest neighbour": [],
        "LSL stamps": [],
    }
    for seed in range(n_seeds):
        trial = make_trial(rate_hz, seconds, seed)
        fit = _fit(trial)
        error = np.abs(fit.time_s(trial.index) - trial.true_s)
        width = fit.half_width_s(trial.index)
        ours.append(float(error.max()) * 1e3)
        covered.append(float(np.mean(error <= width)))
        widths.append(float(np.median(width)) * 1e3)
        for name, times in (
            ("first/last pulse", first_last(trial)),
            ("nearest neighbour", nearest(trial)),
            ("LSL stamps", dejittered(trial)),
        ):
            others[name].append(float(np.abs(times - trial.true_s).max()) * 1e3)
    median = float(np.median(ours))
    peers = {name: float(np.median(errors)) for name, errors in others.items()}
    return {
        "case": f"{rate_hz:g} Hz, {seconds:g} s",
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
