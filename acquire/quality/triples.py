"""Subjects whose channels come in threes, x y z: markers, and forces of plates."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from acquire.quality.metric import Values, Window, per_subject, unknown

Array = NDArray[np.float64]
Labels = tuple[str, str, str]
Find = Callable[[tuple[str, ...]], dict[str, Labels]]


def triples(found: Mapping[str, Mapping[str, str]]) -> dict[str, Labels]:
    """Keep the subjects that have all three axes: subject → labels of x, y, z."""
    return {
        name: (axes["x"], axes["y"], axes["z"])
        for name, axes in found.items()
        if len(axes) == 3
    }


def each(
    find: Find, compute: Callable[[Window, Array], Array], seconds: float
) -> Callable[..., Values]:
    """Evaluate `compute(window, values (n, n_subjects, 3))` to a value per subject."""

    def values(window: Window) -> Values:
        found = find(window.labels)
        names = tuple(found)
        if not names or not window.covers(seconds):
            return unknown(names)
        labels = tuple(label for axes in found.values() for label in axes)
        rows = window.columns(labels, seconds).reshape(-1, len(names), 3)
        return per_subject(names, compute(window, rows))

    return values
