"""Files as Nexus wrote them: imported, they give the angles that Nexus gave."""

import shutil

import numpy as np
import pytest

from acquire.dataset.c3d import read_c3d
from acquire.dataset.c3d_writer import write_c3d
from acquire.dataset.participants import read_participants
from acquire.dataset.trial_source import load
from acquire.imports.errors import SourceFileError
from acquire.imports.nexus import read_nexus
from acquire.imports.profile import ViconFiles, parse_profile
from acquire.imports.run import import_folder
from acquire.storage.layout import find_archives
from acquire.storage.trial_file import read_trial
from tests.builders.nexus import pair

PROFILE = """
kinemuse_import: 1
name: overground
defaults: {participant: P50, condition: Ideal, mode: LG_0, speed: S_1, trial: "1"}
vicon: {files: ["*Straight*.c3d"], static: ["*Static*.c3d"], smoothed: true}
"""


def test_a_trial_gives_the_angles_that_nexus_gave(tmp_path) -> None:
    *paths, _ = pair("HC030A")
    (tmp_path / "lab").mkdir()
    for path in paths:
        shutil.copy(path, tmp_path / "lab")
    root = tmp_path / "K2"
    result = import_folder(tmp_path / "lab", root, parse_profile(PROFILE, "lab"))
    assert result.refused == {}
    assert read_participants(root)["P50"].mass_kg == 45.8
    archives = find_archives(root)
    (walk,) = (path for key, path in archives.items() if not key.is_calibration)
    trial, _ = load(walk)
    file = read_c3d(paths[1])
    # the file was cut: its first frame is the 286th of the capture, frame 1 time 0
    assert trial.n_frames == file.first_frame - 1 + file.n_frames
    here = slice(file.first_frame - 1, None)
    assert np.isnan(trial.markers_m["LHEE"][: file.first_frame - 1]).all()
    for name in ("RHipAngles", "LKneeAngles", "RKneeAngles", "LAnkleAngles"):
        difference = trial.model[name][here] - file.points[name]
        assert np.nanmax(np.abs(difference)) < 0.01, name
    for name in ("RKneeMoment", "LAnkleMoment"):
        difference = trial.model[name][here][:, 0] - file.points[name][:, 0] / 1e3
        assert np.sqrt(np.nanmean(difference**2)) < 0.05, name
    events = read_trial(walk)["kinemuse-events"].data[:, 0]
    assert len(events) == len(file.events)


def test_what_cannot_be_a_trial_is_told(tmp_path) -> None:
    path = tmp_path / "a.c3d"
    markers = {"LHEE": np.ones((10, 3))}

    def told(layout=None, **changes):
        layout = layout or ViconFiles(files=("x",))
        with pytest.raises(SourceFileError) as raised:
            read_nexus(path, layout, 0.0, "markers", **{"simulated": False, **changes})
        return str(raised.value)

    path.write_bytes(b"no")
    assert "no readable C3D" in told()
    write_c3d(path, markers, 50.0)
    assert "50 frames a second; subject files hold 100" in told()
    write_c3d(path, {"*1": np.ones((10, 3))}, 100.0)
    assert "no labelled marker" in told()
    write_c3d(path, markers, 100.0, analogs={"Force": (np.ones(100), "N")})
    told_sync = told(ViconFiles(files=("x",), sync="Sync"))
    assert "no analog channel 'Sync' (vicon.sync); it has Force" in told_sync
    assert "is real but the profile says virtual" in told(simulated=True)


def test_markers_get_the_models_names(tmp_path) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, {"heel_l": np.ones((10, 3)), "*7": np.ones((10, 3))}, 100.0)
    layout = ViconFiles(files=("x",), rename={"heel_l": "LHEE"})
    trial = read_nexus(path, layout, 0.0, "markers", simulated=False)
    assert trial.streams[0].labels == ("frame", "LHEE_X", "LHEE_Y", "LHEE_Z")
    assert "1 unlabelled trajectories left out" in trial.remarks[0]


def test_frames_faster_than_the_subject_files_are_kept(tmp_path) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, {"LHEE": np.ones((20, 3))}, 200.0)
    trial = read_nexus(path, ViconFiles(files=("x",)), 0.0, "markers", simulated=False)
    (stream,) = trial.streams
    assert stream.rate_hz == 200
    assert np.diff(stream.t_lsl) == pytest.approx(0.005)
