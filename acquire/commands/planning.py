"""The command that looks at a protocol before anybody walks: plan."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from acquire.commands.console import print_json, print_table, stdout
from acquire.commands.laboratory import Json, Rig
from acquire.commands.running import (
    MostTrials,
    Settings,
    TrialSeconds,
    effective_text,
)
from acquire.rig import VIRTUAL_LAB, RigConfig, load_rig
from protocols.concerns import Concern, Mill, concerns
from protocols.plan import Plan
from protocols.plan import plan as dry_run
from protocols.schema import ProtocolDefinition, json_schema, library, parse_protocol

COLOURS = {"impossible": "red", "unsafe": "red", "unknown": "yellow", "note": "cyan"}


def plan(
    protocol: Annotated[
        str, typer.Argument(help="Library name, or a YAML file; none: list them.")
    ] = "",
    rig: Rig = VIRTUAL_LAB,
    participant: Annotated[
        str, typer.Option(help="Whose order to show, such as P43.")
    ] = "P01",
    deck_rate: Annotated[
        float | None, typer.Option(min=0.01, help="How fast the deck tilts, deg/s.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Picture to write: .png, .svg or .pdf.")
    ] = None,
    *,
    trials: MostTrials = None,
    trial_seconds: TrialSeconds = None,
    settings: Settings = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of protocol files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Expand a protocol to its timeline, without any device.

    Exit 1 when the rig cannot do it.
    """
    if schema:
        stdout.out(json_schema(), end="")
        return
    if not protocol:
        raise typer.BadParameter(f"name a protocol: {', '.join(library())}, or a file")
    loaded = load_rig(rig)
    text = effective_text(protocol, trials, trial_seconds, settings)
    definition = parse_protocol(text, source=protocol)
    planned = dry_run(definition, participant, deck_rate_dps=deck_rate)
    found = concerns(
        definition,
        planned,
        mill_of(loaded),
        has_capture=loaded.capture is not None,
        deck_rate_known=deck_rate is not None,
    )
    if plot:
        from acquire.plan_plot import draw_plan

        draw_plan(planned, definition.title, plot)
    if as_json:
        print_json(_as_json(planned, found))
    else:
        _show(definition, planned, found)
    raise typer.Exit(int(any(each.weight == "impossible" for each in found)))


def mill_of(rig: RigConfig) -> Mill | None:
    """Return what the rig's treadmill allows; None where it has none."""
    if rig.treadmill is None:
        return None
    settings = rig.devices[rig.treadmill].settings
    limits = settings.limits
    return Mill(
        min_speed_mps=limits.min_speed_mps,
        max_speed_mps=limits.max_speed_mps,
        max_accel_mps2=limits.max_accel_mps2,
        min_incline_deg=limits.min_incline_deg,
        max_incline_deg=limits.max_incline_deg,
        moves_deck_under_load=settings.allow_moving_deck_under_load,
        walks_backward=settings.allow_backward_walking,
    )


def _show(definition: ProtocolDefinition, planned: Plan, found: list[Concern]) -> None:
    columns = ["t (s)", "what", "for (s)", "belts (m/s)", "deck (°)", "walked (m)"]
    rows = [
        (r.t_s, r.what, r.duration_s, r.speed_mps, r.incline_deg, r.distance_m)
        for r in planned.rows
    ]
    print_table(definition.title, columns, rows)
    stdout.print(
        f"{planned.total_s / 60:.1f} min in all: {planned.recorded_s / 60:.1f} min "
        f"recorded in {len(planned.trials)} recordings, "
        f"{planned.walked_s / 60:.1f} min and {planned.walked_m:.0f} m walked, "
        f"{planned.allowed_s / 60:.1f} min allowed for people's answers, "
        f"{planned.deck_moves} deck moves",
        soft_wrap=True,
        highlight=False,
    )
    for concern in found:
        colour = COLOURS[concern.weight]
        stdout.print(
            f"[{colour}]{concern.weight:10}[/] {concern.text}",
            highlight=False,
            soft_wrap=True,
        )


def _as_json(planned: Plan, found: list[Concern]) -> dict[str, object]:
    return {
        "total_s": planned.total_s,
        "recorded_s": planned.recorded_s,
        "walked_s": planned.walked_s,
        "walked_m": planned.walked_m,
        "allowed_s": planned.allowed_s,
        "deck_moves": planned.deck_moves,
        "trials": [trial.name for trial in planned.trials],
        "rows": [asdict(row) for row in planned.rows],
        "concerns": [asdict(concern) for concern in found],
    }
