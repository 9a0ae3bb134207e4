"""Frame by frame the model gives what it gives of the whole trial."""

import numpy as np
import pytest

from acquire.gait.angles import progression
from acquire.gait.feet import FootLoad
from acquire.gait.live_model import LiveModel
from acquire.gait.plug_in_gait import kinematics, kinetics
from tests.acquire.gait.test_inverse_dynamics import Legs
from tests.acquire.gait.test_plug_in_gait import by_label, calibration


def test_live_is_offline_eighty_milliseconds_late() -> None:
    legs = Legs(1.0, 0.0)
    n = 90
    markers = by_label(legs.walk.person.markers_m(legs.t))
    segments, angles = kinematics(markers, legs.body, calibration())
    loads = {
        side: FootLoad(load.force_n, load.moment_nm, np.zeros_like(load.force_n))
        for side, load in legs.ground.items()
    }
    whole = kinetics(segments, legs.body, calibration(), loads, 100.0)
    live = LiveModel(legs.body, calibration(), progression(segments))
    assert live.delay == 8
    for k in range(n):
        here = slice(k, k + 1)
        found = live.push(
            {name: rows[here] for name, rows in markers.items()},
            {
                side: FootLoad(
                    load.force_n[here], load.moment_nm[here], load.plate_moment_nm[here]
                )
                for side, load in loads.items()
            },
        )
        for name, row in found.angles.items():
            assert row == pytest.approx(angles[name][k], abs=1e-9)
        if k < 16:
            assert not found.kinetics
            continue
        for name, row in found.kinetics.items():
            assert row == pytest.approx(whole[name][k - live.delay], abs=2e-3), name


def test_without_plates_there_are_angles_alone() -> None:
    legs = Legs(1.0, 0.0)
    one = by_label(legs.walk.person.markers_m(legs.t[:1]))
    live = LiveModel(legs.body, calibration(), progression(legs.segments))
    found = live.push(one)
    assert set(found.angles) >= {"LHipAngles", "RFootProgressAngles"}
    assert found.kinetics == {}
