"""What is taken from a session, and what is said when something is missing."""

import math
from typing import Any

import numpy as np
import pytest

from devices.errors import DeviceError
from devices.vicon.config import ViconConfig
from devices.vicon.layout import Layout, build_layout, corners_m, incline_deg
from devices.vicon.specs import force_spec, marker_spec
from tests.builders.vicon_session import decoded, lock, plate, session, subject


def layout(*more: Any, y_up: bool = False, **settings: Any) -> Layout:
    statics = decoded(session(*more, y_up=y_up))
    return build_layout(statics, ViconConfig(**settings), "vicon at test")


def test_plain_session() -> None:
    found = layout()
    assert found.marker_labels == ("A", "B")
    assert [(p.label, p.name) for p in found.plates] == [("FP1", "Plate")]
    assert found.frame_hz == 100.0
    assert found.to_z_up is None


def test_wand_is_ignored() -> None:
    found = layout(
        subject("Active Wand v2", 1, ["W1"]), subject("P43", 2), *plate(), *lock()
    )
    assert (found.subjects, found.ignored) == (("P43",), ("Active Wand v2",))
    assert found.marker_keys.tolist() == [2 << 32 | 1, 2 << 32 | 2]


def test_several_subjects_prefix_their_markers() -> None:
    found = layout(subject("P43", 1), subject("Box", 2, ["A"]), *plate(), *lock())
    assert found.marker_labels == ("P43:A", "P43:B", "Box:A")
    chosen = layout(
        subject("P43", 1), subject("Box", 2), *plate(), *lock(), subjects=("Box",)
    )
    assert (chosen.marker_labels, chosen.ignored) == (("A", "B"), ("P43",))


@pytest.mark.parametrize(
    ("more", "settings", "message"),
    [
        ([subject("P44"), *plate(), *lock()], {"subjects": ("P43",)}, r"\['P44'\]"),
        ([*plate(), *lock()], {}, "no subject with markers.*none"),
        ([subject("Wand"), *plate(), *lock()], {}, r"it has \['Wand'\]"),
        ([subject(markers=["A", "A"]), *plate(), *lock()], {}, r"twice: \['A'\]"),
        ([subject(), *plate()], {}, r"no device 'Lock Lab'.*\['Plate'\]"),
        ([subject(), *plate(), *lock()], {"plates": ("Left",)}, r"\['Left'\].*'Plate'"),
        (
            [subject(), *plate(), *lock(channels=[("Volts", ("1", "2"))])],
            {},
            r"0 channels called 'sync'.*Volts/1",
        ),
        (
            [subject(), *lock(channels=[("a", ("sync",)), ("b", ("sync",))])],
            {},
            "2 channels called",
        ),
    ],
)
def test_what_is_missing_is_said(more: Any, settings: Any, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        layout(*more, **settings)


def test_no_frame_rate() -> None:
    with pytest.raises(DeviceError, match="no frame rate"):
        build_layout(decoded([subject()]), ViconConfig(), "vicon at test")


@pytest.mark.parametrize("wanted", ["sync", "Electric Potential/sync"])
def test_sync_may_be_one_of_many_components(wanted: str) -> None:
    channels = [("Electric Potential", ("1", "sync", "3"))]
    found = layout(subject(), *lock(channels=channels), sync_channel=wanted)
    assert found.sync is not None
    assert (found.sync.rows, found.sync.n_components) == ((1,), 3)


def test_sync_and_forces_can_be_left_out() -> None:
    assert layout(subject(), *plate(), sync_device="").sync is None
    found = layout(subject(), forces=False)
    assert (found.outputs, found.sync) == ((), None)


def test_plates_in_chosen_order() -> None:
    both = [*plate(1, "Right"), *plate(2, "Left")]
    found = layout(subject(), *both, *lock(), plates=("Left", "Right"))
    assert [(p.label, p.name, p.force.device_id) for p in found.plates] == [
        ("FP1", "Left", 2),
        ("FP2", "Right", 1),
    ]


def test_y_up_data_are_turned_as_the_sdk_does() -> None:
    found = layout(y_up=True)
    assert found.to_z_up is not None
    assert (found.to_z_up @ [1.0, 2.0, 3.0]).tolist() == [1.0, -3.0, 2.0]
    pose = found.plates[0].pose
    assert pose is not None
    assert pose.translation_mm.tolist() == [100.0, 0.0, 200.0]
    assert (pose.rotation @ [1.0, 2.0, 3.0]).tolist() == [1.0, -3.0, 2.0]


DOWN = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])


@pytest.mark.parametrize("angle_deg", [0.0, 5.0, -10.0])
def test_incline_and_corners_of_a_tilted_plate(angle_deg: float) -> None:
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    deck = np.array([[c, 0.0, -s], [0, 1, 0], [s, 0, c]])
    found = layout(subject(), *plate(rotation=deck @ DOWN), *lock())
    pose = found.plates[0].pose
    assert pose is not None
    assert incline_deg(pose) == pytest.approx(angle_deg, abs=1e-4)
    corners = corners_m(pose)
    local = (corners * 1000.0 - pose.translation_mm) @ pose.rotation
    assert np.allclose(local[:, 2], -15.0, atol=1e-2)  # z down: the top is at minimum
    assert np.allclose(np.abs(local[:, :2]), [250.0, 500.0], atol=1e-2)


def test_specs_say_everything() -> None:
    found = layout()
    markers = marker_spec(found, ViconConfig())
    assert [c.label for c in markers.channels] == (
        ["frame", "A_X", "A_Y", "A_Z", "B_X", "B_Y", "B_Z"]
    )
    assert {(c.unit, c.type) for c in markers.channels[1:4]} == {
        ("meters", "PositionX"),
        ("meters", "PositionY"),
        ("meters", "PositionZ"),
    }
    assert (markers.type, markers.rate_hz, markers.trigger) == ("MoCap", 100.0, None)
    assert (markers.counter.channel, markers.counter.modulus) == ("frame", 2**24)
    forces = force_spec(found, ViconConfig(sync_edge_delay_s=0.001), 10)
    assert [c.label for c in forces.channels] == [
        *("FP1_Fx", "FP1_Fy", "FP1_Fz", "FP1_Mx", "FP1_My", "FP1_Mz"),
        *("sync", "index"),
    ]
    assert (forces.type, forces.rate_hz, forces.dtype) == ("Force", 1000.0, "float32")
    assert forces.trigger is not None
    trigger = forces.trigger
    assert (trigger.channel, trigger.kind, trigger.role) == (
        *("sync", "analog"),
        "recorded",
    )
    assert trigger.edge_delay_s == 0.001
    facts = forces.metadata["plates"]["FP1"]
    assert facts["translation_m"] == [0.1, 0.2, 0.0]
    assert np.shape(facts["corners_m"]) == (4, 3)
    assert (forces.metadata["pose_incline_deg"], facts["pose_incline_deg"]) == (0, 0)


def test_pose_incline_can_be_given() -> None:
    config = ViconConfig(pose_incline_deg=5.0)
    metadata = force_spec(layout(), config, 10).metadata
    assert metadata["pose_incline_deg"] == 5.0
    assert metadata["plates"]["FP1"]["pose_incline_deg"] == 5.0


def test_config_refuses_nonsense() -> None:
    for wrong in (
        {"ignored_subjects": "("},
        {"port": 0},
        {"sub": 1},
        {"serial": "a b"},
    ):
        with pytest.raises(ValueError, match="validation error"):
            ViconConfig.model_validate(wrong)
