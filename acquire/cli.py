"""The command ``kinemuse``: exit 0 ok, 1 findings or a failure, 2 wrong usage."""

import logging
import signal
import sys
from typing import Annotated

import typer
from rich.logging import RichHandler

from acquire.commands import (
    aligning,
    data,
    exporting,
    gait,
    hand,
    importing,
    laboratory,
    measuring,
    people,
    planning,
    recording,
    running,
    telling,
)
from acquire.commands.console import ERRORS, is_usage, stderr

app = typer.Typer(
    name="kinemuse",
    help="Runs a gait laboratory's recording session, up to the K2MUSE subject file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    running.demo,
    laboratory.lab,
    laboratory.stream,
    laboratory.streams,
    hand.hand,
    measuring.capture,
    measuring.measure,
    recording.record,
    planning.plan,
    running.run,
    telling.tell,
    running.gui,
    aligning.align,
    recording.check,
    recording.recover,
    data.build,
    gait.gait,
    data.report,
    people.participants,
    data.bench,
):
    app.command()(command)
app.command("import")(importing.import_files)
app.add_typer(exporting.export, name="export")


@app.callback()
def options(
    *, verbose: Annotated[bool, typer.Option("--verbose", "-v")] = False
) -> None:
    """Options of every command."""
    handler = RichHandler(console=stderr, show_path=False)
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler])
    logging.getLogger("kinemuse").setLevel(level)


def main() -> None:
    """Run the command line; known errors become one clear message.

    A termination unwinds like an interrupt, so that twins and adapters end too.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app()
    except ERRORS as error:
        stderr.print(f"[bold red]error:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(2 if is_usage(error) else 1)
