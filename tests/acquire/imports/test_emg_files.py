"""sEMG files as others write them, and clear words where they are not so."""

from datetime import datetime

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from acquire.dataset.matfile import MatWriter
from acquire.imports.emg_files import labelled, read_emg
from acquire.imports.errors import SourceFileError
from acquire.imports.profile import EmgFiles
from acquire.imports.text_table import numbers, read_lines

N = 50
ROWS = np.random.default_rng(1).normal(0, 80, (N, 2))
LINE = (np.arange(N) > 20) * 5.0


def record(**first):
    signals = {
        "signal_1": {
            "name": "Ultium EMG-TIB.ANT. RT",
            "units": "uV",
            "frequency": 2000.0,
            "data": ROWS[:, [0]],
            **first,
        },
        "signal_2": {
            "name": "Ultium EMG.Sync",
            "units": "On",
            "frequency": 2000.0,
            "data": LINE[:, None],
        },
    }
    return {"movements": {"sources": {"signals": signals}}}


LAYOUT = EmgFiles(
    files=("x",), channels={"Ultium EMG-TIB.ANT. RT": "R_TA"}, sync="Ultium EMG.Sync"
)


def test_the_export_of_the_vendor_is_read(tmp_path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"record_1": record(), "other": 1.0})
    table = read_emg(path, LAYOUT)
    assert table.names == ("Ultium EMG-TIB.ANT. RT", "Ultium EMG.Sync")
    assert table.units[0] == "uV"
    assert table.rate_hz == 2000
    assert np.array_equal(table.rows, np.column_stack([ROWS[:, 0], LINE]))
    assert list(labelled(table, LAYOUT)) == [("R_TA", "Ultium EMG-TIB.ANT. RT")]
    assert table.simulated is None


def test_the_newer_kind_of_mat_file_is_read_alike(tmp_path) -> None:
    path = tmp_path / "a.mat"
    with MatWriter(path, created=datetime(2000, 1, 1)) as mat:
        mat.write("record_1", record(frequency=np.array([[2000.0]])))
    assert h5py.is_hdf5(path)
    table = read_emg(path, LAYOUT)
    assert table.names[0] == "Ultium EMG-TIB.ANT. RT"
    assert np.array_equal(table.rows[:, 0], ROWS[:, 0])


@pytest.mark.parametrize("turned", [False, True])
def test_a_plain_matrix_is_read_by_its_declared_columns(tmp_path, turned) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"emg": ROWS.T if turned else ROWS})
    layout = EmgFiles(
        files=("x",), variable="emg", columns=("R_TA", "R_MG"), rate_hz=1500, unit="uV"
    )
    table = read_emg(path, layout)
    assert np.array_equal(table.rows, ROWS)
    assert (table.rate_hz, table.names) == (1500, ("R_TA", "R_MG"))


def csv_text(head, decimal="."):
    lines = [*head]
    for k, row in enumerate(ROWS):
        cells = [f"{k / 2000:.4f}", *(f"{v:.3f}" for v in row), f"{LINE[k]:g}"]
        mark = ";" if decimal == "," else ","
        lines.append(mark.join(c.replace(".", decimal) for c in cells))
    return "\n".join(lines) + "\n"


def test_the_vendors_csv_is_read(tmp_path) -> None:
    path = tmp_path / "a.csv"
    head = [
        "Record: x",
        "",
        '"Time,s","TIB.ANT. RT, uV","MED. GASTRO RT, uV","Sync, On"',
    ]
    path.write_text(csv_text(head))
    layout = EmgFiles(files=("x",), channels={"TIB.ANT. RT": "R_TA"}, sync="Sync")
    table = read_emg(path, layout)
    assert table.names == ("TIB.ANT. RT", "MED. GASTRO RT", "Sync")
    assert table.units == ("uV", "uV", "On")
    assert table.rate_hz == 2000
    assert table.rows[:, :2] == pytest.approx(ROWS, abs=1e-3)


