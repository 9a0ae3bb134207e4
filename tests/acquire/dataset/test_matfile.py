"""The v7.3 writer against four readers and the bytes MATLAB itself writes."""

import importlib
import shutil
import subprocess
import tracemalloc
import warnings
import weakref
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from h5py import h5a, h5t

from acquire.dataset.matfile import Cell, MatFileError, MatWriter, Shared
from tests.builders.matwalk import built_matwalk

with warnings.catch_warnings():  # its pandas import warns of pandas itself
    warnings.simplefilter("ignore")
    import matio

CREATED = datetime(2026, 1, 2, 3, 4, 5)
RNG = np.random.default_rng(43)


def trial() -> dict[str, Any]:
    frames = Cell(tuple(RNG.integers(-999, 999, (4, 1000)) * 1.0 for _ in range(6)))
    strides = Cell((Cell(frames.items[:2]), Cell(()), np.zeros((0, 0))))
    markers = {"LASI": RNG.normal(size=(300, 3)), "RASI": RNG.normal(size=(300, 3))}
    return {
        "Markers": markers,
        "USData": frames,
        "Strides": strides,
        "EMGData": RNG.normal(size=(6000, 13)),
        "rsGaitData": RNG.normal(size=(200, 3, 5)),
    }


def edge_cases() -> dict[str, Any]:
    return {
        "one_field": {"only": np.float64(np.nan)},
        "no_field": {},
        "empty": np.zeros((0, 3)),
        "empty_logical": np.zeros((1, 0), bool),
        "empty_char": "",
        "empty_cell": Cell((), (0, 0)),
        "text": "Pièd µV",
        "flag": np.array([[True, False, True]]),
        "big": np.array([[2**53 + 1, -(2**62)]], dtype="i8"),
        "bytes": np.arange(6, dtype="u1").reshape(2, 3),
        "single": np.array([[1.5], [np.inf]], dtype="f4"),
        "mixed": Cell(("LG_0", 2, True, {"a": 1.0, "b": "x"}), (2, 2)),
        "trailing": np.ones((4, 3, 1)),
        "zebra": 1,
        "apple": 2,
    }


TREE: dict[str, Any] = {
    "P43": {"OriginalData": {"Trial_1": trial()}, "NormalizedData": edge_cases()}
}


def write(path: Path) -> Path:
    with MatWriter(path, created=CREATED) as mat:
        mat.write(
            "P43/OriginalData/Trial_1", lambda: TREE["P43"]["OriginalData"]["Trial_1"]
        )
        for name, value in TREE["P43"]["NormalizedData"].items():
            mat.write(f"P43/NormalizedData/{name}", value)
    return path


@pytest.fixture(scope="module")
def mat_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("mat") / "P43.mat")


def plain(value: Any) -> Any:
    """Return what MATLAB would hold: 2-D arrays, no trailing singleton."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    array = np.asarray(value)
    array = array.reshape(1, 1) if array.ndim == 0 else array
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


def matches(got: Any, want: Any, where: str) -> int:
    """Assert deep equality with mat-io's objects; count what was compared."""
    if isinstance(want, dict) and not want:
        assert type(got).__name__ == "EmptyMatStruct", where
        return 1
    if isinstance(want, dict):
        assert got.shape == (1, 1), where
        assert list(got.dtype.names) == list(want), where
        return 1 + sum(
            matches(got[0, 0][name], item, f"{where}.{name}")
            for name, item in want.items()
        )
    if isinstance(want, Cell):
        assert got.dtype == object, where
        assert got.shape == want.dims, where
        flat = got.flatten(order="F")
        return 1 + sum(
            matches(flat[k], item, f"{where}{{{k}}}")
            for k, item in enumerate(want.items)
        )
    if isinstance(want, str):
        assert (got.tolist() == [want]) if want else got.size == 0, where
        return 1
    np.testing.assert_array_equal(got, plain(want), strict=True, err_msg=where)
    return 1


