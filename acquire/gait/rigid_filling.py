"""Long marker gaps, filled from other markers of the same segment.

Where three or more companions are seen, the marker is carried along with them as if
all were one rigid body; what it lies off that body at the gap's ends is removed, so
that nothing jumps there.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEGMENTS: Final = (
    ("LASI", "RASI", "LPSI", "RPSI", "SACR"),
    *(
        tuple(side + name for name in names)
        for side in "LR"
        for names in (("THI", "KNE"), ("KNE", "TIB", "ANK"), ("ANK", "HEE", "TOE"))
    ),
)
"""Markers of the model that move together; others are placed by how they move."""
MODEL: Final = frozenset(name for segment in SEGMENTS for name in segment)
MOST_WOBBLE_M: Final = 0.010
"""Standard deviation of the distance between markers of one segment, soft tissue."""
LEAST_SPREAD_M: Final = 0.015  #: companions nearer to one line leave the turn open
SUPPORT: Final = 100  #: frames on either side of a gap that give the body its shape
LEAST_SUPPORT: Final = 20
MOST_COMPANIONS: Final = 5


def fill_rigid(
    name: str, markers_m: Mapping[str, Floats], first: int, last: int
) -> Floats | None:
    """Return marker `name` in frames first to last - 1, shape (last - first, 3).

    `markers_m` holds (n, 3) per label, NaN where hidden. None where fewer than three
    companions are seen throughout, or they are nearly in line.
    """
    rows = markers_m[name]
    n = len(rows)
    near = np.arange(max(first - SUPPORT, 0), min(last + SUPPORT, n))
    near = near[np.isfinite(rows[near]).all(axis=1)]
    chosen = _companions(name, markers_m, near, first, last)
    if len(chosen) < 3:
        return None
    others = np.stack([markers_m[other] for other in chosen], axis=1)
    near = near[np.isfinite(others[near]).all(axis=(1, 2))]
    if near.size < LEAST_SUPPORT:
        return None
    shape, place = _body(others[near], rows[near])
    if np.linalg.svd(shape - shape.mean(axis=0), compute_uv=False)[1] < LEAST_SPREAD_M:
        return None
    gap = np.arange(first, last)
    carried = _carried(shape, place, others[gap])
    edges = [k for k in (first - 1, last) if k in near]
    if not edges:
        return carried
    off = rows[edges] - _carried(shape, place, others[edges])
    share = np.interp(gap, edges, np.arange(len(edges)))[:, None]
    return np.asarray(carried + off[0] + share * (off[-1] - off[0]))


def _companions(
    name: str, markers_m: Mapping[str, Floats], near: NDArray[np.intp], *gap: int
) -> list[str]:
    """Return the markers that move most as one with `name` and are seen in the gap."""
    same = {other for segment in SEGMENTS if name in segment for other in segment}
    wobble: dict[str, float] = {}
    for other, rows in markers_m.items():
        if other == name or (other in MODEL and other not in same):
            continue
        if not np.isfinite(rows[slice(*gap)]).all():
            continue
        apart = np.linalg.norm(rows[near] - markers_m[name][near], axis=1)
        apart = apart[np.isfinite(apart)]
        if apart.size >= LEAST_SUPPORT and apart.std() <= MOST_WOBBLE_M:
            wobble[other] = float(apart.std())
    return sorted(wobble, key=wobble.__getitem__)[:MOST_COMPANIONS]


def _body(others: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Return the mean shape of companions (k, 3) and where the marker lies to it."""
    reference = others[len(others) // 2]
    turn, move = _fit(others, np.broadcast_to(reference, others.shape))
    aligned = np.einsum("nij,nkj->nki", turn, others) + move[:, None]
    place = np.einsum("nij,nj->ni", turn, rows) + move
    return aligned.mean(axis=0), place.mean(axis=0)


def _carried(shape: Floats, place: Floats, others: Floats) -> Floats:
    """Return where the marker lies when the body's companions are at (n, k, 3)."""
    turn, move = _fit(np.broadcast_to(shape, others.shape), others)
    return np.asarray(np.einsum("nij,j->ni", turn, place) + move)


def _fit(source: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return the turns (n, 3, 3) and moves (n, 3) that best take source to target."""
    middle, goal = source.mean(axis=1), target.mean(axis=1)
    spread = np.einsum("nki,nkj->nij", target - goal[:, None], source - middle[:, None])
    u, _, vt = np.linalg.svd(spread)
    sign = np.linalg.det(u @ vt)
    u[:, :, 2] *= sign[:, None]
    turn = u @ vt
    return turn, goal - np.einsum("nij,nj->ni", turn, middle)


def gaps_of(seen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, one past last) of each run of frames in which a marker hides."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], seen, [True]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
