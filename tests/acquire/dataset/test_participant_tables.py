"""Tables of participants from spreadsheets: usual spellings, and nobody's name."""

import datetime as dt

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquire.dataset.participant_rules import (
    NEEDED,
    RANGES,
    findings_of,
    identifying,
    missing_for_model,
)
from acquire.dataset.participant_tables import export_table, import_table, read_table
from acquire.dataset.participants import (
    DESCRIPTIONS,
    Participant,
    ParticipantError,
    read_participants,
    write_participant,
)
from acquire.gait.measures import MeasureError, measures

WHOLE = Participant("P43", "F", 30, 1700, 61.5, 880, 885, 98, 99, 66, 67, 14.0, "young")


def table(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_table_goes_out_and_comes_in(tmp_path) -> None:
    for place in ("a", "b", "c"):
        (tmp_path / place).mkdir()
    write_participant(tmp_path / "a", WHOLE)
    write_participant(tmp_path / "a", Participant("P07", inter_asis_mm=240))
    for suffix, place in ((".xlsx", "b"), (".tsv", "c")):
        path = export_table(tmp_path / "a", tmp_path / f"people{suffix}")
        result = import_table(tmp_path / place, path)
        assert result.left_out == []
        found = read_participants(tmp_path / place)
        assert found["P43"] == WHOLE
        assert found["P07"].inter_asis_mm == 240
        assert np.isnan(found["P07"].mass_kg)


@pytest.mark.parametrize(
    ("column", "text", "name", "value"),
    [
        ("Height (cm)", "176", "height_mm", 1760),
        ("height_m", "1.76", "height_mm", 1760),
        ("Body mass [kg]", "71.5", "mass_kg", 71.5),
        ("Weight", "71.5", "mass_kg", 71.5),
        ("Left knee width (mm)", "101", "knee_width_left_mm", 101),
        ("Ankle width right cm", "6.8", "ankle_width_right_mm", 68),
        ("Leg length R (cm)", "91", "leg_length_right_mm", 910),
        ("Age", "27", "age_y", 27),
        ("Age (years)", "27", "age_y", 27),
        ("Gender", "female", "sex", "F"),
        ("Group", "Older", "cohort", "older"),
        ("Inter-ASIS distance (mm)", "250", "inter_asis_mm", 250),
        ("thigh_rotation_left_deg", "-3.5", "thigh_rotation_left_deg", -3.5),
    ],
)
def test_columns_are_known_by_usual_names(tmp_path, column, text, name, value) -> None:
    path = table(tmp_path / "a.csv", f"ID,{column}", f"P50,{text}")
    (person,) = read_table(path).people
    assert getattr(person, name) == value


def test_one_column_serves_both_legs_and_others_are_left_out(tmp_path) -> None:
    path = table(tmp_path / "a.csv", "Subject;Knee width (mm);Shoe size", "P50;101;42")
    result = read_table(path)
    (person,) = result.people
    assert person.knee_width_left_mm == person.knee_width_right_mm == 101
    assert result.left_out == ["Shoe size"]


def test_a_unit_of_something_else_is_no_unit(tmp_path) -> None:
    path = table(tmp_path / "a.csv", "ID,height (kg)", "P50,70")
    assert read_table(path).left_out == ["height (kg)"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Name", "x"),
        ("First name", "x"),
        ("LastName", "x"),
        ("Date of birth", "x"),
        ("DOB", "x"),
        ("e-mail", "x"),
        ("Phone", "x"),
        ("notes", "write to jo.doe@example.org"),
        ("notes", "born 1990-02-01"),
        ("notes", "1.2.1990"),
        ("notes", "+49 30 1234567"),
    ],
)
def test_what_names_people_is_refused_and_not_repeated(tmp_path, column, value) -> None:
    path = table(tmp_path / "a.tsv", f"participant_id\t{column}", f"P50\t{value}")
    with pytest.raises(ParticipantError, match="could tell who people are") as raised:
        import_table(tmp_path, path)
    assert value == "x" or value not in str(raised.value)
    assert not (tmp_path / "participants.tsv").exists()


def test_a_date_cell_of_a_workbook_is_refused(tmp_path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["participant_id", "seen"])
    book.active.append(["P50", dt.datetime(1990, 2, 1)])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(ParticipantError, match="row 1, column 'seen' holds a date"):
        read_table(tmp_path / "a.xlsx")


