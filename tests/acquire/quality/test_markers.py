"""Marker metrics."""

import numpy as np
import pytest

from acquire.quality import markers
from tests.acquire.quality.windows import window

METRIC = {each.name: each for each in markers.METRICS}
LABELS = ("frame", "LASI_X", "LASI_Y", "LASI_Z", "RKNE_X", "RKNE_Y", "RKNE_Z")


def walking(n: int = 500) -> np.ndarray:
    t = np.arange(n)[:, None] / 100
    return np.column_stack([np.arange(n), 0.2 * np.sin(6 * t + np.arange(6))])


def level(name: str, rows: np.ndarray) -> dict[str, str]:
    metric = METRIC[f"markers.{name}"]
    values = metric.compute(window(rows, 100.0, LABELS))
    return {subject: metric.level(value) for subject, value in values.items()}


@pytest.mark.parametrize("name", [each.partition(".")[2] for each in METRIC])
def test_good_markers_raise_nothing(name: str) -> None:
    assert set(level(name, walking()).values()) == {"ok"}


@pytest.mark.parametrize(
    ("n_hidden", "occlusion", "gap"),
    [(5, "ok", "ok"), (15, "amber", "amber"), (60, "red", "red")],
)
def test_hidden_markers(n_hidden: int, occlusion: str, gap: str) -> None:
    rows = walking()
    rows[100 : 100 + n_hidden, 4] = np.nan
    assert level("occlusion", rows) == {"LASI": "ok", "RKNE": occlusion}
    assert level("gap", rows) == {"LASI": "ok", "RKNE": gap}


def test_a_jump_of_one_frame() -> None:
    rows = walking()
    rows[200, 1:4] += 0.3
    assert level("jump", rows) == {"LASI": "red", "RKNE": "ok"}


def test_coming_back_from_behind_something_is_no_jump() -> None:
    rows = walking()
    rows[200:210, 1:4] = np.nan
    rows[210:, 1:4] += 0.5
    assert level("jump", rows)["LASI"] == "ok"


def test_a_picture_that_stands_still() -> None:
    rows = walking()
    rows[-10:, 1:] = rows[-10, 1:]
    assert level("frozen", rows) == {"": "red"}


def test_markers_are_found_by_their_labels() -> None:
    assert set(markers.markers(LABELS)) == {"LASI", "RKNE"}
    assert markers.markers(("frame", "index", "LASI_X")) == {}
