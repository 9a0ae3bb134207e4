"""The network doctor: each cause is brought about, and told apart from the others."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from acquire import lsl
from acquire.lsl.config_file import ENVIRONMENT, config_file, merged, read_settings
from acquire.network import HostReport, NetworkReport, survey
from acquire.network.doctor import Evidence, MissingReport, explain
from acquire.network.hosts import look_at
from acquire.network.outlets import AskedOutlet, ask
from acquire.network.remedy import configuration, write_configuration
from acquire.network.survey import PORTS
from acquire.storage.stream_header import StreamHeader
from tests.builders.cable import Cable
from tests.builders.lsl_source import Source, spec

pytestmark = pytest.mark.usefixtures("lsl_session")

PUBLISHER = """
import sys
import pylsl
if sys.argv[1]:
    pylsl.set_config_content(sys.argv[1])
info = pylsl.StreamInfo(sys.argv[2], "EMG", 2, 0.0, "float32", "id-" + sys.argv[2])
outlet = pylsl.StreamOutlet(info)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def publish() -> Iterator[Callable[..., None]]:
    """Start a program of somebody else that publishes one stream."""
    with ExitStack() as stack:

        def start(name: str, config: str = "", **environment: str) -> None:
            process = subprocess.Popen(
                [sys.executable, "-c", PUBLISHER, config, name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **environment},
            )
            stack.callback(process.communicate, timeout=5)
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"

        yield start


def settings(session_id: str, *lines: str) -> str:
    head = [
        "[multicast]",
        "ResolveScope = machine",
        "[lab]",
        f"SessionID = {session_id}",
    ]
    return "\n".join([*head, *lines]) + "\n"


def why(name: str, **how: object) -> MissingReport:
    report = survey(0.1, {name: None}, find_timeout_s=0.6, **how)  # type: ignore[arg-type]
    (missing,) = report.missing
    assert missing.name == name
    assert missing.advice
    return missing


def test_rates_and_health_of_what_is_there() -> None:
    silent = Source(spec("sv-silent", 100.0))
    silent.paused = True
    with (
        Source(spec("sv-good", 1000.0)),
        Source(spec("sv-slow", 100.0), actual_hz=60.0),
        silent,
        Source(replace(spec("sv-x"), name="sv-twice")),
        Source(replace(spec("sv-x"), name="sv-twice")),
        Source(spec("sv-lossy", 1000.0)) as lossy,
    ):
        over = threading.Event()

        def lose() -> None:
            while not over.wait(0.4):
                lossy.drop(25)

        losing = threading.Thread(target=lose)
        losing.start()
        report = survey(1.0, find_timeout_s=1.0)
        over.set()
        losing.join()
    json.dumps(report.to_json())
    streams = {s.name: s for s in report.streams if s.name.startswith("sv-")}
    assert streams["sv-good"].health == "ok"
    assert streams["sv-good"].rate_hz == pytest.approx(1000.0, rel=0.02)
    assert streams["sv-good"].n_lost == 0
    n_lost = streams["sv-lossy"].n_lost
    assert n_lost
    assert n_lost % 25 == 0
    assert streams["sv-good"].simulated
    assert streams["sv-slow"].health == "slow"
    assert "60" in streams["sv-slow"].advice
    assert streams["sv-silent"].health == "silent"
    assert "start the measurement" in streams["sv-silent"].advice
    assert streams["sv-twice"].health == "duplicate"
    assert report.missing == ()


def test_another_session(publish: Callable[..., None], lsl_session: str) -> None:
    publish("nw-away", settings(f"{lsl_session}-b"))
    missing = why("nw-away")
    assert missing.cause == "session"
    assert f"'{lsl_session}-b'" in missing.reason
    assert f"this is session '{lsl_session}'" in missing.reason


def test_ports_beyond_those_that_are_asked(
    publish: Callable[..., None], lsl_session: str
) -> None:
    beyond = settings(lsl_session, "[ports]", "BasePort = 17990")
    publish("nw-ports", beyond)
    publish("nw-decoy", beyond)  # discovery reaches the last program that listens
    missing = why("nw-ports")
    assert missing.cause == "ports"
    assert "UDP port 1799" in missing.reason


