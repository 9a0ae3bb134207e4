"""The live gait process: ``python -m acquire.gait_live --dataset DIR …``.

It computes Plug-in Gait on the streams of the rig's LSL session and publishes
`gait-live`, once the session has a static trial and the participant's measures, until
Ctrl-C. With ``--runtime`` it answers ``snapshot`` and ``shutdown`` as ``gait-live``.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from acquire.gait.survey import deck_settings
from acquire.gait_live.basis import BasisWatcher
from acquire.gait_live.publish import NAME, GaitPublisher
from acquire.gait_live.service import WANTED, GaitLiveService
from acquire.live.lsl import live_over_lsl
from acquire.lsl import configure
from acquire.rig import VIRTUAL_LAB, load_rig
from acquire.service_process import answer_until, stop_on_signals
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
    stop = stop_on_signals()
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
    answer_until(stop, NAME, lambda: asdict(service.state), given.runtime)
    service.close()
    live.close()
    watcher.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
