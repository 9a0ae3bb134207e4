"""Pictures of an alignment for the report: residuals and interval of each stream."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from acquire.align import Alignment
from acquire.align.streams import StreamClock

_BLUE, _GREY, _RED, _ORANGE = "#0072B2", "#999999", "#D55E00", "#E69F00"
_N_POINTS = 400


def alignment_figure(alignment: Alignment) -> Figure:
    """Return one figure with a row per stream that has edges.

    Dots are the residuals of matched edges, the band is the guaranteed interval, dashed
    lines are losses; time is relative to the first frame of the trial.
    """
    clocks = [
        clock
        for clock in alignment.streams.values()
        if clock.fit.method == "edges" and clock.index.size
    ]
    figure = Figure(
        figsize=(8.0, 0.9 + 1.7 * max(1, len(clocks))), layout="constrained"
    )
    FigureCanvasAgg(figure)
    figure.suptitle(f"Clock alignment: {alignment.status}", fontsize=11)
    if not clocks:
        figure.text(0.5, 0.45, "no stream with trigger edges", ha="center")
        return figure
    axes = figure.subplots(len(clocks), 1, sharex=True, squeeze=False)[:, 0]
    t0 = alignment.t0_s if np.isfinite(alignment.t0_s) else 0.0
    for axis, clock in zip(axes, clocks, strict=True):
        _draw(axis, clock, t0)
    axes[-1].set_xlabel("trial time (s)")
    return figure


def save_figure(alignment: Alignment, path: Path) -> None:
    """Draw an alignment into a picture file; its suffix names the format."""
    alignment_figure(alignment).savefig(path, dpi=110)


def stream_figure(clock: StreamClock, t0_s: float = 0.0) -> Figure:
    """Return the residuals and interval of one stream."""
    figure = Figure(figsize=(8.0, 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    _draw(axis, clock, t0_s)
    axis.set_xlabel("trial time (s)")
    return figure


def _draw(axis, clock: StreamClock, t0_s: float) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    fit = clock.fit
    rows = np.unique(
        np.linspace(0, max(0, clock.index.size - 1), _N_POINTS).astype(np.intp)
    )
    index = clock.index[rows]
    time = fit.time_s(index) - t0_s
    width = fit.half_width_s(index) * 1e3
    axis.fill_between(time, -width, width, color=_GREY, alpha=0.35, linewidth=0)
    for run in fit.runs:
        when = fit.time_s(run.matched_index) - t0_s
        axis.plot(when, run.residuals * 1e3, ".", color=_BLUE, markersize=4)
    for gap in clock.gaps:
        lost_at = float(fit.time_s(gap.first_missing_index)) - t0_s
        colour = _RED if gap.kind == "counted" else _ORANGE
        axis.axvline(lost_at, color=colour, linestyle="--", linewidth=1)
    axis.set_ylabel("ms")
    axis.set_title(
        f"{clock.name}: {clock.status}, skew {fit.skew_ppm:+.1f} ppm, "
        f"{fit.n_matched} edges, {clock.n_lost} lost",
        fontsize=9,
        loc="left",
    )
    axis.grid(alpha=0.3)
