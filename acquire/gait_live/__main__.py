"""The live gait process: ``python -m acquire.gait_live --dataset DIR …``.

It computes Plug-in Gait on the streams of the rig's LSL session and publishes
`gait-live`, once the session has a static trial and the participant's measures, until
Ctrl-C. With ``--runtime`` it answers ``snapshot`` and ``shutdown`` as ``gait-live``.
"""

import argparse
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acquire.control import ControlServer
from acquire.gait.survey import deck_settings
from acquire.gait_live.basis import BasisWatcher
from acquire.gait_live.publish import NAME, GaitPublisher
from acquire.gait_live.service import WANTED, GaitLiveService
from acquire.live.lsl import live_over_lsl
from acquire.lsl import configure
from acquire.rig import VIRTUAL_LAB, load_rig
from acquire.supervise import hold_lifeline
from acquire.trial_gait import static_markers, unloaded_baseline


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish live gait until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m acquire.gait_live", description=__doc__
    )
    parser.add_argument("--rig", default=VIRTUAL_LAB, help="rig file or shipped rig")
    parser.add_argument("--session-id", help="LSL session, instead of the rig's")
    parser.add_argument("--dataset", type=Path, required=True, help="its folder")
    parser.add_argument("--participant", required=True, help="whose measures, P43")
    parser.add_argument("--session", required=True, help="whose static trial")
    parser.add_argument("--runtime", type=Path, help="where to leave port and token")
    given = parser.parse_args(arguments)
    hold_lifeline()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    rig = load_rig(given.rig)
    configure(given.session_id or rig.lsl.session_id, rig.lsl.scope)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    watcher = BasisWatcher(
        given.dataset,
        given.participant,
        given.session,
        static_markers,
        unloaded_baseline,
    ).start()
    live = live_over_lsl(ignore=lambda name: name not in WANTED)
    service = GaitLiveService(
        live,
        lambda: watcher.basis,
        GaitPublisher(simulated=rig.simulated),
        deck_settings(rig.model_dump(mode="json")),
    ).start()
    with _answering(service, stop, given.runtime):
        stop.wait()
    service.close()
    live.close()
    watcher.close()
    return 0


def _answering(
    service: GaitLiveService, stop: threading.Event, runtime: Path | None
) -> contextlib.AbstractContextManager[object]:
    """Answer as ``gait-live`` in the runtime folder, when there is one."""

    def shutdown(_: Mapping[str, Any]) -> dict[str, Any]:
        stop.set()
        return {}

    if runtime is None:
        return contextlib.nullcontext()
    verbs = {"snapshot": lambda _: asdict(service.state), "shutdown": shutdown}
    return ControlServer(NAME, verbs, runtime)


if __name__ == "__main__":
    sys.exit(main())
