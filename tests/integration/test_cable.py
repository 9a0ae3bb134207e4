"""A cable pulled out while recording, and put back: told, rejoined, counted exactly."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acquire.dataset.check import check_path
from acquire.lsl.config_file import ENVIRONMENT
from acquire.storage.xdf_reader import read_xdf
from tests.builders.cable import Cable
from tests.builders.lsl_source import Source, spec
from tests.builders.recorder_process import RecorderProcess, within

PUBLISHER = Path(__file__).parents[1] / "builders" / "lsl_source.py"
LONGEST_RECOVERY_S = 75.0  # liblsl notices a silent loss after 15 to 30 s


@pytest.fixture
def cable(lsl_session: str) -> Iterator[Cable]:
    with Cable() as laid:
        command = [sys.executable, str(PUBLISHER), lsl_session, "ca-far"]
        with laid.start(command) as publisher:
            assert publisher.stdout is not None
            assert publisher.stdout.readline() == b"ready\n"
            yield laid
            publisher.communicate(timeout=5)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "pulled_s",
    [
        0.5,
        pytest.param(3.0, marks=pytest.mark.slow),
        pytest.param(20.0, marks=pytest.mark.slow),
        pytest.param(60.0, marks=pytest.mark.slow),
    ],
)
def test_a_cable_pulled_out_and_put_back(
    cable: Cable, lsl_session: str, tmp_path: Path, pulled_s: float
) -> None:
    config, out = tmp_path / "lsl_api.cfg", tmp_path / "a.xdf"
    config.write_text(f"[lab]\nKnownPeers = {{{cable.there}}}\n")
    peers = {ENVIRONMENT: str(config)}
    with (
        Source(spec("ca-near", 1000.0)),
        RecorderProcess(tmp_path / "run", lsl_session, **peers) as recorder,
    ):
        recorder.record(out, "ca-far", "ca-near")
        time.sleep(1.0)
        cable.pull()
        pulled_at_s = time.monotonic()
        if pulled_s > 1.0:
            assert within(5.0, lambda: "stream_stalled" in recorder.events())
            assert recorder.silent_s("ca-far") < 1.0
        time.sleep(max(0.0, pulled_s - (time.monotonic() - pulled_at_s)))
        n_before = recorder.stream("ca-far")["n_samples"]
        cable.plug()
        n_back = n_before + 1500

        def is_back() -> bool:
            return bool(recorder.stream("ca-far").get("n_samples", 0) > n_back)

        assert within(LONGEST_RECOVERY_S, is_back)
        seen = recorder.stream("ca-far")
        said = recorder.stop()
    assert said["state"] == "verified", said
    recording = read_xdf(out)
    far, near = (recording[name].column("index") for name in ("ca-far", "ca-near"))
    assert np.all(np.diff(near) == 1)  # the other lost no sample
    gaps = np.diff(far) - 1
    assert np.all(gaps >= 0)
    n_lost = int(gaps.sum())
    assert seen["n_lost"] == n_lost
    warned = [text for text in said["warnings"] if "ca-far" in text]
    assert warned == ([f"ca-far: {n_lost} samples lost"] if n_lost else [])
    assert n_lost <= (pulled_s + 1.0 + LONGEST_RECOVERY_S) * 1000
    found = {
        f.code: f.message for f in check_path(out) if f.where == f"{out.name}:ca-far"
    }
    if pulled_s > 1.0:
        assert "was silent" in found["stream-interrupted"]
    if n_lost:
        assert f"{n_lost} samples are missing" in found["stream-gap"]
    else:
        assert "stream-gap" not in found
