"""Bertec's ZeroMQ interface: requests as published, readback or nothing, no waiting."""

import contextlib
import json
from time import perf_counter

import pytest
import zmq

from devices.bertec.adapter import BertecAdapter
from devices.bertec.config import BertecConfig
from devices.bertec.twin import BertecTwin
from devices.bertec.wire import Command, Status
from devices.bertec.zeromq import ServerDriver
from devices.bertec.zeromq_config import ZeroMqConfig
from devices.bertec.zeromq_messages import (
    belt_parameters,
    incline_parameters,
    pack_request,
    parse_data,
    parse_reply,
)
from devices.errors import DeviceConnectionError, DeviceError, WireFormatError
from devices.sim.config import LabConfig, TwinConfig
from devices.sim.lab import LocalLab
from devices.testing import check_life_cycle, check_streams, check_wrong_peers
from devices.testing_peers import serving

WALK = Command(1500, 1200, 250, 250, 500)


def test_a_request_reads_as_published():
    request = pack_request(7, "RunTreadmill", belt_parameters(WALK, ZeroMqConfig()))
    assert json.loads(request) == {
        "version": "v1",
        "id": 7,
        "method": "RunTreadmill",
        "params": {
            "leftVel": 1.5,
            "leftAccel": 0.25,
            "leftDecel": 0.25,
            "rightVel": 1.2,
            "rightAccel": 0.25,
            "rightDecel": 0.25,
        },
    }


@pytest.mark.parametrize(
    ("style", "speed", "angle"),
    [("number", 1.5, 5.0), ("string_dot", "1.5", "5"), ("string_comma", "1,5", "5")],
)
def test_numbers_are_styled_as_the_server_wants_them(style, speed, angle):
    config = ZeroMqConfig(number_style=style)
    assert belt_parameters(WALK, config)["leftVel"] == speed
    assert incline_parameters(WALK, config) == {"inclineAngle": angle}


def test_another_unit_of_speed_holds_in_both_directions():
    config = ZeroMqConfig(units_per_mps=3.6)
    assert belt_parameters(WALK, config)["leftVel"] == pytest.approx(5.4)
    data = json.dumps({"leftVel": 5.4, "rightVel": 4.32, "inclineAngle": 0}).encode()
    assert parse_data(data, config)[0] == Status(1500, 1200, 0)


def test_data_with_a_decimal_comma_are_read():
    data = b'{"leftVel": "1,5", "rightVel": "1.2", "inclineAngle": 5, "fz": 700}'
    assert parse_data(data, ZeroMqConfig())[0] == Status(1500, 1200, 500)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\x00",
        b"[1, 2]",
        b'{"leftVel": null, "rightVel": 0, "inclineAngle": 0}',
        b'{"leftVel": "fast", "rightVel": 0, "inclineAngle": 0}',
        b'{"leftVel": NaN, "rightVel": 0, "inclineAngle": 0}',
    ],
)
def test_other_data_are_a_wire_error(data):
    with pytest.raises(WireFormatError):
        parse_data(data, ZeroMqConfig())


@pytest.mark.parametrize("data", [b"{}", b'{"code": "1"}', b'{"code": true}', b"OK"])
def test_a_reply_without_a_code_is_a_wire_error(data):
    with pytest.raises(WireFormatError):
        parse_reply(data)


def test_the_port_follows_the_interface():
    assert BertecConfig(interface="zeromq").port == 5555
    assert BertecConfig(interface="zeromq", port=6000).port == 6000
    assert BertecConfig().port == 4000


# over the wire


@pytest.fixture
def server():
    """Make a twin that speaks ZeroMQ, and the config that reaches it."""
    with contextlib.ExitStack() as stack:

        def make(settings=None, **options):
            twin = TwinConfig(options={"interface": "zeromq", **options})
            lab = LocalLab(LabConfig(twins={"mill": twin}))
            twin = BertecTwin(lab, "mill", 0)
            stack.enter_context(serving(twin))
            ports = {**twin.more_ports, "heartbeat_port": 0}
            config = BertecConfig(
                interface="zeromq",
                port=twin.port,
                zeromq={**ports, **(settings or {})},
            )
            return twin, config

        yield make


@pytest.fixture
def connected(server):
    drivers = []

    def make(settings=None, **options):
        twin, config = server(settings, **options)
        driver = ServerDriver("mill", config, perf_counter)
        drivers.append(driver)
        driver.open(5.0)
        return twin, driver

    yield make
    for driver in drivers:
        driver.close()


