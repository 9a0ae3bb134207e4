"""The engine asks, reads back, and takes old news for none."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from acquire.control import ControlError, ControlServer
from acquire.engine import LabEngine
from acquire.lab_view import treadmill_of
from acquire.take_recorder import Take
from protocols.timeline import TrialPlan

TRIAL = TrialPlan("Ideal", "DS_5", 1.0, 1, 3.0)


class FakeLab:
    """A treadmill process and a recorder process, on their real control channel."""

    def __init__(self, runtime: Path) -> None:
        self.commands: list[tuple[str, Mapping[str, Any]]] = []
        self.beats = 0
        self.refuse = ""
        self.arm_reasons: list[str] = []
        self.may_stop = threading.Event()
        self.may_stop.set()
        self.recorder_state = "idle"
        self.events: list[dict[str, Any]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.armed: Mapping[str, Any] = {}
        self.started_with: Mapping[str, Any] = {}
        self.stop_answer: dict[str, Any] = {"state": "verified", "problems": []}
        self.may_move = threading.Event()
        self.may_move.set()
        self.notices: list[dict[str, Any]] = []
        self.treadmill = ControlServer(
            "bertec", {"command": self._command, "snapshot": self._belts}, runtime
        )
        self.recorder = ControlServer(
            "recorder",
            {
                "arm": self._arm,
                "start": self._start,
                "stop": self._stop,
                "snapshot": self._snapshot,
            },
            runtime,
        )
        self.treadmill.start()
        self.recorder.start()

    def _command(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if request["verb"] == "heartbeat":
            self.beats += 1
        elif self.refuse:
            raise ValueError(self.refuse)
        else:
            if request["verb"] not in ("abort", "stop"):
                self.may_move.wait(5.0)
            self.commands.append((request["verb"], request["arguments"]))
        return {}

    def _belts(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        belts = {"left_mps": 0.0, "right_mps": 0.0, "incline_deg": 5.0}
        facts = {"at_zero": True, "reversed": True, "state": "idle"}
        said = {"notices": list(self.notices), "n_notices": len(self.notices)}
        return {"state": "streaming", "device": {**belts, **facts}, **said}

    def _snapshot(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self.may_answer.wait(5.0)
        facts = {"events": list(self.events), "n_events": len(self.events)}
        return {"state": self.recorder_state, "problems": [], **facts}

    def _arm(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.armed = request
        return {"ready": not self.arm_reasons, "problems": self.arm_reasons}

    def _start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.started_with = request
        self.recorder_state = "recording"
        Path(self.armed["out"]).write_bytes(b"XDF:")
        return {"state": "recording"}

    def _stop(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self.may_stop.wait(5.0)
        self.recorder_state = self.stop_answer["state"]
        return self.stop_answer

    def close(self) -> None:
        self.treadmill.close()
        self.recorder.close()


class Line:
    """Notes when the trigger line was asked to rise and fall."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self, name: str) -> None:
        self.calls.append(f"start {name}")

    def stop(self, name: str) -> None:
        self.calls.append(f"stop {name}")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[FakeLab]:
    made = FakeLab(tmp_path / "runtime")
    yield made
    made.close()


@pytest.fixture
def takes() -> list[Take]:
    return []


@pytest.fixture
def published() -> list[tuple[str, Mapping[str, object]]]:
    return []


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def engine(
    lab: FakeLab,  # noqa: ARG001 (its servers must answer)
    takes: list[Take],
    line: Line,
    published: list[tuple[str, Mapping[str, object]]],
    tmp_path: Path,
) -> Iterator[LabEngine]:
    made = LabEngine(
        dataset=tmp_path / "dataset",
        participant="P43",
        session="2026-11-22_1",
        runtime_dir=tmp_path / "runtime",
        treadmill="bertec",
        capture=line,
        required_streams={"semg": "kinemuse:n:0:semg"},
        optional_streams=["kinemuse-quality"],
        publish=lambda name, facts: published.append((name, facts)),
        note=lambda name, facts: published.append((name, facts)),
        on_take=takes.append,
    )
    made.start()
    wait_for(lambda: made.treadmill().state == "idle")
    yield made
    made.close()


