"""Journal, manifest, disk, derived files, and opening whatever there is."""

import datetime as dt
import itertools
import json
import math
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from acquire.findings import Finding, in_order, worst
from acquire.storage.derived_file import (
    Group,
    read_derived,
    read_derived_attributes,
    write_derived,
)
from acquire.storage.disk import bytes_per_s, minutes_left
from acquire.storage.errors import NotARecordingError, StorageError
from acquire.storage.journal import Journal, read_journal
from acquire.storage.manifest import (
    append_to_manifest,
    read_manifest,
    verify_manifest,
)
from acquire.storage.reader import open_recording
from acquire.storage.trial_file import write_trial
from acquire.storage.xdf_reader import read_xdf
from tests.builders.recordings import spec, write_counted

WALL = dt.datetime(2026, 11, 22, 10, 15, tzinfo=dt.UTC)


def _journal(path: Path) -> Journal:
    ticks = itertools.count(100)
    return Journal(path, clock=lambda: float(next(ticks)), wall=lambda: WALL)


class TestJournal:
    def test_lines_are_numbered_and_stamped(self, tmp_path: Path) -> None:
        with _journal(tmp_path / "j.jsonl") as journal:
            line = journal.append("trial_start", trial="Ä", take=1)
            journal.append("nan", speed_mps=math.nan, more={"x": [math.inf, 1]})
            assert read_journal(tmp_path / "j.jsonl")[0] == line
        assert line == {
            "seq": 1,
            "wall": "2026-11-22T10:15:00.000000+00:00",
            "t_lsl": 100.0,
            "event": "trial_start",
            "trial": "Ä",
            "take": 1,
        }
        second = read_journal(tmp_path / "j.jsonl")[1]
        assert (second["speed_mps"], second["more"]) == (None, {"x": [None, 1]})

    def test_it_is_continued_behind_a_torn_line(self, tmp_path: Path) -> None:
        path = tmp_path / "j.jsonl"
        with _journal(path) as journal:
            journal.append("one")
            journal.append("two")
        torn = path.read_bytes()[:-7]
        path.write_bytes(torn + bytes(40))
        assert [line["event"] for line in read_journal(path)] == ["one"]
        with _journal(path) as journal:
            assert journal.append("three")["seq"] == 2
        assert path.read_bytes().startswith(torn)
        assert [line["event"] for line in read_journal(path)] == ["one", "three"]

    def test_one_process_writes(self, tmp_path: Path) -> None:
        with (
            _journal(tmp_path / "j.jsonl"),
            pytest.raises(StorageError, match="another process"),
        ):
            _journal(tmp_path / "j.jsonl")

    def test_its_own_keys_are_taken(self, tmp_path: Path) -> None:
        with (
            _journal(tmp_path / "j.jsonl") as journal,
            pytest.raises(ValueError, match="own keys"),
        ):
            journal.append("x", seq=3)

    def test_before_the_first_line(self, tmp_path: Path) -> None:
        assert read_journal(tmp_path / "none.jsonl") == []


