"""Commands about the dataset: build, report, bench."""

from inspect import signature
from pathlib import Path
from typing import Annotated

import typer

from acquire.commands.console import print_json, print_table, stderr, stdout
from acquire.commands.laboratory import Json
from acquire.commands.running import Dataset, Participant


def build(
    dataset: Dataset,
    participant: Annotated[
        str, typer.Option(help="Pseudonym, such as P43; here in this process.")
    ] = "",
    participants: Annotated[
        str, typer.Option(help="Several in parallel: all, or P43,P44.")
    ] = "",
    scheduler: Annotated[
        str, typer.Option(help="Address of a Dask scheduler; default: processes here.")
    ] = "",
    workers: Annotated[
        int | None, typer.Option(help="Processes here; default: one per core.")
    ] = None,
    nexus: Annotated[
        Path | None,
        typer.Option(help="Folder of C3D files whose model outputs replace ours."),
    ] = None,
    *,
    source_tree: Annotated[
        bool, typer.Option(help="Write the SourceData tree too.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Build subject files, flat files per trial and source files from accepted trials.

    A rebuild from the same archives gives the same bytes.
    """
    if bool(participant) == bool(participants):
        raise typer.BadParameter("give either --participant P43 or --participants all")
    if participants:
        several = (dataset, participants, scheduler, workers, nexus)
        _build_several(*several, sources=source_tree, as_json=as_json)
        return
    from acquire.dataset.build import build as build_subject

    with stderr.status("building") as status:
        result = build_subject(
            dataset, participant, status.update, nexus=nexus, sources=source_tree
        )
    if as_json:
        print_json(result.to_json())
    else:
        stdout.print(result.describe(), highlight=False, soft_wrap=True)


def _build_several(
    dataset: Path,
    asked: str,
    scheduler: str,
    workers: int | None,
    nexus: Path | None,
    *,
    sources: bool,
    as_json: bool,
) -> None:
    from acquire.dataset.build_many import build_many, chosen_participants

    names = chosen_participants(dataset, asked)
    with stderr.status(f"building {len(names)} participants") as status:
        made = build_many(
            dataset,
            names,
            scheduler=scheduler,
            workers=workers,
            progress=status.update,
            nexus=nexus,
            sources=sources,
        )
    if as_json:
        built = {name: result.to_json() for name, result in made.built.items()}
        print_json({"built": built, "failed": made.failed})
    else:
        for result in made.built.values():
            stdout.print(result.describe(), highlight=False, soft_wrap=True)
        for name, error in made.failed.items():
            stderr.print(f"[red]{name} failed:[/] {error}", highlight=False)
    if made.failed:
        raise typer.Exit(1)


def report(
    dataset: Dataset,
    participant: Participant,
    truth: Annotated[
        Path | None, typer.Option(help="What was true, written by the virtual lab.")
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(help="Subject file to compare with, repeatable; or a CSV table."),
    ] = None,
) -> None:
    """Write the HTML report of a participant."""
    from acquire.dataset.report import write_report

    with stderr.status("drawing") as status:
        path = write_report(
            dataset,
            participant,
            truth=truth,
            reference=reference or (),
            progress=status.update,
        )
    stdout.print(str(path), highlight=False, soft_wrap=True)


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which; default: all.")
    ] = None,
    *,
    seconds: Annotated[
        float | None,
        typer.Option(help="How long, for those that measure for a time.", min=1.0),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure what is claimed, beside peers where there are some.

    `soak` records the full load for two hours, `busy` for ten minutes beside a job that
    takes every core half of the time; they run only when asked for by name.
    """
    from acquire.bench import ALL, BY_NAME
    from acquire.bench import bench as find

    for name in names or ():
        if name not in ALL + BY_NAME:
            there_are = ", ".join(ALL + BY_NAME)
            raise typer.BadParameter(f"no bench {name!r}; there are {there_are}")
    for name in names or ALL:
        run = find(name)
        timed = seconds is not None and "seconds" in signature(run).parameters
        rows = run(seconds=seconds) if timed else run()
        if as_json:
            print_json({name: rows})
        else:
            columns = list(rows[0])
            print_table(name, columns, [[row[c] for c in columns] for row in rows])
