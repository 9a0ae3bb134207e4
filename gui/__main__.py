"""The window as a process: ``python -m gui --runtime DIR [--rig FILE]``.

It shows whatever session answers in the runtime folder, and the streams of the rig's
LSL session; started anew it finds both again.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from acquire.rig import VIRTUAL_LAB, RigError
from gui.app import main


def run(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and open the window."""
    parser = argparse.ArgumentParser(prog="python -m gui", description=__doc__)
    parser.add_argument("--runtime", type=Path, required=True, help="runtime folder")
    parser.add_argument("--rig", default=VIRTUAL_LAB, help="rig file or shipped rig")
    parser.add_argument("--dataset", type=Path, help="named in the title")
    parser.add_argument("--body-mass", type=float, metavar="KG", help="of participant")
    parser.add_argument("--screenshot", type=Path, help="save a picture at the end")
    parser.add_argument("--seconds", type=float, help="close after so long")
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        return main(
            given.rig,
            given.dataset,
            runtime_dir=given.runtime,
            body_mass_kg=given.body_mass,
            screenshot=given.screenshot,
            seconds=given.seconds,
        )
    except RigError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(run())