def test_our_own_columns_name_nobody() -> None:
    assert identifying(list(DESCRIPTIONS), [{"mass_kg": "71.5", "age_y": "30"}]) == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["mass_kg", "70"], "has no column participant_id; it has mass_kg"),
        (["id,mass_kg", "Jane,70"], "row 2: participant 'Jane': expected P"),
        (["id,mass_kg", "P50,70", "P50,71"], "row 3: P50 is listed twice"),
        (["id,mass_kg", "P50,heavy"], "row 2: mass_kg is 'heavy', not a number"),
        (["id,height_mm", "P50,176"], r"height_mm is 176; .* Is it in cm\?"),
        (["id,height_m", "P50,1760"], "height_mm is 1.76e"),
        (["id,mass_kg", "P50,710"], "mass_kg is 710; people have 35 to 200 kg"),
        (["id,sex", "P50,maybe"], "sex is 'maybe'"),
        ([""], "is empty"),
    ],
)
def test_a_table_that_cannot_be_is_told(tmp_path, lines, told) -> None:
    path = table(tmp_path / "a.csv", *lines)
    with pytest.raises(ParticipantError, match=told):
        import_table(tmp_path, path)
    assert not (tmp_path / "participants.tsv").exists()


def test_other_files_are_no_tables(tmp_path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"no")
    with pytest.raises(ParticipantError, match="no readable workbook"):
        read_table(tmp_path / "a.xlsx")
    with pytest.raises(ParticipantError, match="are read as"):
        read_table(tmp_path / "a.docx")
    with pytest.raises(ParticipantError, match="are written as"):
        export_table(tmp_path, tmp_path / "a.csv")


def test_what_a_table_does_not_hold_stays(tmp_path) -> None:
    write_participant(tmp_path, Participant("P50", mass_kg=70, marker_diameter_mm=16))
    path = table(tmp_path / "a.csv", "id,height_cm,mass_kg", "P50,176,n/a")
    import_table(tmp_path, path)
    person = read_participants(tmp_path)["P50"]
    assert (person.mass_kg, person.height_mm) == (70, 1760)
    assert person.marker_diameter_mm == 16


def test_columns_of_others_survive_a_rewrite(tmp_path) -> None:
    lines = ["participant_id\tmass_kg\tshoe_size", "P50\t70\t42"]
    table(tmp_path / "participants.tsv", *lines)
    write_participant(tmp_path, WHOLE)
    head, first, second = (tmp_path / "participants.tsv").read_text().splitlines()
    assert head.split("\t")[-1] == "shoe_size"
    assert first.split("\t")[-1] == "n/a"
    assert second.split("\t")[-1] == "42"
    assert "sole_delta" not in head  # written where used


def test_what_the_gait_model_needs_is_named() -> None:
    assert missing_for_model(WHOLE) == []
    assert findings_of(WHOLE) == []
    lacking = Participant("P50", knee_width_left_mm=99)
    (finding,) = findings_of(lacking)
    assert (finding.code, finding.severity) == ("participant-missing", "warning")
    for name in set(NEEDED) - {"knee_width_left_mm", "marker_diameter_mm"}:
        assert name in finding.message
    facts = {n: getattr(WHOLE, n) for n in NEEDED}
    assert measures(facts).mass_kg == 61.5
    for name in NEEDED:
        if name != "mass_kg":  # without it there are angles, but no kinetics
            with pytest.raises(MeasureError):
                measures({**facts, name: float("nan")})


def test_legs_that_differ_are_worth_a_look() -> None:
    odd = Participant("P50", leg_length_left_mm=900, leg_length_right_mm=700)
    assert "participant-sides" in {finding.code for finding in findings_of(odd)}


@given(
    name=st.sampled_from(sorted(RANGES)),
    share=st.floats(0, 1),
    beyond=st.floats(0.01, 1e6),
)
def test_ranges_are_kept_on_both_sides(name, share, beyond) -> None:
    limits = RANGES[name]
    inside = limits.low + share * (limits.high - limits.low)

    def codes(value):
        return {f.code for f in findings_of(Participant("P50", **{name: value}))}

    assert "participant-range" not in codes(inside)
    assert "participant-range" in codes(limits.high + beyond)
    assert "participant-range" in codes(limits.low - beyond)
