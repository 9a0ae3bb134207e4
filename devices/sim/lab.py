"""The simulated lab: everything a twin imports, and the command that serves a lab."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from devices.sim.config import LabConfig
from devices.sim.lab_client import LabClient
from devices.sim.lab_server import LabServer
from devices.sim.world import LAG_S, MARGIN_S, Lab, LocalLab

__all__ = ["LAG_S", "MARGIN_S", "Lab", "LabClient", "LabServer", "LocalLab", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a lab: ``python -m devices.sim.lab --config FILE [--truth FILE]``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--config", type=Path, help="lab configuration, JSON")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free port")
    parser.add_argument("--truth", type=Path, help="new file for what is really true")
    parser.add_argument("--until-eof", action="store_true", help="end with stdin")
    given = parser.parse_args(arguments)
    text = given.config.read_text(encoding="utf-8") if given.config else "{}"
    server = LabServer(LabConfig.model_validate_json(text), given.port, given.truth)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    if given.until_eof:
        threading.Thread(target=_stop_at_eof, args=(server,), daemon=True).start()
    sys.stdout.write(json.dumps({"ready": True, "port": server.port}) + "\n")
    sys.stdout.flush()
    server.run()


def _stop_at_eof(server: LabServer) -> None:
    """End the lab, and with it every twin, when whoever started it is gone."""
    while os.read(0, 1024):
        pass
    server.stop()


if __name__ == "__main__":
    main()
