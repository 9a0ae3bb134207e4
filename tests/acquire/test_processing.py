"""Settings of what is derived: from the rig or the dataset, used and recorded."""

import dataclasses
import json

import numpy as np
import pytest

from acquire.dataset.check import check_path
from acquire.dataset.trial_source import up_to_date
from acquire.gait.processing import Processing
from acquire.gait.smoothing import MarkerSmoothing
from acquire.processing import ProcessingConfig, ProcessingError, processing_of
from acquire.rig import RigError, load_rig, parse_rig
from acquire.stored_gait import stored_gait
from tests.builders.dataset import archive, dataset, key
from tests.builders.person_session import listed, static_session, walk_session

STATIC = key(condition="Calibration", mode="Static", speed="")
NOISE_M = 0.0004


def noisy(made):
    """Shake every marker and hide LTHI for 6 and RPSI for 40 frames."""
    rng = np.random.default_rng(6)
    streams = []
    for stream in made.recording.streams:
        if stream.name == "vicon-markers":
            data = stream.data.copy()
            data[:, 1:] += rng.normal(0, NOISE_M, data[:, 1:].shape)
            labels = list(stream.labels)
            for label, first, last in (("LTHI", 300, 306), ("RPSI", 400, 440)):
                column = labels.index(f"{label}_X")
                data[first:last, column : column + 3] = np.nan
            stream = dataclasses.replace(stream, data=data)
        streams.append(stream)
    recording = dataclasses.replace(made.recording, streams=tuple(streams))
    return dataclasses.replace(made, recording=recording)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = dataset(tmp_path_factory.mktemp("settings") / "K2")
    listed(root)
    archive(root, STATIC, static_session())
    return root, archive(root, key(), noisy(walk_session()))


def roughness(derived, name="LKneeAngles"):
    return np.nanstd(np.diff(stored_gait(derived).model[name][:, 0], n=3))


def test_filled_frames_are_flagged_marker_by_marker(made) -> None:
    derived, _ = up_to_date(made[1])
    group = derived["gait/markers"]
    made_up = group.groups["filled"].arrays
    assert set(made_up) == {"time_s", "LTHI", "RPSI"}
    assert np.flatnonzero(made_up["LTHI"] == 1).size == 6
    assert np.flatnonzero(made_up["RPSI"] == 2).size == 40
    assert np.isfinite(group.arrays["RPSI"]).all()
    assert derived["gait/angles"].arrays["filled"].sum() == 46


def test_a_dataset_says_how_it_is_processed(made) -> None:
    root, trial = made
    smoothed, _ = up_to_date(trial)
    told = json.loads(str(smoothed["gait/angles"].attributes["processing"]))
    assert told["smoothing"]["method"] == "gcv"
    path = root / "processing.yaml"
    path.write_text("marker_smoothing: none\n")
    assert "derived-stale" in {f.code for f in check_path(root)}
    plain, _ = up_to_date(trial)
    told = json.loads(str(plain["gait/angles"].attributes["processing"]))
    assert told["smoothing"]["method"] == "none"
    assert any(name.startswith("processing.yaml") for name in plain.inputs)
    assert roughness(smoothed) < 0.3 * roughness(plain)
    path.write_text("marker_smoothing: gcw\n")
    with pytest.raises(ProcessingError, match=r"processing\.yaml"):
        up_to_date(trial)
    path.unlink()
    again, _ = up_to_date(trial)
    assert roughness(again) == pytest.approx(roughness(smoothed))


def test_a_rig_has_settings_too(tmp_path) -> None:
    rig = load_rig()
    assert rig.processing == ProcessingConfig()
    text = rig.to_yaml().replace("marker_smoothing: gcv", "marker_smoothing: mse")
    changed = parse_rig(text, source="mine")
    found = processing_of(changed.model_dump(mode="json"), tmp_path / "x.h5")
    assert found == Processing(smoothing=MarkerSmoothing("mse", 10.0))
    with pytest.raises(RigError, match="marker_smoothing"):
        parse_rig(text.replace("mse", "median"), source="mine")


@pytest.mark.parametrize(
    ("settings", "rate_hz", "frames"),
    [
        (Processing(), 100, 9),
        (Processing(), 200, 17),
        (Processing(smoothing=MarkerSmoothing("none")), 100, 21),
        (Processing(smoothing=MarkerSmoothing("none")), 200, 41),
        (Processing(derivative_window_s=0.1), 100, 11),
        (Processing(derivative_window_s=0.04), 60, 5),
    ],
)
def test_derivatives_span_time_not_frames(settings, rate_hz, frames) -> None:
    assert settings.derivative(rate_hz).frames == frames