def test_the_configuration_that_is_written_makes_it_seen(
    publish: Callable[..., None], lsl_session: str, tmp_path: Path
) -> None:
    publish("nw-fixed", settings(f"{lsl_session}-c", "[ports]", "BasePort = 18090"))
    report = survey(0.1, {"nw-fixed": None}, find_timeout_s=0.6)
    path = tmp_path / "new" / "lsl_api.cfg"
    write_configuration(report, path)
    publish("nw-fixed", LSLAPICFG=str(path))
    assert [s.name for s in lsl.discover(3.0, 1, "name='nw-fixed'")] == ["nw-fixed"]


def test_a_configuration_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "lsl_api.cfg"
    report = NetworkReport("lab", "machine", (), ())
    write_configuration(report, path)
    write_configuration(report, path)  # it says the same
    path.write_text("[lab]\nSessionID = mine\n")
    with pytest.raises(FileExistsError, match="not overwritten"):
        write_configuration(report, path)
    assert "mine" in path.read_text()


def streams(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``kinemuse streams`` as an operator does."""
    command = [sys.executable, "-m", "acquire", "streams", "--seconds", "0.1"]
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_the_command_says_why_and_writes_the_remedy(
    publish: Callable[..., None], lsl_session: str, tmp_path: Path
) -> None:
    publish("nw-cli", settings(f"{lsl_session}-d"))
    path = tmp_path / "lsl_api.cfg"
    asked = ("--session-id", lsl_session, "--expect", "nw-cli", "--write-config", path)
    done = streams(*asked)
    assert done.returncode == 1, done.stderr
    assert f"published in LSL session '{lsl_session}-d'" in done.stdout
    assert f"SessionID = {lsl_session}" in path.read_text()
    path.write_text("mine")
    again = streams(*asked)
    assert again.returncode == 2
    assert "not overwritten" in again.stderr
    assert "Traceback" not in again.stderr


def old_library() -> str:
    """Return a liblsl before 1.18, which another package brings along."""
    package = find_spec("mne_lsl")  # importing it takes long
    for folder in (package.submodule_search_locations or []) if package else []:
        for path in Path(folder).glob("lsl/lib/liblsl.so.1.1[0-7].*"):
            return str(path)
    pytest.skip("no package brings a liblsl before 1.18 along")


@pytest.mark.skipif(sys.platform != "linux", reason="reads which library is loaded")
def test_a_library_that_is_too_old(
    publish: Callable[..., None], lsl_session: str
) -> None:
    beyond = settings(lsl_session, "[ports]", "BasePort = 18190")
    publish("nw-old", beyond, PYLSL_LIB=old_library())
    publish("nw-decoy", beyond)
    missing = why("nw-old")
    assert missing.cause == "version"
    assert "liblsl 1.17" in missing.reason
    assert "update its liblsl to 1.18" in missing.advice


def test_another_source_of_the_name() -> None:
    with Source(spec("nw-here")):
        report = survey(
            0.1, {"nw-here": "kinemuse:other:0:nw-here"}, find_timeout_s=0.6
        )
    (missing,) = report.missing
    assert missing.cause == "source"
    assert "not from kinemuse:other:0:nw-here" in missing.reason


def test_what_its_device_says() -> None:
    devices = {
        "noraxon": {"state": "lost", "reason": "no connection", "streams": []},
        "vicon": {"state": "streaming", "streams": [{"name": "nw-hidden"}]},
    }
    missing = why("nw-none", devices=devices)
    assert missing.cause == "device"
    assert "noraxon is not streaming: no connection" in missing.reason
    hidden = why("nw-hidden", devices=devices)
    assert hidden.cause == "firewall"
    assert "firewall" in hidden.advice


def test_a_computer_of_no_such_name() -> None:
    missing = why("nw-lost", hosts=["no-such-computer.invalid"])
    assert missing.cause == "host"
    assert "check the spelling" in missing.advice


def test_a_computer_without_an_outlet() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        report = look_at("127.0.0.1", [free.getsockname()[1]])
    assert report.state == "no-outlet"
    assert "start its program" in report.message


def test_a_computer_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("acquire.network.hosts.socket.create_connection", drop)
    report = look_at("127.0.0.1", range(16572, 16580))
    assert report.state == "silent"
    assert "firewall drops TCP 16572-16579" in report.message


def test_an_outlet_is_asked_directly() -> None:
    with Source(spec("nw-asked")):
        (found,) = lsl.discover(3.0, 1, "name='nw-asked'")
        port = int(found.info.as_xml().split("<v4data_port>")[1].split("<")[0])
        answer = ask("127.0.0.1", port)
    assert answer is not None
    header, service_port = answer
    assert (header.name, header.uid) == ("nw-asked", found.uid)
    assert service_port in PORTS


@pytest.mark.parametrize("says", [b"", b"SSH-2.0-x\r\n", b"<?xml version='1.0'?><a/>"])
def test_what_is_no_outlet_is_not_taken_for_one(says: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(says)
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        assert ask("127.0.0.1", server.getsockname()[1], 0.3) is None
        thread.join()


def outlet(name: str, session_id: str = "lab") -> AskedOutlet:
    header = StreamHeader(name, "EMG", "float32", 100.0, (), session_id=session_id)
    return AskedOutlet(header, "pc2", 16572, 16572)


def evidence(
    scope: str, *hosts: HostReport, local: AskedOutlet | None = None
) -> Evidence:
    return Evidence("lab", scope, PORTS, local=[local] if local else [], hosts=hosts)


def test_scope_and_firewall_are_told_apart_on_another_computer() -> None:
    there = HostReport("pc2", "outlets", "", (outlet("semg"),))
    scope = explain("semg", evidence("machine", there))
    assert (scope.cause, scope.peers) == ("scope", ("pc2",))
    firewall = explain("semg", evidence("link", there))
    assert (firewall.cause, firewall.peers) == ("firewall", ("pc2",))
    other = HostReport("pc2", "outlets", "", (outlet("semg", "theirs"),))
    assert explain("semg", evidence("link", other)).cause == "session"
    text = configuration(NetworkReport("lab", "machine", (), (scope,)))
    assert "KnownPeers = {pc2}" in text
    assert "ResolveScope = link" in text


def test_a_firewall_on_this_computer() -> None:
    missing = explain("semg", evidence("machine", local=outlet("semg")))
    assert missing.cause == "firewall"
    assert "UDP 16572" in missing.reason


def test_nothing_at_all() -> None:
    assert explain("semg", evidence("link")).cause == "nothing"
    alone = Evidence("lab", "machine", PORTS, others_use_lsl=False)
    assert "looks no further" in explain("semg", alone).reason


def test_what_this_computer_says_of_its_network_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lsl_api.cfg"
    path.write_text("[lab]\nKnownPeers = {pc2} ; the Vicon\nSessionID = theirs\n")
    monkeypatch.setenv(ENVIRONMENT, str(path))
    assert config_file() == path
    read = merged(read_settings(path), {"lab": {"SessionID": "ours"}})
    assert read == {"lab": {"KnownPeers": "{pc2}", "SessionID": "ours"}}
    path.write_text("no section\n")
    assert read_settings(path) == {}


@pytest.fixture
def cable(lsl_session: str) -> Iterator[Cable]:
    """Another computer, with a publisher that is announced beyond itself."""
    config = f"[multicast]\nResolveScope = link\n[lab]\nSessionID = {lsl_session}\n"
    command = [sys.executable, "-c", PUBLISHER, config, "nw-remote"]
    with Cable() as laid, laid.start(command) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield laid
        process.communicate(timeout=5)


FIND = """
import sys
from acquire import lsl
lsl.configure(sys.argv[1], "machine")
print(len(lsl.discover(3.0, 1, "name='nw-remote'")))
"""


def test_another_computer_beyond_the_scope(
    cable: Cable, lsl_session: str, tmp_path: Path
) -> None:
    assert why("nw-remote").cause == "nothing"
    report = survey(0.1, {"nw-remote": None}, hosts=[cable.there])
    (missing,) = report.missing
    assert missing.cause == "scope"
    assert cable.there in missing.reason
    write_configuration(report, tmp_path / "lsl_api.cfg")
    found = subprocess.run(
        [sys.executable, "-c", FIND, lsl_session],
        env={**os.environ, ENVIRONMENT: str(tmp_path / "lsl_api.cfg")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "1"

    nobody = look_at(cable.nobody, range(16572, 16576))  # on the same cable
    assert nobody.state in ("no-route", "silent")
