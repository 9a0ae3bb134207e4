"""Session, lights, treadmill, skeleton, lanes and notes as plain values."""

import json

import numpy as np
import pytest

from acquire.quality.monitor import Finding, StreamVerdict
from devices.stream import TriggerInput
from gui.models import lanes, skeleton
from gui.models.faults import FaultsSaid
from gui.models.light import Light, lights, summary
from gui.models.notes import note
from gui.models.said import words_of
from gui.models.session import SessionView
from gui.models.treadmill import view
from protocols.states import Question
from tests.acquire.quality.windows import stats
from tests.builders.live_fakes import header
from tests.builders.synthetic_lab import specs

SNAPSHOT = {
    "state": "recording",
    "simulated": True,
    "protocol": "young_ideal",
    "participant": "P43",
    "trial": "Ideal LG_0 S_1 Trial_2",
    "n_done": 3,
    "n_trials": 45,
    "time_in_state_s": 12.5,
    "time_left_s": 27.5,
    "message": "walking",
    "session": "2026-11-22_1",
    "prompts": [
        {"id": 4, "text": "Keep it?", "answers": ["accept", "repeat"], "number": None},
        {"id": 5, "text": "Borg?", "number": [0, 10], "suggestion": "3"},
    ],
    "requests": {
        "start": {"about": "", "refusal": "the run is recording, not idle"},
        "skip": {"about": "Ideal LG_0 S_1 Trial_2", "refusal": ""},
    },
    "belts": {"state": "moving", "left_mps": 1.0},
    "recording": {"state": "recording", "problems": ["semg: 3 lost"]},
}


def finding(level="red", subject="R_SOL", metric="semg.open_electrode") -> Finding:
    return Finding(
        "semg", metric, subject, level, 240.0, 200.0, "Hz", 3.0, "Plug it in."
    )


def verdict(*findings: Finding, **values: float) -> StreamVerdict:
    level = findings[0].level if findings else "ok"
    return StreamVerdict("semg", level, findings, values)


def test_a_snapshot_is_read() -> None:
    seen = SessionView.parse(
        SNAPSHOT, {"state": "recording", "bytes": 5000, "elapsed_s": 11.0}
    )
    assert seen.recording
    assert seen.refusal("start") == "the run is recording, not idle"
    assert seen.refusal("skip") == ""
    assert seen.about("skip") == "Ideal LG_0 S_1 Trial_2"
    assert (seen.elapsed_s, seen.remaining_s, seen.n_bytes) == (11.0, 27.5, 5000)
    first, second = seen.questions
    assert first == Question(4, "Keep it?", ("accept", "repeat"))
    assert second == Question(5, "Borg?", (), (0.0, 10.0), "3")
    assert seen.belts_known is True
    assert seen.problems == ("semg: 3 lost",)
    assert seen.progress == "3 of 45 trials done"


def test_a_bare_snapshot_is_enough() -> None:
    seen = SessionView.parse({"state": "idle"})
    assert (seen.belts_known, seen.questions, seen.elapsed_s) == (None, (), None)
    assert seen.refusal("skip") == "this session does not offer it"


@pytest.mark.parametrize("state", ["unknown", "connection_lost"])
def test_belts_the_session_does_not_know(state: str) -> None:
    assert SessionView.parse({"belts": {"state": state}}).belts_known is False


def test_nobody_answers() -> None:
    seen = SessionView.unreachable("session is not running")
    assert seen.refusal("start") == seen.refusal("adverse_event") != ""


def test_a_missing_stream_is_red_and_says_what_to_do() -> None:
    (light,) = lights({}, {}, ["semg"])
    assert (light.level, light.detail) == ("red", "not seen on the network")
    assert light.advice


def test_the_event_stream_may_be_missing_or_silent() -> None:
    assert lights({}, {}, ["kinemuse-events"])[0].level == "off"
    silent = {"kinemuse-events": stats(age_s=500.0, is_text=True)}
    assert lights(silent, {}, ["kinemuse-events"])[0].level == "ok"
    fresh = {"kinemuse-events": stats(n_samples=0, is_text=True)}
    assert lights(fresh, {}, ["kinemuse-events"])[0].level == "off"


