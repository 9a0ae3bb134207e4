"""Commands that bring data in and out: import, export, participants."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from acquire.commands.console import (
    print_findings,
    print_json,
    print_table,
    stderr,
    stdout,
)
from acquire.commands.laboratory import Json
from acquire.commands.running import Dataset

Everybody = Annotated[str, typer.Option(help="Participants: all, or P43,P44.")]
Out = Annotated[Path, typer.Option(help="New folder to write into.")]


def import_files(
    folder: Annotated[Path, typer.Argument(help="Folder of C3D, sEMG, text files.")],
    dataset: Annotated[
        Path | None, typer.Option(help="Dataset folder; made when missing.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Layout: k2muse, or a YAML file.")
    ] = None,
    participant: Annotated[
        str | None, typer.Option(help="Only this one, such as P43.")
    ] = None,
    propose: Annotated[
        Path | None, typer.Option(help="Write a suggested profile here; no import.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Make trial archives of other laboratories' files, by a declared layout."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    if propose is not None:
        _propose(folder, propose)
        return
    from acquire.imports import import_folder, load_profile

    if profile is None:
        raise typer.BadParameter(
            "say how the files are laid out: --profile k2muse or a YAML file; "
            "--propose FILE writes one to correct"
        )
    if dataset is None:
        raise typer.BadParameter("say where to: --dataset DIR")
    with stderr.status("importing") as status:
        result = import_folder(
            folder,
            dataset,
            load_profile(profile),
            status.update,
            participant=participant,
        )
    if as_json:
        print_json(result.to_json())
    else:
        stdout.print(result.describe(), highlight=False, soft_wrap=True)
    raise typer.Exit(int(bool(result.refused)))


def _propose(folder: Path, target: Path) -> None:
    from acquire.imports.propose import propose as suggest
    from acquire.storage.durable import write_text_atomically

    if target.exists():
        raise FileExistsError(f"{target} is there already")
    found = suggest(folder)
    write_text_atomically(target, found.text)
    stdout.print(f"{target}: {found.describe()}", highlight=False, soft_wrap=True)


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


def participants(
    dataset: Dataset,
    take: Annotated[
        Path | None,
        typer.Option("--import", help="Table to take in: .tsv, .csv or .xlsx."),
    ] = None,
    give: Annotated[
        Path | None, typer.Option("--export", help="Table to write: .tsv or .xlsx.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show who took part, and what is missing of them; take or give a table."""
    from dataclasses import asdict

    from acquire.dataset.participant_rules import findings_of
    from acquire.dataset.participant_tables import export_table, import_table
    from acquire.dataset.participants import read_participants

    if take is not None:
        left_out = import_table(dataset, take).left_out
        if left_out:
            stderr.print(f"columns left out: {', '.join(left_out)}", highlight=False)
    people = read_participants(dataset)
    if give is not None:
        export_table(dataset, give)
    findings = [f for person in people.values() for f in findings_of(person)]
    if as_json:
        told = [asdict(person) for person in people.values()]
        print_json(
            {
                "participants": [
                    {k: None if v != v else v for k, v in person.items()}
                    for person in told
                ],
                "findings": [finding.to_json() for finding in findings],
            }
        )
    else:
        shown = ("participant_id", "sex", "age_y", "height_mm", "mass_kg", "cohort")
        rows = [
            [None if (v := getattr(p, name)) != v else v for name in shown]
            for p in people.values()
        ]
        print_table("Participants", shown, rows)
        print_findings(findings, as_json=False)
    raise typer.Exit(int(any(f.severity == "error" for f in findings)))
