"""How commands print, and which errors are an operator's to read."""

import json
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from acquire.control import ControlError
from acquire.findings import Finding, in_order
from acquire.rig import RigError
from acquire.session_plan import SessionError
from acquire.virtual_lab import VirtualLabError
from devices.errors import DeviceError
from protocols.errors import ProtocolError, ProtocolFileError

PLAIN_WIDTH = 120  #: of tables that go to a file or another program

stdout = Console()
stderr = Console(stderr=True)
if not stdout.is_terminal:
    stdout.width = PLAIN_WIDTH

ERRORS = (
    RigError,
    ProtocolError,
    SessionError,
    VirtualLabError,
    ControlError,
    DeviceError,
    OSError,
    ValueError,
)
"""What reaches the operator as one line; anything else is a defect and shows where."""


def is_usage(error: BaseException) -> bool:
    """Whether a command was asked for wrongly, rather than having failed."""
    wrong = (RigError, ProtocolFileError, FileExistsError, FileNotFoundError)
    return isinstance(error, wrong) or (
        isinstance(error, ValueError) and not isinstance(error, DeviceError | OSError)
    )


def print_json(value: object) -> None:
    """Print a value as JSON, for programs."""
    stdout.print_json(json.dumps(value, default=str))


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Print rows under a title; numbers are aligned right."""
    filled = [list(row) for row in rows]
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for number, column in enumerate(columns):
        values = [row[number] for row in filled]
        numeric = all(isinstance(value, int | float | None) for value in values)
        table.add_column(column, justify="right" if numeric else "left")
    for row in filled:
        table.add_row(*(_text(value) for value in row))
    stdout.print(table)


def print_findings(findings: Iterable[Finding], *, as_json: bool) -> int:
    """Print coded findings; return the exit status, 1 where one is an error."""
    found = in_order(findings)
    if as_json:
        print_json([item.to_json() for item in found])
    for item in () if as_json else found:
        colour = {"error": "red", "warning": "yellow"}.get(item.severity, "cyan")
        stdout.print(
            f"[{colour}]{item.severity:7}[/] {item.code}  {item.where}: {item.message}",
            highlight=False,
            soft_wrap=True,
        )
    return int(any(item.severity == "error" for item in found))


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
