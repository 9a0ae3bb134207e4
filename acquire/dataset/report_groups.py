"""What the report says of one condition, mode and speed: pictures and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acquire.dataset import report_ensemble_figures as draw
from acquire.dataset.reference import Reference
from acquire.dataset.report_ensembles import JOINTS, QUANTITIES, Ensemble
from acquire.gait.repeatability import agreement, multiple_correlation, weighted_r2

REPEATABILITY_COLUMNS = (
    *("joint", "angle: weighted R² L / R", "CMC L / R"),
    *("moment: weighted R² L / R", "CMC L / R"),
    *("power: weighted R² L / R", "CMC L / R"),
)
REFERENCE_COLUMNS = (
    *("variable", "RMS difference", "within mean ± 2 SD", "Pearson r"),
    *("best cross-correlation", "at a shift of", "reference"),
)
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class GroupSection:
    """What the page shows of all accepted trials of one kind."""

    anchor: str
    title: str
    facts: str
    figures: list[tuple[str, str]]
    repeatability: list[list[str]]
    compared: list[list[str]]


def group_section(ensemble: Ensemble, reference: Reference | None) -> GroupSection:
    """Draw and judge one ensemble."""
    bands = reference.of(ensemble.mode, ensemble.speed) if reference else {}
    counts = {
        side: ensemble.strides(f"{side}GroundReactionForce").shape[1] for side in "LR"
    }
    joints = "Joints: mean ± SD of all strides"
    figures = [
        (
            f"{joints}{', grey: the reference ± 2 SD' if bands else ''}",
            draw.joint_figure(ensemble, bands),
        ),
        (
            "Muscles: envelope (6 Hz), mean ± SD of all strides",
            draw.muscle_figure(ensemble),
        ),
        (
            "Ultrasound: depth over the left stride, mean of all strides, dB",
            draw.mmode_figure(ensemble),
        ),
    ]
    return GroupSection(
        anchor="-".join(("all", ensemble.condition, ensemble.mode, ensemble.speed)),
        title=ensemble.title,
        facts=(
            f"{ensemble.n_trials} accepted trial{'' if ensemble.n_trials == 1 else 's'}"
            f", {counts['L']} left and {counts['R']} right strides"
        ),
        figures=[(words, made) for words, made in figures if made],
        repeatability=_repeatability(ensemble),
        compared=[
            _compared(ensemble, name, band.mean, band.sd, band.of)
            for name, band in bands.items()
            if ensemble.strides(name).shape[1]
        ],
    )


def _repeatability(ensemble: Ensemble) -> list[list[str]]:
    rows = []
    for joint in JOINTS:
        row = [joint]
        for quantity, _ in QUANTITIES:
            both = [ensemble.strides(f"{side}{joint}{quantity}") for side in "LR"]
            row += [
                " / ".join(_number(measure(strides)) for strides in both)
                for measure in (weighted_r2, multiple_correlation)
            ]
        if any(cell != f"{NOTHING} / {NOTHING}" for cell in row[1:]):
            rows.append(row)
    return rows


def _compared(
    ensemble: Ensemble,
    name: str,
    mean: draw.Floats,
    sd: draw.Floats,
    of: str,
) -> list[str]:
    found = agreement(ensemble.strides(name).mean(axis=1), mean, sd)
    unit = next(unit for quantity, unit in QUANTITIES if name.endswith(quantity))
    return [
        name,
        f"{found.rms_difference:.2f} {unit}",
        f"{found.inside:.0%}",
        _number(found.pearson),
        _number(found.cross),
        f"{found.best_lag_percent:+.1f} %",
        of,
    ]


def order(ensembles: Sequence[Ensemble]) -> list[Ensemble]:
    """Leave out what has no stride at all."""
    return [e for e in ensembles if e.curves or e.envelopes]


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else NOTHING
