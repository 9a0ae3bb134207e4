"""Whatever anybody does in whatever order: what must never be sent is not sent."""

import contextlib

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from devices.bertec.state import BeltState
from devices.errors import DeviceError, SetpointRejectedError

speeds = st.sampled_from([-2.5, -1.0, 0.0, 0.3, 1.0, 1.2, 2.0, 9.0, float("nan")])
accels = st.sampled_from([0.0, 0.1, 0.5, 3.0])
inclines = st.sampled_from([-3.0, 0.0, 2.0, 5.0, 10.0, 12.0])
flags = st.booleans()
verbs = st.one_of(
    st.builds(
        lambda left, right, accel: (
            "belts",
            {"left_mps": left, "right_mps": right, "accel_mps2": accel},
        ),
        speeds,
        speeds,
        accels,
    ),
    st.builds(
        lambda speed: (
            "belts",
            {"left_mps": speed, "right_mps": speed, "accel_mps2": 0.5},
        ),
        speeds,
    ),
    st.builds(
        lambda angle, yes: ("deck", {"incline_deg": angle, "confirm": yes}),
        inclines,
        flags,
    ),
    st.builds(
        lambda turned, yes: ("facing", {"reversed": turned, "confirm": yes}),
        flags,
        flags,
    ),
    st.sampled_from(
        [("stop", {}), ("stop", {"decel_mps2": -1}), ("abort", {}), ("take_over", {})]
    ),
)
faults = st.sampled_from(["heart", "silent", "estop", "reconnect"])
waits = st.sampled_from([0.02, 0.1, 0.3, 1.0, 3.0])


FIXTURE = [HealthCheck.function_scoped_fixture]  # it only makes new mills


class Watch:
    """Looks at every packet as it is sent."""

    def __init__(self, mill):
        self.mill, self.n_seen, self.last = mill, 0, None
        self.heart_s = self.status_s = mill.t
        self.wanted_cdeg = None

    def run(self, seconds):
        for _ in range(round(seconds / 0.02)):
            was_still = max(abs(self.mill.left), abs(self.mill.right)) < 1e-6
            if self.mill.heart:
                self.heart_s = self.mill.t + 0.02
            if not self.mill.silent:
                self.status_s = self.mill.t + 0.02
            self.mill.run(0.02)
            for t, command in self.mill.sent[self.n_seen :]:
                self.check(t, command, was_still)
            self.n_seen = len(self.mill.sent)
            if self.mill.t - self.heart_s > 0.8 and not self.mill.silent:
                assert self.mill.target == (0.0, 0.0), "belts run without heartbeat"

    def check(self, t, command, was_still):
        mill, last = self.mill, self.last
        left, right = command.left_mmps, command.right_mmps
        assert -2000 <= left <= 2000
        assert -2000 <= right <= 2000
        assert abs(left - right) <= 300
        assert command.accel_left_mmps2 == command.accel_right_mmps2 > 0
        assert 0 <= command.incline_cdeg <= 1000
        if left or right:
            assert t - self.status_s <= 0.32, "a setpoint without fresh status"
            assert t - self.heart_s <= 0.52, "a setpoint without heartbeat"
            sign = -1 if mill.controller.is_reversed else 1
            assert min(sign * left, sign * right) >= 0, "backward"
            if last is not None:
                assert t - last[0] >= 0.14 - 1e-9, "too soon"
        held = last[1].incline_cdeg if last is not None else None
        if command.incline_cdeg != held:
            here = abs(command.incline_cdeg / 100 - mill.incline) <= 0.25
            asked = command.incline_cdeg == self.wanted_cdeg and was_still
            # a stop on a new connection has to carry some angle: the last reported,
            # however old, where a deck that another connection moves is not seen
            known = mill.controller.status.incline_deg if held is None else 90.0
            newest = abs(command.incline_cdeg / 100 - known) <= 0.25
            assert here or asked or newest, "the deck is sent where nobody asked for"
        self.last = t, command


DEAD_MAN_WITHOUT_READBACK = [
    (("stop", {}), 0.02),
    (("deck", {"incline_deg": 2.0, "confirm": True}), 0.02),
    ("silent", 0.02),
    ("heart", 1.0),
    ("silent", 3.0),
]


@given(st.lists(st.tuples(verbs | faults, waits), max_size=25))
@example(DEAD_MAN_WITHOUT_READBACK)
@settings(max_examples=60, deadline=None, suppress_health_check=FIXTURE)
def test_nothing_forbidden_is_ever_sent(make_mill, steps):
    mill = make_mill()
    mill.heart = True
    mill.noise_deg = 0.02
    mill.connect()
    watch = Watch(mill)
    for what, wait_s in steps:
        if what == "heart":
            mill.heart = not mill.heart
        elif what in ("silent", "estop"):
            setattr(mill, what, not getattr(mill, what))
        elif what == "reconnect":
            mill.controller.lost()
            mill.controller.connected()
            watch.last = None
        else:
            verb, arguments = what
            with contextlib.suppress(SetpointRejectedError, DeviceError):
                mill.controller.command(verb, arguments)
                if verb == "deck":
                    watch.wanted_cdeg = round(arguments["incline_deg"] * 100)
        watch.run(wait_s)


@given(st.lists(st.tuples(verbs | faults, waits), max_size=15))
@settings(max_examples=40, deadline=None, suppress_health_check=FIXTURE)
def test_an_abort_always_ends_at_rest(make_mill, steps):
    mill = make_mill()
    mill.heart = True
    mill.connect()
    for what, wait_s in steps:
        if what == "heart":
            mill.heart = not mill.heart
        elif what == "estop":
            mill.estop = not mill.estop
        elif not isinstance(what, str):
            with contextlib.suppress(DeviceError):
                mill.controller.command(*what)
        mill.run(wait_s)
    mill.controller.command("abort", {})
    mill.run(0.2)
    assert mill.target == (0.0, 0.0)
    mill.estop = False
    mill.run(4.0)
    angle = mill.incline
    mill.run(1.0)
    assert (mill.left, mill.right) == (0.0, 0.0)
    assert mill.incline == angle
    rest = (BeltState.IDLE, BeltState.UNEXPECTED_STOP)
    assert mill.controller.state in rest
