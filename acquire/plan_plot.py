"""A dry run as a picture: belts, deck and what is done, over time."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from protocols.plan import Kind, Plan, PlannedRow

COLOURS: dict[Kind, str] = {
    "record": "#86c99f",
    "settle": "#d9f0e1",
    "walk": "#e6d9a8",
    "rest": "#c9d6ea",
    "prompt": "#eee8f4",
    "turn": "#d9b8e0",
    "deck": "#f1c9a5",
}
WORDS: dict[Kind, str] = {
    "record": "recording",
    "settle": "settling",
    "walk": "walking, not recorded",
    "rest": "rest",
    "prompt": "people (time allowed)",
    "turn": "turning round",
    "deck": "deck moving",
}


def draw_plan(planned: Plan, title: str, path: Path) -> None:
    """Write a picture of the plan; the suffix of `path` chooses the format."""
    figure = Figure(figsize=(14, 7), layout="constrained")
    belts, deck = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [2, 1]}
    )
    for axes in (belts, deck):
        _shade(axes, planned.rows)
        axes.grid(alpha=0.3)
    minutes = [t / 60 for row in planned.rows for t in (row.t_s, row.end_s)]
    speeds = [v for row in planned.rows for v in (row.start_mps, row.speed_mps)]
    belts.plot(minutes, speeds, color="#1b3a5c", linewidth=1.8)
    belts.axhline(0, color="black", linewidth=0.6)
    belts.set_ylabel("belts (m/s; negative: facing down)")
    belts.set_title(
        f"{title}: {planned.total_s / 60:.0f} min, {planned.walked_m:.0f} m, "
        f"{len(planned.trials)} recordings"
    )
    deck.plot(*_deck_line(planned.rows), color="#8a4b12", linewidth=1.4)
    deck.set_ylabel("deck (°)")
    deck.set_xlabel("time (min)")
    deck.set_ylim(bottom=-0.5)
    shown = {row.kind for row in planned.rows}
    handles = [
        Patch(color=colour, label=WORDS[kind])
        for kind, colour in COLOURS.items()
        if kind in shown
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    figure.savefig(path, dpi=110)


def _shade(axes: Axes, rows: Iterable[PlannedRow]) -> None:
    for row in rows:
        colour = COLOURS.get(row.kind)
        if colour and row.duration_s:
            axes.axvspan(row.t_s / 60, row.end_s / 60, color=colour, linewidth=0)
            axes.axvline(row.t_s / 60, color="white", linewidth=0.5)


def _deck_line(rows: Iterable[PlannedRow]) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes and degrees; the deck turns within the rows that move it."""
    t_min, angle, before = [0.0], [0.0], 0.0
    for row in rows:
        if row.kind == "deck":
            t_min += [row.t_s / 60, row.end_s / 60]
            angle += [before, row.incline_deg]
            before = row.incline_deg
    last = max((row.end_s for row in rows), default=0.0)
    return np.array([*t_min, last / 60]), np.array([*angle, before])
