"""How well clocks are aligned, beside what others do with the same recording."""

import time
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


OURS = "kinemuse"


def run(n_seeds: int = 20) -> list[dict[str, Any]]:
    """Return a row per case and method: greatest error over each record, in ms.

    `median` and `worst` are over `n_seeds` recordings, `times ours` is the method's
    median over ours. Of ours, `covered` is the least share of samples whose interval
    holds the truth, and `CPU ms` the most that one fit took, LSL line included.
    """
    rows = []
    for rate_hz, seconds in CASES:
        trials = [make_trial(rate_hz, seconds, seed) for seed in range(n_seeds)]
        rows += _rows(f"{rate_hz:g} Hz, {seconds:g} s", trials)
    lossy = [make_loss_trial(seed) for seed in range(n_seeds)]
    away = [trial.away for trial in lossy]
    return rows + _rows("2000 Hz, 10 s, 40 samples lost unseen", lossy, away)


def _rows(
    case: str, trials: Sequence[Trial], away: Sequence[Mask] | None = None
) -> list[dict[str, Any]]:
    """Score some trials; errors count at the rows `away` from a loss, or at all."""
    errors: dict[str, list[float]] = {}
    covered, widths, cpu_s = [], [], []
    for k, trial in enumerate(trials):
        rows = away[k] if away is not None else np.ones(trial.index.size, dtype=bool)
        started = time.process_time()
        fit = _fit(trial)
        cpu_s.append(time.process_time() - started)
        ours = fit.time_s(trial.index)
        width = fit.half_width_s(trial.index)
        covered.append(float(np.mean(np.abs(ours - trial.true_s) <= width)))
        widths.append(float(np.median(width)) * 1e3)
        for name, times in (
            (OURS, ours),
            ("first/last pulse", first_last(trial)),
            ("nearest neighbour", nearest(trial)),
            ("LSL stamps", dejittered(trial)),
        ):
            greatest = float(np.abs(times - trial.true_s)[rows].max()) * 1e3
            errors.setdefault(name, []).append(greatest)
    median = float(np.median(errors[OURS]))
    own = {
        "interval ± ms": round(float(np.median(widths)), 3),
        "covered": round(min(covered), 4),
        "CPU ms": round(1e3 * max(cpu_s), 1),
    }
    return [
        {
            "case": case,
            "method": name,
            "median ms": round(float(np.median(found)), 3),
            "worst ms": round(max(found), 3),
            "times ours": round(float(np.median(found)) / median, 1),
            **(own if name == OURS else dict.fromkeys(own)),
        }
        for name, found in errors.items()
    ]


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
