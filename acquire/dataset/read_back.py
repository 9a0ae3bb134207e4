"""Read a subject file back with another reader and compare it with what went in."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from acquire.dataset.arrays import TrialArrays
from acquire.dataset.mat_reader import Node, variables
from acquire.storage.errors import VerificationError


@dataclass(frozen=True)
class TrialPlan:
    """What one trial must look like when the file is read back."""

    path: str
    n_frames: int
    n_echoes: int
    n_left: int
    n_right: int
    emg_crc: int


def plan_of(place: str, trial: TrialArrays) -> TrialPlan:
    """Return what a trial must look like under `place` (``Ideal/LG_0/...``)."""
    return TrialPlan(
        place.replace("/", "."),
        trial.n_frames,
        len(trial.echo),
        len(trial.accepted("left")),
        len(trial.accepted("right")),
        zlib.crc32(np.ascontiguousarray(trial.emg_uv).tobytes()),
    )


def read_back(path: Path, name: str, plans: list[TrialPlan]) -> None:
    """Read the file with the other reader and compare it with what went in."""
    with h5py.File(path, "r") as file:
        (subject,) = variables(file)
        for plan in plans:
            first = _at(subject, f"OriginalData.{plan.path}")
            second = _at(subject, f"NormalizedData.{plan.path}")
            emg = first["EMGData"]
            crc = zlib.crc32(np.ascontiguousarray(emg.value()).tobytes())
            echoes, strides = first["USData"].dims, second["EMGData"]
            got = (
                *(emg.dims[0] // 20, echoes[0], strides["Left"].dims[0]),
                *(strides["Right"].dims[0], crc),
            )
            want = (
                *(plan.n_frames, plan.n_echoes, plan.n_left),
                *(plan.n_right, plan.emg_crc),
            )
            if subject.path != name or got != want:
                raise VerificationError(
                    f"{plan.path}: frames, echoes, left and right strides and EMG sum "
                    f"read back as {got}, not {want}"
                )


def _at(node: Node, path: str) -> Node:
    for name in path.split("."):
        node = node[name]
    return node
