"""A recorder driven over TCP as lab scripts drive LabRecorder."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from acquire import lsl
from acquire.recorder import Recorder
from acquire.recorder.remote import RemoteServer, RemoteSession, Target
from acquire.recorder.remote.run import run_remote
from acquire.storage.xdf_reader import read_xdf
from tests.builders.lsl_source import Source, spec

pytestmark = pytest.mark.usefixtures("lsl_session")

TOKEN = "correct-horse"


class Script:
    """A lab script: sends lines, reads what comes back."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), 5.0)
        self.socket.settimeout(10.0)

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def reply(self) -> str:
        """Read one reply: OK, or a line; empty once hung up on."""
        got = b""
        while got != b"OK" and not got.endswith(b"\n"):
            try:
                more = self.socket.recv(1)
            except ConnectionError:
                return ""
            if not more:
                return got.decode()
            got += more
        return got.decode()

    def ask(self, line: str) -> str:
        self.send(line + "\n")
        return self.reply()

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.ask("status"))
        return answer


class Stack:
    """A recorder with its server, and whatever else a test opens."""

    def __init__(self, root: Path) -> None:
        self.root, self._stack = root, ExitStack()
        self.recorder = Recorder(archived=False)
        self._stack.callback(self.recorder.close)

    def script(self, *allowed: str, **how: Any) -> Script:
        session = RemoteSession(self.recorder, Target(self.root), allowed)
        server = RemoteServer(session, port=0, **how)
        self._stack.callback(server.close)
        self.port = server.port
        return self.connect()

    def connect(self, host: str = "127.0.0.1") -> Script:
        script = Script(self.port, host)
        self._stack.callback(script.socket.close)
        return script

    def source(self, name: str) -> Source:
        return self._stack.enter_context(Source(spec(name)))

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path)
    yield stack
    stack.close()


def names(path: Path) -> list[str]:
    found = [stream.name for stream in read_xdf(path).streams]
    return [name for name in found if not name.startswith("kinemuse")]


def test_a_script_for_labrecorder_works_unchanged(lab: Stack) -> None:
    lab.source("ra-eeg")
    lab.source("ra-gaze")
    script = lab.script("starts-with(name,'ra-')")
    assert script.ask("update") == "OK"
    assert script.ask("select all") == "OK"
    options = r"{template:exp%n\%p_block_%b.xdf} {run:2} {participant:P003}"
    root = f"filename {{root:{lab.root}/}}"
    assert script.ask(f"{root} {options} {{task:MemoryGuided}}") == "OK"
    assert script.ask("start") == "OK"
    assert script.ask("start") == "OK"  # scripts in use say it twice
    time.sleep(0.4)
    status = script.status()
    assert status["state"] == "recording"
    assert status["bytes"] > 0
    assert {s["n_lost"] for s in status["streams"].values()} == {0}
    assert script.ask("stop") == "OK"
    assert script.ask("stop") == "OK"
    out = lab.root / "exp002" / "P003_block_MemoryGuided.xdf"
    assert script.status()["out"] == str(out)
    assert sorted(names(out)) == ["ra-eeg", "ra-gaze"]
    assert read_xdf(out).complete


def test_ok_has_no_newline_and_lines_may_share_or_split_packets(lab: Stack) -> None:
    script = lab.script("ra-none")
    script.send("select none\r\n\nselect none\nfilen")
    script.send("ame {template:%p.xdf}{partici")
    time.sleep(0.05)
    script.send("pant:A}\nstatus\n")
    got = b""
    while not got.endswith(b"\n"):
        got += script.socket.recv(4096)
    assert got.startswith(b"OKOKOK{")
    assert json.loads(got[6:])["next"] == str(lab.root / "A.xdf")


def test_what_was_not_done_is_said(lab: Stack) -> None:
    lab.source("rb-eeg")
    script = lab.script("rb-eeg", "rb-missing")
    assert script.ask("dance").startswith("ERROR: no command 'dance'; there are")
    assert script.ask("filename {run:x}").startswith("ERROR: run 'x' is no number")
    assert script.ask("select (name=").startswith("ERROR: ")
    assert script.ask("start please").startswith("ERROR: start takes nothing")
    assert script.ask("start") == "ERROR: no stream matches name='rb-missing'\n"
    assert script.ask("select none") == "OK"
    assert script.ask("start").startswith("ERROR: no stream is selected")
    assert list(lab.root.rglob("*.xdf")) == []
    assert script.status()["state"] == "armed"


def test_a_missing_stream_is_overridden_by_a_reason_that_is_stored(lab: Stack) -> None:
    lab.source("rc-eeg")
    script = lab.script("rc-eeg", "rc-missing")
    assert script.ask("start {override:}").startswith("ERROR")
    assert script.ask("start {override:the amplifier broke}") == "OK"
    assert script.ask("stop") == "OK"
    recording = read_xdf(Path(script.status()["out"]))
    start = json.loads(recording["kinemuse-recorder"].data[0][0])
    assert start["override_reason"] == "the amplifier broke"
    assert start["overridden"] == ["no stream matches name='rc-missing'"]


def test_nothing_is_overwritten_and_nothing_renamed(lab: Stack) -> None:
    lab.source("rd-eeg")
    script = lab.script("rd-eeg")
    assert script.ask("filename {template:walk.xdf}") == "OK"
    for _ in range(2):
        assert script.ask("start") == "OK"
        assert script.ask("filename {template:other.xdf}") == "OK"
        assert "still recording to" in script.ask("start")
        assert script.ask("filename {template:walk.xdf}") == "OK"
        assert script.ask("start") == "OK"  # it is what runs
        assert script.ask("stop") == "OK"
    files = sorted(path.name for path in lab.root.glob("*.xdf"))
    assert files == ["walk.xdf", "walk_take2.xdf"]


