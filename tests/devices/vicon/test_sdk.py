"""The back end of the vendor's SDK: which one is taken, and what it does in trouble."""

import re
import subprocess
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from devices.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from devices.testing import check_adapter
from devices.vicon import back_end, sdk_package, sdk_process
from devices.vicon.adapter import ViconAdapter
from devices.vicon.config import ViconConfig
from tests.builders.vicon_script import ScriptedServer
from tests.builders.vicon_sdk import needs_sdk
from tests.builders.vicon_session import dynamics, lock, plate, session, subject
from tests.builders.vicon_twin import (
    Collected,
    RunningTwin,
    collect,
    frames,
)

ROOT = Path(__file__).resolve().parents[3]


def run(served: ScriptedServer, until, **settings) -> Collected:
    with served, closing(served.adapter(back_end="sdk", **settings)) as adapter:
        seen = Collected(adapter.connect(5.0))
        adapter.start()
        return collect(adapter, seen, until)


def make(**settings) -> ViconAdapter:
    return ViconAdapter("vicon", ViconConfig(**settings), time.perf_counter)


@pytest.fixture
def without_sdk(monkeypatch) -> None:
    def missing() -> None:
        raise ImportError("no module")

    monkeypatch.setattr(sdk_process, "load_package", missing)


@pytest.mark.usefixtures("without_sdk")
def test_sdk_asked_for_but_not_installed() -> None:
    with pytest.raises(DeviceError, match=r"vicon: back_end 'sdk' needs.*vicon-sdk"):
        make(back_end="sdk")


@pytest.mark.usefixtures("without_sdk")
def test_auto_without_the_sdk(caplog) -> None:
    with caplog.at_level("INFO", logger="kinemuse.vicon"):
        adapter = make()
    assert "vicon: back end native" in caplog.text
    assert adapter.snapshot()["back_end"] == "native"


@needs_sdk
def test_auto_takes_the_sdk(caplog) -> None:
    with caplog.at_level("INFO", logger="kinemuse.vicon"):
        adapter = make()
    assert "vicon: back end sdk" in caplog.text
    assert adapter.snapshot()["back_end"] == "sdk"


def test_a_package_without_its_library_counts_as_none(
    monkeypatch, tmp_path: Path
) -> None:
    (tmp_path / "vendor_sdk_of_windows").mkdir()
    (tmp_path / "vendor_sdk_of_windows" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sdk_package, "PACKAGE", "vendor_sdk_of_windows")
    with pytest.raises(ImportError, match="has no libVicon"):
        sdk_package.load_package()


@needs_sdk
def test_keeps_the_contract() -> None:
    def adapter(host: str, port: int) -> ViconAdapter:
        return make(host=host, port=port, back_end="sdk")

    with RunningTwin() as running:
        check_adapter(adapter, running.port)


@needs_sdk
def test_no_number_lost_in_a_pause_of_the_reader() -> None:
    with ScriptedServer() as served, closing(served.adapter(back_end="sdk")) as adapter:
        seen = Collected(adapter.connect(5.0))
        adapter.start()
        collect(adapter, seen, frames(5))
        time.sleep(0.5)  # more than a hundred frames
        collect(adapter, seen, frames(150))
    assert np.all(np.diff(seen.column("vicon-markers", "frame")) == 1)
    assert seen.codes() == ["first_frame"]


@needs_sdk
@pytest.mark.parametrize("mode", ["push", "pull", "prefetch"])
def test_start_stop_start(mode: str) -> None:
    with RunningTwin() as running:
        adapter = running.adapter(back_end="sdk", stream_mode=mode)
        with closing(adapter):
            seen = Collected(adapter.connect(5.0))
            for n in (10, 20):
                adapter.start()
                collect(adapter, seen, frames(n))
                adapter.stop()
                time.sleep(0.1)
    assert np.all(np.diff(seen.column("vicon-markers", "frame")) > 0)
    assert "duplicate" not in seen.codes()


@needs_sdk
def test_jump_and_repeat_of_numbers() -> None:
    with RunningTwin() as running:
        adapter = running.adapter(back_end="sdk")
        with closing(adapter):
            seen = Collected(adapter.connect(5.0))
            adapter.start()
            collect(adapter, seen, frames(5))
            for kind, n, code in (("duplicate", 2, "duplicate"), ("drop", 3, "gap")):
                fault = {"device": "vicon", "fault": kind, "n": n}
                running.lab.append("fault", fault)
                collect(adapter, seen, lambda s, code=code: code in s.codes())
            collect(adapter, seen, frames(len(seen.data("vicon-markers")) + 5))
    steps = np.diff(seen.column("vicon-markers", "frame"))
    assert sorted(set(steps.tolist())) == [1.0, 4.0]
    gap = next(n for n in seen.notices if n.code == "gap")
    assert gap.data["n_lost"] == 3


