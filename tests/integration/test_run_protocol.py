"""Whole protocols over the real wire formats, unattended, with faults and a kill."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import pytest

from acquire.dataset.participants import add_participant
from acquire.dataset.selection import select
from acquire.rig import RigConfig, load_rig
from acquire.storage.layout import find_trials
from devices.sim.lab import LabClient
from protocols.overrides import overridden
from protocols.plan import plan
from protocols.schema import load_protocol
from tests.builders.run_command import Line, RunCommand

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

QUICK = {"accel_mps2": 1.0, "settle_s": 0, "block_rest_s": 0, "acclimatise_s": 2}
"""Nobody has to get used to anything in the virtual lab."""
DECK_DPS = 4.0
MOST_LATE = 3
FAULTS: dict[int, dict[str, Any]] = {
    2: {"device": "vicon", "fault": "drop", "n": 30},
    6: {"device": "amode", "fault": "drop", "n": 5},
    11: {"device": "vicon", "fault": "drop", "for": 0.4},
}
"""Injected while these trials, counted in the order they come, are recorded."""


def settings_of(values: dict[str, object]) -> list[str]:
    return [f"{key}={json.dumps(value)}" for key, value in values.items()]


def planned_trials(name: str, participant: str) -> list[str]:
    protocol = overridden(load_protocol(name), most_trials=1)
    return [trial.name for trial in plan(protocol, participant).trials]


def quick_mill() -> RigConfig:
    """The shipped rig with a mill that is quicker than people would like."""
    rig = load_rig()
    assert rig.lab is not None
    limits = {"max_accel_mps2": 1.0, "max_slope_rate_dps": 1.25 * DECK_DPS}
    twin = rig.lab.twins["bertec"]
    options = {**twin.options, "deck_rate_dps": DECK_DPS}
    twins = {**rig.lab.twins, "bertec": twin.model_copy(update={"options": options})}
    lab = rig.lab.model_copy(update={"twins": twins})
    return rig.with_device("bertec", limits=limits).model_copy(update={"lab": lab})


def test_young_ideal_repeats_what_faults_have_spoilt(tmp_path: Path) -> None:
    names = planned_trials("young_ideal", "P43")
    walks = [name for name in names if "Calibration" not in name]
    assert len(walks) == 15
    spoilt = {walks[k]: fault for k, fault in FAULTS.items()}
    pending = dict(spoilt)
    options = [x for each in settings_of(QUICK) for x in ("--set", each)]
    options += ["--trials", "1", "--trial-seconds", "6"]
    run = RunCommand("young_ideal", tmp_path, *options, rig=quick_mill()).start()
    lab: list[LabClient] = []

    def inject(line: Line) -> bool:
        trial = line.get("trial")
        recording = line.get("event") == "state" and line.get("state") == "recording"
        if recording and trial in pending:
            lab[:] = lab or [LabClient(run.lab_address)]
            lab[0].append("fault", pending.pop(trial))
        return line.get("event") == "session_end"

    run.watch(inject, timeout_s=700.0)
    result = run.result(timeout_s=60.0)
    for client in lab:
        client.close()
    assert result["state"] == "finished", result
    assert not pending

    verdicts = [line for line in run.journal() if line["event"] == "verdict"]
    rejected = Counter(v["trial_name"] for v in verdicts if not v["accepted"])
    accepted = Counter(v["trial_name"] for v in verdicts if v["accepted"])
    assert accepted == Counter(names)
    first = {v["trial_name"]: v for v in verdicts if v["take"] == 1}
    assert all("samples lost" in first[name]["reason"] for name in spoilt), first
    late = rejected - Counter(spoilt.keys())  # a busy computer spoils others too
    assert late.total() <= MOST_LATE, late
    turns = [line["message"] for line in run.journal() if line["event"] == "state"]
    assert "facing seen by markers" in turns

    takes = find_trials(run.dataset, "P43")
    assert len(takes) == len(names) + sum(rejected.values())
    chosen = select(run.dataset, "P43")
    assert len(chosen.archives) == 15
    spoilt_walks = set(rejected) & set(walks)
    assert Counter(key.take for key in chosen.archives)[1] == 15 - len(spoilt_walks)
    build_and_compare(run, chosen.archives.keys())


def build_and_compare(run: RunCommand, keys: Any) -> None:
    """The subject file holds the accepted takes, and nothing else."""
    person = load_rig().lab
    assert person is not None
    add_participant(run.dataset, person.person.model_dump())
    command = [sys.executable, "-m", "acquire", "build", "--json"]
    command += ["--dataset", str(run.dataset), "--participant", "P43"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-1000:] + built.stderr[-2000:]
    told = {
        (t["condition"], t["mode"], t["speed"], t["trial"], t["take"])
        for t in json.loads(built.stdout)["trials"]
    }
    assert told == {(k.condition, k.mode, k.speed, k.trial, k.take) for k in keys}
    with h5py.File(run.dataset / "ProcessedData" / "P43.mat") as file:
        ideal = file["P43/OriginalData/Ideal"]
        found = [
            (mode, speed, trial)
            for mode in ideal
            for speed in ideal[mode]
            for trial in ideal[mode][speed]
        ]
    assert len(found) == 15
    assert {trial for _, _, trial in found} == {"Trial_1"}


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    options = ("--trial-seconds", "6", "--set", "steady_cv_percent=null")
    run = RunCommand("demo", tmp_path, *options).start()

    def second_walk_is_recorded(line: Line) -> bool:
        recording = line.get("event") == "state" and line.get("state") == "recording"
        return recording and "AS_5" in str(line.get("trial"))

    run.watch(second_walk_is_recorded, timeout_s=300.0)
    assert run.process.poll() is None, run.said
    run.kill()
    killed = run.journal()
    again = RunCommand("demo", tmp_path, *options).start()
    result = again.result(timeout_s=300.0)
    assert result["state"] == "finished", again.said[-3000:]

    lines = again.journal()
    new = lines[len(killed) :]
    assert new[0]["event"] == "session_resume"
    asked = next(line for line in new if line["event"] == "answer")
    assert "Go on with Ideal AS_5 1.0 m/s trial 1?" in asked["question"]
    lowered = [line for line in new if line["event"] == "trial_stop"]
    assert lowered[0]["trial"] == "Ideal AS_5 1.0 m/s trial 1"
    takes = {(key.mode, key.take) for key in find_trials(again.dataset, "P43")}
    assert takes == {("Static", 1), ("LG_0", 1), ("AS_5", 1), ("AS_5", 2)}
    (recovered,) = [line for line in new if line["event"] == "recovered"]
    assert recovered["n_samples"] > 1000
    assert not recovered["complete"]
    chosen = [(key.mode, key.take) for key in select(again.dataset, "P43").archives]
    assert chosen == [("LG_0", 1), ("AS_5", 2)]
