"""Pair the edges of a device with those of the reference.

The longest chain of pairs wins in which order is kept, every edge is used once and the
offset moves no faster than a clock may; a jump of the offset costs as much as a few
lost pairs. Missing, extra and doubled edges and steps of the clock need no special
case.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sync.edges import Edges

MAX_SKEW = 305e-6  #: 300 ppm, and room for a bend
_STEP_COST = 2.5  #: in pairs
_LOOK_BACK = 12  #: device edges with candidates
_LOST_WINDOW, _LOST_SHARE = 24, 0.42
_OUTAGE = 12
_TRUSTED = 5.0  #: score from which the chain itself is the prior


@dataclass(frozen=True, eq=False)
class Chain:
    """Matched pairs: positions in the device's and the reference's edges."""

    device: NDArray[np.intp]
    reference: NDArray[np.intp]

    def __len__(self) -> int:
        return int(self.device.size)


def match_edges(
    device: Edges, reference: Edges, prior_s: float, half_width_s: float, at_s: float
) -> Chain:
    """Return the best chain of pairs of two trains on a seconds axis.

    `device.index` is in nominal seconds, index / rate; the offset reference - device
    is within `half_width_s` of `prior_s` at device time `at_s`, and farther off by the
    greatest skew. Once a chain has formed, its own end takes the prior's place.
    """
    pairs = _Pairs()
    centre, centre_at = prior_s, at_s
    order = {
        rising: np.flatnonzero(reference.rising == rising) for rising in (True, False)
    }
    times = {rising: reference.index[rows] for rising, rows in order.items()}
    for row in range(len(device)):
        x = float(device.index[row])
        reach = half_width_s + MAX_SKEW * abs(x - centre_at)
        reach += float(device.half_width[row])
        rising = bool(device.rising[row])
        first, last = np.searchsorted(
            times[rising], [x + centre - reach, x + centre + reach]
        )
        for position in range(int(first), int(last)):
            ref = int(order[rising][position])
            offset = float(times[rising][position]) - x
            width = float(device.half_width[row] + reference.half_width[ref])
            pairs.add(row, ref, x, offset, width)
        head = pairs.best
        if head >= 0 and pairs.score[head] >= _TRUSTED:
            centre, centre_at = pairs.offset[head], pairs.x[head]
    return pairs.chain()


def pair_in_order(
    device: Edges, reference: Edges, prior_s: float, half_width_s: float, at_s: float
) -> Chain | None:
    """Return all edges paired one by one, or None where they do not pair up so.

    Arguments as for `match_edges`. Trains of the same number of edges in the same
    directions, each within the prior of its partner, have lost and gained nothing.
    """
    if len(device) != len(reference) or np.any(device.rising != reference.rising):
        return None
    offset = reference.index - device.index - prior_s
    reach = half_width_s + MAX_SKEW * np.abs(device.index - at_s) + device.half_width
    if np.any(np.abs(offset) > reach):
        return None
    rows = np.arange(len(device))
    return Chain(rows, rows)


def first_lost(n_device: int, chain: Chain) -> int | None:
    """Return the device edge from which on the chain holds by chance at best.

    None where it holds to the end. Even with a third of the edges missing and a fifth
    extra, three of four device edges find their partner; by chance it is one of four.
    """
    matched = np.zeros(n_device)
    matched[chain.device] = 1.0
    if n_device < _LOST_WINDOW:
        return None
    share = np.convolve(matched, np.ones(_LOST_WINDOW), mode="valid") / _LOST_WINDOW
    poor = np.flatnonzero(share < _LOST_SHARE)
    if poor.size == 0:
        return None
    end = min(n_device, int(poor[0]) + _LOST_WINDOW)
    gain = np.cumsum(matched[:end] - 0.55)
    best = int(np.argmax(gain))
    return best + 1 if gain[best] > 0 and best + 1 < n_device else 0


def last_before_jump(device: Edges, reference: Edges, chain: Chain, pairs: int) -> int:
    """Return how many of the first `pairs` come before a jump close to their end."""
    rows, refs = chain.device[:pairs], chain.reference[:pairs]
    x, offset = device.index[rows], reference.index[refs] - device.index[rows]
    width = device.half_width[rows] + reference.half_width[refs]
    allowed = width[1:] + width[:-1] + MAX_SKEW * np.diff(x) + 1e-6
    jumps = np.flatnonzero(np.abs(np.diff(offset)) > allowed) + 1
    jumps = jumps[jumps > max(0, pairs - 12)]
    return int(jumps[0]) if jumps.size else pairs


def longest_outage(chain: Chain) -> int:
    """Return how many reference edges in a row the device missed at a stretch.

    0 unless the stretch is long and the device saw nothing else meanwhile: that is a
    device that was away, not one that misses edges.
    """
    missed = np.diff(chain.reference) - 1
    quiet = np.diff(chain.device) == 1
    longest = int(np.max(missed[quiet], initial=0))
    return longest if longest >= _OUTAGE else 0


class _Pairs:
    """Candidate pairs in the order of device edges, each with its best predecessor."""

    def __init__(self) -> None:
        self.row: list[int] = []
        self.ref: list[int] = []
        self.x: list[float] = []
        self.offset: list[float] = []
        self.width: list[float] = []
        self.score: list[float] = []
        self.before: list[int] = []
        self.best = -1
        self._rows: list[int] = []  # where each of the last device rows begins

    def add(self, row: int, ref: int, x: float, offset: float, width: float) -> None:
        if not self.row or self.row[-1] != row:
            self._rows = [*self._rows[-_LOOK_BACK:], len(self.row)]
        score, before = 1.0, -1
        candidates = list(range(self._rows[0], self._rows[-1]))
        if self.best >= 0 and self.best < self._rows[0]:
            candidates.append(self.best)
        for other in candidates:
            if self.ref[other] >= ref or self.row[other] >= row:
                continue
            allowed = width + self.width[other] + MAX_SKEW * (x - self.x[other]) + 1e-6
            moved = abs(offset - self.offset[other]) / allowed
            gain = 1.0 - 0.3 * moved * moved if moved <= 1.0 else 1.0 - _STEP_COST
            if self.score[other] + gain > score:
                score, before = self.score[other] + gain, other
        self.row.append(row)
        self.ref.append(ref)
        self.x.append(x)
        self.offset.append(offset)
        self.width.append(width)
        self.score.append(score)
        self.before.append(before)
        if self.best < 0 or score > self.score[self.best]:
            self.best = len(self.row) - 1

    def chain(self) -> Chain:
        rows, refs = [], []
        pair = self.best
        while pair >= 0:
            rows.append(self.row[pair])
            refs.append(self.ref[pair])
            pair = self.before[pair]
        return Chain(
            np.array(rows[::-1], dtype=np.intp), np.array(refs[::-1], dtype=np.intp)
        )


def ambiguity(device: Edges, reference: Edges, chain: Chain, reach_s: float) -> float:
    """Share of the matched pairs that another offset within ± `reach_s` pairs too.

    0.02 is typical of irregular trains; a periodic train that could be shifted by a
    period has 1. The other offset counts only where it pairs the same edges otherwise.
    """
    if len(chain) == 0:
        return 1.0
    offsets = reference.index[chain.reference] - device.index[chain.device]
    step = max(1, len(chain) // 200)
    others: list[NDArray[np.float64]] = []
    widths = device.half_width[chain.device] + reference.half_width[chain.reference]
    for pair in range(0, len(chain), step):
        row = chain.device[pair]
        same = reference.index[reference.rising == device.rising[row]]
        expected = device.index[row] + offsets[pair]
        first, last = np.searchsorted(same, [expected - reach_s, expected + reach_s])
        shift = same[first:last] - expected
        others.append(shift[np.abs(shift) > 1e-9])
    shifts = np.sort(np.concatenate(others))
    if shifts.size == 0:
        return 0.0
    window = 4.0 * float(np.median(widths)) + 1e-6
    votes = np.searchsorted(shifts, shifts + window, side="right") - np.arange(
        shifts.size
    )
    n_asked = len(range(0, len(chain), step))
    return min(1.0, float(votes.max()) / n_asked)
