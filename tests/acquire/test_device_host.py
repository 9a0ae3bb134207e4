import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from acquire.device_host import DeviceHost, handlers
from devices.errors import DeviceConnectionError, DeviceError
from devices.stream import Channel, Chunk, Counter, Notice, StreamSpec

SPEC = StreamSpec(
    "s",
    "T",
    100.0,
    (Channel("index"), Channel("a")),
    counter=Counter("device", "index"),
)


class FakeAdapter:
    """An adapter whose device does what the test says, and keeps a diary."""

    name = "dev"

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.n_refused = 0
        self.fails: list[Exception] = []
        self.specs: list[StreamSpec] = [SPEC]
        self.changed: list[StreamSpec] = []
        self.told: list[Notice] = []
        self.threads: set[int] = set()
        self.n = 0

    def connect(self, timeout_s: float) -> Sequence[StreamSpec]:
        assert timeout_s > 0
        self._enter("connect")
        if self.n_refused:
            self.n_refused -= 1
            raise DeviceConnectionError("nobody answers")
        return self.specs

    def start(self) -> None:
        self._enter("start")

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        self.threads.add(threading.get_ident())
        time.sleep(min(timeout_s, 0.002))
        if self.fails:
            raise self.fails.pop()
        self.n += 1
        spec = self.specs[0]
        samples = np.full((1, len(spec.channels)), self.n, np.float32)
        return [Chunk(spec.name, samples, float(self.n))]

    def stop(self) -> None:
        self._enter("stop")

    def close(self) -> None:
        self._enter("close")

    def notices(self) -> Sequence[Notice]:
        told, self.told = self.told, []
        return told

    def changed_specs(self) -> Sequence[StreamSpec]:
        changed, self.changed = self.changed, []
        if changed:
            self.specs = changed
        return changed

    def command(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        self._enter(verb)
        return dict(arguments)

    def snapshot(self) -> Mapping[str, Any]:
        return {"n": self.n}

    def _enter(self, what: str) -> None:
        self.diary.append(what)
        self.threads.add(threading.get_ident())


class FakeOutlet:
    def __init__(self, spec: StreamSpec) -> None:
        self.spec = spec
        self.source_id = f"{spec.name}:{spec.generation}"
        self.chunks: list[Chunk] = []
        self.closed = False

    def push(self, chunk: Chunk) -> None:
        assert not self.closed
        self.chunks.append(chunk)

    def close(self) -> None:
        self.closed = True


class Running:
    """A host on a thread, with fake outlets."""

    def __init__(self) -> None:
        self.adapter = FakeAdapter()
        self.outlets: list[FakeOutlet] = []
        self.host = DeviceHost(self.adapter, make_outlet=self._outlet)
        self.thread = threading.Thread(target=self.host.run)

    def _outlet(self, spec: StreamSpec) -> FakeOutlet:
        self.outlets.append(FakeOutlet(spec))
        return self.outlets[-1]

    def start(self) -> None:
        self.thread.start()
        assert within(lambda: self.host.state == "streaming")

    def data_outlets(self) -> list[FakeOutlet]:
        return [outlet for outlet in self.outlets if outlet.spec.type == "T"]


def within(condition: Callable[[], bool], seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.host.stop()
    running.thread.join(3.0)
    assert not running.thread.is_alive()


def test_streams_until_told_to_stop(running: Running) -> None:
    running.start()
    (outlet,) = running.data_outlets()
    assert within(lambda: len(outlet.chunks) > 5)
    running.host.stop()
    running.thread.join(2.0)
    assert running.host.snapshot()["state"] == "stopped"
    assert running.adapter.diary == ["connect", "start", "stop", "close"]
    assert all(outlet.closed for outlet in running.outlets)
    assert len(running.adapter.threads) == 1


def test_keeps_trying_and_says_why(running: Running) -> None:
    running.adapter.n_refused = 2
    running.thread.start()
    assert within(lambda: running.host.state == "lost")
    assert running.host.snapshot()["reason"] == "nobody answers"
    assert within(lambda: running.host.state == "streaming")
    assert running.adapter.diary.count("connect") == 3
    assert [notice["code"] for notice in running.host.snapshot()["notices"]] == [
        "lost",
        "connected",
    ]


@pytest.mark.parametrize(
    "error", [DeviceConnectionError("cable"), ValueError("a bug in the adapter")]
)
def test_outlet_survives_a_lost_device(running: Running, error: Exception) -> None:
    running.start()
    running.adapter.fails = [error]
    assert within(lambda: running.host.snapshot()["n_reconnects"] == 1)
    assert len(running.data_outlets()) == 1
    assert running.adapter.diary[:5] == ["connect", "start", "stop", "close", "connect"]
    n = len(running.data_outlets()[0].chunks)
    assert within(lambda: len(running.data_outlets()[0].chunks) > n)


def test_a_changed_stream_gets_a_new_outlet_under_a_new_id(running: Running) -> None:
    running.start()
    wider = replace(SPEC, channels=(*SPEC.channels, Channel("b")), generation=1)
    running.adapter.changed = [wider]
    assert within(lambda: len(running.data_outlets()) == 2)
    first, second = running.data_outlets()
    assert first.closed
    assert second.source_id == "s:1"
    assert within(lambda: bool(second.chunks))


def test_changed_content_never_comes_under_the_old_id(running: Running) -> None:
    running.start()
    running.adapter.specs = [replace(SPEC, channels=(Channel("index"), Channel("x")))]
    running.adapter.fails = [DeviceError("restart")]
    assert within(lambda: len(running.data_outlets()) == 2)
    assert [outlet.source_id for outlet in running.data_outlets()] == ["s:0", "s:1"]
    running.adapter.fails = [DeviceError("restart")]
    assert within(lambda: running.host.snapshot()["n_reconnects"] == 2)
    assert len(running.data_outlets()) == 2


def test_commands_run_on_the_device_thread(running: Running) -> None:
    verbs = handlers(running.host)
    with pytest.raises(DeviceConnectionError, match="not connected yet"):
        verbs["command"]({"verb": "belts"})
    running.start()
    done = verbs["command"]({"verb": "belts", "arguments": {"left_mps": 1.0}})
    assert done == {"left_mps": 1.0}
    assert len(running.adapter.threads) == 1
    verbs["shutdown"]({})
    running.thread.join(2.0)
    assert not running.thread.is_alive()


def test_what_a_device_said_is_known_only_while_fresh(running: Running) -> None:
    running.start()
    assert within(lambda: running.host.snapshot()["device"] is not None)
    running.adapter.n_refused = 50
    running.adapter.fails = [DeviceError("gone")]
    assert within(lambda: running.host.state == "lost")
    assert running.host.snapshot()["device"] is None


def test_a_process_whose_session_is_gone_says_so(running: Running) -> None:
    running.start()
    assert running.host.snapshot()["orphaned"] is False
    running.host.owner_gone()
    assert running.host.snapshot()["orphaned"] is True


def test_notices_reach_snapshot_and_stream(running: Running) -> None:
    running.start()
    running.adapter.told = [Notice("warning", "gap", "3 frames missing", {"n": 3})]
    assert within(lambda: running.host.snapshot()["n_notices"] == 2)
    told = running.host.snapshot()["notices"][-1]
    assert (told["severity"], told["code"], told["data"]) == (
        "warning",
        "gap",
        {"n": 3},
    )
    (outlet,) = [outlet for outlet in running.outlets if outlet.spec.type == "Markers"]
    assert outlet.spec.name == "dev-notices"
    assert json.loads(outlet.chunks[-1].samples[0, 0]) == told
    json.dumps(running.host.snapshot())