def test_streams_are_chosen_by_name_and_predicate(lab: Stack) -> None:
    for name in ("re-a", "re-b", "re-c", "rx-other-room"):
        lab.source(name)
    script = lab.script("starts-with(name,'re-')")
    script.ask("filename {template:%n.xdf}")
    assert script.ask("select none") == "OK"
    assert script.ask("select re-a") == "OK"
    assert script.ask("select contains(name,'-b')") == "OK"
    assert script.ask("start") == "OK"
    assert script.ask("select all") == "OK"  # of the next recording
    assert script.ask("stop") == "OK"
    assert script.ask("start") == "OK"
    assert script.ask("stop") == "OK"
    assert sorted(names(lab.root / "001.xdf")) == ["re-a", "re-b"]
    assert sorted(names(lab.root / "002.xdf")) == ["re-a", "re-b", "re-c"]


def test_stop_says_what_is_wrong_with_the_file(lab: Stack) -> None:
    lab.source("rf-eeg")
    script = lab.script("rf-eeg")
    assert script.ask("start") == "OK"
    (out,) = lab.recorder.files
    lab.recorder._disk_failed(out, "no space left on device")
    reply = "ERROR: writing failed: no space left on device\n"
    assert script.ask("stop") == reply
    assert script.ask("stop") == reply
    assert script.ask("start") == "OK"
    assert script.ask("stop") == "OK"


def test_a_line_without_its_newline_is_not_obeyed(lab: Stack) -> None:
    lab.source("rg-eeg")
    script = lab.script("rg-eeg")
    script.send("start")
    script.socket.shutdown(socket.SHUT_WR)
    assert script.reply() == ""
    assert lab.connect().status()["state"] == "idle"


@pytest.mark.parametrize("flood", ["x" * 40_000 + "\n", "POST / HTTP/1.1\r\nstart\n"])
def test_a_flood_or_a_web_page_is_hung_up_on(lab: Stack, flood: str) -> None:
    script = lab.script("rh-eeg")
    script.send(flood)
    assert script.reply() == ""
    assert lab.connect().ask("select none") == "OK"


def own_address() -> str:
    """Return an address of this computer that other computers could use."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this computer has no network interface")
        address = str(probe.getsockname()[0])
    if address.startswith("127."):
        pytest.skip("this computer has only loopback")
    return address


def test_loopback_alone_is_listened_to(lab: Stack) -> None:
    lab.script()
    with pytest.raises(OSError, match="refused"):
        lab.connect(own_address())
    session = RemoteSession(lab.recorder, Target(lab.root))
    with pytest.raises(ValueError, match="can be reached from other computers"):
        RemoteServer(session, "0.0.0.0", 0, "short")


def test_other_computers_need_the_token(lab: Stack) -> None:
    address = own_address()
    here = lab.script(host="0.0.0.0", token=TOKEN)
    assert here.ask("select none") == "OK"
    there = lab.connect(address)
    assert there.ask("select none") == f"ERROR: from {address} a token is needed\n"
    assert there.reply() == ""
    guess = lab.connect(address)
    assert guess.ask("token wrong") == "ERROR: wrong token\n"
    assert guess.reply() == ""
    there = lab.connect(address)
    assert there.ask(f"token {TOKEN}") == "OK"
    assert there.ask("select none") == "OK"


def test_a_port_that_is_taken_names_the_option(lab: Stack) -> None:
    lab.script()
    session = RemoteSession(lab.recorder, Target(lab.root))
    with pytest.raises(OSError, match=f"port {lab.port}.*--remote-port"):
        RemoteServer(session, port=lab.port)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_the_command_listens_and_ends_in_order(
    lsl_session: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "acquire", "record", "--remote"]
    command += ["--remote-port", "0", "--out", str(tmp_path), "--stream", "rj-eeg"]
    command += ["--session-id", lsl_session]
    with (
        Source(spec("rj-eeg")),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().split(":")[1].split(";")[0])
            script = Script(port)
            assert script.ask("filename {template:%p_%n.xdf}") == "OK"
            assert script.ask("start") == "OK"
            time.sleep(0.3)
            process.terminate()
            assert process.wait(10.0) == 128 + signal.SIGTERM
            script.socket.close()
        finally:
            process.kill()
    recording = read_xdf(tmp_path / "P001_001.xdf")
    assert recording.complete
    assert len(recording["rj-eeg"].t_lsl) > 100


def test_ending_the_program_closes_a_running_recording(tmp_path: Path) -> None:
    stop = threading.Event()
    ports: list[int] = []
    with Source(spec("ri-eeg")):
        running = threading.Thread(
            target=lambda: run_remote(
                tmp_path / "walk.xdf",
                ["ri-eeg"],
                port=0,
                session_id=lsl.configured_session_id(),
                stop=stop,
                on_listening=ports.append,
            ),
            daemon=True,
        )
        running.start()
        assert within(5.0, lambda: bool(ports))
        script = Script(ports[0])
        assert script.ask("start") == "OK"
        time.sleep(0.2)
        stop.set()
        running.join(10.0)
        script.socket.close()
    assert read_xdf(tmp_path / "walk.xdf").complete
