"""The table of states as a page of the documentation.

``python -m protocols.state_table FILE`` writes it; a test sees that it is current.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from protocols.states import (
    DEADLINES_S,
    NEXT,
    OVER,
    RUNNING,
    TRANSITIONS,
    State,
)

EVERYWHERE = (State.PAUSED, State.ABORTING)
"""Reached from nearly every state, and left out of the picture."""
ASIDE = ("skipped", "repeated", "recording failed")
"""Why a way is left out of the picture."""
HEAD = """# States of a protocol run

This page is written by `python -m protocols.state_table`; the runner takes the ways
listed here and no other (`protocols/states.py`). Every transition is a line of the
session's journal, and the journal alone tells where a run was (`protocols/replay.py`).

*next* stands for what follows when a step is done: {next}.
The belts go on where the next trial has the same slope (`walk_on`), and come to rest
otherwise.

"""


Way = tuple[str, str, str]  #: from, to, when; `next` stands for all of NEXT


def page() -> str:
    """Return the page: a picture of the ordinary way, then every way in a table."""
    names = ", ".join(f"`{state}`" for state in NEXT)
    ways = list(_ways())
    parts = [HEAD.format(next=names), "```mermaid\n", *_picture(ways), "```\n\n"]
    parts += ["| from | to | when |\n|---|---|---|\n", *_rows(ways), "\n"]
    parts += ["| state | longest stay, s |\n|---|---|\n"]
    parts += [
        f"| `{state}` | {limit_s:g} |\n" for state, limit_s in DEADLINES_S.items()
    ]
    return "".join(parts)


def _ways() -> Iterator[Way]:
    for (source, when), each in groupby(TRANSITIONS, lambda t: (t.source, t.when)):
        targets = [str(way.target) for way in each]
        if set(targets) >= {str(state) for state in NEXT}:
            targets = ["next"]
        yield from ((str(source), target, when) for target in targets)


def _picture(ways: list[Way]) -> Iterator[str]:
    yield "stateDiagram-v2\n    [*] --> idle\n"
    for source, target, when in ways:
        if target not in EVERYWHERE and not when.startswith(ASIDE):
            yield f"    {source} --> {target}: {when.replace(':', ',')}\n"
    for state in NEXT:
        yield f"    next --> {state}\n"
    for state in sorted(OVER):
        yield f"    {state} --> [*]\n"


def _rows(ways: list[Way]) -> Iterator[str]:
    sources: dict[tuple[str, str], list[str]] = {}
    for source, target, when in ways:
        sources.setdefault((target, when), []).append(source)
    for (target, when), found in sources.items():
        to = "*next*" if target == "next" else f"`{target}`"
        yield f"| {_words(found)} | {to} | {when} |\n"


def _words(sources: list[str]) -> str:
    running = {str(state) for state in RUNNING}
    if len(sources) > len(running) / 2:
        missing = sorted(running - set(sources))
        return "all but " + ", ".join(f"`{name}`" for name in missing)
    return ", ".join(f"`{name}`" for name in sources)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