def run(driver, until, seconds=5.0):
    """Receive until something holds."""
    end_s = perf_counter() + seconds
    while not until() and perf_counter() < end_s:
        driver.receive(0.02)
    assert until()


def test_the_contract_of_adapters_holds(server):
    twin, config = server()

    def make(host, port):
        changed = config.model_copy(update={"host": host, "port": port})
        return BertecAdapter("mill", changed, perf_counter)

    check_life_cycle(make, twin.port)
    check_wrong_peers(make)
    check_streams(make("127.0.0.1", twin.port), seconds=0.5)


def test_the_deck_is_not_spoken_of_unless_it_shall_move(connected):
    twin, driver = connected()
    for command in (
        Command(1000, 1000, 250, 250, 317),  # a walk with the deck held where it is
        Command(0, 0, 500, 500, 317),
        Command(0, 0, 500, 500, 500, deck_request=1),
        Command(0, 0, 500, 500, 500, deck_request=1),  # repeated: asked once
        Command(0, 0, 500, 500, 500),
        Command(0, 0, 500, 500, 500, deck_request=2),  # asked for again
    ):
        driver.send(command)
    run(driver, lambda: len(twin.front.methods) >= 7)
    assert twin.front.methods[1:] == [
        "RunTreadmill",
        "RunTreadmill",
        "RunIncline",
        "RunTreadmill",
        "RunTreadmill",
        "RunIncline",
    ]


def test_a_freeze_of_the_deck_is_the_first_thing_said(connected):
    twin, driver = connected()
    driver.send(Command(0, 0, 1000, 1000, 231, deck_request=4))
    run(driver, lambda: len(twin.front.methods) >= 2)
    assert twin.front.methods[1] == "RunIncline"


def test_a_stop_does_not_wait_for_the_reply_to_the_last_request(connected):
    twin, driver = connected(reply_delay_s=0.3)
    began_s = perf_counter()
    driver.send(WALK)
    driver.send(Command(0, 0, 1000, 1000, 500))
    assert perf_counter() - began_s < 0.3
    run(driver, lambda: twin.front.methods[1:] == ["RunTreadmill"] * 2)


def test_the_heartbeat_is_answered(connected):
    twin, driver = connected(heartbeat_s=0.02)
    end_s = perf_counter() + 1.0
    most = 0
    while perf_counter() < end_s:
        driver.receive(0.02)
        most = max(most, twin.front._n_missed)
    assert most <= 10  # of some fifty beats


def test_a_second_client_is_refused_and_told_why(connected):
    twin, driver = connected(single_client=True, heartbeat_s=0.05)
    config = driver._config
    second = ServerDriver("mill", config, perf_counter)
    with pytest.raises(DeviceConnectionError, match="another client"):
        second.open(2.0)
    second.close()
    assert twin.front.methods == ["InitConnect"] * 2


def test_without_readback_it_does_not_connect_and_names_what_there_is(server):
    _, config = server(publishes_belts=False)
    adapter = BertecAdapter("mill", config, perf_counter)
    with pytest.raises(DeviceError, match=r"no leftVel.*copx, copy, fz.*left_key"):
        adapter.connect(2.0)
    adapter.close()


def test_a_comma_server_refuses_numbers_and_that_is_said(connected):
    twin, driver = connected(locale="comma")
    driver.send(WALK)
    run(driver, lambda: twin.n_bad_packets == 1)
    said = []
    run(driver, lambda: bool(said.extend(driver.notices()) or said))
    assert said[0].code == "refused"
    assert "number_style" in said[0].message


def test_a_comma_server_obeys_texts_with_a_comma(connected):
    twin, driver = connected({"number_style": "string_comma"}, locale="comma")
    driver.send(WALK)
    run(driver, lambda: len(twin.front.methods) == 2)
    assert twin.n_bad_packets == 0


def test_a_server_that_stops_answering_is_given_up(connected):
    _, driver = connected({"reply_timeout_s": 0.2}, reply_delay_s=1.0)
    driver.send(WALK)
    with pytest.raises(DeviceError, match="BELT STATE UNKNOWN"):
        run(driver, lambda: False, seconds=3.0)


def test_a_taken_heartbeat_port_names_its_setting(server):
    _, config = server()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as taken:
        port = taken.bind_to_random_port("tcp://127.0.0.1")
        changed = config.zeromq.model_copy(update={"heartbeat_port": port})
        driver = ServerDriver(
            "mill", config.model_copy(update={"zeromq": changed}), perf_counter
        )
        with pytest.raises(DeviceConnectionError, match="heartbeat_port"):
            driver.open(1.0)
