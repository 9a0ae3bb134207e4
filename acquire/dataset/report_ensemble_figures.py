"""Pictures of all strides of one condition, mode and speed, and of a whole session."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from acquire.dataset.arrays import EMG_CHANNELS
from acquire.dataset.reference import Band
from acquire.dataset.report_ensembles import (
    DEPTH_STEP,
    JOINTS,
    QUANTITIES,
    Ensemble,
)
from acquire.dataset.report_figures import (
    COLOUR,
    DYNAMIC_DB,
    FAINT,
    MM_PER_SAMPLE,
    MUSCLES_ABOVE_PROBES,
    new_figure,
)
from acquire.gait.feet import SIDES, Side

Floats = NDArray[np.float64]
WIDTH_IN = 7.4
STREAM_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def joint_figure(ensemble: Ensemble, bands: Mapping[str, Band]) -> str | None:
    """Draw angle, moment and power of three joints, those that there are."""
    rows = [
        (q, u)
        for q, u in QUANTITIES
        if any(ensemble.strides(f"{s}{j}{q}").size for s in "LR" for j in JOINTS)
    ]
    if not rows:
        return None
    with new_figure(WIDTH_IN, 1.75 * len(rows), "webp") as (figure, out):
        axes = figure.subplots(len(rows), len(JOINTS), squeeze=False, sharex=True)
        figure.subplots_adjust(
            0.075, 0.26 / len(rows), 0.98, 1 - 0.18 / len(rows), wspace=0.22, hspace=0.2
        )
        for line, (quantity, unit) in zip(axes, rows, strict=True):
            for ax, joint in zip(line, JOINTS, strict=True):
                names = {s: f"{s[0].upper()}{joint}{quantity}" for s in SIDES}
                for known in [bands[n] for n in names.values() if n in bands][-1:]:
                    _band(ax, known.mean, 2 * known.sd, FAINT)
                for side, name in names.items():
                    _band_of(ax, ensemble.strides(name), COLOUR[side], side)
                ax.set_title(f"{joint} {quantity.lower().removesuffix('s')}")
                ax.axhline(0, color=FAINT, lw=0.5)
                ax.set_xlim(0, 100)
            line[0].set_ylabel(unit)
        for ax in axes[-1]:
            ax.set_xlabel("stride, %")
        drawn = [ax for ax in axes.flat if ax.get_legend_handles_labels()[0]]
        drawn[0].legend(frameon=False, loc="best")
    return out[0]


def muscle_figure(ensemble: Ensemble) -> str | None:
    """Draw thirteen envelopes, right leg above, left below, µV."""
    if not any(ensemble.strides(name).size for name in EMG_CHANNELS):
        return None
    with new_figure(WIDTH_IN, 3.6, "webp") as (figure, out):
        axes = figure.subplots(3, 5, sharex=True)
        figure.subplots_adjust(0.07, 0.11, 0.98, 0.94, wspace=0.34, hspace=0.42)
        places = [*axes[0], *axes[1][:4], *axes[2][:4]]
        for ax, name in zip(places, EMG_CHANNELS, strict=True):
            side: Side = "left" if name[0] == "L" else "right"
            _band_of(ax, ensemble.strides(name), COLOUR[side], side)
            ax.set_title(name.replace("_", " "))
            ax.set_ylim(bottom=0)
            ax.set_xlim(0, 100)
        for ax in (axes[1][4], axes[2][4]):
            ax.set_axis_off()
        for ax in axes[2]:
            ax.set_xlabel("stride, %")
        for line in axes:
            line[0].set_ylabel("µV")
    return out[0]


def mmode_figure(ensemble: Ensemble) -> str | None:
    """Draw the echoes of four probes over the left stride, mean of all strides."""
    filled = ensemble.n_echo > 0
    if not ensemble.echo.shape[1] or filled.sum() < 5:
        return None
    mean = ensemble.echo[:, :, filled] / ensemble.n_echo[filled]
    phase = np.linspace(0, 100, len(filled), endpoint=False)[filled]
    edges = np.append(phase, 100.0)
    depth = np.arange(mean.shape[1] + 1) * DEPTH_STEP * MM_PER_SAMPLE
    with new_figure(WIDTH_IN, 2.5, "webp") as (figure, out):
        axes = figure.subplots(1, len(mean), sharey=True)
        figure.subplots_adjust(0.065, 0.16, 0.91, 0.91, wspace=0.10)
        bar = figure.add_axes((0.925, 0.16, 0.012, 0.75))
        for k, ax in enumerate(axes):
            level = 20 * np.log10(np.maximum(mean[k], 1e-3))
            level -= np.percentile(level, 99.5)
            picture = ax.pcolormesh(
                edges, depth, level, cmap="cividis", vmin=-DYNAMIC_DB, vmax=0
            )
            ax.set_title(f"CH{k + 1} ({MUSCLES_ABOVE_PROBES[k]})")
            ax.set_xlabel("stride, %")
        axes[0].set_ylim(depth[-1], 0)
        axes[0].set_ylabel("depth, mm")
        figure.colorbar(picture, cax=bar, label="dB")
    return out[0]


def session_figure(
    residuals_ms: Mapping[str, Sequence[float]], lost: Mapping[str, Sequence[float]]
) -> str | None:
    """Draw clock residuals and losses of all takes, one dot a take and stream."""
    if not residuals_ms:
        return None
    with new_figure(WIDTH_IN, 2.1, "svg") as (figure, out):
        left, right = figure.subplots(1, 2)
        figure.subplots_adjust(0.075, 0.2, 0.99, 0.86, wspace=0.2)
        for ax, told, title in (
            (left, residuals_ms, "Median distance of edges from the clock, ms"),
            (right, lost, "Samples lost"),
        ):
            for k, (name, rows) in enumerate(told.items()):
                takes = 1 + np.arange(len(rows))
                colour = STREAM_COLOURS[k % len(STREAM_COLOURS)]
                ax.plot(takes, rows, "o", ms=3, color=colour, label=name)
            ax.set_title(title)
            ax.set_xlabel("take, in the order of the table")
            largest = np.nanmax([np.nanmax([*row, 0.0]) for row in told.values()])
            ax.set_ylim(0, 1.1 * max(largest, 1.0))
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        right.legend(frameon=False, loc="best", fontsize=7)
    return out[0]


def _band_of(ax: Any, strides: Floats, colour: str, label: str) -> None:  # noqa: ANN401
    if not strides.shape[1]:
        return
    mean = strides.mean(axis=1)
    if strides.shape[1] > 1:
        _band(ax, mean, strides.std(axis=1, ddof=1), colour)
    ax.plot(np.linspace(0, 100, len(mean)), mean, color=colour, lw=1.2, label=label)


def _band(ax: Any, mean: Floats, half: Floats, colour: str) -> None:  # noqa: ANN401
    at = np.linspace(0, 100, len(mean))
    ax.fill_between(at, mean - half, mean + half, color=colour, alpha=0.22, lw=0)
