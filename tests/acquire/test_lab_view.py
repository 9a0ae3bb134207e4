"""Snapshots of processes, as the runner understands them."""

from acquire.lab_view import findings_of, person_of, treadmill_of, triggers_of
from protocols.engine import Muscle, TriggerSeen

QUALITY = {
    "vicon-forces": {
        "level": "ok",
        "values": {"person.cadence": 98.5, "person.stride_cv": 2.1},
        "findings": [],
    },
    "vicon-markers": {"level": "ok", "values": {"person.facing": -1.0}, "findings": []},
    "semg": {
        "level": "red",
        "values": {
            "person.median_frequency:R_TA": 92.0,
            "person.rms:R_TA": 41.0,
            "semg.snr:R_TA": 20.0,
        },
        "findings": [
            {
                "stream": "semg", "metric": "semg.clipping", "subject": "R_TA",
                "level": "red", "value": 4.123, "limit": 1.0, "unit": "%",
                "advice": "Lower the gain.", "clearing": False,
            },
            {
                "stream": "semg", "metric": "semg.mains", "subject": "L_TA",
                "level": "amber", "value": 6.0, "limit": 5.0, "unit": "%",
                "advice": "", "clearing": True,
            },
        ],
    },
}  # fmt: skip


def test_person() -> None:
    person = person_of(QUALITY)
    assert (person.cadence_spm, person.stride_cv_percent) == (98.5, 2.1)
    assert person.reversed_facing is True
    assert person.muscles == {"R_TA": Muscle(92.0, 41.0)}


def test_nothing_is_known_without_quality() -> None:
    person = person_of({})
    assert person.cadence_spm is person.stride_cv_percent is None
    assert person.reversed_facing is None
    assert not person.muscles
    assert findings_of({}) == ()


def test_findings_that_clear_up_do_not_count() -> None:
    (finding,) = findings_of(QUALITY)
    assert (finding.stream, finding.level) == ("semg", "red")
    assert finding.name == "semg.clipping:R_TA"
    assert finding.text == "R_TA clipping 4.12 % (limit 1.0)"


def test_triggers_of_the_recorder() -> None:
    streams = [
        {"name": "semg", "trigger": {"high": True, "n_rises": 2, "n_falls": 1}},
        {"name": "treadmill", "trigger": None},
        {"name": "amode", "trigger": {"high": None, "n_rises": 0, "n_falls": 0}},
    ]
    assert triggers_of({"streams": streams}) == {
        "semg": TriggerSeen(True, 2, 1),
        "amode": TriggerSeen(None, 0, 0),
    }
    assert triggers_of({}) == {}


def test_belts_that_stop_are_not_at_standstill() -> None:
    device = {"state": "stopping", "at_zero": True, "left_mps": 0.0}
    assert not treadmill_of({"device": device}).at_standstill
    assert treadmill_of({}).state == "unknown"
