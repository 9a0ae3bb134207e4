"""The live gait of a simulated person, from streams to rows, without a network."""

import numpy as np
import pytest

from acquire.gait.baselines import Baseline
from acquire.gait.plug_in_gait import ANGLES
from acquire.gait_live.basis import LiveBasis
from acquire.gait_live.publish import gait_channels, gait_rows, gait_spec
from acquire.gait_live.service import GaitLiveService
from acquire.model_basis import ModelBasis
from devices.sim.person import MARKERS
from tests.acquire.gait.test_plug_in_gait import body, calibration
from tests.builders.live_fakes import fake_live, until
from tests.builders.person_streams import (
    TREADMILL,
    force_rows,
    force_spec,
    marker_rows,
    marker_spec,
)
from tests.builders.walkers import downhill_walker, walker

LABELS = [channel.label for channel in gait_channels(0.1)]


def same(rows):
    return rows


def based(config, baselines=(), name="x.h5", digest="ab"):
    model = ModelBasis(body(config), calibration(), {name: digest})
    return LiveBasis(model, tuple(baselines))


class Kept:
    """A publisher that keeps what it is given."""

    def __init__(self):
        self.opened, self.closed, self.rows, self.stamps = [], 0, [], []

    def open(self, delay_s, basis):
        self.opened.append((delay_s, dict(basis)))

    def push(self, first, frames, t_last):
        self.rows.append(gait_rows(first, frames))
        self.stamps.append(t_last)

    def close(self):
        self.closed += 1

    def table(self):
        rows = np.concatenate(self.rows)
        return dict(zip(LABELS, rows.T, strict=True))


class Lab:
    """Streams of a walk, and the service that reads them step by step."""

    def __init__(self, walk, *, plates=True):
        config = walk.config
        self.walk, self.at = walk, 0
        specs = [marker_spec(), TREADMILL] + ([force_spec(config)] if plates else [])
        self.live, self.finder = fake_live(*specs)
        self.basis = based(config)
        self.kept = Kept()
        self.service = GaitLiveService(self.live, lambda: self.basis, self.kept)

    def feed(self, n, *, gap=0, mend=same, load=same, frame0=1000):
        """Let n frames come, `gap` of them lost before."""
        self.at += gap
        t = np.round(self.walk.since_s + (self.at + np.arange(n)) / 100, 3)
        source = self.finder.sources
        if "vicon-forces" in source:
            rows = force_rows(self.walk.person, t, frame0 + self.at)
            self.send("vicon-forces", load(rows), t[0])
        self.send(
            "vicon-markers",
            mend(marker_rows(self.walk.person, t, frame0 + self.at)),
            t[0],
        )
        self.at += n

    def send(self, name, rows, t0):
        have = self.live.stats()[name].n_samples
        self.finder.sources[name].push_rows(rows, t0=t0)
        until(lambda: self.live.stats()[name].n_samples >= have + len(rows))

    def run(self, seconds, **kind):
        for _ in range(int(seconds * 10)):
            self.feed(10, **kind)
            self.service.step()


