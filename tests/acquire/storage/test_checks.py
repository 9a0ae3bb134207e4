"""Each thing that can be wrong with a stored file gets its own code."""

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from acquire.storage.checks import check_recording
from acquire.storage.derived_file import Group, write_derived
from acquire.storage.layout import TrialKey
from acquire.storage.provenance import sha256
from acquire.storage.trial_file import write_trial
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_reader import read_xdf
from tests.builders.recordings import COUNTED, add, spec, values, write_counted

KEY = TrialKey("P43", "2026-11-22_1", "Ideal", "LG_0", "S_1", 1, 1)


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """A whole trial in its dataset: recording, archive, derived file."""
    KEY.folder(tmp_path).mkdir(parents=True)
    write_counted(KEY.xdf(tmp_path), 300)
    attributes = {**KEY.attributes(), "facing": "forward"}
    archive = write_trial(read_xdf(KEY.xdf(tmp_path)), KEY.h5(tmp_path), attributes)
    inputs = {archive.name: sha256(archive)}
    write_derived(KEY.derived(tmp_path), {"g": Group()}, inputs)
    return archive


def codes(path: Path) -> set[str]:
    return {finding.code for finding in check_recording(path)}


def test_a_whole_trial_has_no_findings(trial: Path) -> None:
    assert check_recording(trial) == []
    assert check_recording(trial.with_suffix(".xdf")) == []
    assert check_recording(trial.with_suffix(".derived.h5")) == []


def _attribute(name: str, value: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            if value is None:
                del file.attrs[name]
            else:
                file.attrs[name] = value

    return change


def _index(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["streams/counted/index"][5] = 99


def _scale(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        data, t = file["streams/counted/data"], file["streams/counted/t_lsl"]
        data.dims[0].detach_scale(t)


def _recording(path: Path) -> None:
    path.with_suffix(".xdf").write_bytes(b"XDF:")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_attribute("facing", None), "attribute-missing"),
        (_attribute("take", 2), "attribute-wrong"),
        (_attribute("complete", False), "incomplete"),
        (_attribute("kinemuse_layout", 99), "unreadable"),
        (_index, "index-wrong"),
        (_scale, "axis-unlabelled"),
        (_recording, "recording-digest"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "unreadable"),
    ],
)
def test_archives(trial: Path, change: Callable[[Path], None], code: str) -> None:
    change(trial)
    assert codes(trial) == {code}


def test_derived_files_name_their_inputs(trial: Path) -> None:
    _attribute("note", "x")(trial)
    assert codes(trial.with_suffix(".derived.h5")) == {"input-digest"}
    trial.unlink()
    assert codes(trial.with_suffix(".derived.h5")) == {"input-missing"}


def test_recordings(tmp_path: Path) -> None:
    write_counted(tmp_path / "a.xdf")
    whole = (tmp_path / "a.xdf").read_bytes()
    (tmp_path / "b.xdf").write_bytes(whole[: len(whole) // 2])
    assert codes(tmp_path / "b.xdf") == {"damaged", "incomplete"}
    shutil.copy(tmp_path / "a.xdf.journal", tmp_path / "b.xdf.journal")
    assert codes(tmp_path / "b.xdf") == {"damaged", "incomplete"}
    (tmp_path / "c.xdf").write_bytes(b"XDF:")
    assert codes(tmp_path / "c.xdf") == {"empty", "incomplete"}
    (tmp_path / "d.xdf").write_bytes(b"else")
    assert codes(tmp_path / "d.xdf") == {"unreadable"}
    assert codes(tmp_path / "none.xdf") == {"unreadable"}


def test_streams(tmp_path: Path) -> None:
    data = values("float32", (200, 3))
    data[:, 0] = np.r_[0:50, 60:160, 0:50] % 64
    t = np.arange(200) / 100
    t[7] = np.nan
    with XdfWriter(tmp_path / "a.xdf", journal=False) as writer:
        writer.write_samples(add(writer, COUNTED, hostname="here"), data, t)
        add(writer, spec("silent"))
        ids = add(writer, spec("uncounted"))
        writer.write_samples(ids, values("float32", (2, 3)), [1, 2])
    found = {
        (f.code, f.where.split(": ")[-1]) for f in check_recording(tmp_path / "a.xdf")
    }
    assert found >= {
        ("counter-gap", "counted"),
        ("no-offsets", "counted"),
        ("no-samples", "silent"),
        ("counter-unknown", "uncounted"),
    }
