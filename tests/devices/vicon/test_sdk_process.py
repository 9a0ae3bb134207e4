"""What the vendor's SDK does not survive ends its own process, never the adapter's."""

import os
import signal
import subprocess
import time
from contextlib import closing, suppress

import numpy as np
import pytest

from devices.errors import DeviceConnectionError, DeviceError
from devices.vicon import sdk_process
from devices.vicon.adapter import ViconAdapter
from devices.vicon.config import ViconConfig
from devices.vicon.sdk_process import SdkProcess
from tests.builders.vicon_script import ScriptedServer
from tests.builders.vicon_sdk import needs_sdk
from tests.builders.vicon_session import dynamics, lock, plate, session, subject
from tests.builders.vicon_twin import Collected, collect, frames

pytestmark = needs_sdk

HUGE = b"\xff\xff\xff\xff"
DAMAGE = {
    "markers without end": (6, HUGE),
    "markers cut short": (6, b"\2\0\0\0" + bytes(150)),
    "samples without end": (10, bytes(12) + HUGE),
    "samples cut short": (13, b"\1\0\0\0"),
    "subjects without end": (2, b"\1\0\0\0" + HUGE),
    "latencies without end": (26, HUGE + HUGE),
}


@pytest.fixture
def served():
    with ScriptedServer() as served:
        yield served


def client(served: ScriptedServer) -> SdkProcess:
    config = ViconConfig(port=served.server.port)
    return SdkProcess(config, "vicon at test", time.perf_counter)


def running(client: SdkProcess) -> int:
    """Open and start; return the process id once frames come."""
    client.open(5.0)
    client.start("push")
    deadline = time.perf_counter() + 10.0
    while not client.poll(0.1):
        assert time.perf_counter() < deadline
    assert client.pid is not None
    return client.pid


def until_error(client: SdkProcess) -> DeviceError:
    for _ in range(100):
        try:
            client.poll(0.1)
        except DeviceError as error:
            return error
    pytest.fail("nothing went wrong")


def connect(adapter: ViconAdapter) -> Collected:
    """Connect as a device's process does: again and again."""
    deadline = time.perf_counter() + 60.0
    while True:
        try:
            return Collected(adapter.connect(3.0))
        except DeviceError:
            adapter.close()
            assert time.perf_counter() < deadline
            time.sleep(0.1)


def test_device_period_becomes_0_while_it_runs() -> None:
    """The SDK divides by it (SIGFPE); `auto` goes on with our client."""
    sound = session(subject(), *plate(), *lock())
    broken = session(subject(), *plate(period=0), *lock(period=0))

    def render(i: int):
        if i == 150:
            served.describe(broken)
        return dynamics(i)

    served = ScriptedServer(render, sound)
    with served, closing(served.adapter(back_end="auto")) as adapter:
        seen = Collected(adapter.connect(5.0))
        assert adapter.snapshot()["back_end"] == "sdk"
        adapter.start()
        with pytest.raises(DeviceConnectionError, match="vendor's SDK ended with SIG"):
            collect(adapter, seen, frames(10_000))
        adapter.close()
        served.describe(sound)
        again = Collected(adapter.connect(5.0))
        adapter.start()
        collect(adapter, again, frames(5))
        assert adapter.snapshot()["back_end"] == "native"
    assert len(seen.data("vicon-markers")) > 20
    assert again.codes().count("back_end") == 1


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_packets(what: str) -> None:
    """Whatever the SDK makes of them: the adapter lives, and connects again."""

    def render(i: int):
        return [*dynamics(i), DAMAGE[what]] if i == 100 else dynamics(i)

    served = ScriptedServer(render)
    with (
        served,
        closing(served.adapter(back_end="sdk", stall_timeout_s=0.5)) as adapter,
    ):
        seen = connect(adapter)
        adapter.start()
        with suppress(DeviceError):
            collect(adapter, seen, frames(120))
        adapter.close()
        again = connect(adapter)
        adapter.start()
        collect(adapter, again, frames(10))
    assert np.isfinite(again.data("vicon-markers")[-3:]).all()


def test_killed_process_is_said_and_replaced(served: ScriptedServer) -> None:
    with closing(client(served)) as sdk:
        first = running(sdk)
        os.kill(first, signal.SIGKILL)
        error = until_error(sdk)
        assert isinstance(error, DeviceConnectionError)
        assert str(error).endswith("the vendor's SDK ended with SIGKILL")
        assert sdk.died == "ended with SIGKILL"
        assert running(sdk) != first


def test_hanging_process_is_ended(
    served: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk_process, "END_S", 0.2)
    with closing(client(served)) as sdk:
        pid = running(sdk)
        monkeypatch.setattr(sdk_process, "ANSWER_S", 0.5)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(DeviceConnectionError, match="does not answer"):
            sdk.stop()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_nothing_is_left_when_the_adapter_s_process_is_gone(
    served: ScriptedServer,
) -> None:
    """The process ends by itself when the other end of its socket closes."""
    with closing(client(served)) as sdk:
        running(sdk)
        process, connection = sdk._process, sdk._connection
        assert process is not None
        assert connection is not None
        connection.close()
        sdk._connection = None
        try:
            assert process.wait(5.0) == 0
        except subprocess.TimeoutExpired:
            pytest.fail("the process goes on without the adapter")
