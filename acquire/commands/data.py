"""Commands about the dataset: build, report, bench."""

from pathlib import Path
from typing import Annotated

import typer

from acquire.commands.console import print_json, print_table, stderr, stdout
from acquire.commands.laboratory import Json
from acquire.commands.running import Dataset, Participant


def build(dataset: Dataset, participant: Participant, *, as_json: Json = False) -> None:
    """Build the subject file of a participant from the accepted trials."""
    from acquire.dataset.build import build as build_subject

    with stderr.status("building") as status:
        result = build_subject(dataset, participant, status.update)
    if as_json:
        print_json(result.to_json())
    else:
        stdout.print(result.describe(), highlight=False, soft_wrap=True)


def report(
    dataset: Dataset,
    participant: Participant,
    truth: Annotated[
        Path | None, typer.Option(help="What was true, written by the virtual lab.")
    ] = None,
) -> None:
    """Write the HTML report of a participant."""
    from acquire.dataset.report import write_report

    with stderr.status("drawing"):
        path = write_report(dataset, participant, truth=truth)
    stdout.print(str(path), highlight=False, soft_wrap=True)


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which; default: all.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Measure what is claimed, beside peers where there are some."""
    from acquire.bench import BENCHES

    for name in names or list(BENCHES):
        if name not in BENCHES:
            raise typer.BadParameter(f"no bench {name!r}; there are {list(BENCHES)}")
    for name in names or list(BENCHES):
        rows = BENCHES[name]()
        if as_json:
            print_json({name: rows})
        else:
            columns = list(rows[0])
            print_table(name, columns, [[row[c] for c in columns] for row in rows])
