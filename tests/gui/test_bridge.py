"""The bridge never blocks the window, and an abort waits for nobody."""

import threading
import time

import pytest

from acquire.control import ControlClient, ControlServer
from gui import bridge as bridging
from gui.bridge import SessionBridge


@pytest.fixture
def served(tmp_path, qapp):  # noqa: ARG001
    """Serve a session whose ``slow`` verb hangs until released; bridge to it."""
    calls: list[tuple[str, dict]] = []
    release = threading.Event()

    def note(verb):
        def handle(arguments):
            calls.append((verb, dict(arguments)))
            return {}

        return handle

    def refuse(_arguments):
        raise ValueError("not now")

    handlers = {
        "snapshot": lambda _: {"state": "idle", "message": "ready"},
        "start": refuse,
        "pause": lambda _: (release.wait(5.0) and {}) or {},
        "abort": note("abort"),
        "answer": note("answer"),
    }
    server = ControlServer("session", handlers, tmp_path)
    server.start()
    bridge = SessionBridge(lambda name: ControlClient(name, tmp_path))
    yield bridge, server, calls
    release.set()
    bridge.close()
    server.close()


def heard(signal) -> list:
    found: list = []
    signal.connect(lambda *values: found.append(values))
    return found


def test_polls_and_survives_a_session_that_goes(served, spin) -> None:
    bridge, server, _ = served
    views = heard(bridge.viewed)
    bridge.start()
    spin(lambda: views)
    assert views[0][0].message == "ready"
    server.close()
    spin(lambda: not views[-1][0].reachable)
    assert "session" in views[-1][0].message


def test_commands_carry_their_arguments(served, spin) -> None:
    bridge, _, calls = served
    done = heard(bridge.done)
    bridge.send("answer", prompt_id=3, value="accept")
    spin(lambda: done)
    assert calls == [("answer", {"prompt_id": 3, "value": "accept"})]


def test_a_refusal_comes_back_with_its_reason(served, spin) -> None:
    bridge, _, _ = served
    refused = heard(bridge.refused)
    bridge.send("start")
    spin(lambda: refused)
    assert refused == [("start", "not now")]


def test_an_abort_overtakes_commands_that_hang(served, spin) -> None:
    bridge, _, calls = served
    begun = time.perf_counter()
    for _ in range(4):
        bridge.send("pause")
    bridge.send("abort")
    assert time.perf_counter() - begun < 0.2
    spin(lambda: calls == [("abort", {})], 1.0)


def test_without_a_session_every_command_says_so(tmp_path, spin) -> None:
    bridge = SessionBridge(lambda name: ControlClient(name, tmp_path))
    refused = heard(bridge.refused)
    bridge.send("abort")
    spin(lambda: refused)
    assert "not running" in refused[0][1]
    bridge.close()


@pytest.fixture
def mill(tmp_path):
    """Serve a treadmill's process that notes what it is told."""
    told: list[dict] = []

    def command(arguments):
        told.append(dict(arguments))
        return {}

    with ControlServer("mill", {"command": command}, tmp_path):
        yield told


def test_an_abort_goes_to_the_treadmill_when_no_session_answers(
    tmp_path, mill, spin
) -> None:
    bridge = SessionBridge(lambda name: ControlClient(name, tmp_path), "mill")
    refused = heard(bridge.refused)
    bridge.send("abort")
    spin(lambda: refused)
    assert mill == [{"verb": "abort", "arguments": {}}]
    assert refused[0][1].endswith("the treadmill was told by itself")
    bridge.close()


def test_an_abort_overtakes_a_session_that_hangs(
    tmp_path, mill, spin, monkeypatch
) -> None:
    monkeypatch.setattr(bridging, "ABORT_TIMEOUT_S", 0.2)
    release = threading.Event()
    hangs = {"abort": lambda _: release.wait(5.0) and {}}
    with ControlServer("session", hangs, tmp_path):
        bridge = SessionBridge(lambda name: ControlClient(name, tmp_path), "mill")
        bridge.send("abort")
        spin(lambda: mill)
        release.set()
        bridge.close()


def test_an_abort_that_nobody_takes_points_at_the_e_stop(tmp_path, spin) -> None:
    bridge = SessionBridge(lambda name: ControlClient(name, tmp_path), "mill")
    refused = heard(bridge.refused)
    bridge.send("abort")
    spin(lambda: refused)
    assert "did not take it either" in refused[0][1]
    assert refused[0][1].endswith("use the hardware e-stop")
    bridge.close()


def test_an_abort_that_the_session_takes_is_not_sent_twice(
    served, tmp_path, mill, spin
) -> None:
    _, _, calls = served
    bridge = SessionBridge(lambda name: ControlClient(name, tmp_path), "mill")
    done = heard(bridge.done)
    bridge.send("abort")
    spin(lambda: done)
    assert calls == [("abort", {})]
    assert mill == []
    bridge.close()
