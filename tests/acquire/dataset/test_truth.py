"""The comparison with the truth tells good results from bad ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquire.dataset.truth import (
    Comparison,
    TruthError,
    TruthLoss,
    compare_with_truth,
    loss_times,
    read_truth,
    true_times,
)
from acquire.dataset.truth_rows import ClockError, LossError, StrikeError
from tests.builders.dataset import archive, dataset, key
from tests.builders.walking import Session, Walk, session

LAG_S = 0.2
EPOCH_S = 5000.0 - LAG_S


def write_truth(path: Path, recorded: Session, lost_us: slice) -> Path:
    """Write what the lab would have written of a recorded session."""
    records: list[dict[str, object]] = [
        {"kind": "lab", "epoch_host_s": EPOCH_S, "lag_s": LAG_S, "seed": 1}
    ]
    counter0 = {"vicon-markers": 1000.0, "vicon-forces": 10000.0}
    records += [
        {
            "kind": "clock",
            "device": name,
            "stream": name,
            "reason": "start",
            "t0_s": clock.start_s,
            "period_s": (1 + clock.skew_ppm * 1e-6) / clock.rate_hz,
            "counter0": counter0.get(name, 0.0),
        }
        for name, clock in recorded.clocks.items()
    ]
    records += [
        {"kind": "lost", "device": "a", "stream": "amode", "counter": k, "n": 1}
        for k in range(lost_us.start, lost_us.stop)
    ]
    for side in ("left", "right"):
        records += [
            {"kind": "event", "t_s": float(t), "side": side, "event": "strike"}
            for t in recorded.walk.strikes(side)
        ]
    text = "".join(json.dumps(record) + "\n" for record in records)
    path.write_text(text + '{"kind": "eve')  # cut off, as after a crash
    return path


@pytest.fixture(scope="module")
def recorded() -> Session:
    return session(Walk(duration_s=16.0), lost_us=slice(60, 63))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, recorded: Session) -> Path:
    root = dataset(tmp_path_factory.mktemp("truth") / "K2")
    archive(root, key(), recorded)
    write_truth(root / "truth.jsonl", recorded, slice(60, 63))
    return root


@pytest.fixture(scope="module")
def comparison(root: Path) -> Comparison:
    return compare_with_truth(root, "P43", root / "truth.jsonl")


def test_a_good_alignment_is_good(comparison: Comparison) -> None:
    assert comparison.ok
    errors = {row.stream: row for row in comparison.clocks}
    assert list(errors) == ["vicon-markers", "vicon-forces", "semg", "amode"]
    assert errors["vicon-markers"].max_ms < 1e-6
    assert errors["semg"].max_ms < 0.5
    assert errors["amode"].max_ms < 15
    assert all(row.inside_share == 1.0 for row in errors.values())


def test_losses_and_strikes_are_counted(comparison: Comparison) -> None:
    losses = {row.stream: row for row in comparison.losses}
    assert (losses["amode"].true, losses["amode"].counted) == (3, 3)
    assert losses["semg"].true == 0
    for row in comparison.strikes:
        assert row.found == row.true >= 11
        assert (row.missed, row.false) == (0, 0)
        assert abs(row.median_ms) < 6


def test_tables_and_json_are_complete(comparison: Comparison) -> None:
    for _, columns, rows in comparison.tables():
        assert rows
        assert all(len(row) == len(columns) for row in rows)
    assert json.loads(json.dumps(comparison.to_json()))["ok"] is True


def test_a_wrong_clock_is_not_ok(root: Path, recorded: Session, tmp_path: Path) -> None:
    late = replace(
        recorded.clocks["semg"], start_s=recorded.clocks["semg"].start_s + 0.02
    )
    shifted = replace(recorded, clocks={**recorded.clocks, "semg": late})
    truth = write_truth(tmp_path / "t.jsonl", shifted, slice(60, 63))
    wrong = compare_with_truth(root, "P43", truth)
    assert not wrong.ok
    (emg,) = [row for row in wrong.clocks if row.stream == "semg"]
    assert emg.median_ms == pytest.approx(20, abs=0.5)
    assert emg.inside_share == 0.0


def test_a_loss_nobody_noticed_is_not_ok() -> None:
    assert LossError("t", "semg", 40, 0, 41, 2).ok
    assert not LossError("t", "semg", 40, 0, 0).ok
    assert not LossError("t", "semg", 0, 0, 5, 1).ok


def test_missed_and_false_strikes_are_not_ok() -> None:
    truth = np.arange(0.5, 10, 1.0)
    span = np.array([0.0, 10.0])
    good = StrikeError.of("t", "left", truth + 0.004, truth, span)
    assert good.ok
    assert good.median_ms == pytest.approx(4.0)
    missed = StrikeError.of("t", "left", truth[1:], truth, span)
    assert (missed.missed, missed.ok) == (1, False)
    false = StrikeError.of("t", "left", np.append(truth, 3.9), truth, span)
    assert (false.false, false.ok) == (1, False)
    assert not StrikeError.of("t", "left", np.empty(0), truth, span).ok


def test_no_rows_is_not_ok() -> None:
    empty = np.full(3, np.nan)
    assert not ClockError.of("t", "semg", "failed", empty, empty).ok


def test_truth_follows_restarts_and_wraps(recorded: Session, tmp_path: Path) -> None:
    stream = recorded.recording["amode"]
    truth = read_truth(write_truth(tmp_path / "t.jsonl", recorded, slice(0, 0)))
    at = true_times(truth, stream)
    want = recorded.trial_time_s()["amode"] + recorded.t0_s
    np.testing.assert_allclose(at, want, atol=1e-9)
    restarted = stream.data.copy()
    restarted[100:, 0] = np.arange(stream.data.shape[0] - 100)  # numbering begins anew
    clock = truth.clocks["amode"][0]
    again = replace(clock, t0_s=float(want[100]), counter0=0.0)
    second = replace(truth, clocks={"amode": [clock, again]})
    found = true_times(second, replace(stream, data=restarted))
    np.testing.assert_allclose(found, want, atol=2e-9)


def test_upstream_losses_move_what_an_adapter_counts(tmp_path: Path) -> None:
    recorded = session(Walk(duration_s=4.0))
    truth = read_truth(write_truth(tmp_path / "t.jsonl", recorded, slice(0, 0)))
    stream = recorded.recording["semg"]
    keep = np.ones(stream.data.shape[0], bool)
    keep[3000:3040] = keep[5000:5005] = False
    data = stream.data[keep].copy()
    data[:, stream.labels.index("index")] = np.arange(keep.sum())
    counted = replace(
        stream,
        data=data,
        t_lsl=stream.t_lsl[keep],
        counter=replace(stream.counter, source="adapter"),
    )
    silent = [TruthLoss(0, 3000, 40, False), TruthLoss(0, 4960, 5, False)]
    told = replace(truth, lost={"semg": silent})
    every = recorded.trial_time_s()["semg"] + recorded.t0_s
    np.testing.assert_allclose(true_times(told, counted), every[keep], atol=1e-9)
    assert loss_times(told, "semg") == [
        (pytest.approx(every[3000]), 40),
        (pytest.approx(every[5000]), 5),
    ]


def test_what_is_no_truth_file_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(TruthError, match="no truth file"):
        compare_with_truth(root, "P43", tmp_path / "none.jsonl")
    (tmp_path / "x.jsonl").write_text(
        '{"kind": "event"}\n'.replace("}", ', "event": 1}')
    )
    with pytest.raises(TruthError, match="no record of kind lab"):
        read_truth(tmp_path / "x.jsonl")
