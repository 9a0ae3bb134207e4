"""The command about gait: Plug-in Gait outputs from C3D files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from acquire.commands.console import print_json, stderr, stdout
from acquire.commands.laboratory import Json
from acquire.gait.measures import MeasureError

OPTIONS: Mapping[str, str] = {
    "marker_diameter_mm": "--marker-diameter-mm",
    "mass_kg": "--mass-kg",
}


def gait(
    trial: Annotated[Path, typer.Argument(help="Trial, a C3D file.")],
    static: Annotated[Path, typer.Option(help="Static trial, a C3D file.")],
    out: Annotated[Path, typer.Option(help="NPZ file to write.")],
    marker_diameter_mm: Annotated[
        float | None, typer.Option(help="Where the files do not say.")
    ] = None,
    mass_kg: Annotated[
        float | None, typer.Option(help="Where the files do not say.")
    ] = None,
    subject: Annotated[
        Path | None,
        typer.Option(
            help="Measures, named as in participants.tsv: YAML, JSON, such a table, or "
            "Nexus's own .mp or .vsk."
        ),
    ] = None,
    participant: Annotated[
        str | None, typer.Option(help="Whose row of the table.")
    ] = None,
    *,
    foot_flat: Annotated[
        bool, typer.Option(help="Whether the feet are flat in the static trial.")
    ] = True,
    stored_offsets: Annotated[
        bool,
        typer.Option(
            "--stored-offsets",
            help="Take the static offsets that the files hold; compute none.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compute Plug-in Gait angles, forces, moments, powers and events of a trial."""
    from acquire.dataset.c3d import C3dError, read_c3d
    from acquire.dataset.c3d_gait import gait_of_c3d
    from acquire.dataset.gait_file import write_gait
    from acquire.dataset.measures_file import read_subject
    from acquire.gait.marker_checks import MarkerError
    from acquire.gait.plate_types import PlateError

    given = read_subject(subject, participant) if subject else {}
    for name, value in (
        ("marker_diameter_mm", marker_diameter_mm),
        ("mass_kg", mass_kg),
    ):
        if value is None:
            continue
        if not value > 0:  # in files, 0 means not taken; here somebody says it
            raise ValueError(f"{OPTIONS[name]} is {value:g}: it must be above 0")
        given[name] = value
    try:
        with stderr.status("computing"):
            found = gait_of_c3d(
                read_c3d(static),
                read_c3d(trial),
                given,
                foot_flat=foot_flat,
                stored_offsets=stored_offsets,
            )
    except MeasureError as error:
        raise ValueError(_advice(error)) from error
    except (C3dError, MarkerError, PlateError) as error:
        stderr.print(f"[bold red]error:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    write_gait(out, found)
    facts: dict[str, Any] = {
        "out": str(out),
        "frames": len(next(iter(found.arrays.values()))),
        "arrays": sorted(found.arrays),
        "events": len(found.events),
        "remarks": list(found.remarks),
    }
    if as_json:
        print_json(facts)
        return
    stdout.print(
        f"{out}: {facts['frames']} frames, {len(found.arrays)} arrays, "
        f"{facts['events']} events",
        highlight=False,
        soft_wrap=True,
    )
    for remark in found.remarks:
        stderr.print(f"[yellow]remark:[/] {remark}", highlight=False, soft_wrap=True)


def _advice(error: MeasureError) -> str:
    """Name the option that would give a measure."""
    option = OPTIONS.get(error.measure)
    if option:
        return f"{error}; give it by {option}, or in the file of --subject"
    if error.measure.endswith(("_mm", "_kg", "_deg")):
        return f"{error}; give {error.measure} in the file of --subject"
    return str(error)
