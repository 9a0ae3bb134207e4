"""``python -m gui``: the window, on a session that already answers."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from gui.app import main as open_window


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window; `kinemuse gui` starts a session first."""
    parser = argparse.ArgumentParser(prog="python -m gui", description=main.__doc__)
    parser.add_argument("--rig", required=True, help="shipped rig, or a YAML file")
    parser.add_argument("--runtime", type=Path, required=True, help="control files")
    parser.add_argument("--dataset", type=Path, help="shown in the title")
    parser.add_argument("--screenshot", type=Path, help="PNG to save at the end")
    parser.add_argument("--seconds", type=float, help="close by itself after this")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    return open_window(
        given.rig,
        given.dataset,
        runtime_dir=given.runtime,
        screenshot=given.screenshot,
        seconds=given.seconds,
    )


if __name__ == "__main__":
    raise SystemExit(main())
