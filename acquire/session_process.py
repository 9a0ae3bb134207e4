"""A session as a process of its own, for a window to watch and to drive.

    python -m acquire.session_process --rig FILE --protocol NAME --dataset DIR
        --participant P43 --runtime DIR [--lab HOST:PORT]

It waits for ``start`` from the control channel, and after the run for ``shutdown``, so
that a window can still be opened and read. Losing the window does not end it.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from acquire import lsl
from acquire.rig import load_rig
from acquire.session import Session
from acquire.session_plan import SessionPlan
from acquire.supervise import hold_lifeline
from protocols.schema import protocol_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the session; 0 when the protocol was finished."""
    parser = argparse.ArgumentParser(prog="python -m acquire.session_process")
    for option in ("rig", "protocol", "participant"):
        parser.add_argument(f"--{option}", required=True)
    for option in ("dataset", "runtime"):
        parser.add_argument(f"--{option}", type=Path, required=True)
    parser.add_argument("--lab", help="address of the virtual lab")
    given = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    hold_lifeline()
    rig = load_rig(given.rig)
    lsl.configure(rig.lsl.session_id, rig.lsl.scope)
    plan = SessionPlan(
        rig=rig,
        protocol_text=protocol_text(given.protocol),
        protocol_source=given.protocol,
        dataset=given.dataset,
        participant=given.participant,
        runtime_dir=given.runtime,
        lab_address=given.lab,
    )
    with Session(plan) as session:
        session.preflight()
        ended = session.run(start=False)
        session.wait_until_closed()
    return 0 if ended.state == "finished" else 1


if __name__ == "__main__":
    raise SystemExit(main())
