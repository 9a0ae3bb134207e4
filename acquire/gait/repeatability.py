"""How alike the strides of one person are, and how near a curve is to a reference.

Curves are gait cycles of equal length, shape (n_points, n_strides), one quantity each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def weighted_r2(strides: Floats) -> float:
    """Return the share of the strides' variance that their mean curve explains.

    R² of every stride against the mean curve, each weighted by the stride's own total
    variance: ``1 - Σ residual / Σ total``. 1 when all strides are alike; NaN for fewer
    than two strides or flat ones. The dataset's authors name a weighted R² without its
    weights; these are the ones that let no nearly flat stride decide.
    """
    strides = _whole(strides)
    if strides.shape[1] < 2:
        return float("nan")
    residual = float(np.sum((strides - strides.mean(axis=1, keepdims=True)) ** 2))
    total = float(np.sum((strides - strides.mean(axis=0, keepdims=True)) ** 2))
    return 1.0 - residual / total if total > 0 else float("nan")


def multiple_correlation(strides: Floats) -> float:
    """Return the coefficient of multiple correlation of strides within a session.

    Kadaba et al. 1989, J Orthop Res 7:849, within-day form for one session:
    ``sqrt(1 - [Σ(y - ȳ_t)² / T(N-1)] / [Σ(y - ȳ)² / (TN-1)])`` over T points and N
    strides. NaN for fewer than two strides, and where strides differ more among
    themselves than the curve varies (the root of a negative number).
    """
    strides = _whole(strides)
    n_points, n_strides = strides.shape
    if n_strides < 2:
        return float("nan")
    about_mean = np.sum((strides - strides.mean(axis=1, keepdims=True)) ** 2)
    about_all = np.sum((strides - strides.mean()) ** 2)
    if not about_all > 0:
        return float("nan")
    within = about_mean / (n_points * (n_strides - 1))
    total = about_all / (n_points * n_strides - 1)
    share = 1.0 - float(within / total)
    return float(np.sqrt(share)) if share >= 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near a mean curve is to a reference of the same length.

    `inside` is the share of points within the reference's mean ± `bands` SD,
    `pearson` the correlation of the curves, `best_lag` the shift in % of the cycle at
    which their circular cross-correlation is largest, and `cross` its value there.
    """

    rms_difference: float
    inside: float
    pearson: float
    cross: float
    best_lag_percent: float


def agreement(
    mean: Floats, reference_mean: Floats, reference_sd: Floats, bands: float = 2.0
) -> Agreement:
    """Compare a mean curve (n,) with a reference's mean and SD (n,).

    Raises
    ------
    ValueError
        The curves differ in length.
    """
    if not mean.shape == reference_mean.shape == reference_sd.shape:
        raise ValueError(
            f"the curve has {mean.size} points, the reference {reference_mean.size} "
            f"and its SD {reference_sd.size}"
        )
    off = mean - reference_mean
    one, other = _standard(mean), _standard(reference_mean)
    circular = np.fft.irfft(np.fft.rfft(one) * np.conj(np.fft.rfft(other)), n=mean.size)
    best = int(np.argmax(circular))
    lag = best if best <= mean.size / 2 else best - mean.size
    return Agreement(
        rms_difference=float(np.sqrt(np.mean(off**2))),
        inside=float(np.mean(np.abs(off) <= bands * reference_sd)),
        pearson=float(one @ other),
        cross=float(circular[best]),
        best_lag_percent=100.0 * lag / mean.size,
    )


def _whole(strides: Floats) -> Floats:
    """Leave out strides in which a point is missing."""
    return strides[:, np.isfinite(strides).all(axis=0)]


def _standard(curve: Floats) -> Floats:
    """Return a curve without its mean, of length one; NaN for a flat one."""
    centred = curve - curve.mean()
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / (length if length > 0 else np.nan))
