"""Pictures of an alignment for the report: residuals and interval of each stream."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from acquire.align import Alignment
from acquire.align.stream_clock import StreamClock

_BLUE, _GREY, _RED, _ORANGE = "#0072B2", "#999999", "#D55E00", "#E69F00"
_SIGNS = {"ok": "●", "degraded": "▲", "ambiguous": "■", "failed": "✕"}
_COLOURS = {"ok": "#009E73", "degraded": _ORANGE, "ambiguous": _RED, "failed": _RED}
_N_POINTS = 400
_WIDTH = 100  #: characters of a line of reasons


def alignment_figure(alignment: Alignment, title: str = "") -> Figure:
    """Return one figure with a row per stream that has edges.

    Dots are the residuals of matched edges, each with its own width, the band is the
    guaranteed interval of the clock, dashed lines are losses, dotted ones steps of the
    clock; the trial begins at 0. Streams without edges are listed below.
    """
    clocks = [
        clock
        for clock in alignment.streams.values()
        if clock.fit.method == "edges" and clock.index.size
    ]
    shown = {clock.name for clock in clocks}
    others = [
        f"{clock.name}: {_SIGNS[clock.status]} {clock.status}, by {clock.fit.method}, "
        f"± {_number(clock.half_widths_s()[1] * 1e3)} ms"
        for name, clock in alignment.streams.items()
        if name not in shown
    ]
    foot = "\n".join([*others, *(_cut(reason) for reason in alignment.reasons)])
    height = 0.9 + 2.3 * max(1, len(clocks)) + 0.17 * len(foot.splitlines())
    figure = Figure(figsize=(9.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    called = f"{title}: " if title else "Clock alignment: "
    figure.suptitle(
        f"{called}{_SIGNS[alignment.status]} {alignment.status}",
        fontsize=11,
        color="black" if alignment.status == "ok" else _COLOURS[alignment.status],
    )
    if foot:
        figure.supxlabel(foot, fontsize=7.5, ha="left", x=0.02)
    if not clocks:
        figure.text(0.5, 0.6, "no stream with trigger edges", ha="center")
        return figure
    axes = figure.subplots(len(clocks), 1, sharex=True, squeeze=False)[:, 0]
    t0 = alignment.t0_s if np.isfinite(alignment.t0_s) else 0.0
    for axis, clock in zip(axes, clocks, strict=True):
        _draw(axis, clock, t0)
    axes[-1].set_xlabel("trial time (s)")
    return figure


def save_figure(alignment: Alignment, path: Path, title: str = "") -> None:
    """Draw an alignment into a picture file; its suffix names the format."""
    alignment_figure(alignment, title).savefig(path, dpi=110)


def stream_figure(clock: StreamClock, t0_s: float = 0.0) -> Figure:
    """Return the residuals and interval of one stream."""
    figure = Figure(figsize=(9.0, 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    _draw(axis, clock, t0_s)
    axis.set_xlabel("trial time (s)")
    return figure


def _draw(axis: Axes, clock: StreamClock, t0_s: float) -> None:
    fit = clock.fit
    rows = np.unique(
        np.linspace(0, max(0, clock.index.size - 1), _N_POINTS).astype(np.intp)
    )
    index = clock.index[rows]
    time = fit.time_s(index) - t0_s
    width = fit.half_width_s(index) * 1e3
    axis.fill_between(
        time,
        -width,
        width,
        color=_GREY,
        alpha=0.35,
        linewidth=0,
        label="interval of the clock",
    )
    axis.axhline(0.0, color=_GREY, linewidth=0.8)
    for k, run in enumerate(fit.runs):
        when = fit.time_s(run.matched_index) - t0_s
        dots, reach = run.residuals * 1e3, run.matched_half_width * 1e3
        axis.vlines(when, dots - reach, dots + reach, color=_BLUE, alpha=0.25)
        label = None if k else "residual of a matched edge, and its own width"
        axis.plot(when, dots, ".", color=_BLUE, markersize=4, label=label)
    axis.margins(y=0.25)
    for k, gap in enumerate(clock.gaps):
        at = float(fit.time_s(gap.first_missing_index)) - t0_s
        colour = _RED if gap.kind == "counted" else _ORANGE
        label = None if k else f"samples lost ({gap.kind})"
        axis.axvline(at, color=colour, linestyle="--", linewidth=1, label=label)
    lost = any(step.n_lost is not None for step in fit.steps)
    for step in () if lost else fit.steps:
        at = float(fit.time_s(0.5 * (step.after + step.before))) - t0_s
        axis.axvline(at, color=_RED, linestyle=":", linewidth=1)
    axis.set_ylabel("ms")
    axis.set_title(_words(clock), fontsize=8.5, loc="left")
    axis.legend(loc="upper right", fontsize=7, ncols=3, framealpha=0.7)
    axis.grid(alpha=0.3)


def _words(clock: StreamClock) -> str:
    """Say what the numbers of one stream are, in a few lines."""
    row = clock.row()
    ends = [row[f"half_width_{at}_ms"] for at in ("start", "middle", "end")]
    lines = [
        f"{clock.name}: {_SIGNS[clock.status]} {clock.status}, skew "
        f"{_number(row['skew_ppm'])} ± {_number(row['skew_half_width_ppm'])} ppm, "
        f"fit of {row['fit_of']}, edges {row['matched']} matched, {row['missed']} "
        f"missed, {row['extra']} extra",
        f"± {' / '.join(_number(end) for end in ends)} ms at start / middle / end, "
        f"residual ≤ {_number(row['residual_max_ms'])} ms, {row['segments']} run"
        f"{'s' if row['segments'] != 1 else ''}, latency {row['edge_delay_ms']:g} ms "
        f"({row['latency_source']})",
        row["completeness"] + (f"; strikes {row['strikes']}" if row["strikes"] else ""),
        *(_cut(reason) for reason in dict.fromkeys(clock.reasons)),
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "?" if value is None or not np.isfinite(value) else f"{value:.3g}"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
