import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from acquire.device_commands import CommandQueue, OvertakenError
from devices.errors import (
    DeviceConnectionError,
    DeviceTimeoutError,
    SetpointRejectedError,
)


class Device:
    def __init__(self) -> None:
        self.done: list[str] = []

    def act(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if verb == "belts" and arguments["left_mps"] > 2:
            raise SetpointRejectedError("left_mps=3 is above 2")
        self.done.append(verb)
        return {"did": verb}


def submitted(
    pool: ThreadPoolExecutor, queue: CommandQueue, *verbs: str
) -> list[Future[Mapping[str, Any]]]:
    """Submit one after the other, in this order."""
    futures = []
    for n, verb in enumerate(verbs, start=queue._n + 1):
        futures.append(pool.submit(queue.submit, verb, {"left_mps": 1}, 2.0))
        end = time.monotonic() + 1.0
        while queue._n < n and time.monotonic() < end:
            time.sleep(0.001)
    return futures


@pytest.fixture
def queue() -> CommandQueue:
    queue = CommandQueue("bertec")
    queue.accept()
    return queue


def test_results_and_errors_reach_the_sender(queue: CommandQueue) -> None:
    device = Device()
    with ThreadPoolExecutor(4) as pool:
        good = pool.submit(queue.submit, "belts", {"left_mps": 1}, 2.0)
        bad = pool.submit(queue.submit, "belts", {"left_mps": 3}, 2.0)
        while not (good.done() and bad.done()):
            queue.execute(device.act)
        assert good.result() == {"did": "belts"}
        with pytest.raises(SetpointRejectedError, match="above 2"):
            bad.result()


def test_abort_overtakes_and_what_waited_is_not_executed(queue: CommandQueue) -> None:
    device = Device()
    with ThreadPoolExecutor(4) as pool:
        belts, beat, abort = submitted(pool, queue, "belts", "heartbeat", "abort")
        with pytest.raises(OvertakenError, match="abort came first"):
            belts.result(1.0)
        queue.execute(device.act)
        assert abort.result(1.0) == {"did": "abort"}
        assert beat.result(1.0) == {"did": "heartbeat"}
    assert device.done == ["abort", "heartbeat"]


def test_a_second_stop_does_not_cancel_the_first(queue: CommandQueue) -> None:
    device = Device()
    with ThreadPoolExecutor(4) as pool:
        submitted(pool, queue, "stop", "abort")
        queue.execute(device.act)
    assert device.done == ["stop", "abort"]


def test_a_command_that_came_too_late_is_never_executed(queue: CommandQueue) -> None:
    device = Device()
    with pytest.raises(DeviceTimeoutError, match="belts was not executed"):
        queue.submit("belts", {"left_mps": 1}, 0.05)
    queue.execute(device.act)
    assert device.done == []


def test_a_command_that_takes_too_long_is_told_apart(queue: CommandQueue) -> None:
    release = threading.Event()

    def slow(verb: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
        release.wait(2.0)
        return {"did": verb}

    with ThreadPoolExecutor(1) as pool:
        (sent,) = [pool.submit(queue.submit, "deck", {}, 0.2)]
        while not queue._n:
            time.sleep(0.001)
        worker = threading.Thread(target=queue.execute, args=(slow,))
        worker.start()
        with pytest.raises(DeviceTimeoutError, match="was begun, but did not end"):
            sent.result(1.0)
        release.set()
        worker.join()


def test_a_lost_device_refuses_what_waits_and_what_comes(queue: CommandQueue) -> None:
    with ThreadPoolExecutor(1) as pool:
        (waiting,) = submitted(pool, queue, "belts")
        queue.refuse("cable pulled")
        with pytest.raises(DeviceConnectionError, match="cable pulled"):
            waiting.result(1.0)
    with pytest.raises(DeviceConnectionError, match="cable pulled"):
        queue.submit("stop", {}, 1.0)
    queue.accept()
    assert queue._heap == []
