"""All strides of one condition, mode and speed, collected trial by trial."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from acquire.dataset.arrays import EMG_CHANNELS, EMG_HZ, FRAME_HZ, TrialArrays
from acquire.dataset.k2muse import model_groups
from acquire.gait.cycles import POINTS, normalise
from acquire.gait.feet import SIDES, Side

Floats = NDArray[np.float64]

JOINTS: Final = ("Hip", "Knee", "Ankle")
QUANTITIES: Final = (("Angles", "deg"), ("Moment", "N·m/kg"), ("Power", "W/kg"))
"""What is shown of a joint: ending of the variable's name, and its unit."""
COLUMN: Final = {"Angles": 0, "Moment": 0, "Power": 2}
"""Flexion of angles and moments; powers are scalars, stored third."""
ENVELOPE_HZ: Final = 6.0
ECHO_BINS: Final = 50  #: of the stride, in the picture of all strides' echoes
DEPTH_STEP: Final = 4  #: samples that one row of that picture takes


@dataclass(eq=False)
class Ensemble:
    """Strides of the accepted trials of one condition, mode and speed.

    `curves` holds (200, n) by variable (``LKneeAngles``; vertical force as
    ``LGroundReactionForce``); `envelopes` (200, n) µV by channel; `echo` the summed
    echo level (4, depth, bins) and `n_echo` (bins,) how many frames are in it.
    """

    condition: str
    mode: str
    speed: str
    n_trials: int = 0
    curves: dict[str, list[Floats]] = field(default_factory=dict)
    envelopes: dict[str, list[Floats]] = field(default_factory=dict)
    echo: Floats = field(default_factory=lambda: np.zeros((4, 0, ECHO_BINS)))
    n_echo: Floats = field(default_factory=lambda: np.zeros(ECHO_BINS))

    @property
    def title(self) -> str:
        return " · ".join(
            part for part in (self.condition, self.mode, self.speed) if part
        )

    def strides(self, name: str) -> Floats:
        """Return all strides of a variable that are whole, (200, n)."""
        found = self.curves.get(name) or self.envelopes.get(name) or []
        rows = np.column_stack(found) if found else np.empty((POINTS, 0))
        return rows[:, np.isfinite(rows).all(axis=0)]

    def add(self, trial: TrialArrays, mass_kg: float) -> None:
        """Take in the accepted strides of a trial."""
        self.n_trials += 1
        at = np.arange(trial.n_frames) / FRAME_HZ
        groups = model_groups(trial, mass_kg) if mass_kg > 0 else {}
        made = {name: rows for part in groups.values() for name, rows in part.items()}
        emg_at = np.arange(len(trial.emg_uv)) / EMG_HZ
        envelopes = envelopes_of(trial.emg_uv)
        for side in SIDES:
            letter = side[0].upper()
            for stride in trial.accepted(side):
                span = (stride.start_s, stride.end_s)
                for name, column in _shown(letter).items():
                    if name in made:
                        rows = normalise(at, made[name][:, [column]], *span)
                        self.curves.setdefault(name, []).append(rows[:, 0])
                for k, name in enumerate(EMG_CHANNELS):
                    if name[0] == letter:
                        rows = normalise(emg_at, envelopes[:, [k]], *span)
                        self.envelopes.setdefault(name, []).append(rows[:, 0])
        self._add_echoes(trial)

    def _add_echoes(self, trial: TrialArrays, side: Side = "left") -> None:
        """Add the frames of the left strides, each into its part of the stride."""
        depth = trial.echo.shape[2] // DEPTH_STEP if trial.echo.size else 0
        if not depth:
            return
        if not self.echo.shape[1]:
            self.echo = np.zeros((trial.echo.shape[1], depth, ECHO_BINS))
        for stride in trial.accepted(side):
            inside = (trial.echo_time_s >= stride.start_s) & (
                trial.echo_time_s < stride.end_s
            )
            rows = np.flatnonzero(inside & ~trial.echo_missing)
            share = (trial.echo_time_s[rows] - stride.start_s) / (
                stride.end_s - stride.start_s
            )
            level = np.abs(signal.hilbert(trial.echo[rows].astype(np.float64), axis=2))
            means = (
                level[:, :, : depth * DEPTH_STEP]
                .reshape(len(rows), level.shape[1], depth, DEPTH_STEP)
                .mean(axis=3)
            )
            for place, frame in zip(
                (share * ECHO_BINS).astype(int), means, strict=True
            ):
                self.echo[:, :, place] += frame
                self.n_echo[place] += 1


def envelopes_of(emg_uv: Floats) -> Floats:
    """Return rectified sEMG (n, 13) smoothed to 6 Hz, both ways, µV; NaN stays NaN."""
    if len(emg_uv) < EMG_HZ / 2:
        return np.full(emg_uv.shape, np.nan)
    high = signal.butter(2, 20.0, "highpass", fs=EMG_HZ, output="sos")
    low = signal.butter(2, ENVELOPE_HZ, "lowpass", fs=EMG_HZ, output="sos")
    known = np.isfinite(emg_uv)
    banded = signal.sosfiltfilt(high, np.where(known, emg_uv, 0.0), axis=0)
    smooth = signal.sosfiltfilt(low, np.abs(banded), axis=0)
    return np.where(known, np.maximum(smooth, 0.0), np.nan)


def _shown(letter: str) -> dict[str, int]:
    """Return the variables of one side that are collected, and their column."""
    return {
        **{
            f"{letter}{joint}{quantity}": COLUMN[quantity]
            for joint in JOINTS
            for quantity, _ in QUANTITIES
        },
        f"{letter}GroundReactionForce": 2,
    }