def wait_for(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        threading.Event().wait(0.005)


def test_readback_is_what_the_treadmill_says(engine: LabEngine) -> None:
    treadmill = engine.treadmill()
    assert (treadmill.left_mps, treadmill.incline_deg) == (0.0, 5.0)
    assert treadmill.at_standstill
    assert treadmill.reversed_facing


def test_old_readback_is_unknown(engine: LabEngine, lab: FakeLab) -> None:
    lab.treadmill.close()
    wait_for(lambda: engine.treadmill().state == "unknown")
    assert engine.treadmill().left_mps is None
    assert not engine.treadmill().at_standstill


def test_what_the_treadmill_warns_of_is_journalled_once(
    engine: LabEngine, lab: FakeLab, published: list[tuple[str, Mapping[str, object]]]
) -> None:
    dead_man = {"severity": "error", "code": "dead_man", "message": "heartbeat lost"}
    lab.notices += [
        {"severity": "info", "code": "sent", "message": "left_mmps=0", "t_lsl": 1.0},
        {"device": "bertec", "t_lsl": 2.0, "data": {"a": 1}, **dead_man},
    ]
    wait_for(lambda: bool(published))
    threading.Event().wait(0.2)
    assert published == [("treadmill_notice", {**dead_man, "t_seen": 2.0})]
    assert engine.treadmill().state == "idle"


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        ({}, "its process does not answer"),
        ({"state": "lost", "reason": "the panel closed it"}, "the panel closed it"),
        ({"state": "streaming", "reason": ""}, "it gives no status"),
    ],
)
def test_readback_that_is_lost_has_a_cause(seen: dict[str, str], cause: str) -> None:
    assert treadmill_of(seen).cause == cause


def test_a_refused_setpoint_reaches_the_runner(engine: LabEngine, lab: FakeLab) -> None:
    lab.refuse = "left_mps=9.0 is outside -2.0 to 2.0"
    with pytest.raises(ControlError, match=r"outside -2\.0 to 2\.0"):
        engine.belts(9.0, 0.25)


def test_heartbeat_stops_with_the_runner(engine: LabEngine, lab: FakeLab) -> None:
    assert lab.beats == 0
    engine.runner_ticked()
    wait_for(lambda: lab.beats > 0)
    time.sleep(0.5)  # longer than a runner may be silent
    beats = lab.beats
    time.sleep(0.3)
    assert lab.beats == beats


def test_taking_charge_beats_before_the_first_setpoint(
    engine: LabEngine, lab: FakeLab
) -> None:
    engine.take_charge()
    assert lab.commands == [("arm", {})]
    assert lab.beats == 1


def test_a_take_goes_from_arming_to_verified(
    engine: LabEngine, lab: FakeLab, takes: list[Take], line: Line
) -> None:
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "armed")
    assert lab.armed["required"] == ["semg"]
    assert lab.armed["expected"] == {"semg": "kinemuse:n:0:semg"}
    assert lab.armed["out"].endswith("Ideal/DS_5/S_1/Trial_1_take1.xdf")
    engine.record()
    wait_for(lambda: engine.recording().state == "recording")
    engine.capture(True, TRIAL)
    engine.capture(False, TRIAL)
    assert [call.split()[0] for call in line.calls] == ["start", "stop"]
    assert " " not in line.calls[0].removeprefix("start ")
    engine.finish(TRIAL)
    wait_for(lambda: engine.recording().state == "verified")
    wait_for(lambda: bool(takes))
    assert takes[0].facing == "reversed"
    engine.arm(TRIAL)  # a repeat is a new take, never the same file
    wait_for(lambda: engine.recording().state == "armed")
    assert lab.armed["out"].endswith("Trial_1_take2.xdf")


def test_a_recording_that_may_not_start_says_why(
    engine: LabEngine, lab: FakeLab
) -> None:
    lab.arm_reasons = ["semg: no sample for 3.0 s"]
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "failed")
    assert engine.recording().problems == ("semg: no sample for 3.0 s",)