@pytest.fixture
def lab():
    made = []

    def make(*args, **kwargs):
        made.append(Lab(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.live.close()


@pytest.mark.parametrize(
    ("walk", "incline_deg"),
    [
        (lambda: walker(1.0, 0.0), 0.0),
        (lambda: downhill_walker(1.0, -10.0), 10.0),
    ],
    ids=["level", "down, reversed"],
)
def test_angles_of_the_person_and_forces_of_the_feet(lab, walk, incline_deg) -> None:
    one = lab(walk())
    one.send("treadmill", [[1.0, incline_deg, 1.0]], 0.0)
    one.feed(30)
    assert one.service.step() == 0  # what was there before is not news
    assert one.service.state.state == "streaming"
    one.run(3.5)
    state, table = one.service.state, one.kept.table()
    assert (state.reason, state.n_frames) == ("", 350)
    assert one.kept.opened == [(0.1, {"x.h5": "ab"})]
    frame = table["frame"].astype(int) - 1000
    assert frame.tolist() == list(range(30, 380))
    t = np.round(one.walk.since_s + frame / 100, 3)
    assert one.kept.stamps[-1] == pytest.approx(t[-1], abs=0.002)
    for name, want in one.walk.person.angles_deg(t).items():
        found = np.stack([table[f"{name}_{axis}"] for axis in "xyz"], axis=1)
        assert np.abs(found - want).max() <= 0.01, name
    late = slice(200, None)  # by then each plate was unloaded once
    past = one.walk.person.foot_forces_n(np.round(t - 0.1, 3))[late]
    for k, side in enumerate("LR"):
        up = table[f"{side}GroundReactionForce_z"][late]
        want = past[:, k, 2] / one.walk.config.person.mass_kg
        assert np.sqrt(np.mean((up - want) ** 2)) < 0.1
        assert np.isfinite(table[f"{side}KneeMoment_x"][late]).all()
        assert 0.5 < np.abs(table[f"{side}AnklePower"][late]).max() < 10


def test_it_says_what_it_waits_for(lab) -> None:
    one = lab(walker(1.0, 0.0))
    good = one.basis
    said = ("no angles: the session has no static trial",)
    one.basis = LiveBasis(ModelBasis(remarks=said))
    assert one.service.step() == 0
    assert one.service.state.state == "waiting"
    assert "no static trial" in one.service.state.reason
    one.basis = good
    one.service.step()
    assert one.service.state.reason == "no frames of vicon-markers"
    one.feed(100, mend=lambda rows: rows * np.r_[1.0, np.full(48, 1000.0)])
    one.service.step()
    assert "positions are in mm, not in m" in one.service.state.reason
    flip = [MARKERS.index(("R" if n[0] == "L" else "L") + n[1:]) for n in MARKERS]
    columns = [0, *(1 + 3 * m + axis for m in flip for axis in range(3))]
    one.feed(100, mend=lambda rows: rows[:, columns])
    one.service.step()
    assert "left and right are swapped" in one.service.state.reason
    one.feed(100)
    one.service.step()
    assert one.service.state.state == "streaming"
    assert "until FP1 and FP2" in one.service.state.reason


def test_a_marker_set_without_a_knee_is_told(lab) -> None:
    one = lab(walker(1.0, 0.0), plates=False)
    rest = [name for name in MARKERS if name != "LKNE"]
    again = one.finder.announce(marker_spec(rest, generation=1))
    one.live.look()
    columns = [0, *(1 + 3 * MARKERS.index(n) + axis for n in rest for axis in range(3))]
    one.feed(50, mend=lambda rows: rows[:, columns])
    one.service.step()
    assert again.facts.generation == 1
    assert "lacks LKNE" in one.service.state.reason


def test_hidden_markers_hide_their_joints_only(lab) -> None:
    one = lab(walker(1.0, 0.0), plates=False)
    one.feed(50)
    one.service.step()
    knee = 1 + 3 * MARKERS.index("LKNE")

    def hide(rows):
        rows[:, knee : knee + 3] = np.nan
        return rows

    one.run(0.3)
    one.run(0.3, mend=hide)
    table = one.kept.table()
    seen = np.arange(60) < 30
    assert np.isfinite(table["LKneeAngles_x"]).tolist() == seen.tolist()
    assert np.isfinite(table["RKneeAngles_x"]).all()
    assert np.isnan(table["LKneeMoment_x"]).all()  # there are no plates


def test_a_restart_and_lost_frames_go_on(lab) -> None:
    one = lab(walker(1.0, 0.0))
    one.feed(50)
    one.service.step()
    one.run(0.5)
    one.feed(10, gap=5)
    one.service.step()
    one.finder.announce(marker_spec())  # the device was restarted: frames from 1 again
    one.finder.announce(force_spec(one.walk.config))
    one.live.look()
    one.at = 0
    for _ in range(4):
        one.feed(10, frame0=1)
        one.service.step()
    frame = one.kept.table()["frame"].astype(int)
    assert frame.tolist() == [*range(1050, 1100), *range(1105, 1115), *range(1, 41)]
    assert len(one.kept.opened) == 1
    assert np.isfinite(one.kept.table()["LHipAngles_x"]).all()


def test_a_new_static_trial_opens_the_stream_anew(lab) -> None:
    one = lab(walker(1.0, 0.0), plates=False)
    one.feed(50)
    one.service.step()
    one.basis = based(one.walk.config, name="y.h5", digest="cd")
    one.feed(10)
    one.service.step()
    assert [basis for _, basis in one.kept.opened] == [{"x.h5": "ab"}, {"y.h5": "cd"}]


@pytest.mark.parametrize(("incline_deg", "known"), [(5.0, True), (8.0, False)])
def test_a_baseline_gives_kinetics_before_the_first_swing(
    lab, incline_deg, known
) -> None:
    """Somebody stands on both plates; there are baselines for two angles."""
    one = lab(walker(1.0, 0.0))
    zero = np.array([2.0, 0.0, 30.0, 0.0, 0.0, 0.0])
    other = Baseline("level", {"FP1": 9 * zero, "FP2": 9 * zero}, 0.0)
    good = Baseline("tilted", {"FP1": zero, "FP2": zero}, 5.0)
    one.basis = based(one.walk.config, [other, good])
    one.send("treadmill", [[0.0, incline_deg, 1.0]], 0.0)

    def stand(rows):
        rows[:, :12] = np.tile([0.0, 0.0, 380.0, 0.0, 0.0, 0.0], 2)
        return rows

    one.feed(10)
    one.service.step()
    for _ in range(6):
        one.feed(10, load=stand)
        one.service.step()
    assert ("until" in one.service.state.reason) != known


def test_channels_say_unit_and_delay() -> None:
    spec = gait_spec(0.1, 0, {"static.h5": "ab"})
    known = {channel.label: channel for channel in spec.channels}
    assert len(known) == 1 + 30 + 6 + 18 + 6
    assert {f"{name}_x" for name in ANGLES} <= set(known)
    assert (known["LHipAngles_x"].unit, known["LHipAngles_x"].delay_s) == ("deg", 0.0)
    assert (known["RKneeMoment_z"].unit, known["RKneeMoment_z"].delay_s) == (
        "N.m/kg",
        0.1,
    )
    assert (known["LAnklePower"].unit, known["LAnklePower"].delay_s) == ("W/kg", 0.1)
    assert 0.05 <= known["RHipPower"].delay_s <= 0.1
