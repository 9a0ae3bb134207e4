"""The table of participants: pseudonyms, measures, no surprises."""

import json
from pathlib import Path

import numpy as np
import pytest

from acquire.dataset.participants import (
    Participant,
    ParticipantError,
    add_participant,
    participant,
    read_participants,
    write_participant,
)
from acquire.storage.errors import LayoutError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    person = Participant("P43", "F", 30, 1700, 61.5, knee_width_left_mm=98)
    write_participant(tmp_path, person)
    write_participant(tmp_path, Participant("P07", cohort="older"))
    found = read_participants(tmp_path)
    assert list(found) == ["P07", "P43"]
    assert found["P43"].mass_kg == 61.5
    assert np.isnan(found["P43"].leg_length_left_mm)
    assert found["P07"].cohort == "older"
    described = json.loads((tmp_path / "participants.json").read_text())
    assert "kg" in described["mass_kg"]["Description"]


def test_one_measure_serves_both_legs(tmp_path: Path) -> None:
    facts = {"participant": "P43", "mass_kg": 72.0, "knee_width_mm": 104, "noise": 1}
    person = add_participant(tmp_path, facts)
    assert person.knee_width_left_mm == person.knee_width_right_mm == 104
    assert participant(tmp_path, "P43").mass_kg == 72.0


def test_an_unknown_participant_is_named_with_those_there(tmp_path: Path) -> None:
    assert read_participants(tmp_path) == {}
    write_participant(tmp_path, Participant("P43"))
    with pytest.raises(ParticipantError, match=r"P44; it has \['P43'\]"):
        participant(tmp_path, "P44")


def test_names_and_words_for_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LayoutError):
        Participant("Jane")
    (tmp_path / "participants.tsv").write_text("participant_id\tmass_kg\nP43\theavy\n")
    with pytest.raises(ParticipantError, match="'heavy', not a number"):
        read_participants(tmp_path)
