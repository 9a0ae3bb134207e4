"""``kinemuse align``: tables, JSON and pictures of whatever was recorded."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from acquire.align.files import recordings_in
from acquire.commands import aligning
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.xdf import XdfWriter
from tests.builders.dataset import archive, key
from tests.builders.striding import later
from tests.builders.walking import Walk, session

WALK = Walk(duration_s=12.0)


def save(path: Path, recording: Recording) -> Path:
    with XdfWriter(path, journal=False) as writer:
        for stream in recording.streams:
            number = writer.add_stream(
                stream.header_xml, stream.dtype, len(stream.channels), stream.rate_hz
            )
            if stream.dtype == "string":
                writer.write_samples(
                    number, [str(row[0]) for row in stream.data], stream.t_lsl
                )
            else:
                writer.write_samples(number, stream.data, stream.t_lsl)
            for t, offset, _ in stream.offsets:
                writer.write_offset(number, float(t), float(offset))
    return path


def run(*words: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(aligning.align)
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def xdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = session(WALK, lost_emg=slice(9000, 9040))
    return save(tmp_path_factory.mktemp("xdf") / "walk.xdf", made.recording)


def test_the_report_of_one_file(xdf: Path, tmp_path: Path) -> None:
    code, text = run(xdf, "--plot", tmp_path / "pictures")
    assert code == 0
    assert "walk.xdf: ok" in text.replace("\n", "")
    for word in ("semg", "40 lost (counted)", "reference clock", "pyxdf", "residual"):
        assert word in text
    picture = (tmp_path / "pictures" / "walk.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_json_holds_what_the_report_says(xdf: Path) -> None:
    code, text = run(xdf, "--json")
    assert code == 0
    ((_, told),) = json.loads(text).items()
    semg = told["streams"]["semg"]
    for name in (
        *("matched", "missed", "extra", "skew_ppm", "skew_half_width_ppm"),
        *("residual_median_ms", "residual_p95_ms", "residual_max_ms"),
        *("half_width_start_ms", "half_width_middle_ms", "half_width_end_ms"),
        *("segments", "edge_delay_ms", "latency_source", "status", "reasons"),
        *("smallest_visible_loss", "completeness", "ambiguity", "strike_lag_ms"),
    ):
        assert name in semg
    assert semg["fit_of"] == "trial"
    assert (semg["shared_skew"], semg["lost"]) == (None, 40)


def test_pyxdf_smears_the_loss_and_the_column_shows_it(xdf: Path) -> None:
    _, text = run(xdf, "--json")
    ((_, told),) = json.loads(text).items()
    others = told["pyxdf"]["streams"]
    assert abs(others["vicon-markers"]["max_ms"]) < 0.5
    assert others["semg"]["max_ms"] > 5.0  # 20 ms spread over the record
    assert others["amode"]["max_ms"] < 10.0


def test_without_pyxdf_the_column_says_so(
    xdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyxdf", None)
    code, text = run(xdf, "--json")
    ((_, told),) = json.loads(text).items()
    assert (code, told["pyxdf"]["why_not"]) == (0, "pyxdf not installed")


def bare(stream: RecordedStream, name: str) -> RecordedStream:
    """Take from a stream all that is ours: name, counter, trigger."""
    labels = "".join(
        f"<channel><label>{c.label}</label></channel>" for c in stream.channels
    )
    header = (
        f"<info><name>{name}</name><type>X</type>"
        f"<channel_count>{len(stream.channels)}</channel_count>"
        f"<channel_format>{stream.dtype}</channel_format>"
        f"<nominal_srate>{stream.rate_hz}</nominal_srate><source_id>x</source_id>"
        f"<desc><channels>{labels}</channels></desc></info>"
    )
    return replace(stream, header_xml=header)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    streams = {s.name: s for s in session(WALK).recording.streams}
    made = (bare(streams["vicon-forces"], "plates"), bare(streams["semg"], "muscles"))
    path = tmp_path_factory.mktemp("foreign") / "theirs.xdf"
    return save(path, Recording(path, made))


def test_a_foreign_file_is_aligned_by_its_stamps(foreign: Path) -> None:
    code, text = run(foreign, "--json")
    ((_, told),) = json.loads(text).items()
    assert (code, told["status"], told["reference"]) == (0, "degraded", "lsl")
    assert {s["method"] for s in told["streams"].values()} == {"stamps"}


def test_a_foreign_file_by_its_trigger(foreign: Path) -> None:
    code, text = run(
        *(foreign, "--json", "--reference", "plates"),
        *("--trigger", "plates=sync", "--trigger", "muscles=sync"),
    )
    ((_, told),) = json.loads(text).items()
    assert (code, told["status"], told["reference"]) == (0, "ok", "plates")
    found = told["streams"]["muscles"]
    assert found["method"] == "edges"
    assert abs(found["skew_ppm"] - 60.0) <= found["skew_half_width_ppm"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--trigger", "muscles"), "expected STREAM=CHANNEL"),
        (("--trigger", "nobody=sync"), "no stream 'nobody'"),
        (("--trigger", "muscles=sink"), "no channel 'sink'"),
        (("--reference", "nobody"), "no regular stream 'nobody'"),
    ],
)
def test_wrong_names_are_told(foreign: Path, words: tuple[str, ...], says: str) -> None:
    app = typer.Typer()
    app.command()(aligning.align)
    result = CliRunner().invoke(app, [str(foreign), *words])
    assert result.exit_code != 0
    assert says in f"{result.output} {result.exception}"


def test_trials_of_one_folder_are_aligned_together(tmp_path: Path) -> None:
    walks = [session(WALK, first_frame=1000 + 3000 * k) for k in range(3)]
    for k, made in enumerate(walks):
        archive(tmp_path, key(k + 1), later(made, 30.0 * k))
    code, text = run(tmp_path, "--json")
    assert code == 0
    _, alone = run(tmp_path, "--json", "--alone")
    together = [told["streams"]["semg"] for told in json.loads(text).values()]
    apart = [told["streams"]["semg"] for told in json.loads(alone).values()]
    assert [semg["fit_of"] for semg in together] == ["session (3 trials)"] * 3
    assert len(together[0]["shared_skew"]["trials"]) == 2
    for one, other in zip(together, apart, strict=True):
        assert one["skew_half_width_ppm"] < 0.6 * other["skew_half_width_ppm"]
        assert abs(one["skew_ppm"] - 60.0) <= one["skew_half_width_ppm"] + 0.5
        assert other["shared_skew"] is None


def test_folders_lead_to_their_recordings(tmp_path: Path) -> None:
    for name in ("a.h5", "a.xdf", "b.xdf", "a.derived.h5", "c.xdf.journal"):
        (tmp_path / name).touch()
    found = recordings_in([tmp_path, tmp_path / "a.h5"])
    assert [path.name for path in found] == ["a.h5", "b.xdf"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no trial archive and no XDF"):
        recordings_in([tmp_path / "empty"])
    with pytest.raises(FileNotFoundError, match="is not there"):
        recordings_in([tmp_path / "none.xdf"])