def test_mat_io_reads_every_value_back(mat_path: Path) -> None:
    got = matio.load_from_mat(str(mat_path))
    assert list(got) == ["P43"]
    assert matches(got["P43"], TREE["P43"], "P43") > 30


def fnv(raw: bytes) -> int:
    value = 1469598103934665603
    for byte in raw:
        value = (value ^ byte) * 1099511628211 % 2**64
    return value


def plan(value: Any, path: str) -> Iterator[str]:
    """Yield the lines matwalk must print for a value."""
    if isinstance(value, dict):
        yield f"{path} struct 1x1 {len(value)} {0:016x}"
        for name, item in value.items():
            yield from plan(item, f"{path}.{name}")
        return
    if isinstance(value, Cell):
        yield f"{path} cell {value.dims[0]}x{value.dims[1]} 0 {0:016x}"
        for k, item in enumerate(value.items):
            yield from plan(item, f"{path}{{{k}}}")
        return
    if isinstance(value, str):
        raw = value.encode("utf-16-le")
        dims = f"1x{len(raw) // 2}" if raw else "0x0"
        yield f"{path} char {dims} 0 {fnv(raw) if raw else 0:016x}"
        return
    array = plain(value)
    kind = {"bool": "logical", "float64": "double", "float32": "single"}.get(
        str(array.dtype), str(array.dtype)
    )
    hashed = fnv(array.tobytes("F")) if array.size else 0
    dims = "x".join(map(str, array.shape))
    yield f"{path} {kind} {dims} 0 {hashed:016x}"


@pytest.fixture(scope="module")
def matwalk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_matwalk(tmp_path_factory.mktemp("bin"))


def test_libmatio_reads_every_object(mat_path: Path, matwalk: Path) -> None:
    walked = subprocess.run(
        [matwalk, mat_path], capture_output=True, text=True, check=True, timeout=60
    )
    assert walked.stdout.splitlines() == list(plan(TREE["P43"], "P43"))


def test_plain_h5py_finds_arrays_transposed(mat_path: Path) -> None:
    want = TREE["P43"]["OriginalData"]["Trial_1"]
    with h5py.File(mat_path) as file:
        found = file["P43/OriginalData/Trial_1"]
        np.testing.assert_array_equal(found["EMGData"][()].T, want["EMGData"])
        frame = file[found["USData"][0, 3]]
        np.testing.assert_array_equal(frame[()].T, want["USData"].items[3])
        assert found["rsGaitData"].shape == (5, 3, 200)


@pytest.mark.parametrize(
    ("module", "function"), [("mat73", "loadmat"), ("pymatreader", "read_mat")]
)
def test_readers_of_others_find_sheets_and_frames(
    mat_path: Path, module: str, function: str
) -> None:
    with warnings.catch_warnings():  # of what they import
        warnings.simplefilter("ignore")
        read = getattr(importlib.import_module(module), function)
        found = read(str(mat_path))["P43"]["OriginalData"]["Trial_1"]
    want = TREE["P43"]["OriginalData"]["Trial_1"]
    np.testing.assert_array_equal(found["EMGData"], want["EMGData"])
    frame = np.asarray(found["USData"][3]).reshape(4, 1000)
    np.testing.assert_array_equal(frame, want["USData"].items[3])


def test_octave_reads_arrays(mat_path: Path) -> None:
    octave = shutil.which("octave-cli")
    if octave is None:
        pytest.skip("octave is not installed")
    script = f"load('{mat_path}'); disp(size(P43.OriginalData.Trial_1.rsGaitData))"
    shown = subprocess.run(
        [octave, "--eval", script], capture_output=True, text=True, timeout=60
    )
    assert shown.stdout.split() == ["200", "3", "5"]


def test_bytes_are_those_of_matlab(mat_path: Path) -> None:
    raw = mat_path.read_bytes()
    text = raw[:116].decode("ascii")
    assert text.startswith(
        "MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Fri Jan"
    )
    assert text.rstrip().endswith("HDF5 schema 1.00 .")
    assert raw[116:124] == bytes(8)
    assert raw[124:128] == b"\x00\x02IM"
    assert raw[128:512] == bytes(384)
    assert raw[512:520] == b"\x89HDF\r\n\x1a\n"
    assert raw[520] == 0  # superblock version


