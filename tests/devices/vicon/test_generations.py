"""A source id never stands for two sets of channels, over restarts neither."""

from dataclasses import replace
from pathlib import Path

import pytest

from devices.stream import Channel, StreamSpec
from devices.vicon.generations import Generations

SIXTEEN = StreamSpec("vicon-markers", "MoCap", 100.0, (Channel("frame"), Channel("A")))
OTHER = replace(SIXTEEN, channels=(Channel("frame"), Channel("B")))


def number(generations: Generations, *specs: StreamSpec) -> list[int]:
    return [generations.number(spec).generation for spec in specs]


def test_other_channels_are_the_next_generation_each_time() -> None:
    changes = [SIXTEEN, SIXTEEN, OTHER, OTHER, SIXTEEN]
    assert number(Generations(), *changes) == [0, 0, 1, 1, 2]


def test_streams_count_apart() -> None:
    forces = replace(SIXTEEN, name="vicon-forces")
    assert number(Generations(), SIXTEEN, OTHER, forces) == [0, 1, 0]


def test_a_new_process_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    """The other set had 1; beginning at 0 again would give it the first one's id."""
    state = tmp_path / "run" / "vicon.state"
    assert number(Generations(state), SIXTEEN, OTHER) == [0, 1]
    assert number(Generations(state), OTHER) == [1]
    assert number(Generations(state), SIXTEEN) == [2]


@pytest.mark.parametrize("damage", ["", "[1]", '{"vicon-markers": 3}', "\0\0"])
def test_a_damaged_file_is_said_and_replaced(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "vicon.state"
    state.write_text(damage)
    assert number(Generations(state), SIXTEEN, OTHER) == [0, 1]
    assert "vicon.state is not readable" in caplog.text
    assert number(Generations(state), OTHER) == [1]


def test_a_file_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    generations = Generations(tmp_path / "file" / "vicon.state")
    assert number(generations, SIXTEEN, OTHER) == [0, 1]
    assert "not kept" in caplog.text
