"""The command that shows who took part, and takes or gives a table of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from acquire.commands.console import (
    print_findings,
    print_json,
    print_table,
    stderr,
)
from acquire.commands.laboratory import Json
from acquire.commands.running import Dataset

SHOWN = ("participant_id", "sex", "age_y", "height_mm", "mass_kg", "cohort")


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
    facts = [_known(asdict(person)) for person in people.values()]
    if as_json:
        print_json({"participants": facts, "findings": [f.to_json() for f in findings]})
    else:
        rows = [[row[name] for name in SHOWN] for row in facts]
        print_table("Participants", SHOWN, rows)
        print_findings(findings, as_json=False)
    raise typer.Exit(int(any(f.severity == "error" for f in findings)))


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Have None stand for what was not measured."""
    return {name: None if value != value else value for name, value in facts.items()}
