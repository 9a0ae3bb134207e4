"""Short gaps by splines, long ones with their segment, all flagged, none invented."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from acquire.gait.gap_filling import RIGID, SPLINE, fill_gaps
from devices.sim.person import MARKERS
from tests.builders.walkers import walker

N = 400


@pytest.fixture(scope="module")
def walked():
    made = walker(1.0, 0.0)
    placed = made.person.markers_m(made.times(100))
    return {name: placed[:, k] for k, name in enumerate(MARKERS)}


def hidden(rows, first, last):
    rows = rows.copy()
    rows[first:last] = np.nan
    return rows


def cluster(wobble_m=0.0):
    """A thigh with two extra markers, swinging and turning; the other leg apart."""
    rng = np.random.default_rng(8)
    t = np.arange(N) / 100
    bend = 0.5 * np.sin(2 * np.pi * t)
    turn = Rotation.from_euler("YZ", np.column_stack([bend, 0.1 * bend])).as_matrix()
    move = np.column_stack([0.02 * bend, 0.01 * t, 0.8 + 0.03 * np.cos(2 * bend)])
    body = {
        "LTHI": [0.02, 0.09, -0.15],
        "LKNE": [0.0, 0.06, -0.40],
        "LT1": [0.08, 0.05, -0.2],
        "cluster 2": [0.07, 0.02, -0.3],
    }
    made = {
        name: np.einsum("nij,j->ni", turn, at) + move + rng.normal(0, wobble_m, (N, 3))
        for name, at in body.items()
    }
    made["RTHI"] = made["LTHI"] * [-1, -1, 1] + 0.3 * np.sin(3 * t)[:, None]
    return made


def test_a_short_gap_is_bridged_by_a_spline(walked) -> None:
    rows = hidden(walked["LKNE"], 50, 60)
    found = fill_gaps({"LKNE": rows})
    assert np.flatnonzero(found.method["LKNE"] == SPLINE).tolist() == list(
        range(50, 60)
    )
    assert np.abs(found.markers_m["LKNE"] - walked["LKNE"]).max() < 0.003
    assert np.isnan(rows[50]).all()  # what was recorded stays
    assert found.any_filled.sum() == 10


def test_how_long_a_spline_may_be_is_a_setting(walked) -> None:
    rows = hidden(walked["LKNE"], 50, 56)
    assert np.isnan(fill_gaps({"LKNE": rows}, 5).markers_m["LKNE"][50:56]).all()


def test_a_pelvis_marker_is_carried_by_the_other_three(walked) -> None:
    markers = {**walked, "RASI": hidden(walked["RASI"], 100, 260)}
    found = fill_gaps(markers)
    assert np.flatnonzero(found.method["RASI"] == RIGID).tolist() == list(
        range(100, 260)
    )
    assert np.abs(found.markers_m["RASI"] - walked["RASI"]).max() < 1e-9
    assert not any(m.any() for name, m in found.method.items() if name != "RASI")


@pytest.mark.parametrize(("first", "last"), [(0, 60), (150, 300), (350, 400)])
def test_extra_markers_of_any_name_carry_their_segment(first, last) -> None:
    whole = cluster()
    markers = {**whole, "LTHI": hidden(whole["LTHI"], first, last)}
    found = fill_gaps(markers)
    assert (found.method["LTHI"][first:last] == RIGID).all()
    assert np.abs(found.markers_m["LTHI"] - whole["LTHI"]).max() < 1e-9


def test_a_gap_between_soft_tissues_ends_where_it_was_seen() -> None:
    whole = cluster(wobble_m=0.002)
    markers = {**whole, "LTHI": hidden(whole["LTHI"], 150, 300)}
    made = fill_gaps(markers).markers_m["LTHI"]
    error = made[150:300] - whole["LTHI"][150:300]
    assert np.sqrt(np.mean(error**2)) < 0.006
    steps = np.linalg.norm(np.diff(made - whole["LTHI"], axis=0), axis=1)
    assert steps[[149, 299]].max() < 0.012  # of the noise's size: nothing jumps


def test_what_moves_otherwise_or_lies_in_line_carries_nothing() -> None:
    whole = cluster()
    rows = hidden(whole["LTHI"], 150, 300)
    other = {name: whole[name] for name in ("LKNE", "LT1", "RTHI")} | {"LTHI": rows}
    assert np.isnan(fill_gaps(other).markers_m["LTHI"][150:300]).all()
    knee, far = whole["LKNE"], whole["LT1"]
    line = {"LKNE": knee, "a": far, "b": (knee + far) / 2, "LTHI": rows}
    assert np.isnan(fill_gaps(line).markers_m["LTHI"][150:300]).all()
    hand = {**whole, "LTHI": rows, "LT1": hidden(whole["LT1"], 200, 201)}
    found = fill_gaps(hand)  # LT1 is missing once in the gap: two companions remain
    assert not found.method["LTHI"].any()


def test_a_marker_never_seen_stays_unknown(walked) -> None:
    found = fill_gaps({**walked, "LANK": np.full_like(walked["LANK"], np.nan)})
    assert np.isnan(found.markers_m["LANK"]).all()
    assert not found.method["LANK"].any()
