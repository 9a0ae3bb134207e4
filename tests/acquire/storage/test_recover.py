"""Recovery: interrupted recordings get their archive, and are left as they are."""

import json
from pathlib import Path

import numpy as np
import pytest

from acquire.storage.durable import AppendFile
from acquire.storage.layout import TrialKey, claim_dataset, session_folder
from acquire.storage.manifest import read_manifest, verify_manifest
from acquire.storage.recover import recover
from acquire.storage.trial_file import read_provenance, read_trial, write_trial
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_reader import read_xdf
from tests.builders.recordings import (
    COUNTED,
    add,
    foreign,
    spec,
    values,
    write_counted,
)

KEY = TrialKey("P43", "2026-11-22_1", "Ideal", "DS_5", "S_1", 1, 1)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    dataset = tmp_path / "set"
    claim_dataset(dataset, simulated=True)
    KEY.folder(dataset).mkdir(parents=True)
    session = session_folder(dataset, KEY.participant, KEY.session)
    (session / "rig.yaml").write_text("name: lab\n")
    lines = [
        {"seq": 1, "event": "facing", "reversed": True},
        {"seq": 2, "event": "trial_armed", **KEY.attributes()},
        {"seq": 3, "event": "facing", "reversed": False},
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n{"seq": 4, "ev'
    (session / "journal.jsonl").write_text(text)
    return dataset


def interrupted(path: Path, n: int = 500) -> None:
    writer = XdfWriter(path)
    stream_id = add(writer, COUNTED)
    data = values("float32", (n, 3))
    data[:, 0] = np.arange(n) % 64
    writer.write_samples(stream_id, data, np.arange(n) / 100)
    writer.sync()
    writer.abandon()


def test_an_interrupted_trial_is_archived_as_incomplete(dataset: Path) -> None:
    interrupted(KEY.xdf(dataset))
    before = KEY.xdf(dataset).read_bytes()
    (found,) = recover(dataset)
    assert not found.failed
    assert (found.archive, found.n_samples) == (KEY.h5(dataset), 500)
    assert "500 samples, incomplete" in found.describe()
    assert json.dumps(found.to_json())
    archive = read_trial(KEY.h5(dataset))
    assert not archive.complete
    assert archive.attributes == {
        **KEY.attributes(),
        "facing": "reversed",
        "recovered": True,
        "simulated": True,
    }
    assert read_provenance(KEY.h5(dataset))["rig"] == "name: lab\n"
    assert KEY.xdf(dataset).read_bytes() == before
    files = KEY.xdf(dataset), KEY.h5(dataset)
    names = [path.relative_to(dataset).as_posix() for path in files]
    assert list(read_manifest(dataset)) == names
    assert verify_manifest(dataset) == []
    assert recover(dataset) == []


def test_a_trial_whose_archiving_was_interrupted(dataset: Path) -> None:
    write_counted(KEY.xdf(dataset), 100)
    KEY.h5(dataset).with_suffix(".h5.tmp").write_bytes(b"half an archive")
    (found,) = recover(dataset)
    assert found.archive is not None
    assert not read_trial(found.archive).complete
    assert not KEY.h5(dataset).with_suffix(".h5.tmp").exists()


def test_what_has_an_archive_is_left_alone(dataset: Path) -> None:
    write_counted(KEY.xdf(dataset), 100)
    write_trial(read_xdf(KEY.xdf(dataset)), KEY.h5(dataset))
    before = KEY.h5(dataset).read_bytes()
    assert recover(dataset) == []
    assert recover(KEY.xdf(dataset)) == []
    assert KEY.h5(dataset).read_bytes() == before


def test_a_running_recording_is_left_alone(dataset: Path) -> None:
    with XdfWriter(KEY.xdf(dataset)) as writer:
        add(writer, COUNTED)
        writer.sync()
        assert recover(dataset) == []
    assert len(recover(dataset)) == 1


def test_a_torn_foreign_file_gets_its_archive_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "sub-1_eeg.xdf"
    stream = spec("eeg", "float32", 4, 256.0)
    chunk = values("float32", (256, 4)), [1.0, *([None] * 255)]
    foreign(path, stream, [chunk] * 3)
    path.write_bytes(path.read_bytes()[:-3000])
    (found,) = recover(path)
    assert found.archive == tmp_path / "sub-1_eeg.h5"
    assert 512 < found.n_samples < 768
    archive = read_trial(found.archive)
    assert not archive.complete
    assert any("cut off" in problem for problem in archive.problems)
    np.testing.assert_array_equal(archive["eeg"].data[:256], chunk[0])


def test_a_whole_foreign_file_stays_complete(tmp_path: Path) -> None:
    foreign(
        tmp_path / "a.xdf", spec("eeg", "int16", 2), [(values("int16", (2, 2)), [1, 2])]
    )
    (found,) = recover(tmp_path)
    assert found.complete
    assert found.archive is not None
    assert read_trial(found.archive).complete


def test_failures_are_returned(tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_bytes(b"this is no XDF file at all")
    interrupted(tmp_path / "b.xdf")
    first, second = recover(tmp_path)
    assert first.failed
    assert "not an XDF file" in first.describe()
    assert not second.failed
    (missing,) = recover(tmp_path / "nowhere")
    assert missing.failed


def test_an_empty_file_is_an_empty_archive(tmp_path: Path) -> None:
    with AppendFile(tmp_path / "a.xdf"):
        pass
    (found,) = recover(tmp_path)
    assert (found.failed, found.n_samples, found.complete) == (False, 0, False)
