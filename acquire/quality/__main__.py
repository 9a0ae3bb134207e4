"""The quality process: ``python -m acquire.quality [--rig FILE] [--limits FILE]``.

It reads every stream of the rig's LSL session and publishes `kinemuse-quality`, until
Ctrl-C. With ``--runtime`` it also answers ``snapshot`` and ``shutdown`` as ``quality``.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acquire.live.lsl import live_over_lsl
from acquire.lsl import configure, local_clock
from acquire.quality.limits import load_limits
from acquire.quality.monitor import Monitor, StreamVerdict
from acquire.quality.publish import QualityPublisher
from acquire.quality.service import QualityService
from acquire.rig import VIRTUAL_LAB, load_rig
from acquire.service_process import answer_until, stop_on_signals
from acquire.supervise import hold_lifeline


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish quality until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m acquire.quality", description=__doc__
    )
    parser.add_argument("--rig", default=VIRTUAL_LAB, help="rig file or shipped rig")
    parser.add_argument("--session-id", help="LSL session, instead of the rig's")
    parser.add_argument("--limits", type=Path, help="YAML file of limits to override")
    parser.add_argument("--runtime", type=Path, help="where to leave port and token")
    given = parser.parse_args(arguments)
    hold_lifeline()
    rig = load_rig(given.rig)
    configure(given.session_id or rig.lsl.session_id, rig.lsl.scope)
    stop = stop_on_signals()
    live = live_over_lsl(ignore=lambda name: name.startswith("kinemuse-"))
    monitor = Monitor(local_clock, load_limits(given.limits) if given.limits else None)
    publisher = QualityPublisher(simulated=rig.simulated)
    service = QualityService(live, monitor, publish=publisher).start()
    answer_until(stop, "quality", lambda: _snapshot(service.verdicts), given.runtime)
    service.close()
    publisher.close()
    live.close()
    return 0


def _snapshot(verdicts: Mapping[str, StreamVerdict]) -> dict[str, Any]:
    return {
        name: {
            "level": verdict.level,
            "values": _known(verdict.values),
            "findings": [asdict(finding) for finding in verdict.findings],
        }
        for name, verdict in verdicts.items()
    }


def _known(values: Mapping[str, float]) -> dict[str, float]:
    """Leave out what cannot be told now: JSON has no NaN."""
    return {name: value for name, value in values.items() if math.isfinite(value)}


if __name__ == "__main__":
    sys.exit(main())
