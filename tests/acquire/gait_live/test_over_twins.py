"""Live gait over the real twins: the walker's own angles come back as an LSL stream."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from acquire.control import ControlClient, ControlError
from acquire.dataset.truth import Truth, read_truth
from acquire.live.lsl import live_over_lsl
from acquire.rig import load_rig
from acquire.supervise import ChildSpec, Supervisor
from acquire.virtual_lab import VirtualLab
from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import Person
from tests.builders.dataset import SESSION, archive, dataset
from tests.builders.person_dataset import static_key
from tests.builders.person_session import PersonWalk, listed, recorded

DEVICES = ("vicon", "bertec")
SPEED_MPS = 1.0
UNSTEADY_S = 5.0  #: of the first steps, in which a knee may pass straight


def wait(what, timeout_s: float) -> None:
    """Look five times a second: the machine has other things to do."""
    end_s = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end_s, f"did not happen within {timeout_s:g} s"
        time.sleep(0.2)


class Running:
    """A virtual lab with markers, plates and treadmill, and live gait beside them."""

    def __init__(self, folder: Path, session_id: str) -> None:
        self.folder = folder
        rig = load_rig()
        rig = rig.model_copy(
            update={
                "lsl": rig.lsl.model_copy(update={"session_id": session_id}),
                "devices": {name: rig.devices[name] for name in DEVICES},
            }
        )
        self.dataset = dataset(folder / "dataset")
        self.truth = folder / "truth.jsonl"
        self.lab = VirtualLab(
            rig, truth=self.truth, free_ports=True, log_dir=folder / "log"
        )
        self.session_id = session_id

    def __enter__(self) -> "Running":
        rig = self.lab.start()
        rig_file = self.folder / "rig.yaml"
        rig_file.write_text(rig.to_yaml(), encoding="utf-8")
        common = ("--rig", str(rig_file), "--session-id", self.session_id)
        runtime = ("--runtime", str(self.folder))
        visit = ("--dataset", str(self.dataset), "--participant", "P43")
        children = [
            ChildSpec(
                name, "acquire.device_host", (*common, *runtime, "--device", name)
            )
            for name in DEVICES
        ]
        gait = (*common, *runtime, *visit, "--session", SESSION)
        self.supervisor = Supervisor(
            [*children, ChildSpec("gait-live", "acquire.gait_live", gait)],
            self.folder / "log",
        )
        self.supervisor.start()
        self.client = self.lab.client()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.supervisor.stop()
        self.lab.stop()

    def stand_for_a_static_trial(self) -> None:
        """Leave the archive of a static trial, as a session does."""
        standing = Person(self.client.config, History())
        walk = PersonWalk(duration_s=4.0, person=standing, since_s=0.0)
        archive(self.dataset, static_key(), recorded(walk))

    def state(self) -> dict:
        client = ControlClient("gait-live", self.folder)
        try:
            return dict(client.request("snapshot", 1.0))
        except ControlError as error:
            return {"state": "silent", "reason": str(error)}
        finally:
            client.close()

    def waits_for(self, words: str) -> bool:
        return words in self.state()["reason"]


class Received:
    """Rows of `gait-live`, gathered while they come."""

    def __init__(self, live) -> None:
        self.live, self.next = live, 0
        self.rows, self.stamps = [], []

    def gather(self) -> int:
        rows = self.live.since("gait-live", self.next)
        if rows is not None and len(rows.stamps):
            self.next = rows.end
            self.rows.append(rows.samples)
            self.stamps.append(rows.stamps)
        return sum(map(len, self.stamps))

    def table(self) -> dict[str, np.ndarray]:
        labels = self.live.facts("gait-live").labels
        columns = np.concatenate(self.rows).astype(float).T
        return dict(zip(labels, columns, strict=True))


def frame_times(truth: Truth, frames: np.ndarray, clock: int) -> np.ndarray:
    own = truth.clocks["vicon-markers"][clock]
    return own.t0_s + (frames - own.counter0) * own.period_s


def check_against_truth(table, person: Person, t: np.ndarray) -> None:
    for name, want in person.angles_deg(t).items():
        found = np.stack([table[f"{name}_{axis}"] for axis in "xyz"], axis=1)
        assert np.isfinite(found).all(), name
        # Who stands sways, and the foot's offsets are means over the static trial.
        limit = 0.15 if "Ankle" in name else 0.01
        assert np.abs(found - want).max() <= limit, name
    late = 100
    feet = person.foot_forces_n(t[late:] - 0.1) / person.config_mass_kg
    for k, side in enumerate("LR"):
        found = table[f"{side}GroundReactionForce_z"][late:]
        known = np.isfinite(found)
        assert known.mean() > 0.9
        error = (found - feet[:, k, 2])[known]
        assert np.sqrt(np.mean(error**2)) < 0.15  # N/kg: plates have noise
        assert np.abs(table[f"{side}AnklePower"][late:][known]).max() > 0.5


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_walkers_angles_come_back_live(lsl_session: str, tmp_path: Path) -> None:
    with Running(tmp_path, lsl_session) as lab:
        wait(lambda: lab.waits_for("leg_length_left_mm is missing"), 60.0)
        listed(lab.dataset)
        wait(lambda: lab.waits_for("no static calibration trial"), 10.0)
        lab.stand_for_a_static_trial()
        wait(lambda: lab.state()["state"] == "streaming", 60.0)
        belts = {"left_mps": SPEED_MPS, "right_mps": SPEED_MPS}
        accel = {"accel_left_mps2": 1.0, "accel_right_mps2": 1.0}
        start_s = lab.client.append("belts", belts | accel)
        wait(lambda: lab.client.world_now() > start_s + UNSTEADY_S, 30.0)
        live = live_over_lsl(ignore=lambda name: name != "gait-live")
        try:
            received = Received(live)
            wait(lambda: received.gather() >= 500, 60.0)
            facts, table = live.facts("gait-live"), received.table()
            cpu_ms = lab.state()["cpu_ms_per_frame"]
            n_before = received.gather()
            host = lab.supervisor.status()["vicon"]
            os.kill(host.pid, signal.SIGKILL)  # the device's process dies and returns
            wait(lambda: received.gather() >= n_before + 200, 60.0)
            history, config = lab.client.history, lab.client.config
            again = received.table()
        finally:
            live.close()
        world_s = lab.client.world_now()
        time.sleep(0.5)
    assert facts.simulated
    units = {
        channel.label: (channel.unit, channel.delay_s) for channel in facts.channels
    }
    assert units["LKneeAngles_x"] == ("deg", 0.0)
    assert units["LKneeMoment_x"] == ("N.m/kg", 0.1)
    assert cpu_ms < 10.0  # of everything the process does, on a busy machine
    truth = read_truth(lab.truth)
    person = Walker(config, history)
    t = frame_times(truth, table["frame"], 0)
    assert start_s + UNSTEADY_S - 1 < t.min() < t.max() < world_s
    assert np.diff(table["frame"]).tolist() == [1.0] * (t.size - 1)
    check_against_truth(table, person, t)
    assert np.isfinite(again["LHipAngles_x"][-100:]).all()


class Walker(Person):
    """The lab's person, computed once more."""

    def __init__(self, config: LabConfig, history: History) -> None:
        super().__init__(config, history)
        self.config_mass_kg = config.person.mass_kg
