"""Verdicts become columns; a new set of columns becomes a new stream."""

import numpy as np
import pytest

from acquire.quality import publish
from acquire.quality.monitor import StreamVerdict
from acquire.quality.publish import QualityPublisher, columns_of


class FakeOutlet:
    made: list["FakeOutlet"] = []  # noqa: RUF012

    def __init__(self, spec, **_kwargs) -> None:
        self.spec, self.rows, self.closed = spec, [], False
        FakeOutlet.made.append(self)

    def push(self, chunk) -> None:
        self.rows.append(chunk.samples)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def outlets(monkeypatch):
    FakeOutlet.made = []
    monkeypatch.setattr(publish, "Outlet", FakeOutlet)
    return FakeOutlet.made


def verdicts(**values: float) -> dict[str, StreamVerdict]:
    return {"semg": StreamVerdict("semg", "red", (), values)}


def test_columns_are_flat_and_sorted() -> None:
    found = columns_of(verdicts(**{"semg.snr:R_TA": 20.0, "semg.mains:R_TA": 1.0}))
    assert list(found) == ["semg/level", "semg/semg.mains:R_TA", "semg/semg.snr:R_TA"]
    assert found["semg/level"] == 2.0


def test_waits_for_columns_to_settle_then_pushes(outlets) -> None:
    publisher = QualityPublisher(simulated=True)
    publisher({})
    publisher(verdicts(a=1.0))
    assert not outlets
    publisher(verdicts(a=2.0))
    publisher(verdicts(a=np.nan))
    (outlet,) = outlets
    assert [channel.label for channel in outlet.spec.channels] == [
        "semg/level",
        "semg/a",
    ]
    assert outlet.rows[0].tolist() == [[2.0, 2.0]]
    assert np.isnan(outlet.rows[1][0, 1])
    publisher.close()
    assert outlet.closed


def test_other_columns_open_another_generation(outlets) -> None:
    publisher = QualityPublisher(simulated=True)
    for values in ({"a": 1.0}, {"a": 1.0}, {"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}):
        publisher(verdicts(**values))
    assert [outlet.spec.generation for outlet in outlets] == [0, 1]
    assert outlets[0].closed
    assert len(outlets[0].rows) == 1
    assert len(outlets[1].rows) == 1
