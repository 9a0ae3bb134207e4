"""Pictures of one stride, one per modality, as data addresses for a page."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.signal import hilbert

from acquire.dataset.arrays import EMG_CHANNELS, EMG_HZ, FRAME_HZ, TrialArrays
from acquire.gait.cycles import Stride, normalise
from acquire.gait.feet import SIDES, Side

Floats = NDArray[np.float64]

COLOUR: dict[Side, str] = {"left": "#0072B2", "right": "#D55E00"}
INK, FAINT = "#222222", "#999999"
MM_PER_SAMPLE = 0.0385  #: 1540 m/s and 20 MS/s, there and back
DYNAMIC_DB = 45.0
DPI, WEBP_QUALITY = 160, 82
MUSCLES_ABOVE_PROBES = ("L TA", "L LG", "L RF", "L BF")
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "kinemuse",
}


def shown_stride(trial: TrialArrays, side: Side) -> Stride | None:
    """Return the accepted stride in the middle of the trial; None without one."""
    strides = trial.accepted(side)
    return strides[len(strides) // 2] if strides else None


def emg_figure(trial: TrialArrays) -> str | None:
    """Draw thirteen channels over one stride of their own side, µV."""
    strides = {side: shown_stride(trial, side) for side in SIDES}
    if not all(strides.values()):
        return None
    limit = _nice(np.nanpercentile(np.abs(trial.emg_uv), 99.9))
    with new_figure(7.4, 4.2, "webp") as (figure, out):
        axes = figure.subplots(1, 2, width_ratios=(1, 1))
        figure.subplots_adjust(0.07, 0.10, 0.98, 0.93, wspace=0.17)
        for ax, side in zip(axes, SIDES[::-1], strict=True):
            stride = strides[side]
            if stride is None:
                continue
            letter = side[0].upper()
            channels = [k for k, n in enumerate(EMG_CHANNELS) if n[0] == letter]
            first, last = (round(t * EMG_HZ) for t in (stride.start_s, stride.end_s))
            phase = np.linspace(0, 100, last - first)
            for row, k in enumerate(channels):
                trace = trial.emg_uv[first:last, k] - 2 * limit * row
                ax.plot(phase, trace, lw=0.4, color=COLOUR[side])
            names = [EMG_CHANNELS[k][2:] for k in channels]
            ax.set_yticks([-2 * limit * row for row in range(len(names))], names)
            ax.set_ylim(-2 * limit * (len(names) - 0.4), 1.2 * limit)
            ax.set_xlim(0, 100)
            ax.set_xlabel(f"{side} stride, %")
            ax.set_title(f"{side} leg, {2 * limit:g} µV from line to line")
            _mark_off(ax, stride)
    return out[0]


def force_figure(trial: TrialArrays, mass_kg: float) -> str | None:
    """Draw the reaction on each foot over one right stride, and all strides' mean."""
    if not trial.forces_n or shown_stride(trial, "right") is None:
        return None
    at = np.arange(trial.n_frames) / FRAME_HZ
    scale = mass_kg if mass_kg > 0 else 1.0
    unit = "N/kg" if mass_kg > 0 else "N"
    with new_figure(7.4, 2.4, "webp") as (figure, out):
        axes = figure.subplots(1, 3)
        figure.subplots_adjust(0.075, 0.17, 0.98, 0.91, wspace=0.22)
        names = ("along the belt (x)", "sideways (y)", "up (z)")
        for axis, (ax, name) in enumerate(zip(axes, names, strict=True)):
            for side, force in trial.forces_n.items():
                strides = trial.accepted(side)
                if not strides:
                    continue
                cycles = np.stack(
                    [
                        normalise(at, force / scale, s.start_s, s.end_s)[:, axis]
                        for s in strides
                    ]
                )
                phase = np.linspace(0, 100, cycles.shape[1])
                mean, spread = cycles.mean(axis=0), cycles.std(axis=0)
                colour = COLOUR[side]
                ax.fill_between(
                    phase, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0
                )
                ax.plot(phase, mean, color=colour, lw=1.2, label=side)
                one = cycles[len(strides) // 2]
                ax.plot(phase, one, color=colour, lw=0.6, ls="--")
            ax.set_title(name)
            ax.set_xlim(0, 100)
            ax.set_xlabel("stride of the same foot, %")
            ax.axhline(0, color=FAINT, lw=0.5)
        axes[0].set_ylabel(unit)
        axes[2].legend(frameon=False, loc="lower center")
    return out[0]


def stick_figure(trial: TrialArrays) -> str | None:
    """Draw the legs from the side at nine instants of one right stride."""
    stride = shown_stride(trial, "right")
    needed = {f"{s}{m}" for s in "LR" for m in ("ASI", "KNE", "ANK", "HEE", "TOE")}
    if stride is None or not needed <= trial.markers_m.keys():
        return None
    at = np.linspace(stride.start_s, stride.end_s, 9)
    rows = np.clip(np.round(at * FRAME_HZ).astype(int), 0, trial.n_frames - 1)
    with new_figure(7.4, 1.45, "svg") as (figure, out):
        ax = figure.subplots()
        figure.subplots_adjust(0.075, 0.02, 0.99, 0.99)
        for k, row in enumerate(rows):
            for side in SIDES:
                letter = "L" if side == "left" else "R"
                names = [f"{letter}{m}" for m in ("ASI", "KNE", "ANK", "HEE", "TOE")]
                points = np.array([trial.markers_m[name][row] for name in names])
                x, z = points[:, 0] + 0.95 * k, points[:, 2]
                strong = side == "right"
                ax.plot(
                    x,
                    z,
                    "-o",
                    ms=2.2,
                    lw=1.4 if strong else 0.9,
                    color=COLOUR[side],
                    alpha=1.0 if strong else 0.6,
                )
            percent = f"{100 * k / (len(rows) - 1):.0f} %"
            ax.text(0.95 * k, -0.17, percent, ha="center", fontsize=7, color=INK)
        ax.set_aspect("equal")
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.set_ylabel("height, m")
    return out[0]


def echo_figure(trial: TrialArrays) -> str | None:
    """Draw four echo channels over one left stride, depth downwards, in dB."""
    stride = shown_stride(trial, "left")
    if stride is None or not trial.echo.size:
        return None
    inside = (trial.echo_time_s >= stride.start_s) & (trial.echo_time_s < stride.end_s)
    rows = np.flatnonzero(inside & ~trial.echo_missing)
    if rows.size < 2:
        return None
    lines = trial.echo[rows].astype(np.float64)
    envelope = np.abs(hilbert(lines - lines.mean(axis=2, keepdims=True), axis=2))
    length = stride.end_s - stride.start_s
    phase = 100 * (trial.echo_time_s[rows] - stride.start_s) / length
    edges = np.concatenate(
        [phase[:1] - 1, 0.5 * (phase[1:] + phase[:-1]), phase[-1:] + 1]
    )
    depth = np.arange(envelope.shape[2] + 1) * MM_PER_SAMPLE
    with new_figure(7.4, 2.5, "webp") as (figure, out):
        axes = figure.subplots(1, 4, sharey=True)
        figure.subplots_adjust(0.065, 0.16, 0.91, 0.91, wspace=0.10)
        bar = figure.add_axes((0.925, 0.16, 0.012, 0.75))
        for k, ax in enumerate(axes):
            level = 20 * np.log10(np.maximum(envelope[:, k], 1e-3))
            level -= np.percentile(level, 99.5)
            picture = ax.pcolormesh(
                edges,
                depth,
                level.T,
                cmap="cividis",
                vmin=-DYNAMIC_DB,
                vmax=0,
                rasterized=True,
            )
            ax.set_xticks([0, 50, 100], ["0", "50", "100" if k == 3 else ""])
            ax.set_title(f"CH{k + 1} ({MUSCLES_ABOVE_PROBES[k]})")
            ax.set_xlabel("stride, %")
            ax.set_xlim(0, 100)
        axes[0].set_ylim(depth[-1], 0)
        axes[0].set_ylabel("depth, mm")
        figure.colorbar(picture, cax=bar, label="dB")
    return out[0]


@contextmanager
def new_figure(
    width_in: float, height_in: float, kind: str
) -> Iterator[tuple[Figure, list[str]]]:
    """Give a figure to draw on; afterwards the list holds its data address.

    `kind` is ``svg`` for few lines, ``webp`` for pictures of many points.
    """
    out: list[str] = []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width_in, height_in))
        yield figure, out
        raw = io.BytesIO()
        if kind == "svg":
            figure.savefig(raw, format=kind, metadata={"Date": None})
        else:
            quality = {"quality": WEBP_QUALITY, "method": 4}
            figure.savefig(raw, format=kind, dpi=DPI, pil_kwargs=quality)
    media = "image/svg+xml" if kind == "svg" else f"image/{kind}"
    out.append(f"data:{media};base64,{base64.b64encode(raw.getvalue()).decode()}")


def _mark_off(ax: object, stride: Stride) -> None:
    if np.isfinite(stride.off_s):
        share = (stride.off_s - stride.start_s) / (stride.end_s - stride.start_s)
        ax.axvline(100 * share, color=FAINT, lw=0.6, ls=":")  # type: ignore[attr-defined]


def _nice(value: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    if not np.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value))