@needs_sdk
def test_server_gone_and_back() -> None:
    """Enabled again after the reconnect: markers and devices come as before."""
    outage = {"device": "vicon", "fault": "disconnect", "for": 0.4}
    with RunningTwin() as running:
        adapter = running.adapter(back_end="sdk")
        with closing(adapter):
            seen = Collected(adapter.connect(5.0))
            adapter.start()
            collect(adapter, seen, frames(5))
            running.lab.append("fault", outage)
            with pytest.raises(DeviceConnectionError, match=r"closed|no connection"):
                collect(adapter, seen, frames(10_000))
            adapter.close()
            deadline = time.perf_counter() + 10.0
            while True:
                try:
                    specs = adapter.connect(2.0)
                    break
                except DeviceError:
                    assert time.perf_counter() < deadline
                    time.sleep(0.05)
            assert tuple(specs) == tuple(seen.specs.values())
            adapter.start()
            again = collect(adapter, Collected(specs), frames(20))
    assert np.isfinite(again.data("vicon-markers")).all()
    assert np.isfinite(again.data("vicon-forces")).all()


@needs_sdk
def test_stalled_server_is_noticed() -> None:
    """`is_connected` stays true and the old frame readable; it is not sent again."""
    served = ScriptedServer(lambda i: dynamics(i) if i < 50 else None)
    with (
        served,
        closing(served.adapter(back_end="sdk", stall_timeout_s=0.5)) as adapter,
    ):
        seen = Collected(adapter.connect(5.0))
        adapter.start()
        with pytest.raises(DeviceTimeoutError, match="no frame for"):
            collect(adapter, seen, frames(10_000))
    numbers = seen.column("vicon-markers", "frame")
    assert len(set(numbers.tolist())) == len(numbers)


@needs_sdk
def test_other_markers_in_mid_stream() -> None:
    def render(i: int):
        if i == 150:
            served.describe(session(subject(markers=("A", "C")), *plate(), *lock()))
        return dynamics(i)

    served = ScriptedServer(render)
    with served, closing(served.adapter(back_end="sdk")) as adapter:
        seen = Collected(adapter.connect(5.0))
        adapter.start()
        collect(adapter, seen, lambda s: bool(s.changed))
        (changed,) = seen.changed
        assert changed.name == "vicon-markers"
        assert changed.generation == 1
        assert changed.channels[4].label == "C_X"
        after = collect(adapter, Collected([*seen.specs.values()]), frames(20))
    assert np.isfinite(after.data("vicon-markers")).all()


@needs_sdk
def test_device_period_0_goes_to_the_native_back_end() -> None:
    """The SDK would end the process on it (SIGFPE)."""
    broken = lock("Broken", period=0)
    statics = session(subject(), *plate(), *broken)
    settings = {"sync_device": ""}
    with ScriptedServer(statics=statics) as served:
        with (
            closing(served.adapter(back_end="sdk", **settings)) as adapter,
            pytest.raises(DeviceError, match="'Broken' has a frame period of 0"),
        ):
            adapter.connect(5.0)
        with closing(served.adapter(back_end="auto", **settings)) as adapter:
            seen = Collected(adapter.connect(5.0))
            adapter.start()
            collect(adapter, seen, frames(5))
            assert adapter.snapshot()["back_end"] == "native"
    (notice,) = [n for n in seen.notices if n.code == "back_end"]
    assert "goes on with back end native" in notice.message


@needs_sdk
def test_device_that_appears_with_period_0_in_mid_stream() -> None:
    def render(i: int):
        if i == 150:
            served.describe([*session(), *lock("Broken", period=0)[:1]])
        return dynamics(i)

    served = ScriptedServer(render)
    with pytest.raises(DeviceError, match="frame period of 0"):
        run(served, frames(10_000))


BUILDS = {
    "no packages": (["dpkg-query", "apt-get", "sudo"], r"cannot install g\+\+"),
    "cmake fails": (["apt-get", "sudo"], r"the build failed, see \S+/build\.log"),
}


def fake(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("what", BUILDS)
def test_the_build_says_in_one_line_what_is_missing(tmp_path: Path, what: str) -> None:
    """Without packages, or when the compiling fails, everything else goes on."""
    environment, tools = tmp_path / "venv", tmp_path / "bin"
    environment.mkdir()
    no_import = 'case "$2" in *importlib*) exit 1;; esac\necho cp-x'
    fake(environment / "bin" / "python", no_import)
    fake(tmp_path / "fails" / "it", "echo CMake Error: no target Boost::system\nexit 1")
    fake(tools / "dpkg-query", "printf installed")
    fake(tools / "c++", "exit 0")
    failing, message = BUILDS[what]
    for tool in failing:
        fake(tools / tool, "exit 1")
    variables = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }
    command = ["sh", str(ROOT / "tools" / "vicon_sdk.sh")]
    broken = str(tmp_path / "fails" / "it")
    for options, status in ((["--optional"], 0), ([], 1)):
        done = subprocess.run(
            [*command, *options, broken, broken, str(environment)],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done
        (line,) = done.stderr.strip().splitlines()
        assert re.match(rf"Vicon SDK not available \({message}", line), line
        assert "native back end" in line


@pytest.mark.usefixtures("without_sdk")
def test_everything_comes_without_the_sdk() -> None:
    with RunningTwin() as running, closing(running.adapter(back_end="auto")) as adapter:
        seen = Collected(adapter.connect(3.0))
        adapter.start()
        collect(adapter, seen, frames(10))
        assert adapter.snapshot()["back_end"] == "native"
    assert np.isfinite(seen.data("vicon-markers")).all()
    assert np.isfinite(seen.data("vicon-forces")).all()


def test_choose_names_what_it_chose() -> None:
    config = ViconConfig(back_end="native")
    name, _ = back_end.choose("v", config, "v at test", time.perf_counter)
    assert name == "native"
