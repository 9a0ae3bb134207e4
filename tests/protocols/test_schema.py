"""Protocol files are validated on load, with words that help."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from protocols.errors import ProtocolFileError
from protocols.expansion import actions, timeline
from protocols.order import latin_row
from protocols.overrides import overridden
from protocols.schema import (
    ProtocolDefinition,
    json_schema,
    library,
    load_protocol,
    parse_protocol,
)
from protocols.steps import MODES
from protocols.timeline import Asking, TrialPlan

HEAD = "protocol: 1\nname: x\ntitle: x\n"


def parse(steps: str, head: str = HEAD) -> ProtocolDefinition:
    return parse_protocol(f"{head}steps:\n{steps}", source="x")


def trials_of(
    protocol: ProtocolDefinition, participant: str = "P01"
) -> list[TrialPlan]:
    found = actions(protocol, participant)
    return [action for action in found if isinstance(action, TrialPlan)]


def test_library_is_complete() -> None:
    assert library() == [
        "demo", "fatigue", "interday", "older_ideal", "shift", "shift_depth",
        "static", "sustained_fatigue", "young_ideal",
    ]  # fmt: skip


@pytest.mark.parametrize("name", library())
def test_library_protocol_says_what_is_not_known(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert bool(protocol.unknown) == (name not in ("demo", "static"))
    assert parse_protocol(protocol.to_yaml(), source="again") == protocol


def test_published_matrix() -> None:
    walks = [t for t in trials_of(load_protocol("young_ideal")) if t.recorded]
    cells = Counter((t.mode, t.speed_mps) for t in walks if not t.is_calibration)
    assert len(cells) == 15
    assert set(cells.values()) == {5}
    conditions = {t.condition for t in trials_of(load_protocol("shift")) if t.recorded}
    assert conditions == {
        "Calibration", "ShiftInitial", "ShiftUpward", "ShiftDownward",
        "ShiftLeftward", "ShiftRightward",
    }  # fmt: skip
    fatigue = [t for t in trials_of(load_protocol("fatigue")) if t.mode == "LG_0"]
    assert [t.number for t in fatigue] == list(range(1, 11))


def test_plates_are_zeroed_on_every_incline() -> None:
    unloaded = [
        t.incline_deg
        for t in trials_of(load_protocol("young_ideal"))
        if t.mode == "Unloaded"
    ]
    assert unloaded == [0.0, 5.0, 10.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + "steps: [{type: rest, duraton_s: 3}]", "did you mean 'duration_s'"),
        (HEAD + "steps: []", "at least 1 item"),
        (HEAD + "steps: [{type: jump}]", "steps.0"),
        (HEAD + "steps: [{type: squats, cuont: 3}]", "did you mean 'count'"),
        (
            HEAD + "steps: [{type: cycle, repeat: 2, stop: {borg: 9}, steps: "
            "[{type: borg}]}]",
            "did you mean 'borg_at_least'",
        ),
        (
            HEAD + "steps: [{type: trials, mode: LG_0, speed_mps: 1.0004}]",
            "at most three decimals",
        ),
        (
            HEAD + "steps: [{type: calibration, kind: MVC, optional: true}]",
            "needs a text",
        ),
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
    with pytest.raises(ProtocolFileError, match="the library has demo, "):
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


def test_speeds_a_hundredth_apart_have_names_of_their_own() -> None:
    steps = "  - {type: trials, mode: LG_0, speed_mps: 1.0}\n"
    steps += "  - {type: trials, mode: LG_0, speed_mps: 1.01}\n"
    steps += "  - {type: trials, mode: LG_0, speed_mps: 1.049}\n"
    names = [t.name for t in trials_of(parse(steps))]
    assert names == [
        "Ideal LG_0 1.0 m/s trial 1",
        "Ideal LG_0 1.01 m/s trial 1",
        "Ideal LG_0 1.049 m/s trial 1",
    ]


@pytest.mark.parametrize("name", library())
def test_ids_are_unique_and_the_same_every_time(name: str) -> None:
    protocol = load_protocol(name)
    ids = [entry.id for entry in timeline(protocol, "P07")]
    assert len(set(ids)) == len(ids)
    assert ids == [entry.id for entry in timeline(load_protocol(name), "P07")]


def test_orders() -> None:
    matrix = "  - {type: matrix, trials: 2, order: ORDER, rest_between: false}\n"

    def cells(order: str, participant: str = "P01") -> list[tuple[str, float]]:
        found = trials_of(parse(matrix.replace("ORDER", order)), participant)
        return [(t.mode, t.speed_mps) for t in found]

    fixed = cells("fixed")
    assert fixed[:3] == [("LG_0", 0.5), ("LG_0", 0.5), ("LG_0", 1.0)]
    for order in ("blocked", "latin_square", "random"):
        assert sorted(cells(order)) == sorted(fixed)
        assert cells(order) == cells(order)
    assert any(cells("blocked", f"P0{k}") != fixed for k in range(1, 4))
    blocks = [mode for mode, _ in cells("blocked")][::6]
    assert sorted(blocks) == sorted(MODES)
    modes = [mode for mode, _ in cells("random")]
    assert sum(a != b for a, b in pairwise(modes)) > 10  # no blocks


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_latin_square_is_balanced(n: int) -> None:
    n_rows = n if n % 2 == 0 else 2 * n
    rows = [latin_row(n, k) for k in range(1, n_rows + 1)]
    places = Counter((place, item) for row in rows for place, item in enumerate(row))
    followers = Counter(pair for row in rows for pair in pairwise(row))
    assert set(places.values()) == {n_rows // n}
    assert len(followers) == n * (n - 1)
    assert len(set(followers.values())) == 1


def test_left_out_combinations() -> None:
    skip = "skip: [{mode: AS_10, speed_mps: 1.5}]"
    found = trials_of(parse(f"  - {{type: matrix, trials: 1, {skip}}}\n"))
    assert len(found) == 14
    assert ("AS_10", 1.5) not in {(t.mode, t.speed_mps) for t in found}


def test_shift_instructions_name_direction_and_distance() -> None:
    found = actions(load_protocol("shift"), "P01")
    texts = [a.text for a in found if isinstance(a, Asking) and "Move" in a.text]
    assert len(texts) == 4
    assert all("10 mm" in text for text in texts)
    assert any("towards the head" in text for text in texts)


def test_json_schema_is_the_one_published() -> None:
    published = Path("docs/reference/protocol.schema.json")
    assert published.read_text(encoding="utf-8") == json_schema()


def test_overrides_are_validated_and_reach_every_step() -> None:
    protocol = load_protocol("sustained_fatigue")
    short = overridden(protocol, most_trials=2, record_s=6, settings=["rest_s=0"])
    walks = [t for t in trials_of(short) if t.recorded and not t.is_calibration]
    assert len(walks) == 3  # one, and one in each of two rounds
    assert {t.record_s for t in walks} == {6.0}
    with pytest.raises(ProtocolFileError, match="did you mean 'settle_s'"):
        overridden(protocol, settings=["setle_s=0"])
    with pytest.raises(ProtocolFileError, match="key=value"):
        overridden(protocol, settings=["settle_s"])
