"""The simulated lab: everything a twin imports, and the command that serves a lab."""

import argparse
import json
import signal
import sys
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
    given = parser.parse_args(arguments)
    text = given.config.read_text(encoding="utf-8") if given.config else "{}"
    server = LabServer(LabConfig.model_validate_json(text), given.port, given.truth)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    sys.stdout.write(json.dumps({"ready": True, "port": server.port}) + "\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
