"""Loads of feet at marker frames, and where they are not known."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acquire.gait.events import GaitEvent
from acquire.gait.feet import FootLoad, Side, Step

Floats = NDArray[np.float64]


def frame_means(rows: Floats, per_frame: int, n_frames: int) -> Floats:
    """Average rows (m, k) over one frame period around each frame, (n_frames, k).

    Sample ``i * per_frame`` is taken with frame i; of the window's two ends each
    counts half. Beyond the recording the ends are repeated.
    """
    if per_frame <= 1:
        return rows[:n_frames]
    half = per_frame // 2
    weights = np.ones(2 * half + 1)
    weights[[0, -1]] = 0.5 if per_frame % 2 == 0 else 1.0
    weights /= weights.sum()
    after = max(per_frame * n_frames + half - len(rows), 0)
    padded = np.pad(rows, ((half, after), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)
    return np.asarray(windows[::per_frame][:n_frames] @ weights)


def means_around(rows: Floats, places: Floats, width: float) -> Floats:
    """Average rows (m, k) over `width` samples around `places` (n,), shape (n, k).

    `places` are sample numbers, whole or not; between samples the rows are straight.
    With whole ones and an even width this is `frame_means`. NaN where a sample in the
    window is, and where the window reaches more than itself beyond the recording.
    """
    lost = np.asarray(np.isnan(rows).any(axis=1))
    known = np.where(lost[:, None], 0.0, rows)
    area = np.zeros_like(known)
    area[1:] = np.cumsum((known[1:] + known[:-1]) / 2, axis=0)
    count = np.concatenate([[0], np.cumsum(lost)])
    low, high = places - width / 2, places + width / 2
    last = len(rows) - 1
    a, b = np.clip(low, 0, last), np.clip(high, 0, last)
    means = (_at(area, known, b) - _at(area, known, a)) / np.maximum(b - a, 1e-9)[
        :, None
    ]
    from_, to = np.floor(a).astype(int), np.ceil(b).astype(int)
    unknown = (count[to + 1] > count[from_]) | (b - a < width / 2 - 1e-9)
    means[unknown] = np.nan
    return np.asarray(means)


def _at(area: Floats, rows: Floats, place: Floats) -> Floats:
    """Return the integral of rows from the first sample to `place` (n,)."""
    k = np.minimum(place.astype(int), len(rows) - 2)
    part = (place - k)[:, None]
    return np.asarray(area[k] + part * (rows[k] + part / 2 * (rows[k + 1] - rows[k])))


def at_frames(load: FootLoad, per_frame: int, n_frames: int) -> FootLoad:
    """Return a foot's load at marker frames instead of force samples."""
    parts = (load.force_n, load.moment_nm, load.plate_moment_nm)
    return FootLoad(*(frame_means(part, per_frame, n_frames) for part in parts))


def unknown_samples(
    steps: Sequence[Step],
    events: Sequence[GaitEvent],
    side: Side,
    time_s: Floats,
    *,
    cut: bool = True,
) -> NDArray[np.bool_]:
    """Tell at which samples the ground's force on a foot is not known, shape (n,).

    That is in a stance without a plate below it, and while a plate carries both feet
    or a load that no foot explains. Stances that begin or end beyond the recording
    count when `cut` is True.
    """
    unknown = np.zeros(time_s.size, dtype=bool)
    pressed = np.zeros(time_s.size, dtype=bool)
    for step in steps:
        part = slice(step.contact.first, step.contact.last)
        if step.crossover or step.side is None:
            unknown[part] = True
        elif step.side == side:
            pressed[part] = True
    for start_s, end_s in stances(events, side):
        if not cut and not np.isfinite(start_s + end_s):
            continue
        first, last = np.searchsorted(time_s, [start_s, end_s])
        if last > first and pressed[first:last].mean() < 0.5:
            unknown[first:last] |= ~pressed[first:last]
    return unknown


def stances(events: Sequence[GaitEvent], side: Side) -> list[tuple[float, float]]:
    """Return (strike, off) times of a foot, infinite where the recording cuts one."""
    own = sorted((e for e in events if e.side == side), key=lambda e: e.time_s)
    found: list[tuple[float, float]] = []
    start: float | None = -np.inf if own and own[0].kind == "off" else None
    for event in own:
        if event.kind == "strike":
            start = event.time_s
        elif start is not None:
            found.append((start, event.time_s))
            start = None
    if start is not None:
        found.append((start, np.inf))
    return found


def masked(load: FootLoad, unknown: NDArray[np.bool_]) -> FootLoad:
    """Return a load with NaN at the samples that are unknown."""
    hidden = np.where(unknown, np.nan, 0.0)[:, None]
    return FootLoad(
        load.force_n + hidden, load.moment_nm + hidden, load.plate_moment_nm + hidden
    )
