"""Merged XDF files, read by the format's reference reader."""

import numpy as np
import pytest
import pyxdf

from acquire.dataset.placed_trial import placed_trial
from acquire.exports.merged_xdf import export_xdf, public
from acquire.exports.trials import ExportError
from tests.builders.dataset import key


@pytest.fixture(scope="module")
def made(exported, tmp_path_factory):
    out = tmp_path_factory.mktemp("xdf")
    return out, export_xdf(exported, ["P43"], out)


def streams(made, trial):
    path = made[0] / "P43" / f"P43_Ideal_LG_0_S_1_Trial_{trial}.xdf"
    found, _ = pyxdf.load_xdf(path)  # with its corrections: they must change nothing
    return {stream["info"]["name"][0]: stream for stream in found}


def test_each_accepted_trial_has_a_file(made) -> None:
    assert sorted(path.name for path in made[1].files) == [
        "P43_Ideal_LG_0_S_1_Trial_1.xdf",
        "P43_Ideal_LG_0_S_1_Trial_2.xdf",
    ]


@pytest.mark.parametrize("name", ["vicon-markers", "vicon-forces", "semg", "amode"])
def test_stamps_are_trial_time_and_rows_as_recorded(made, exported, name) -> None:
    trial = placed_trial(key(1).h5(exported))
    found = streams(made, 1)[name]
    at = trial.time_s(name)
    known = np.isfinite(at)
    assert found["time_stamps"] == pytest.approx(at[known], abs=2e-6)
    assert np.array_equal(
        found["time_series"], trial.recording[name].data[known], equal_nan=True
    )


def test_losses_are_rows_of_nan_in_their_place(made, exported) -> None:
    trial = placed_trial(key(2).h5(exported))
    found = streams(made, 2)["semg"]
    lost = np.isnan(found["time_series"]).all(axis=1)
    assert lost.sum() == 40
    at = trial.time_s("semg")
    assert found["time_stamps"][~lost] == pytest.approx(at, abs=2e-6)
    assert np.diff(found["time_stamps"]).max() < 0.6e-3


def test_counts_that_cannot_be_nan_are_left_out_and_irregular(made, exported) -> None:
    trial = placed_trial(key(2).h5(exported))
    found = streams(made, 2)["amode"]
    assert float(found["info"]["nominal_srate"][0]) == 0
    assert found["info"]["desc"][0]["export"][0]["rate_hz"] == ["20.0"]
    assert found["time_stamps"] == pytest.approx(trial.time_s("amode"), abs=1e-9)


def test_gait_events_are_with_them(made, exported) -> None:
    trial = placed_trial(key(1).h5(exported))
    found = streams(made, 1)["gait-events"]
    texts = [row[0] for row in found["time_series"]]
    assert texts[:1] == [
        f"{trial.gait.events[0].side} foot {trial.gait.events[0].kind}"
    ]
    times = [event.time_s for event in trial.gait.events]
    assert found["time_stamps"] == pytest.approx(times)


def test_no_header_names_a_computer_or_a_moment(made) -> None:
    for stream in streams(made, 1).values():
        info = stream["info"]
        for name in ("hostname", "uid", "session_id"):
            assert info.get(name, [None])[0] in (None, "")
        assert float(info.get("created_at", ["0"])[0]) == 0
    content = made[1].files[0].read_bytes()
    assert b"2026-11-22" not in content


def test_events_keep_neither_days_nor_what_operators_typed() -> None:
    told = '{"event": "state", "wall": "2026-11-22T10:00", "message": "Jo is late"}'
    assert public(told) == '{"event": "state"}'
    assert public("left foot strike") == "left foot strike"
    assert public('{"event": "trial_start"}') == '{"event": "trial_start"}'


def test_readers_that_ask_for_offsets_find_zeros(made, caplog) -> None:
    for stream in streams(made, 1).values():
        offsets = stream["footer"]["info"]["clock_offsets"][0]["offset"]
        assert {float(offset["value"][0]) for offset in offsets} == {0.0}
    assert "differ" not in caplog.text


def test_a_full_folder_and_an_empty_dataset_are_refused(
    made, exported, tmp_path
) -> None:
    with pytest.raises(FileExistsError, match="is not empty"):
        export_xdf(exported, ["P43"], made[0])
    with pytest.raises(ExportError, match="no accepted trial of P44"):
        export_xdf(exported, ["P44"], tmp_path / "none")
