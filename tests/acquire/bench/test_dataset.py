"""The benchmark of the subject file on a short trial: every row says something."""

import importlib.util
import warnings

from acquire.bench import dataset
from tests.builders.trial_arrays import trial_of
from tests.builders.walking import Walk, session


def test_measures_ours_and_every_peer_that_is_installed() -> None:
    with warnings.catch_warnings():  # peers warn of their own imports
        warnings.simplefilter("ignore")
        rows = {row["what"]: row for row in dataset.run(trial_s=2.0, n_trials=2)}
    for what, row in rows.items():
        peer = what.rpartition(" with ")[2] if " with " in what else ""
        module = {"hdf5storage": "hdf5storage", "mat-io": "matio"}.get(peer, "")
        if module and importlib.util.find_spec(module) is None:
            assert row["limit"] == "not installed"
        elif "through" not in what:
            assert row["cpu_s"] > 0, what
    assert rows["write one trial into P43.mat"]["limit"] == "<= 0.25 s"
    flat = rows["read one trial's ultrasound, flat file"]["cpu_s"]
    assert flat < rows["read one trial's ultrasound, P43.mat"]["cpu_s"]


def test_no_two_trials_written_are_alike() -> None:
    """The same trial again might cost less than a trial of a subject does."""
    trial = trial_of(session(Walk(duration_s=3.0)))
    rows = [dataset._another(trial, k) for k in (1, 2)]
    assert (rows[0].echo != rows[1].echo).all()
    assert (rows[0].emg_uv != rows[1].emg_uv).all()
