"""Fifty recorders at full load, killed in mid-write: every file opens."""

import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from acquire import lsl
from acquire.bench.load import load, load_specs
from acquire.bench.ours import our_recorder
from acquire.storage.xdf_reader import read_xdf

N_AT_ONCE, N_ROUNDS = 5, 10
LOST_MAX_S = 1.0
RAW = {
    "synchronize_clocks": False,
    "dejitter_timestamps": False,
    "handle_clock_resets": False,
}


def check_opens(path: Path, t_killed: float) -> None:
    read = {s["info"]["name"][0]: s for s in pyxdf.load_xdf(path, **RAW)[0]}
    recording = read_xdf(path)
    assert not recording.complete
    for spec in load_specs():
        theirs, ours = read[spec.name], recording[spec.name]
        if spec.dtype == "string":
            continue  # two a second: there may be none yet
        n = len(theirs["time_stamps"])  # it keeps no chunk that is torn
        assert n <= len(ours.t_lsl)
        np.testing.assert_array_equal(ours.data[:n], theirs["time_series"])
        for stamps in (ours.t_lsl, theirs["time_stamps"]):
            assert t_killed - stamps[-1] <= LOST_MAX_S, spec.name
        counts = ours.data[:, 0].astype(np.int64)
        assert (np.diff(counts) % spec.counter.modulus == 1).all()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_50_killed_recorders_wrote_opens(tmp_path: Path) -> None:
    session = f"kill-{os.getpid()}-{secrets.token_hex(4)}"
    names = [spec.name for spec in load_specs()]
    rng = np.random.default_rng(50)
    opened = 0
    with load(session):
        for k in range(N_ROUNDS):
            files = [tmp_path / f"{k}-{j}.xdf" for j in range(N_AT_ONCE)]
            with ExitStack() as stack:
                recorders = [stack.enter_context(our_recorder(session)) for _ in files]
                with ThreadPoolExecutor(N_AT_ONCE) as pool:
                    starts = [
                        pool.submit(recorder.start, path, names)
                        for recorder, path in zip(recorders, files, strict=True)
                    ]
                    for start in starts:
                        start.result()
                killed = []
                for recorder in recorders:
                    time.sleep(rng.uniform(0.05, 0.6))
                    killed.append(lsl.local_clock())
                    recorder.kill()
            for path, t_killed in zip(files, killed, strict=True):
                check_opens(path, t_killed)
                opened += 1
                path.unlink()
    assert opened == N_AT_ONCE * N_ROUNDS
