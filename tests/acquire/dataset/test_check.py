"""`check_path` on each kind of thing, whole and spoiled, and the command over it."""

import json
import shutil
from pathlib import Path

import ezc3d
import h5py
import numpy as np
import pytest
from scipy.io import savemat
from typer.testing import CliRunner

from acquire.cli import app
from acquire.dataset.build import build
from acquire.dataset.check import check_path
from acquire.dataset.checks.codes import codes as registry
from acquire.dataset.checks.page import write_findings_page
from acquire.dataset.checks.privacy import privacy_findings
from acquire.dataset.checks.texts import texts_of
from acquire.dataset.checks.watch import Told, Watch
from acquire.exports.bids.bdf import BdfSignal, bdf_bytes
from acquire.findings import Finding
from tests.builders.dataset import archive, dataset, key, small, verdict
from tests.builders.recordings import add, spec

HUM = "emg-mains"  # of the schematic sEMG, sines: two of them near the mains
WATCH = Watch(names=("ada muster",), hosts=("labpc7",), users=("amuster",))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = dataset(tmp_path_factory.mktemp("check") / "K2")
    archive(root, key(), small(lost_us=slice(60, 62)))
    verdict(root, key(), accepted=True)
    build(root, "P43")
    return root


@pytest.fixture
def root(good: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "K2"
    shutil.copytree(good, copy)
    return copy


def codes(path: Path) -> list[str]:
    found = [f.code for f in check_path(path) if f.severity != "info"]
    return [code for code in found if code != HUM]


def test_a_dataset_tells_its_losses_and_what_it_lacks(good: Path) -> None:
    assert set(codes(good)) == {"stream-gap", "participant-missing"}
    (gap,) = [f for f in check_path(good) if f.code == "stream-gap"]
    folder = key().folder(good).relative_to(good).as_posix()
    assert gap.where == f"{folder}/Trial_1_take1.h5:amode"
    assert codes(good / "ProcessedData" / "P43.mat") == []


def test_an_archive_tells_its_losses(good: Path) -> None:
    found = [f for f in check_path(key().h5(good)) if f.severity != "info"]
    assert [(f.code, f.where) for f in found] == [
        ("stream-gap", "Trial_1_take1.h5:amode")
    ]
    assert "2 samples are missing (counted)" in found[0].message


def test_losses_are_told_without_a_derived_file_too(root: Path) -> None:
    with_it = check_path(key().h5(root))
    key().derived(root).unlink()
    assert check_path(key().h5(root)) == with_it


def test_a_check_changes_nothing(root: Path) -> None:
    def content() -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}

    before = content()
    check_path(root)
    assert content() == before


def test_what_is_not_there_or_no_recording(root: Path) -> None:
    assert codes(root / "nothing.h5") == ["path-missing"]
    (root / "x.bin").write_text("hello")
    assert codes(root / "x.bin") == ["recording-format"]


def test_a_real_trial_in_a_virtual_dataset_is_told(root: Path) -> None:
    archive(root, key(2), small(simulated=False))
    assert "dataset-mixed" in codes(root)


def test_a_recording_without_a_trigger_is_told(tmp_path: Path) -> None:
    path = archive(dataset(tmp_path / "K2"), key(), small(trigger=False))
    assert {"clock-reference", "clock-degraded"} <= set(codes(path))


# ---- privacy, in every format that is written -----------------------------------


def xdf(path: Path, text: str) -> None:
    from acquire.storage.xdf import XdfWriter

    path.unlink(missing_ok=True)
    with XdfWriter(path, journal=False) as writer:
        add(writer, spec("semg"), hostname=text)


def c3d(path: Path, text: str) -> None:
    file = ezc3d.c3d()
    file["data"]["points"] = np.zeros((4, 1, 5))
    file["parameters"]["POINT"]["LABELS"]["value"] = ["LASI"]
    file["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    file.add_parameter("MANUFACTURER", "COMPANY", [text])
    file.write(str(path))


def hdf5(path: Path, text: str) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("provenance")["rig"] = json.dumps({"file": text})


def attribute(path: Path, text: str) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("emg", data=np.zeros(3)).attrs["note"] = text


def mat_header(path: Path, text: str) -> None:
    path.write_bytes(f"MATLAB 5.0 MAT-file, {text}".encode().ljust(128))


def bdf(path: Path, text: str) -> None:
    made = bdf_bytes([BdfSignal("TA", "uV", np.zeros(200), "HP:20Hz")], 100.0, 200)
    path.write_bytes(made[:88] + text.encode().ljust(80)[:80] + made[168:])


def parquet(path: Path, text: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"a": [1.0]}).replace_schema_metadata({"source": text})
    pq.write_table(table, path)


