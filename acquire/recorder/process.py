"""The recorder as a process of its own, driven through the control channel."""

import argparse
import logging
import socket
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acquire import lsl
from acquire.control import ControlServer
from acquire.recorder import Recorder
from acquire.recorder.memory import keep_memory_together
from acquire.recorder.state_stream import StateStream
from acquire.service_process import stop_on_signals
from acquire.supervise import hold_lifeline

log = logging.getLogger("kinemuse.recorder")


def serve(recorder: Recorder, runtime_dir: Path, stop: threading.Event) -> None:
    """Answer verbs as ``recorder`` until `stop` is set, then stop cleanly."""

    def arm(arguments: Mapping[str, Any]) -> dict[str, Any]:
        reasons = recorder.arm(
            Path(str(arguments["out"])),
            [str(name) for name in arguments.get("required", ())],
            optional=[str(name) for name in arguments.get("optional", ())],
            expected=arguments.get("expected") or {},
            predicate=str(arguments.get("predicate", "")),
            host=str(arguments.get("host", socket.gethostname())),
            timeout_s=float(arguments.get("wait_s", 10.0)),
        )
        return {"ready": not reasons, "problems": reasons}

    def start(arguments: Mapping[str, Any]) -> dict[str, Any]:
        recorder.start(
            str(arguments.get("override_reason", "")),
            float(arguments.get("wait_s", 5.0)),
        )
        return {"state": str(recorder.state)}

    def halt(_: Mapping[str, Any]) -> dict[str, Any]:
        problems = recorder.stop()
        return {
            "state": str(recorder.state),
            "problems": problems,
            "warnings": recorder.warnings(),
        }

    def disarm(_: Mapping[str, Any]) -> dict[str, Any]:
        recorder.disarm()
        return {"state": str(recorder.state)}

    def note(arguments: Mapping[str, Any]) -> dict[str, Any]:
        recorder.note(str(arguments["event"]), arguments.get("facts") or {})
        return {}

    def shutdown(_: Mapping[str, Any]) -> dict[str, Any]:
        stop.set()
        return {}

    handlers = {
        "arm": arm,
        "start": start,
        "stop": halt,
        "disarm": disarm,
        "note": note,
        "snapshot": lambda _: recorder.snapshot(),
        "shutdown": shutdown,
    }
    with ControlServer("recorder", handlers, runtime_dir):
        stop.wait()
        recorder.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m acquire.recorder``; SIGTERM and SIGINT stop it cleanly."""
    parser = argparse.ArgumentParser(prog="python -m acquire.recorder")
    parser.add_argument("--runtime", type=Path, required=True)
    parser.add_argument("--session-id", default=None)
    parser.add_argument("--scope", default="machine")
    options = parser.parse_args(arguments)
    keep_memory_together()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    stop = stop_on_signals()
    hold_lifeline()
    lsl.configure(options.session_id, options.scope)
    recorder = Recorder()
    state_stream = StateStream(recorder)
    serve(recorder, options.runtime, stop)
    state_stream.close()
    return 1 if recorder.state == "failed" else 0