def test_notices_of_devices_are_no_streams_to_watch() -> None:
    seen = {"bertec-notices": stats(is_text=True), "gaze": stats()}
    assert [each.name for each in lights(seen, {}, [])] == ["gaze"]


def test_a_light_tells_rate_losses_trigger_and_advice() -> None:
    seen = stats(rate_hz=1999.6, n_lost=4, trigger_high=True, n_rises=2, n_falls=1)
    (light,) = lights({"semg": seen}, {"semg": verdict(finding(), finding())}, ["semg"])
    assert light.level == "red"
    assert light.rate == "1999.6 Hz"
    assert "4 lost" in light.detail
    assert light.trigger == "line HIGH ↑2 ↓1"
    assert "Plug it in." in light.advice
    assert "+1 more" in light.advice


def test_a_light_does_not_wait_for_the_verdict_to_see_a_stall() -> None:
    good = {"semg": verdict()}
    assert lights({"semg": stats(age_s=1.5)}, good, ["semg"])[0].level == "red"
    gated = stats(age_s=1.5, gated=True, trigger_high=False)
    assert lights({"semg": gated}, good, ["semg"])[0].level == "ok"


def test_inferred_counts_are_called_seen() -> None:
    light = lights({"x": stats(n_lost=0, counter_source="adapter")}, {}, ["x"])[0]
    assert "0 lost seen" in light.detail
    assert "losses unknown" in lights({"x": stats(n_lost=None)}, {}, ["x"])[0].detail


def test_streams_that_end_with_their_session_are_no_fault() -> None:
    seen = {"semg": stats(age_s=60.0), "amode": stats(age_s=0.1)}
    names = ["semg", "amode", "treadmill"]
    ended = lights(seen, {}, names, closed=True)
    assert [each.level for each in ended] == ["off", "ok", "off"]
    assert ended[2].detail == "ended with its session"


def test_the_summary_is_the_worst_and_how_many() -> None:
    good, amber, red, off = (
        Light("x", level) for level in ("ok", "amber", "red", "off")
    )
    assert summary([good, off]) == ("ok", "all good")
    assert summary([good, amber]) == ("amber", "1 to look at")
    assert summary([red, amber, good]) == ("red", "2 to look at")
    assert summary([off]) == ("off", "no streams")


def test_a_fault_is_news_until_it_is_gone() -> None:
    faults, bad = FaultsSaid(), [verdict(finding())]
    assert len(faults.news(bad)) == 1
    assert faults.news(bad) == []
    assert faults.news([verdict(finding("amber"))]) == []
    assert "Plug it in." in faults.news(bad)[0]


def test_streams_nobody_expected_are_listed_too() -> None:
    assert [each.name for each in lights({"gaze": stats()}, {}, ["semg"])] == [
        "semg",
        "gaze",
    ]


LABELS = (
    "left_mps", "right_mps", "incline_deg", "left_set_mps", "right_set_mps",
    "incline_set_deg", "facing", "state", "index",
)  # fmt: skip
ROW = [1.0, 1.1, 5.0, 1.0, 1.0, 5.0, -1.0, 2.0, 7.0]
STATES = {"unknown": "0", "idle": "1", "moving": "2", "connection_lost": "6"}


def test_readback_is_read() -> None:
    seen = view(LABELS, ROW, 0.1, states=STATES)
    assert seen.known
    assert (seen.left_mps, seen.right_set_mps, seen.incline_deg) == (1.0, 1.0, 5.0)
    assert (seen.state, seen.reversed, seen.moving) == ("moving", True, True)


