"""Smoothing of trajectories by quintic splines, as Woltring's method does.

A natural spline of degree five minimises the squared residuals plus λ times the
integral of the squared third derivative. λ is chosen for every coordinate on its own:
by generalised cross-validation, or so that the mean squared residual reaches a given
value. Only what is derived is smoothed, and only where it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.sparse import csr_array, diags_array

from acquire.gait.rigid_filling import gaps_of

Floats = NDArray[np.float64]

DEGREE: Final = 5
SHORTEST: Final = 20  #: frames; shorter stretches between gaps stay as they are
LAMBDAS: Final = np.logspace(-4, 7, 45)
"""In frames⁶: of a sine of ω rad a frame, 1/(1 + λω⁶) remains. At 100 Hz the half-way
frequency goes from 74 Hz down to 1.1 Hz."""
EXACT: Final = 300  #: frames up to which a fit's degrees of freedom are counted


@dataclass(frozen=True, slots=True)
class MarkerSmoothing:
    """How positions are smoothed before the model; `mse_mm2` for method ``mse``."""

    method: Literal["none", "gcv", "mse"] = "none"
    mse_mm2: float = 10.0


def smooth_markers(
    markers_m: Mapping[str, Floats], how: MarkerSmoothing
) -> dict[str, Floats]:
    """Return positions (n, 3) by label, smoothed between their gaps.

    Every stretch without a gap is smoothed on its own; where a marker is hidden it
    stays NaN.
    """
    if how.method == "none":
        return dict(markers_m)
    found = {}
    for name, rows in markers_m.items():
        found[name] = made = rows.copy()
        hidden = np.asarray(~np.isfinite(rows).all(axis=1))
        for first, last in gaps_of(hidden):
            made[first:last] = smooth(rows[first:last] * 1000.0, how) / 1000.0
    return found


def smooth(rows_mm: Floats, how: MarkerSmoothing) -> Floats:
    """Return rows (n, k), even in time and without gaps, smoothed column by column."""
    n = len(rows_mm)
    if n < SHORTEST:
        return rows_mm
    middle = rows_mm.mean(axis=0)
    rows = rows_mm - middle
    residual = np.empty((LAMBDAS.size, rows.shape[1]))
    for k, smoothing in enumerate(LAMBDAS):
        residual[k] = np.mean((_fit(rows, float(smoothing)) - rows) ** 2, axis=0)
    if how.method == "gcv":
        free = np.array([_degrees_of_freedom(n, float(v)) for v in LAMBDAS])
        best = np.argmin(residual / (1.0 - free[:, None] / n) ** 2, axis=0)
    else:
        best = np.maximum(np.sum(residual <= how.mse_mm2, axis=0) - 1, 0)
    made = np.empty_like(rows)
    for k in np.unique(best):
        made[:, best == k] = _fit(rows[:, best == k], float(LAMBDAS[k]))
    return np.asarray(made + middle)


def _fit(rows: Floats, smoothing: float) -> Floats:
    basis, normal, penalty = _system(len(rows))
    factor = cholesky_banded(normal + smoothing * penalty)
    return np.asarray(basis @ cho_solve_banded((factor, False), basis.T @ rows))


@lru_cache(maxsize=512)
def _degrees_of_freedom(n: int, smoothing: float) -> float:
    """Return the trace of the fit: exactly, or grown from a shorter one.

    Away from the ends every frame adds as much as the one in the middle.
    """
    own = min(n, EXACT)
    weights = _leverages(own, smoothing)
    return float(weights.sum() + (n - own) * weights[own // 2])


@lru_cache(maxsize=512)
def _leverages(n: int, smoothing: float) -> Floats:
    return np.diag(_fit(np.eye(n), smoothing))


@lru_cache(maxsize=8)
def _system(n: int) -> tuple[csr_array, Floats, Floats]:
    """Return the basis (n, n + 4), and Gram and penalty matrix in upper banded form."""
    inner = np.arange(1.0, n - 1)
    knots = np.concatenate([np.zeros(6), inner, np.full(6, n - 1.0)])
    basis = csr_array(BSpline.design_matrix(np.arange(float(n)), knots, DEGREE))
    # The third derivative is a spline of degree two, its weights thirdfold differences.
    change = diags_array(np.ones(n + 4), format="csr")
    trimmed = knots
    for degree in (5, 4, 3):
        count = trimmed.size - degree - 1
        gaps = trimmed[degree + 1 : degree + count] - trimmed[1:count]
        step = diags_array(
            [-degree / gaps, degree / gaps],
            offsets=[0, 1],
            shape=(count - 1, count),
            format="csr",
        )
        change, trimmed = step @ change, trimmed[1:-1]
    nodes, weights = np.polynomial.legendre.leggauss(3)
    at = (np.arange(n - 1)[:, None] + 0.5 + 0.5 * nodes).ravel()
    third = csr_array(BSpline.design_matrix(at, trimmed, 2)) @ change
    weighted = diags_array(np.tile(weights / 2, n - 1)) @ third
    gram, penalty = basis.T @ basis, third.T @ weighted
    return basis, _banded(csr_array(gram)), _banded(csr_array(penalty))


def _banded(matrix: csr_array) -> Floats:
    """Return a symmetric matrix with five bands above its diagonal in banded form."""
    n = matrix.shape[0]
    made = np.zeros((DEGREE + 1, n))
    for k in range(DEGREE + 1):
        made[DEGREE - k, k:] = matrix.diagonal(k)
    return made