def text_attribute(found: Any, name: str) -> str:
    attribute = h5a.open(found.id, name.encode())
    kind = attribute.get_type()
    assert kind.get_class() == h5t.STRING
    assert kind.get_strpad() == h5t.STR_NULLTERM
    assert not kind.is_variable_str()
    assert attribute.get_space().get_simple_extent_ndims() == 0
    text = found.attrs[name].decode()
    assert kind.get_size() == len(text)
    return text


def integer_attribute(found: Any, name: str) -> np.dtype[Any]:
    attribute = h5a.open(found.id, name.encode())
    assert attribute.get_space().get_simple_extent_ndims() == 0
    return attribute.dtype


def test_every_object_is_described_as_matlab_does(mat_path: Path) -> None:
    with h5py.File(mat_path) as file:
        objects: list[Any] = []
        file.visititems(lambda _, found: objects.append(found))
        assert not file.attrs
        assert text_attribute(file["#refs#/a"], "MATLAB_class") == "canonical empty"
        referenced = set()
        for found in objects:
            if found.name == "/#refs#":
                continue
            kind = text_attribute(found, "MATLAB_class")
            if isinstance(found, h5py.Group):
                assert ("MATLAB_fields" in found.attrs) == (len(found) >= 2), found.name
                continue
            assert found.ndim >= 2 or "MATLAB_empty" in found.attrs
            if "MATLAB_empty" in found.attrs:
                assert integer_attribute(found, "MATLAB_empty") == np.uint8
                assert found.dtype == np.uint64
            elif kind in {"char", "logical"}:
                assert integer_attribute(found, "MATLAB_int_decode") == np.int32
            else:
                assert "MATLAB_int_decode" not in found.attrs
            if found.dtype == h5py.ref_dtype:
                referenced |= {file[ref].name for ref in found[()].flat}
            elif found.nbytes > 9500:
                assert (found.compression, found.compression_opts) == ("gzip", 1)
                assert not found.shuffle
                assert not found.fletcher32
                assert np.prod(found.chunks) * found.dtype.itemsize <= 65536
            else:
                layout = found.id.get_create_plist().get_layout()
                assert layout == h5py.h5d.COMPACT
        assert referenced | {"/#refs#/a"} == {f"/#refs#/{n}" for n in file["#refs#"]}


def test_paths_of_deeper_levels_are_glued(mat_path: Path) -> None:
    with h5py.File(mat_path) as file:
        struct = file["P43/OriginalData/Trial_1/Markers"]
        assert "H5PATH" not in file["P43"].attrs
        assert text_attribute(file["P43/OriginalData"], "H5PATH") == "/P43"
        assert text_attribute(struct, "H5PATH") == "/P43OriginalDataTrial_1"
        assert text_attribute(file["#refs#/b"], "H5PATH") == "/#refs#/b"


def test_the_same_values_give_the_same_bytes(mat_path: Path, tmp_path: Path) -> None:
    assert write(tmp_path / "again.mat").read_bytes() == mat_path.read_bytes()


def test_long_field_lists_move_to_a_dataset(tmp_path: Path) -> None:
    wide = {f"a_rather_long_field_name_{k:03d}": float(k) for k in range(200)}
    with MatWriter(tmp_path / "wide.mat", created=CREATED) as mat:
        mat.write("wide", wide)
    with h5py.File(tmp_path / "wide.mat") as file:
        assert file["wide"].attrs.get_id("MATLAB_fields").dtype == h5py.ref_dtype
    assert matches(
        matio.load_from_mat(str(tmp_path / "wide.mat"))["wide"], wide, "wide"
    )