def test_a_table_with_commas_for_points_is_read(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeff" + csv_text(["time (s);R_TA (uV);R_MG (uV);Sync"], ","))
    layout = EmgFiles(files=("x",), delimiter="semicolon", decimal=",")
    table = read_emg(path, layout)
    assert table.rows[:, :2] == pytest.approx(ROWS, abs=1e-3)
    assert dict(labelled(table, layout)) == {"R_TA": "R_TA", "R_MG": "R_MG"}


@pytest.mark.parametrize(
    ("content", "layout", "told"),
    [
        ({"emg": ROWS}, {}, r"no struct with movements.sources.signals.*it has emg"),
        ({"emg": ROWS}, {"variable": "x", "columns": ["a"]}, "no variable 'x'; it has"),
        (
            {"emg": ROWS},
            {"variable": "emg", "columns": ["a", "b", "c"]},
            "emg is 50 x 2; emg.columns names 3",
        ),
        (
            {"emg": ROWS},
            {"variable": "emg", "columns": ["a", "b"]},
            "does not say its rate; declare emg.rate_hz",
        ),
        ({"r": record(frequency=1500.0)}, {}, "differ in rate or length"),
        ({"r": record(data=ROWS[:9, [0]])}, {}, "differ in rate or length .*RT 9"),
    ],
)
def test_a_mat_file_of_another_layout_is_told(tmp_path, content, layout, told) -> None:
    path = tmp_path / "a.mat"
    savemat(path, content)
    with pytest.raises(SourceFileError, match=told):
        read_emg(path, EmgFiles(files=("x",), **layout))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,x\n", "line 2: 'x' is no number"),
        ("a,b\n1,2\n3\n", "line 3: 1 cells where the lines before have 2"),
        ("a,b\n1,2,3\n", "2 names in line 1, but 3 columns"),
        ("time,b\n0,1\n0.1,1\n0.5,1\n0.6,1\n0.7,1\n", "not evenly spaced"),
        ("b,c\n", "holds no sample"),
        ("only words\nhere\n", "no line of names"),
        ("", "no line of names"),
        ("\0\0", "binary, not text"),
    ],
)
def test_a_table_of_another_layout_is_told(tmp_path, text, told) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    wanted = {"b": "R_TA"} if text[:4] in ("a,b\n", "b,c\n", "time") else {}
    layout = EmgFiles(files=("x",), channels=wanted)
    with pytest.raises(SourceFileError, match=told):
        read_emg(path, layout)


def test_a_damaged_mat_file_is_told(tmp_path) -> None:
    path = tmp_path / "a.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file" + b"x" * 300)
    with pytest.raises(SourceFileError, match="damaged"):
        read_emg(path, LAYOUT)
    path.write_bytes(b"no")
    with pytest.raises(SourceFileError, match="no MAT-file"):
        read_emg(path, LAYOUT)
    with pytest.raises(SourceFileError, match=r"is read from \.mat"):
        read_emg(tmp_path / "a.xlsx", LAYOUT)


@settings(max_examples=80)
@given(text=st.text(max_size=200))
def test_any_text_is_a_table_or_a_clear_error(text, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        table = read_emg(path, EmgFiles(files=("x",), rate_hz=1))
    except SourceFileError as error:
        assert "a.csv" in str(error)  # noqa: PT017
    else:
        assert table.rows.shape[1] == len(table.names)


FINITE = st.floats(-1e6, 1e6) | st.just(float("nan"))


@settings(max_examples=60)
@given(
    rows=st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(FINITE, min_size=n, max_size=n), min_size=1)
    ),
    delimiter=st.sampled_from(["tab", "comma", "semicolon", "space"]),
)
def test_numbers_come_back_in_every_delimiter(rows, delimiter) -> None:
    mark = {"tab": "\t", "comma": ",", "semicolon": ";", "space": "  "}[delimiter]
    lines = [mark.join(repr(value) for value in row) for row in rows]
    found = numbers(lines, "x", delimiter=delimiter)
    assert np.array_equal(found, np.array(rows), equal_nan=True)


def test_blank_lines_at_the_end_and_latin_letters_are_no_matter(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("µV\r\n1\r\n\r\n \r\n".encode("latin-1"))
    assert read_lines(path) == ["µV", "1"]
