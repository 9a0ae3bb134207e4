"""The commands that write accepted trials in formats of other communities."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from acquire.commands.console import print_json, stderr, stdout
from acquire.commands.laboratory import Json
from acquire.commands.running import Dataset

Everybody = Annotated[str, typer.Option(help="Participants: all, or P43,P44.")]
Out = Annotated[Path, typer.Option(help="New folder to write into.")]

export = typer.Typer(
    help="Write accepted trials in formats of other communities.",
    no_args_is_help=True,
)


@export.command()
def bids(
    dataset: Dataset,
    out: Out,
    participants: Everybody = "all",
    settings: Annotated[
        Path | None, typer.Option(help="YAML: authors, licence, filters, placement…")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """EMG-BIDS and Motion-BIDS: BDF, TSV and JSON for deposit."""
    from acquire.exports.bids import export_bids
    from acquire.exports.bids.settings import load_settings

    told = load_settings(settings) if settings else None
    _export(
        dataset, participants, out, as_json, lambda *a: export_bids(*a, settings=told)
    )


@export.command()
def parquet(
    dataset: Dataset,
    out: Out,
    participants: Everybody = "all",
    *,
    as_json: Json = False,
) -> None:
    """Parquet in LocoHub's convention: strides of 150 points, and frame by frame."""
    from acquire.exports.locohub import export_parquet

    _export(dataset, participants, out, as_json, export_parquet)


@export.command()
def xdf(
    dataset: Dataset,
    out: Out,
    participants: Everybody = "all",
    *,
    as_json: Json = False,
) -> None:
    """One XDF file per trial, all streams on one clock."""
    from acquire.exports.merged_xdf import export_xdf

    _export(dataset, participants, out, as_json, export_xdf)


def _export(
    dataset: Path,
    asked: str,
    out: Path,
    as_json: bool,
    write: Callable[..., Any],
) -> None:
    from acquire.dataset.build_many import chosen_participants

    names = chosen_participants(dataset, asked)
    with stderr.status("exporting") as status:
        result = write(dataset, names, out, status.update)
    if as_json:
        print_json(result.to_json())
    else:
        stdout.print(result.describe(out), highlight=False, soft_wrap=True)