@pytest.mark.parametrize(
    ("row", "age_s", "session_knows", "why"),
    [
        (None, 0.0, None, "no treadmill stream"),
        (ROW, 4.0, None, "last status 4.0 s ago"),
        (ROW, float("nan"), None, "no status"),
        (ROW, 0.1, False, "does not know"),
        ([*ROW[:7], 0.0, 1.0], 0.1, None, "does not know"),
        ([*ROW[:7], 6.0, 1.0], 0.1, None, "does not know"),
        ([float("nan"), *ROW[1:]], 0.1, None, "no belt speed"),
    ],
)
def test_when_nobody_knows_the_belts(row, age_s, session_knows, why) -> None:
    seen = view(LABELS, row, age_s, session_knows=session_knows, states=STATES)
    assert not seen.known
    assert why in seen.why


def test_the_figure_keeps_a_hidden_marker_where_it_was() -> None:
    rows = np.zeros((3, 7))
    rows[:, 1:4] = [[1, 0, 1], [2, 0, 1], [np.nan] * 3]
    rows[:, 4:] = np.nan
    now = skeleton.figure({"LASI": (1, 2, 3), "RASI": (4, 5, 6)}, rows)
    assert now.hidden == ("LASI", "RASI")
    assert now.positions[0].tolist() == [2, 0, 1]
    assert np.isnan(now.positions[1]).all()
    assert now.segments() == []
    assert skeleton.figure({}, rows) is None


def test_the_figure_is_joined_up() -> None:
    names = {name for pair in skeleton.SEGMENTS for name in pair}
    assert len(names) == 16
    columns = {
        name: (3 * k, 3 * k + 1, 3 * k + 2) for k, name in enumerate(sorted(names))
    }
    now = skeleton.figure(columns, np.ones((1, 48)))
    assert len(now.segments()) == len(skeleton.SEGMENTS)
    assert skeleton.centre_m(now) == (1.0, 1.0)


def test_lanes_of_emg_and_forces() -> None:
    emg = lanes.emg_lanes(header(specs()["semg"]), 500.0)
    assert [lane.label for lane in emg][-2:] == ["L_BF", "trigger"]
    assert len(emg) == 14
    forces = lanes.force_lanes(header(specs()["vicon-forces"]), 1200.0)
    assert [lane.label for lane in forces][:3] == ["L Fz", "R Fz", "L Fy"]
    assert forces[0].high == 1200.0
    assert forces[-1].label == "trigger"
    bare = header(specs()["treadmill"])
    assert lanes.trigger_lane(bare, 1.0) == []
    assert TriggerInput("x").kind == "analog"


def test_notes_show_numbers_until_something_is_wrong() -> None:
    numbers = (("semg.snr", "SNR", "dB"),)
    good = verdict(**{"semg.snr:R_TA": 24.04})
    assert note(good, "R_TA", numbers).first == "SNR 24 dB"
    assert note(good, "L_TA", numbers).level == "off"
    assert note(None, "R_TA", numbers).level == "off"
    bad = note(
        verdict(finding("amber", metric="semg.mains"), finding()), "R_SOL", numbers
    )
    assert (bad.level, bad.first, bad.second) == ("red", "open electrode", "240 Hz")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"event": "trial_start", "trial": "T 2"}, ("trial start: trial T 2", "info")),
        (
            {
                "event": "stream_lost",
                "stream": "semg",
                "t_seen": 2.5,
                "silent_s": 0.601,
            },
            ("stream lost: stream semg, silent_s 0.601", "warning"),
        ),
        ({"event": "adverse_event", "text": "x"}, ("adverse event: text x", "warning")),
        ({"event": "state", "state": "low_before"}, ("low before", "info")),
        (
            {"device": "vicon", "severity": "warning", "message": "gap"},
            ("vicon: gap", "warning"),
        ),
        (
            {"where": "disk", "severity": "error", "message": "read-only"},
            ("disk: read-only", "error"),
        ),
        (
            {"device": "vicon", "severity": "info", "code": "up", "message": "vicon"},
            ("vicon: up", "info"),
        ),
        ({"severity": "info", "code": "sent", "message": "00ff"}, ("", "info")),
        ([1], ("[1]", "info")),
    ],
)
def test_events_and_notices_in_words(facts, said) -> None:
    assert words_of(json.dumps(facts)) == said
