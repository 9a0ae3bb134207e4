"""What the recorder publishes of itself, read by an inlet as anybody would."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acquire import lsl
from acquire.dataset.check import check_path
from acquire.recorder import Recorder
from acquire.recorder.adhoc import record
from acquire.recorder.state_stream import NAME, StateStream
from acquire.recorder.state_stream import spec as state_spec
from tests.builders.lsl_source import Source, spec

pytestmark = pytest.mark.usefixtures("lsl_session")


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr("acquire.recorder.watch.RATE_MIN_SPAN_S", 0.5)
    recorder = Recorder()
    yield recorder
    recorder.close()


def read(inlet: lsl.Inlet, seconds: float) -> list[dict[str, Any]]:
    texts: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        samples, _ = inlet.pull(0.1)
        texts += list(samples)
    return [json.loads(text) for text in texts]


def test_state_bytes_losses_and_minutes_left_are_published(
    recorder: Recorder, tmp_path: Path
) -> None:
    state_stream = StateStream(recorder)
    (found,) = lsl.discover(3.0, 1, f"name='{NAME}'")
    inlet = lsl.Inlet(found)
    inlet.open(3.0)
    with Source(spec("st-a", 1000.0)) as source:
        assert recorder.arm(tmp_path / "walk.xdf", ["st-a"]) == []
        recorder.start()
        read(inlet, 0.5)
        source.paused = True
        seen = read(inlet, 2.5)
        recorder.stop()
    state_stream.close()
    inlet.close()
    last = [state for state in seen if "event" not in state][-1]
    assert (last["state"], last["out"]) == ("recording", "walk.xdf")
    assert last["bytes"] > 0
    assert last["disk_minutes_left"] > 1
    assert last["streams"]["st-a"]["state"] == "stalled"
    told = [state["event"] for state in seen if "event" in state]
    assert "stream_stalled" in told


class Pushed(StateStream):
    """Keeps what it publishes; an event and the end come while it does."""

    def _push(self, state: Mapping[str, Any]) -> None:
        told = vars(self).setdefault("told", [])
        told.append(state.get("event"))
        if len(told) == 1:
            self._heard("verified", {})
            self._stop.set()


def test_what_happens_just_before_the_end_is_published(recorder: Recorder) -> None:
    state_stream = Pushed(recorder)
    state_stream._heard("stop", {})
    state_stream.close()
    assert vars(state_stream)["told"] == ["stop", "verified"]


def test_a_recorder_does_not_record_its_own_state(tmp_path: Path) -> None:
    with Source(spec("so-a", 1000.0)):
        result = record(tmp_path / "a.xdf", (), 0.3)
    names = {stream["name"] for stream in result.streams}
    assert "so-a" in names
    assert NAME not in names


def test_another_recorders_state_makes_no_recording_mixed(tmp_path: Path) -> None:
    other = replace(state_spec(), serial="other-pc-1")
    outlet = lsl.Outlet(other, device="recorder", kind="recorder", simulated=False)
    outlet.push_text("{}", lsl.local_clock())
    with Source(spec("sm-a", 1000.0)):
        result = record(tmp_path / "a.xdf", ["sm-a", NAME], 1.2)
    outlet.close()
    assert NAME in {stream["name"] for stream in result.streams}
    assert "recording-mixed" not in {f.code for f in check_path(result.path)}
