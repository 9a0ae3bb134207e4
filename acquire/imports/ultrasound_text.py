"""Ultrasound frames of one probe from text, and what looks made up among them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquire.imports.errors import SourceFileError
from acquire.imports.profile import UltrasoundFiles
from acquire.imports.text_table import numbers, read_lines

Floats = NDArray[np.float64]

INT_TYPES = (np.int16, np.int32)


def read_frames(path: Path, layout: UltrasoundFiles) -> Floats:
    """Return frames (n, samples) as the file holds them; a lost frame is NaN.

    Raises
    ------
    SourceFileError
        The file holds something else than whole numbers, or frames of another length.
    """
    lines = read_lines(path)[layout.header_rows :]
    if not lines:
        raise SourceFileError(
            f"{path.name} holds no line below its {layout.header_rows} header rows"
        )
    table = numbers(
        lines,
        path.name,
        delimiter=layout.delimiter,
        first_line=layout.header_rows + 1,
    )
    if layout.frames == "columns":
        frames = table.T[layout.first_frame :]
    else:
        frames = table[layout.first_frame :]
    if frames.shape[1] != layout.samples:
        other = "columns" if layout.frames == "rows" else "rows"
        hint = ""
        if frames.shape[0] == layout.samples:
            hint = f"; frames look like {other}: declare ultrasound.frames: {other}"
        raise SourceFileError(
            f"{path.name}: frames have {frames.shape[1]} samples, not {layout.samples} "
            f"(table of {table.shape[0]} x {table.shape[1]}, frames in "
            f"{layout.frames}, delimiter {layout.delimiter}){hint}"
        )
    whole = np.isnan(frames) | (frames == np.round(frames))
    if not whole.all():
        row, column = np.argwhere(~whole)[0]
        raise SourceFileError(
            f"{path.name}: frame {row + 1}, sample {column + 1} is "
            f"{frames[row, column]:g}; raw counts are whole numbers"
        )
    return frames


def joined_probes(frames: list[Floats], where: str) -> tuple[NDArray[np.integer], int]:
    """Return frames of all probes, (n, probes, samples), and how many lengths differed.

    Probes with more frames than the shortest are cut to it, at the end. A frame that
    any probe lost is lost for all (`lost_frames`); it is zero here.

    Raises
    ------
    SourceFileError
        A value fits no 32-bit integer.
    """
    shortest = min(len(one) for one in frames)
    cut = max(len(one) for one in frames) - shortest
    together = np.stack([one[:shortest] for one in frames], axis=1)
    filled = np.where(np.isnan(together), 0.0, together)
    for kind in INT_TYPES:
        limits = np.iinfo(kind)
        if not filled.size or limits.min <= filled.min() <= filled.max() <= limits.max:
            return filled.astype(kind), cut
    raise SourceFileError(
        f"{where}: values from {filled.min():g} to {filled.max():g} fit no 32-bit "
        "integer"
    )


def lost_frames(frames: list[Floats]) -> NDArray[np.bool_]:
    """Tell which frames (n,) at least one probe lost."""
    shortest = min(len(one) for one in frames)
    return np.asarray(
        np.any([np.isnan(one[:shortest]).any(axis=1) for one in frames], axis=0)
    )


def suspicious(echo: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Tell which frames (n,) look made up: copies or means of their neighbours.

    A real frame differs from the one before by noise, in all of its 4000 samples.
    """
    flat = echo.reshape(len(echo), -1).astype(np.float64)
    found = np.zeros(len(flat), dtype=bool)
    if len(flat) < 2:
        return found
    found[1:] = (flat[1:] == flat[:-1]).all(axis=1)
    between = (flat[:-2] + flat[2:]) / 2
    found[1:-1] |= (np.abs(flat[1:-1] - between) <= 0.5).all(axis=1)
    return found