def test_a_reason_overrides_what_is_missing_for_one_take(
    engine: LabEngine, lab: FakeLab, published: list[tuple[str, Mapping[str, object]]]
) -> None:
    lab.arm_reasons = ["semg: no sample for 3.0 s"]
    with pytest.raises(ValueError, match="needs a reason"):
        engine.override(" ")
    engine.override("amplifier is charging")
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "armed")
    engine.record()
    wait_for(lambda: engine.recording().state == "recording")
    assert lab.started_with == {"override_reason": "amplifier is charging"}
    armed = dict(published)["trial_armed"]
    assert armed["overridden"] == lab.arm_reasons
    engine.finish(TRIAL)
    wait_for(lambda: engine.recording().state == "verified")
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "failed")


def test_a_recorder_that_vanishes_is_a_failed_recording(
    engine: LabEngine, lab: FakeLab
) -> None:
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "armed")
    engine.record()
    wait_for(lambda: engine.recording().state == "recording")
    lab.recorder.close()
    wait_for(lambda: engine.recording().state == "failed")
    assert engine.recording().problems == ("the recorder's process has ended",)


def recording(engine: LabEngine) -> None:
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "armed")
    engine.record()
    wait_for(lambda: engine.recording().state == "recording")


def test_a_recorder_that_is_slow_to_answer_still_records(
    engine: LabEngine, lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acquire.take_recorder.SILENT_S", 1.3)
    recording(engine)
    lab.may_answer.clear()
    wait_for(lambda: bool(engine.recording().problems))
    status = engine.recording()
    assert status.state == "recording"
    assert "has not answered for 0." in status.problems[0]
    wait_for(lambda: engine.recording().state == "failed")
    lab.may_answer.set()
    wait_for(lambda: engine.recording().state == "recording")
    assert engine.recording().problems == ()


def test_a_recorder_that_was_started_anew_is_a_failed_recording(
    engine: LabEngine, lab: FakeLab
) -> None:
    recording(engine)
    lab.recorder_state = "idle"
    wait_for(lambda: engine.recording().state == "failed")
    assert "started anew" in engine.recording().problems[0]


def test_what_the_recorder_notices_is_journalled_once(
    engine: LabEngine, lab: FakeLab, published: list[tuple[str, Mapping[str, object]]]
) -> None:
    lab.events.append({"n": 1, "event": "stream_stalled", "t_lsl": 1.0, "stream": "a"})
    wait_for(lambda: engine._takes._news._heard == 1)
    recording(engine)
    lab.events.append({"n": 2, "event": "wall_clock", "t_lsl": 2.0})
    lab.events.append({"n": 3, "event": "stream_stalled", "t_lsl": 3.0, "stream": "b"})
    wait_for(lambda: ("stream_stalled", {"stream": "b", "t_seen": 3.0}) in published)
    threading.Event().wait(0.2)
    assert [name for name, _ in published].count("stream_stalled") == 1
    assert "wall_clock" not in dict(published)


def test_a_slow_end_of_one_take_says_nothing_of_the_next(
    engine: LabEngine, lab: FakeLab, takes: list[Take]
) -> None:
    lab.stop_answer = {"state": "failed", "problems": ["disk"]}
    lab.may_stop.clear()
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "armed")
    engine.record()
    wait_for(lambda: engine.recording().state == "recording")
    engine.finish(TRIAL)
    engine.arm(TRIAL)  # answered before the file was closed
    lab.may_stop.set()
    wait_for(lambda: engine.recording().state == "armed")
    wait_for(lambda: bool(takes))
    assert takes[0].key.take == 1
    assert lab.armed["out"].endswith("Trial_1_take2.xdf")


def test_a_verdict_is_on_the_take_that_was_asked_for_last(
    engine: LabEngine, lab: FakeLab, published: list[tuple[str, Mapping[str, object]]]
) -> None:
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "armed")
    engine.record()
    wait_for(lambda: engine.recording().state == "recording")
    lab.may_stop.clear()
    engine.finish(TRIAL)
    engine.arm(TRIAL)
    engine.verdict(TRIAL, False, "paused")
    lab.may_stop.set()
    said = [facts["take"] for name, facts in published if name == "verdict"]
    assert said == [2]