FORMATS = {
    "trial.xdf": xdf,
    "trial.c3d": c3d,
    "archive.h5": hdf5,
    "flat.h5": attribute,
    "semg.mat": lambda path, text: savemat(path, {"record": {"info": text}}),
    "P43.mat": mat_header,
    "sub-P43_emg.bdf": bdf,
    "curves.parquet": parquet,
    "side.json": lambda path, text: path.write_text(json.dumps({"a": [text]})),
    "journal.jsonl": lambda path, text: path.write_text(json.dumps({"a": text}) + "\n"),
    "rig.yaml": lambda path, text: path.write_text(json.dumps({"a": text})),
    "people.tsv": lambda path, text: path.write_text(f"a\tb\n1\t{text}\n"),
    "US_Ch1.txt": lambda path, text: path.write_text(f"{text}\n1\t2\n"),
    "P43.html": lambda path, text: path.write_text(f"<p>{text}</p>"),
    "README": lambda path, text: path.write_text(text),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_name_is_found_in_every_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    FORMATS[name](path, "quiet-lab")
    before = {f.code for f in privacy_findings(path, name, WATCH)}
    FORMATS[name](path, "Ada Muster")
    (told,) = [
        f
        for f in privacy_findings(path, name, WATCH)
        if f.code == "privacy-name" and f.code not in before
    ]
    assert "Muster" not in told.message


@pytest.mark.parametrize(
    ("key_", "text", "wanted"),
    [
        ("surname", "Muster", {"privacy-name"}),
        ("patient", "P43", set()),
        ("remark", "ADA MUSTER, left", {"privacy-name"}),
        ("remark", "Adamant mustering", set()),
        ("date_of_birth", "1999-01-02", {"privacy-birth-date"}),
        ("date_of_birth", "n/a", set()),
        ("recorded", "2026-11-22T10:00:00Z", {"privacy-date"}),
        ("", "Created on: Mon Nov 23 01:02:03 2026", {"privacy-date"}),
        ("", "Created on: Sat Jan 01 00:00:00 2000", set()),
        ("acq_time", "1900-01-01T00:00:00", set()),
        ("contact", "ada@example.org", {"privacy-contact"}),
        ("hostname", "vicon-pc", {"privacy-host"}),
        ("host", "127.0.0.1", set()),
        ("log", "sent by LABPC7.local", {"privacy-host"}),
        ("user", "somebody", {"privacy-user"}),
        ("file", "/home/amuster/x.c3d", {"privacy-path", "privacy-user"}),
        ("file", "D:\\data\\x.c3d", {"privacy-path"}),
        ("file", "raw/P43/home/x.h5", set()),
        ("url", "https://example.org/home/x", set()),
        ("unit", "N.m/kg", set()),
    ],
)
def test_what_gives_people_and_computers_away(
    key_: str, text: str, wanted: set[str]
) -> None:
    assert set(WATCH.leaks(Told("", key_, text))) == wanted


def test_short_and_common_names_are_not_looked_for(tmp_path: Path) -> None:
    listed = tmp_path / "names.txt"
    listed.write_text("Li\n\nAda Muster\nroot\n")
    assert Watch.here(listed).names == ("ada muster",)


def test_a_damaged_file_yields_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    assert list(texts_of(tmp_path / "x.json")) == []


# ---- the command ------------------------------------------------------------------


def test_the_command_lists_all_codes() -> None:
    shown = CliRunner().invoke(app, ["check", "--codes", "--json"])
    assert shown.exit_code == 0
    listed = json.loads(shown.stdout)
    assert {entry["name"] for entry in listed} == set(registry())
    assert all(entry["meaning"] and entry["remedy"] for entry in listed)


def test_the_command_says_json_writes_a_page_and_fails_on_errors(
    root: Path, tmp_path: Path
) -> None:
    sidecar = root / "ProcessedData" / "P43.json"
    page, path = tmp_path / "found.html", str(sidecar.with_suffix(".mat"))
    fine = CliRunner().invoke(app, ["check", path, "--html", str(page)])
    assert fine.exit_code == 0
    assert HUM in page.read_text()
    sidecar.write_text("{}")
    bad = CliRunner().invoke(app, ["check", path, "--json"])
    assert bad.exit_code == 1
    assert "subject-kind" in {entry["code"] for entry in json.loads(bad.stdout)}


def test_nothing_to_check_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["check"]).exit_code == 2


def test_the_page_escapes_and_folds_many(tmp_path: Path) -> None:
    many = [Finding("stream-gap", "warning", f"t{k}", "<lost>") for k in range(20)]
    text = write_findings_page(tmp_path / "x.html", "K2", many).read_text()
    assert "&lt;lost&gt;" in text
    assert "12 more" in text
    assert "http" not in text
    empty = write_findings_page(tmp_path / "y.html", "K2", []).read_text()
    assert "Nothing was found" in empty
