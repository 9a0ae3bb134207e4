"""Missing samples and restarts, from a running sample count."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Gap:
    """Samples that are not there.

    ``counted``: the device's own counter jumps over them; exact. ``inferred``: they
    follow from edges or stamps; `n` is right to ± `n_half_width`, and they went missing
    somewhere between the indices `not_before` and `not_after` (as counted by what did
    arrive), of which `first_missing_index` is the middle.
    """

    first_missing_index: float
    n: int
    kind: Literal["counted", "inferred"] = "counted"
    n_half_width: int = 0
    not_before: float = float("nan")
    not_after: float = float("nan")


def find_gaps(index: ArrayLike) -> tuple[Gap, ...]:
    """Return the gaps in a running sample count, shape (n_samples,).

    Repeats and steps back are no gaps (`find_resets` finds those); NaN is passed over.
    """
    count = np.asarray(index, dtype=np.float64).reshape(-1)
    count = count[np.isfinite(count)]
    step = np.diff(count)
    return tuple(
        Gap(
            first_missing_index=float(count[row] + 1.0),
            n=round(float(step[row])) - 1,
            not_before=float(count[row]),
            not_after=float(count[row + 1]),
        )
        for row in np.flatnonzero(step >= 1.5)
    )


def find_resets(index: ArrayLike) -> NDArray[np.intp]:
    """Return the rows at which a running count steps back, shape (n_resets,)."""
    count = np.asarray(index, dtype=np.float64).reshape(-1)
    rows = np.flatnonzero(np.isfinite(count))
    return rows[1:][np.diff(count[rows]) < 0.0]