def test_belts_are_aborted_and_the_line_falls_without_a_journal(
    engine: LabEngine, lab: FakeLab, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(engine, "_publish", full)
    with pytest.raises(OSError, match="no space"):
        engine.abort()
    with pytest.raises(OSError, match="no space"):
        engine.capture(False, TRIAL)
    assert lab.commands == [("abort", {})]
    assert len(line.calls) == 1
    monkeypatch.undo()


@pytest.mark.parametrize("verb", ["abort", "stop"])
def test_a_stop_does_not_wait_for_another_command(
    engine: LabEngine, lab: FakeLab, verb: str
) -> None:
    lab.may_move.clear()
    ramp = threading.Thread(target=lambda: engine.belts(1.0, 0.25))
    ramp.start()
    begun_s = time.monotonic()
    getattr(engine, verb)()
    assert lab.commands[0] == (verb, {})
    assert time.monotonic() - begun_s < 0.9  # less than the other command may take
    lab.may_move.set()
    ramp.join()


def test_the_mill_is_disarmed_when_the_run_is_over(
    engine: LabEngine, lab: FakeLab
) -> None:
    engine.release()
    assert lab.commands == [("disarm", {})]


def test_a_take_of_an_earlier_run_is_judged(
    engine: LabEngine, published: list[tuple[str, Mapping[str, object]]]
) -> None:
    key = {"participant": "P43", "session": "2026-11-22_1", "condition": "Ideal"}
    engine.adopt({**key, "mode": "DS_5", "speed": "S_1", "trial": 1, "take": 3})
    engine.verdict(TRIAL, True, "accept")
    (verdict,) = [facts for name, facts in published if name == "verdict"]
    assert (verdict["take"], verdict["trial_name"]) == (3, TRIAL.name)


def test_what_was_armed_is_journalled_with_its_facing_and_deck(
    engine: LabEngine, published: list[tuple[str, Mapping[str, object]]]
) -> None:
    unloaded = TrialPlan("Calibration", "Unloaded", 0.0, 2, 5.0, deck_deg=5.0)
    for trial in (TRIAL, unloaded):
        engine.arm(trial)
        wait_for(lambda: engine.recording().state == "armed")
    armed = [facts for name, facts in published if name == "trial_armed"]
    assert armed[0]["facing"] == "reversed"
    assert (armed[1]["mode"], armed[1]["incline_deg"]) == ("Unloaded", 5.0)


def test_the_verdict_does_not_wait_for_the_archive(
    engine: LabEngine,
    published: list[tuple[str, Mapping[str, object]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_archive = threading.Event()

    def archive(_: Take) -> None:
        may_archive.wait(5.0)
        raise OSError("no space left on device")

    monkeypatch.setattr(engine._takes, "_on_take", archive)
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "armed")
    engine.record()
    wait_for(lambda: engine.recording().state == "recording")
    engine.finish(TRIAL)
    wait_for(lambda: engine.recording().state == "verified")
    assert not may_archive.is_set()
    may_archive.set()
    wait_for(lambda: "archive_failed" in [name for name, _ in published])
    failed = next(facts for name, facts in published if name == "archive_failed")
    assert failed["take"] == 1
    assert "no space" in str(failed["reason"])


def test_streams_that_are_not_the_instruments_decide_no_verdict(
    engine: LabEngine, lab: FakeLab, tmp_path: Path
) -> None:
    lab.stop_answer["warnings"] = [
        "kinemuse-quality: no sample any more",
        "semg: 3 samples lost",
    ]
    beyond = {"metric": "stream.missing", "level": "red", "value": 3.0, "limit": 0.1}
    verdicts = {
        name: {"level": "red", "values": {}, "findings": [{"stream": name, **beyond}]}
        for name in ("gait-live", "semg")
    }
    with ControlServer(
        "quality", {"snapshot": lambda _: verdicts}, tmp_path / "runtime"
    ):
        wait_for(lambda: bool(engine.findings()))
        assert [finding.stream for finding in engine.findings()] == ["semg"]
    engine.arm(TRIAL)
    wait_for(lambda: engine.recording().state == "armed")
    engine.record()
    wait_for(lambda: engine.recording().state == "recording")
    engine.finish(TRIAL)
    wait_for(lambda: engine.recording().state == "verified")
    assert engine.recording().problems == ("semg: 3 samples lost",)