class TestManifest:
    def test_sha256sum_agrees(self, tmp_path: Path) -> None:
        (tmp_path / "raw").mkdir()
        names = ["raw/a b.h5", "raw/ü.h5"]
        for name in names:
            (tmp_path / name).write_text(name)
            append_to_manifest(tmp_path, tmp_path / name)
            append_to_manifest(tmp_path, tmp_path / name)
        assert list(read_manifest(tmp_path)) == names
        assert verify_manifest(tmp_path) == []
        assert len((tmp_path / "manifest-sha256.txt").read_text().splitlines()) == 2
        judged = subprocess.run(
            ["sha256sum", "-c", "manifest-sha256.txt"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert judged.returncode == 0, judged.stderr

    def test_changes_and_losses_are_found(self, tmp_path: Path) -> None:
        for name in ("a", "b", "50%\n"):
            (tmp_path / name).write_text(name)
            append_to_manifest(tmp_path, tmp_path / name)
        (tmp_path / "a").write_text("other")
        (tmp_path / "b").unlink()
        found = [(f.code, f.where) for f in verify_manifest(tmp_path)]
        assert found == [("manifest-digest", "a"), ("manifest-missing", "b")]

    def test_a_torn_line_is_left_behind(self, tmp_path: Path) -> None:
        (tmp_path / "manifest-sha256.txt").write_text("0123abc")
        (tmp_path / "a").write_text("a")
        append_to_manifest(tmp_path, tmp_path / "a")
        assert list(read_manifest(tmp_path)) == ["a"]


class TestDerived:
    def test_groups_come_back(self, tmp_path: Path) -> None:
        path = tmp_path / "Trial_1_take1.derived.h5"
        time_s = np.arange(5) / 100
        groups = {
            "gait": Group(
                groups={
                    "events": Group(
                        {
                            "time_s": time_s,
                            "kind": np.array(["strike", "off", "ü", "", "off"]),
                            "force": np.ones((5, 3)),
                        },
                        {"method": "forces", "n": 5},
                        units={"time_s": "s", "force": "N"},
                        axis="time_s",
                    )
                }
            ),
            "quality": Group({"empty": np.empty(0), "number": np.float64(1.5)}),
        }
        write_derived(path, groups, {"Trial_1_take1.h5": "ab12"}, {"t0_s": 1.5})
        derived = read_derived(path)
        assert derived.inputs == {"Trial_1_take1.h5": "ab12"}
        assert read_derived_attributes(path) == {"t0_s": 1.5}
        events = derived["gait/events"]
        np.testing.assert_array_equal(events.arrays["time_s"], time_s)
        assert events.arrays["kind"].tolist() == ["strike", "off", "ü", "", "off"]
        assert events.attributes == {"method": "forces", "n": 5}
        assert (events.axis, events.units["force"]) == ("time_s", "N")
        assert derived["quality"].arrays["number"] == 1.5
        assert derived["quality"].arrays["empty"].shape == (0,)
        with pytest.raises(KeyError, match="has no group 'gait/angles'"):
            _ = derived["gait/angles"]
        with h5py.File(path) as file:
            force = file["gait/events/force"]
            assert force.dims[0][0].name == "/gait/events/time_s"
            assert len(force.dims[1]) == 1

    def test_it_is_rebuilt_at_will(self, tmp_path: Path) -> None:
        path = tmp_path / "a.derived.h5"
        for k in range(3):
            write_derived(path, {"g": Group({"k": np.array([k])})}, {})
        assert read_derived(path)["g"].arrays["k"].tolist() == [2]
        assert [p.name for p in tmp_path.iterdir()] == [path.name]

    def test_a_failure_leaves_the_earlier_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.derived.h5"
        write_derived(path, {"g": Group({"k": np.array([1])})}, {})
        with pytest.raises(TypeError):
            write_derived(path, {"g": Group(attributes={"x": [1]})}, {})  # type: ignore[dict-item]
        assert read_derived(path)["g"].arrays["k"].tolist() == [1]
        assert [p.name for p in tmp_path.iterdir()] == [path.name]

    def test_other_files_are_refused(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.h5", "w"):
            pass
        with pytest.raises(NotARecordingError, match="no derived one"):
            read_derived(tmp_path / "a.h5")


def test_either_format_is_opened_by_content(tmp_path: Path) -> None:
    write_counted(tmp_path / "a.xdf", 50)
    write_trial(read_xdf(tmp_path / "a.xdf"), tmp_path / "b.h5")
    (tmp_path / "a.xdf").rename(tmp_path / "c.dat")
    for name in ("c.dat", "b.h5"):
        assert len(open_recording(tmp_path / name)["counted"].t_lsl) == 50
    (tmp_path / "empty.xdf").write_bytes(b"")
    assert not open_recording(tmp_path / "empty.xdf").complete
    (tmp_path / "x.txt").write_text("hello")
    for path in (tmp_path / "x.txt", tmp_path):
        with pytest.raises(NotARecordingError):
            open_recording(path)
    with pytest.raises(FileNotFoundError):
        open_recording(tmp_path / "none.xdf")


def test_minutes_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = bytes_per_s(
        [spec("a", "int16", 4000, 20.0), spec("b", "string", 1, 0.0), spec("c")]
    )
    assert rate == 2 * (20 * 8009 + 100 * 21)
    monkeypatch.setattr("acquire.storage.disk.free_bytes", lambda _: 6_000_000)
    assert minutes_left(tmp_path, 1e5) == 1.0
    assert minutes_left(tmp_path, 0.0) == math.inf


def test_the_disk_of_a_folder_to_come(tmp_path: Path) -> None:
    assert minutes_left(tmp_path / "not" / "yet", 1.0) > 0


def test_findings_are_ranked() -> None:
    found = [
        Finding("a", "info", "x", ""),
        Finding("b", "error", "x", ""),
        Finding("c", "warning", "x", ""),
    ]
    assert [finding.code for finding in in_order(found)] == ["b", "c", "a"]
    assert worst(found) == "error"
    assert worst([]) is None
    assert json.dumps(found[1].to_json())
