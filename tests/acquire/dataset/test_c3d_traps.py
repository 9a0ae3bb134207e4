"""C3D files as other systems write them: processors, numbers, long lists, holes."""

import numpy as np
import pytest

from acquire.dataset.c3d import C3dError, read_c3d
from tests.builders.c3d_bytes import DEC, INTEL, MIPS, c3d_bytes

N, PER = 12, 10
RNG = np.random.default_rng(5)
POINTS_MM = RNG.uniform(-300, 300, (N, 3, 3))
POINTS_MM[4:6, 1] = np.nan
ANALOGS = np.round(RNG.uniform(-500, 500, (N, PER, 2)))
LABELS = {
    "POINT": {"LABELS": np.array(["LASI", "RASI", "LTOE"]), "UNITS": np.array(["mm"])},
    "ANALOG": {"LABELS": np.array(["Fx", "Fz"]), "UNITS": np.array(["N", "N"])},
}


@pytest.fixture
def read(tmp_path):
    def made(parameters=LABELS, points=POINTS_MM, analogs=ANALOGS, **kinds):
        path = tmp_path / "made.c3d"
        path.write_bytes(c3d_bytes(parameters, points, analogs, **kinds))
        return read_c3d(path)

    return made


@pytest.mark.parametrize("as_float", [True, False], ids=["float", "integer"])
@pytest.mark.parametrize("processor", [INTEL, DEC, MIPS], ids=["Intel", "DEC", "MIPS"])
def test_every_processor_and_kind_of_number(read, processor, as_float) -> None:
    found = read(processor=processor, as_float=as_float)
    assert (found.rate_hz, found.analog_rate_hz, found.n_frames) == (100, 1000, N)
    for k, name in enumerate(("LASI", "RASI", "LTOE")):
        want = POINTS_MM[:, k] / 1000
        assert found.markers_m[name] == pytest.approx(want, abs=6e-6, nan_ok=True)
    assert found.analogs["Fz"] == pytest.approx(ANALOGS[:, :, 1].ravel(), abs=0.01)


def test_more_than_255_points_have_their_labels_in_two_lists(read) -> None:
    names = [f"M{k:03d}" for k in range(300)]
    points = RNG.uniform(-300, 300, (3, 300, 3))
    split = {"LABELS": np.array(names[:255]), "LABELS2": np.array(names[255:])}
    found = read(
        {**LABELS, "POINT": {**split, "UNITS": np.array(["mm"])}}, points, ANALOGS[:3]
    )
    assert list(found.points) == names
    assert found.points["M299"] == pytest.approx(points[:, 299], abs=1e-3)


def events(count, **parts):
    side = np.array(["Left", "Right"] * (count // 2))
    return {
        "USED": np.int16(count),
        "CONTEXTS": side,
        "LABELS": np.array(["Foot Strike"] * count),
        "TIMES": np.stack([np.zeros(count), 0.02 * np.arange(count)]).astype("f4"),
        **parts,
    }


def test_events_are_counted_from_the_start_of_the_capture(read) -> None:
    event = {**LABELS, "EVENT": events(4, TIMES=np.array([[0, 0, 1, 1], [1.3] * 4]))}
    event["EVENT"]["TIMES"] = event["EVENT"]["TIMES"].astype("f4")
    found = read(event, first_frame=124)
    assert found.first_frame == 124
    times = [e.time_s for e in found.events]
    assert times == pytest.approx([0.07, 0.07, 60.07, 60.07], abs=1e-5)


def test_more_than_255_events_are_in_several_lists(read) -> None:
    whole = events(300)
    split = {}
    for name, value in whole.items():
        if name == "USED":
            split[name] = value
            continue
        split[name], split[f"{name}2"] = value[..., :255], value[..., 255:]
    found = read({**LABELS, "EVENT": split})
    assert len(found.events) == 300
    assert found.events[-1].time_s == pytest.approx(299 * 0.02, abs=1e-4)
    short = events(300, TIMES=whole["TIMES"][:, :255])
    short |= {"CONTEXTS": split["CONTEXTS"], "LABELS": split["LABELS"]}
    with pytest.raises(C3dError, match="EVENT names 300 events but has fewer"):
        read({**LABELS, "EVENT": short})


def test_a_marker_in_the_origin_or_not_a_number_is_hidden(read) -> None:
    points = POINTS_MM.copy()
    points[2, 0] = 0.0
    found = read(points=points)
    assert np.isnan(found.markers_m["LASI"][2]).all()
    assert np.isfinite(found.markers_m["LASI"][3]).all()


def test_the_subjects_name_is_no_part_of_a_label(read) -> None:
    names = np.array(["Ann:LASI", "Ann:RASI", "Ann:LTOE"])
    found = read({**LABELS, "POINT": {"LABELS": names, "UNITS": np.array(["mm"])}})
    assert list(found.points) == ["LASI", "RASI", "LTOE"]


def test_two_subjects_are_refused_by_name(read) -> None:
    names = np.array(["Ann:LASI", "Ben:LASI", "Ben:LTOE"])
    with pytest.raises(C3dError, match="Ann:LASI and Ben:LASI"):
        read({**LABELS, "POINT": {"LABELS": names, "UNITS": np.array(["mm"])}})


def test_units_that_are_none_are_named(read) -> None:
    with pytest.raises(C3dError, match="'furlong'"):
        read({**LABELS, "POINT": {"UNITS": np.array(["furlong"])}})


def test_what_is_no_c3d_is_said(tmp_path) -> None:
    path = tmp_path / "x.c3d"
    path.write_bytes(b"not at all" * 100)
    with pytest.raises(C3dError, match="no readable C3D"):
        read_c3d(path)
