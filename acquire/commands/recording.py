"""Commands about recordings: record, recover, check."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
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


def record(
    out: Annotated[
        Path,
        typer.Option(help="XDF file, never overwritten; a folder with --remote."),
    ],
    stream: Annotated[
        list[str] | None,
        typer.Option(help="Name or XPath predicate; repeatable. Default: all."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Length, s. Default: until Ctrl-C.")
    ] = None,
    session_id: Annotated[str, typer.Option(help="LSL session.")] = "kinemuse",
    scope: Annotated[str, typer.Option(help="machine, link or site.")] = "machine",
    override_reason: Annotated[
        str, typer.Option(help="Record although something is missing; why, in words.")
    ] = "",
    roll_mb: Annotated[
        float | None,
        typer.Option(
            min=1.0, help="Go on in another file when one is longer than that, MB."
        ),
    ] = None,
    *,
    remote: Annotated[
        bool, typer.Option("--remote", help="Obey LabRecorder's remote commands.")
    ] = False,
    remote_port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port of --remote; 0: a free one.")
    ] = 22345,
    remote_host: Annotated[
        str, typer.Option(help="Address to listen on; beyond loopback with a token.")
    ] = "127.0.0.1",
    remote_token: Annotated[
        str,
        typer.Option(
            envvar="KINEMUSE_REMOTE_TOKEN", help="What other computers must send first."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Record any LSL streams into an XDF file, now or when a remote control says so."""
    from acquire.recorder.memory import keep_memory_together

    keep_memory_together()
    if remote:
        if seconds is not None or override_reason:
            raise typer.BadParameter(
                "--seconds and --override-reason are for a recording that starts now; "
                "with --remote, stop and start {override:reason} say so"
            )
        _remote(
            out, stream or (), remote_host, remote_port, remote_token, session_id, scope
        )
        return
    from acquire.recorder.adhoc import record as record_streams

    with stderr.status("looking for streams") as status:
        result = record_streams(
            out,
            stream or (),
            seconds,
            session_id,
            lambda seen: status.update(_progress(seen)),
            scope=scope,
            override_reason=override_reason,
            roll_bytes=1e6 * roll_mb if roll_mb else math.inf,
        )
    if as_json:
        facts = {"seconds": result.seconds, "bytes": result.n_bytes}
        print_json(
            {
                "path": str(result.path),
                "paths": [str(path) for path in result.paths],
                "verified": result.verified,
                "problems": list(result.problems),
                "warnings": list(result.warnings),
                "streams": list(result.streams),
                **facts,
            }
        )
    else:
        rows = [(s["name"], s["n_samples"], s["n_lost"]) for s in result.streams]
        title = ", ".join(map(str, result.paths))
        print_table(title, ["stream", "samples", "lost"], rows)
        for problem in result.problems:
            stdout.print(f"[red]problem[/] {problem}", highlight=False)
        for warning in result.warnings:
            stdout.print(f"[yellow]warning[/] {warning}", highlight=False)
    raise typer.Exit(0 if result.verified and not result.problems else 1)


def _remote(
    out: Path,
    allowed: Sequence[str],
    host: str,
    port: int,
    token: str,
    session_id: str,
    scope: str,
) -> None:
    from acquire.recorder.remote.run import run_remote

    with stderr.status("looking for streams") as status:
        run_remote(
            out,
            allowed,
            host=host,
            port=port,
            token=token,
            session_id=session_id,
            scope=scope,
            on_listening=lambda at: stdout.print(
                f"listening on {host}:{at}; Ctrl-C ends it.", highlight=False
            ),
            progress=lambda seen: status.update(_progress(seen)),
        )


def _progress(seen: Mapping[str, Any]) -> str:
    """Say in one line how a recording goes, from `Recorder.snapshot`."""
    minutes = seen["disk_minutes_left"]
    parts = [
        str(seen["state"]),
        f"{seen['elapsed_s']:.0f} s",
        f"{seen['bytes'] / 1e6:.1f} MB",
        f"{len(seen['streams'])} streams",
        f"{sum(stream['n_lost'] or 0 for stream in seen['streams'])} lost",
    ]
    if minutes is not None:
        parts.append(f"{minutes:.0f} min of disk left")
    return "  ".join([*parts, *seen["problems"][:1]])


def recover(
    path: Annotated[Path, typer.Argument(help="Dataset, folder or XDF file.")],
    *,
    as_json: Json = False,
) -> None:
    """Make trial archives of interrupted recordings, marked incomplete."""
    from acquire.storage.recover import recover as recover_all

    found = recover_all(path)
    if as_json:
        print_json([item.to_json() for item in found])
    elif not found:
        stdout.print("nothing to recover")
    for item in () if as_json else found:
        stdout.print(item.describe(), highlight=False, soft_wrap=True)
    raise typer.Exit(int(any(item.failed for item in found)))


def check(
    path: Annotated[
        Path | None,
        typer.Argument(help="Recording, trial, subject file, dataset or export."),
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="Names of people, one a line, that must not occur."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the findings as a page too.")
    ] = None,
    *,
    codes: Annotated[
        bool, typer.Option("--codes", help="List all codes and what to do; no check.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Validate a recording, a trial archive, a subject file or a dataset.

    Findings are coded; errors make the exit status 1. Nothing is changed.
    """
    if codes:
        _list_codes(as_json=as_json)
        return
    if path is None:
        raise typer.BadParameter("say what to check, or ask for --codes")
    from acquire.dataset.check import check_path
    from acquire.dataset.checks.page import write_findings_page
    from acquire.dataset.checks.watch import Watch

    with stderr.status("checking") as status:
        found = check_path(path, Watch.here(names), status.update)
    if html is not None:
        write_findings_page(html, path.resolve().name, found)
    failed = print_findings(found, as_json=as_json)
    if not failed and not as_json:
        stdout.print("no error found")
    raise typer.Exit(failed)


def _list_codes(*, as_json: bool) -> None:
    from acquire.dataset.checks.codes import codes

    if as_json:
        print_json([asdict(code) for code in codes().values()])
        return
    rows = [(c.name, c.severity, f"{c.meaning} {c.remedy}") for c in codes().values()]
    print_table("codes of kinemuse check", ("code", "severity", "meaning"), rows)
