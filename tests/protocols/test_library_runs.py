"""Every library protocol, from start to end, in the laboratory's own time."""

from itertools import pairwise

import pytest

from protocols.plan import plan
from protocols.replay import replay
from protocols.schema import library, load_protocol
from protocols.states import ALLOWED, State
from tests.builders.runs import Drive

STEP_S = 0.2
LIMIT_S = 4 * 3600.0


@pytest.mark.parametrize("name", library())
def test_whole_protocol(name: str) -> None:
    """It does what the plan says, and takes as long with an operator who is quick."""
    protocol = load_protocol(name).with_settings(prompt_s=0)
    planned = plan(protocol, "P12", deck_rate_dps=1.0)
    drive = Drive(protocol, participant="P12", dt_s=STEP_S).start()
    drive.until(State.FINISHED, limit_s=LIMIT_S)
    lab, names = drive.lab, [trial.name for trial in planned.trials]
    assert lab.rises == names
    assert lab.verdicts == [(name, True, "accept") for name in names]
    assert (lab.belt_mps, lab.target_mps, lab.line_high) == (0.0, 0.0, False)
    assert lab.incline_deg == pytest.approx(0.0, abs=0.1)
    assert not lab.armed
    assert drive.runner.snapshot().n_done == len(names)
    assert drive.runner.left() == ()
    states = lab.states()
    assert all(pair in ALLOWED for pair in pairwise(states))
    assert replay(lab.journal).state is State.FINISHED
    # every state costs a tick or two: readback and files are not instantaneous
    assert 0 <= lab.t_s - planned.total_s <= len(states) * 2 * STEP_S


def test_deck_belts_and_facing_follow_the_plan() -> None:
    """What the mill did at every rise is what the dry run says of that trial."""
    protocol = load_protocol("young_ideal")
    drive = Drive(protocol, participant="P05", dt_s=STEP_S).start()
    seen: list[tuple[str, float, float, bool]] = []

    def watch() -> bool:
        lab = drive.lab
        if len(lab.rises) > len(seen):
            deck_deg = round(lab.incline_deg, 1)
            seen.append((lab.rises[-1], lab.belt_mps, deck_deg, lab.reversed_facing))
        return drive.state is State.FINISHED

    drive.until(watch, limit_s=LIMIT_S)
    rows = [row for row in plan(protocol, "P05").rows if row.kind == "record"]
    assert len(rows) == 81
    assert [each[:3] for each in seen] == [
        (row.what, row.speed_mps, row.incline_deg) for row in rows
    ]
    walks = [(row.what, row.reversed_facing) for row in rows if row.speed_mps]
    assert [(each[0], each[3]) for each in seen if each[1]] == walks
