"""A dry run: times, distances, pictures, and what is unsafe, unknown, impossible."""

from pathlib import Path

import matplotlib as mpl
import pytest

from acquire.commands.planning import mill_of
from acquire.plan_plot import draw_plan
from acquire.rig import load_rig
from protocols.concerns import Mill, concerns, exertion_mets
from protocols.plan import plan
from protocols.schema import library, load_protocol, parse_protocol
from protocols.timeline import TrialPlan

MILL = Mill(-2.0, 2.0, 0.5, 0.0, 10.0)


def said(name: str, mill: Mill | None = MILL) -> list[tuple[str, str]]:
    protocol = load_protocol(name)
    return [(c.weight, c.text) for c in concerns(protocol, plan(protocol), mill)]


@pytest.mark.parametrize("name", library())
def test_every_library_protocol_ends_level_and_still_and_is_possible(name: str) -> None:
    planned = plan(load_protocol(name), "P43", deck_rate_dps=1.0)
    assert planned.rows[-1].speed_mps == planned.rows[-1].incline_deg == 0.0
    assert planned.total_s > 0
    for before, after in zip(planned.rows, planned.rows[1:], strict=False):
        assert after.t_s == pytest.approx(before.end_s)
        assert after.start_mps == before.speed_mps
        if after.kind in ("deck", "turn", "rest"):
            assert after.start_mps == after.speed_mps == 0.0
    virtual = mill_of(load_rig())
    assert "impossible" not in [weight for weight, _ in said(name, virtual)]


def test_times_and_distance() -> None:
    text = "protocol: 1\nname: x\ntitle: x\nsettings: {accel_mps2: 0.5, settle_s: 4, "
    text += "record_s: 10, prompt_s: 7}\nsteps:\n"
    text += "  - {type: trials, mode: LG_0, speed_mps: 1.0, repeat: 2}\n"
    planned = plan(parse_protocol(text, source="x"))
    kinds = [(row.kind, row.duration_s) for row in planned.rows]
    assert kinds == [
        ("prompt", 7.0), ("ramp", 2.0), ("settle", 4.0), ("record", 14.0),
        ("record", 14.0), ("ramp", 2.0),
    ]  # fmt: skip
    assert planned.total_s == 43.0
    assert planned.walked_m == pytest.approx(1.0 + 4.0 + 28.0 + 1.0)
    assert planned.allowed_s == 7.0


def test_unknown_deck_rate_is_said() -> None:
    assert any(w == "unknown" and "7 moves" in t for w, t in said("young_ideal"))


def test_downhill_without_negative_incline_is_explained() -> None:
    assert any("facing the other way" in text for _, text in said("young_ideal"))
    tilting = Mill(-2.0, 2.0, 0.5, -10.0, 10.0)
    assert not any("other way" in text for _, text in said("young_ideal", tilting))


@pytest.mark.parametrize(
    ("mill", "text"),
    [
        (Mill(0.0, 2.0, 0.5, 0.0, 10.0), "belts at -1.5 m/s"),
        (Mill(-1.2, 1.2, 0.5, 0.0, 10.0), "belts at +1.5 m/s"),
        (Mill(-2.0, 2.0, 0.1, 0.0, 10.0), "accel_mps2 0.25"),
        (Mill(-2.0, 2.0, 0.5, 0.0, 5.0), "the rig's deck ends at 5"),
        (None, "no treadmill"),
    ],
)
def test_what_a_rig_cannot_do(mill: Mill | None, text: str) -> None:
    found = said("young_ideal", mill)
    assert any(weight == "impossible" and text in words for weight, words in found)
    assert found[0][0] == "impossible"


def test_what_is_unsafe() -> None:
    wild = Mill(-2.0, 2.0, 0.5, 0.0, 10.0, True, True)
    unsafe = [text for weight, text in said("young_ideal", wild) if weight == "unsafe"]
    assert any("deck move while somebody walks" in text for text in unsafe)
    assert any("against the facing" in text for text in unsafe)
    assert any("AS_10 1.5 m/s" in text for text in unsafe)


def test_exertion_of_level_walking() -> None:
    """80 m/min on the level are 11.5 mL/kg/min, 3.3 times rest."""
    trial = TrialPlan("Ideal", "LG_0", 80 / 60, 1, 30.0)
    assert exertion_mets(trial) == pytest.approx(3.29, abs=0.01)


def test_picture_shows_belts_and_deck(tmp_path: Path) -> None:
    path = tmp_path / "plan.svg"
    with mpl.rc_context({"svg.fonttype": "none"}):
        draw_plan(plan(load_protocol("demo"), deck_rate_dps=1.0), "Demo", path)
    drawn = path.read_text(encoding="utf-8")
    for words in ("Demo: ", "belts (m/s", "deck (°)", "time (min)", "deck moving"):
        assert words in drawn
