"""Record when a remote control says so, until told to end."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from acquire import lsl
from acquire.recorder.recorder import Recorder
from acquire.recorder.remote.server import HOST, PORT, RemoteServer
from acquire.recorder.remote.session import RemoteSession
from acquire.recorder.remote.target import Target
from acquire.recorder.state_stream import StateStream

PROGRESS_EVERY_S = 0.2


def run_remote(
    out: Path,
    allowed: Sequence[str] = (),
    *,
    host: str = HOST,
    port: int = PORT,
    token: str = "",
    session_id: str | None = None,
    scope: str = "machine",
    stop: threading.Event | None = None,
    on_listening: Callable[[int], None] = lambda _: None,
    progress: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> None:
    """Obey LabRecorder's commands on a port until `stop` is set or an interrupt.

    A recording under way is then closed in order.

    Parameters
    ----------
    out
        Root folder for what ``filename`` names, or an XDF file (further recordings
        get a take number).
    allowed
        Names or XPath predicates of the streams that ``select all`` means.
    host, port, token
        As for `RemoteServer`.
    session_id, scope
        LSL session and scope; ignored when this process is configured already.
    on_listening
        Called with the port once commands are answered.
    progress
        Called several times a second with `Recorder.snapshot`.
    """
    if not lsl.is_configured():
        lsl.configure(session_id, scope)
    stop = stop or threading.Event()
    recorder = Recorder(archived=False)
    session = RemoteSession(recorder, _target(out), allowed)
    state_stream = StateStream(recorder)
    try:
        with RemoteServer(session, host, port, token) as server:
            on_listening(server.port)
            session.handle("update")
            while not stop.wait(PROGRESS_EVERY_S):
                progress(recorder.snapshot())
    except KeyboardInterrupt:
        return
    finally:
        recorder.close()
        state_stream.close()


def _target(out: Path) -> Target:
    path = out.absolute()
    if path.suffix.lower() == ".xdf":
        return Target(path.parent, path.name)
    return Target(path)