def test_values_are_made_when_their_turn_comes(tmp_path: Path) -> None:
    alive: list[int] = []

    def make(k: int) -> dict[str, Any]:
        alive.append(k)
        return {"n": float(k)}

    with MatWriter(tmp_path / "lazy.mat", created=CREATED) as mat:
        for k in range(3):
            mat.write(f"P43/Trial_{k}", lambda k=k: make(k))
            assert alive == list(range(k + 1))


def test_what_cells_share_is_made_and_stored_once(
    tmp_path: Path, matwalk: Path
) -> None:
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        return np.full((4, 1000), 7.0)

    frame, other = Shared(make), np.ones((2, 2))
    path = tmp_path / "shared.mat"
    with MatWriter(path, created=CREATED) as mat:
        mat.write("s/all", Cell((frame, other)))
        mat.write("s/strides", Cell((Cell((frame,)), frame)))
        mat.write("s/plain", frame)  # no item of a cell: a value of its own
    assert len(made) == 2
    with h5py.File(path) as file:
        first, _ = (file[ref].name for ref in file["s/all"][()].flat)
        inner, again = (file[ref].name for ref in file["s/strides"][()].flat)
        assert first == again == file[file[inner][()].item()].name
        assert len(file["#refs#"]) == 4  # the canonical empty, frame, other, inner cell
    value = np.full((4, 1000), 7.0)
    want = {
        "all": Cell((value, other)),
        "strides": Cell((Cell((value,)), value)),
        "plain": value,
    }
    assert matches(matio.load_from_mat(str(path))["s"], want, "s") == 9
    walked = subprocess.run(
        [matwalk, path], capture_output=True, text=True, check=True, timeout=60
    )
    assert walked.stdout.splitlines() == list(plan(want, "s"))


def test_shared_values_are_forgotten_with_their_trial(tmp_path: Path) -> None:
    with MatWriter(tmp_path / "many.mat", created=CREATED) as mat:
        for k in range(3):
            frame = Shared(lambda k=k: np.full((2, 2), float(k)))
            gone = weakref.ref(frame)
            mat.write(f"P43/Trial_{k}", Cell((frame, frame)))
            del frame
            assert gone() is None


def peak_bytes(path: Path, n_trials: int) -> int:
    tracemalloc.start()
    with MatWriter(path, created=CREATED) as mat:
        for k in range(n_trials):
            frames = [Shared(lambda: RNG.normal(size=(4, 1000))) for _ in range(20)]
            mat.write(f"P43/Original/Trial_{k}", Cell(tuple(frames)))
            mat.write(f"P43/Normalized/Trial_{k}", Cell(tuple(frames[5:9])))
            mat.write(f"P43/Sheet/Trial_{k}", lambda: RNG.normal(size=(6000, 13)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_is_that_of_one_trial_whatever_their_number(tmp_path: Path) -> None:
    peak_bytes(tmp_path / "first.mat", 1)  # what is made once
    few = peak_bytes(tmp_path / "few.mat", 2)
    many = peak_bytes(tmp_path / "many.mat", 20)
    assert many < few + 100_000 < 3_000_000  # a sheet has 624 kB, all of them 12 MB


def fill(mat: MatWriter, name: str, value: Any) -> None:
    mat.write("P43/old", 1.0)
    mat.write(name, value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("P43/1st", 1.0, "no MATLAB field name"),
        ("P43/x", np.zeros(3), "neither row nor column"),
        ("P43/x", np.array([["a"]]), "not supported"),
        ("P43/old", 1.0, "written twice"),
    ],
)
def test_what_matlab_cannot_hold_is_refused(
    tmp_path: Path, name: str, value: Any, message: str
) -> None:
    path = tmp_path / "bad.mat"
    with (
        pytest.raises(MatFileError, match=message),
        MatWriter(path, created=CREATED) as mat,
    ):
        fill(mat, name, value)
    assert not path.exists()


def test_a_cell_must_fill_its_shape() -> None:
    with pytest.raises(MatFileError, match="cannot hold 3"):
        Cell((1, 2, 3), (2, 2))


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "P43.mat").write_text("mine")
    with pytest.raises(FileExistsError):
        MatWriter(tmp_path / "P43.mat", created=CREATED)
