"""Protocol files are validated on load, with words that help."""

import pytest

from protocols.errors import ProtocolFileError
from protocols.schema import library, load_protocol, parse_protocol
from protocols.timeline import TrialPlan, actions, plan

HEAD = "protocol: 1\nname: x\ntitle: x\n"


@pytest.mark.parametrize("name", library())
def test_library_protocol_expands_to_a_timeline(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    rows = plan(protocol, deck_rate_dps=1.0)
    assert rows[-1].speed_mps == rows[-1].incline_deg == 0.0
    assert any(isinstance(action, TrialPlan) for action in actions(protocol))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + "steps: [{type: rest, duraton_s: 3}]", "did you mean 'duration_s'"),
        (HEAD + "steps: []", "at least 1 item"),
        (HEAD + "steps: [{type: jump}]", "steps.0"),
        (HEAD + "setings: {}\nsteps: [{type: rest, duration_s: 1}]", "'settings'"),
        ("[1, 2]", "top level"),
        ("a: [", "not YAML"),
    ],
)
def test_bad_protocol_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ProtocolFileError, match=r"bad\.yaml") as caught:
        parse_protocol(text, source="bad.yaml")
    assert says in str(caught.value)


def test_missing_protocol_names_the_library() -> None:
    with pytest.raises(ProtocolFileError, match="the library has demo"):
        load_protocol("dem0")


def test_trials_are_numbered_within_condition_mode_and_speed() -> None:
    text = HEAD + (
        "steps:\n"
        "  - {type: trials, mode: LG_0, speed_mps: 1.0, repeat: 2}\n"
        "  - {type: trials, mode: LG_0, speed_mps: 0.5}\n"
        "  - {type: trials, mode: LG_0, speed_mps: 1.0}\n"
    )
    planned = actions(parse_protocol(text, source="x"))
    numbers = [(a.speed_mps, a.number) for a in planned if isinstance(a, TrialPlan)]
    assert numbers == [(1.0, 1), (1.0, 2), (0.5, 1), (1.0, 3)]


def test_plan_counts_time_and_says_what_is_unknown_or_too_fast() -> None:
    protocol = load_protocol("demo")
    rows = plan(protocol, deck_rate_dps=None, max_speed_mps=0.8)
    deck = next(row for row in rows if row.what.startswith("deck to +5"))
    assert deck.duration_s is None
    assert "unknown" in deck.warnings[0]
    record = next(row for row in rows if "record Ideal" in row.what)
    assert "above the rig's speed limit of 0.8 m/s" in record.warnings
    ramp = next(row for row in rows if row.what.startswith("belts"))
    assert (ramp.duration_s, ramp.distance_m) == (2.0, 1.0)  # 0 to 1.0 at 0.5 m/s²
