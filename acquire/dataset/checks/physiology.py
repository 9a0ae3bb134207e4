"""Checks that people walked: forces, joints by phase of gait, muscles, echoes."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from acquire.dataset.arrays import EMG_CHANNELS, EMG_HZ
from acquire.dataset.checks.codes import found
from acquire.dataset.subject_file import SubjectTrial, open_subject
from acquire.findings import Finding
from acquire.gait.trial import GRAVITY_MPS2
from acquire.quality.amode import echo_snr_db, frozen_frames
from acquire.quality.emg import mains_percent, spectrum
from acquire.quality.limits import DEFAULT_LIMITS
from acquire.quality.runs import clipped_percent

RANGES: Final = Path(__file__).with_name("physiology.yaml")
FLAT_UV: Final = 0.5  #: no amplifier is quieter
MAINS_PERCENT: Final = DEFAULT_LIMITS["semg.mains"].red or 20.0
CLIPPED_PERCENT: Final = DEFAULT_LIMITS["semg.clipping"].red or 1.0
ECHO_SNR_DB: Final = DEFAULT_LIMITS["amode.echo_snr"].red or 6.0
FROZEN_FRAMES: Final = DEFAULT_LIMITS["amode.frozen"].red or 2.0
SIDES: Final = (("L", "left"), ("R", "right"))

Floats = NDArray[np.float64]


@cache
def ranges() -> dict[str, Any]:
    """Return what walking people do."""
    read: dict[str, Any] = yaml.safe_load(RANGES.read_text(encoding="utf-8"))
    return read


def physiology_findings(path: Path) -> Iterator[Finding]:
    """Check every trial of a subject file whose structure is sound."""
    with open_subject(path) as subject:
        for name in subject.trials:
            trial, where = subject[name], f"{path.name}:{name}"
            yield from _forces(trial, where)
            yield from _stance(trial, where)
            yield from _angles(trial, where)
            yield from _kinetics(trial, where)
            yield from _muscles(trial, where)
            yield from _echoes(trial, where)


def _forces(trial: SubjectTrial, where: str) -> Iterator[Finding]:
    """Compare mean vertical force with body weight, and look for force in swing."""
    forces, limits = trial.normalized.forces_n_per_kg, ranges()
    means: list[float] = []
    for letter, side in SIDES:
        name = f"{letter}GroundReactionForce"
        up = forces[name].strides[:, 2] if name in forces else np.empty((200, 0))
        up = up[:, np.isfinite(up).all(axis=0)]
        if not up.shape[1]:
            continue
        means.append(float(up.mean()))
        swing = float(np.median(_part(up, 75, 95).mean(axis=0)))
        if swing > limits["swing_n_per_kg"]:
            text = f"{side}: {swing:.1f} N/kg while the foot is in the air"
            yield found("force-swing", where, text)
    if len(means) == len(SIDES):
        off = 100 * (sum(means) / GRAVITY_MPS2 - 1)
        if abs(off) > limits["body_weight_percent"]:
            text = f"the mean vertical force is {off:+.0f} % off body weight"
            yield found("force-body-weight", where, text)


def _stance(trial: SubjectTrial, where: str) -> Iterator[Finding]:
    """Look at the share of the stride in which a foot is on the ground, by events."""
    times = trial.original.event_times_s
    low, high = ranges()["stance_percent"]
    for _, side in SIDES:
        strikes, offs = (
            times.get(f"{side.capitalize()}_Foot_{kind}", np.empty(0))
            for kind in ("Strike", "Off")
        )
        shares = [
            100 * (off[0] - a) / (b - a)
            for a, b in pairwise(strikes)
            if (off := offs[(offs > a) & (offs < b)]).size == 1
        ]
        if shares and not low <= (middle := float(np.median(shares))) <= high:
            text = f"{side}: on the ground for {middle:.0f} % of the stride"
            yield found("gait-stance", where, text)


def _angles(trial: SubjectTrial, where: str) -> Iterator[Finding]:
    limits = ranges()
    angles = trial.normalized.angles_deg
    for joint, phases in limits["angles"].items():
        for letter, _ in SIDES:
            name = f"{letter}{joint}"
            flexion = angles[name].strides[:, 0] if name in angles else np.empty((0, 0))
            if not flexion.size:
                continue
            odd = [
                f"{phase} {low} to {high}"
                for phase, (low, high) in phases.items()
                if not _mostly(
                    _within(_part(flexion, *limits["phases"][phase]), low, high)
                )
            ]
            least = limits["reaches"].get(joint)
            if least is not None and not _mostly(_reach(flexion) >= least):
                odd.append(f"at least {least} somewhere")
            if odd:
                text = f"{name} is not within {', '.join(odd)} degrees"
                yield found("angle-range", where, text)


def _kinetics(trial: SubjectTrial, where: str) -> Iterator[Finding]:
    limits = ranges()
    moments, powers = (
        trial.normalized.moments_nm_per_kg,
        trial.normalized.powers_w_per_kg,
    )
    for joint, (low, high) in limits["moments"].items():
        for name in (f"{letter}{joint}" for letter, _ in SIDES):
            if name in moments and moments[name].strides.size:
                peak = _reach(np.abs(moments[name].strides[:, 0]))
                if not _mostly((peak >= low) & (peak <= high)):
                    text = f"{name} reaches {np.median(peak):.2g} N.m/kg"
                    yield found("moment-range", where, text)
    for joint, high in limits["powers"].items():
        for name in (f"{letter}{joint}" for letter, _ in SIDES):
            if name in powers and powers[name].strides.size:
                peak = _reach(np.abs(powers[name].strides).max(axis=1))
                if not _mostly(peak <= high):
                    text = f"{name} reaches {np.median(peak):.2g} W/kg"
                    yield found("power-range", where, text)


def _muscles(trial: SubjectTrial, where: str) -> Iterator[Finding]:
    emg = np.nan_to_num(trial.original.emg_uv)
    if len(emg) < EMG_HZ:
        return
    flat = emg.std(axis=0) < FLAT_UV
    clipped = clipped_percent(emg, floor=100.0)
    mains = np.where(flat, 0.0, mains_percent(*spectrum(emg, EMG_HZ)))
    for name, is_flat, cut, hum in zip(EMG_CHANNELS, flat, clipped, mains, strict=True):
        if is_flat:
            yield found("emg-flat", where, f"{name} holds no signal")
        if cut > CLIPPED_PERCENT:
            text = f"{name}: {cut:.1f} % of the samples are at the largest value"
            yield found("emg-clipped", where, text)
        if hum > MAINS_PERCENT:
            yield found("emg-mains", where, f"{name}: {hum:.0f} % of the power is hum")


def _echoes(trial: SubjectTrial, where: str) -> Iterator[Finding]:
    if "USData" not in trial.original.node:
        return
    echoes = trial.original.echoes
    received = np.isfinite(echoes[:, 0, 0])
    for probe in range(echoes.shape[1] if received.sum() > FROZEN_FRAMES else 0):
        lines = echoes[received, probe]
        repeats = max(
            (frozen_frames(lines[: k + 1]) for k in _ends_of_repeats(lines)),
            default=0.0,
        )
        if not lines.any() or echo_snr_db(lines) < ECHO_SNR_DB:
            yield found("us-dead", where, f"CH{probe + 1} shows no echo")
        elif repeats >= FROZEN_FRAMES:
            text = f"CH{probe + 1}: {repeats:.0f} frames repeat the one before"
            yield found("us-frozen", where, text)


def _ends_of_repeats(lines: Floats) -> list[int]:
    """Return the last row of every run of equal lines."""
    same = np.all(lines[1:] == lines[:-1], axis=1)
    return [int(k) + 1 for k in np.flatnonzero(same & ~np.append(same[1:], False))]


def _part(curves: Floats, first: float, last: float) -> Floats:
    """Return rows of curves (200, n) from `first` to `last` percent of the stride."""
    n = len(curves)
    return curves[round(first * n / 100) : round(last * n / 100)]


def _within(rows: Floats, low: float, high: float) -> NDArray[np.bool_]:
    """Say for each stride whether it keeps within bounds; unknown points count not."""
    return np.asarray(~((rows < low) | (rows > high)).any(axis=0))


def _reach(rows: Floats) -> Floats:
    """Return the largest value of each stride, as far as it is known."""
    return np.asarray(np.nan_to_num(rows, nan=-np.inf).max(axis=0))


def _mostly(good: NDArray[np.bool_]) -> bool:
    return float(np.mean(good)) >= float(ranges()["share_of_strides"])
