"""The command that aligns recordings and reports how well."""

from pathlib import Path
from typing import Annotated, Any

import typer

from acquire.commands.console import print_json, print_table, stderr, stdout
from acquire.commands.laboratory import Json

CLOCK_COLUMNS = (
    *("stream", "status", "by", "skew ppm", "edges", "missed", "extra"),
    *("residual ms", "± ms start, middle, end", "runs"),
)
CHECK_COLUMNS = (
    *("stream", "fit of", "losses", "latency", "heel strikes", "pyxdf Δ ms"),
)


def align(
    files: Annotated[
        list[Path], typer.Argument(help="XDF files, trial archives, or folders.")
    ],
    plot: Annotated[
        Path | None, typer.Option(help="Folder for one picture per file.")
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Align each file by itself.")
    ] = False,
    reference: Annotated[
        str, typer.Option(help="Stream whose clock counts; default: Vicon.")
    ] = "",
    trigger: Annotated[
        list[str] | None,
        typer.Option(help="STREAM=CHANNEL that shows the trigger line; repeatable."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Fit every stream's clock to the trigger edges, and say how sure it is."""
    from acquire.align.cross_check import cross_check
    from acquire.align.files import AlignOptions, align_files, recordings_in
    from acquire.align.plot import save_figure

    options = AlignOptions(reference, _triggers(trigger or ()), alone)
    paths = recordings_in(files)
    failed, reports = False, {}
    with stderr.status("aligning") as status:
        for path, found in align_files(paths, options):
            status.update(f"aligned {path.name}")
            other = cross_check(path, found)
            reports[str(path)] = {**found.to_json(), "pyxdf": other.to_json()}
            failed |= found.status == "failed"
            if not as_json:
                _print(path, found, other)
            if plot:
                plot.mkdir(parents=True, exist_ok=True)
                save_figure(found, _picture(plot, path, paths), path.name)
    if as_json:
        print_json(reports)
    raise typer.Exit(int(failed))


def _triggers(given: list[str] | tuple[()]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for text, (stream, _, channel) in zip(given, pairs, strict=True):
        if not (stream and channel):
            raise typer.BadParameter(f"--trigger {text!r}: expected STREAM=CHANNEL")
    return {stream: channel for stream, _, channel in pairs}


def _picture(folder: Path, path: Path, paths: list[Path]) -> Path:
    """Name a file's picture; with the folders of the file where names repeat."""
    if sum(other.stem == path.stem for other in paths) == 1:
        return folder / f"{path.stem}.png"
    return folder / f"{'_'.join([*path.parts[-4:-1], path.stem])}.png"


def _print(path: Path, alignment: Any, other: Any) -> None:  # noqa: ANN401
    """Print two tables per file, and below them the reasons of what is unsure."""
    rows = alignment.table()
    clocks = [
        (
            *(row["stream"], row["status"], row["method"]),
            _with_width(row["skew_ppm"], row["skew_half_width_ppm"]),
            *(row["matched"], row["missed"], row["extra"], row["residual_max_ms"]),
            _ends(row),
            row["segments"],
        )
        for row in rows
    ]
    checks = [
        (
            *(row["stream"], row["fit_of"], row["completeness"]),
            f"{row['edge_delay_ms']:g} ms, {row['latency_source']}",
            row["strikes"] or "-",
            other.words(row["stream"]),
        )
        for row in rows
    ]
    print_table(f"{path}: {alignment.status}", CLOCK_COLUMNS, clocks)
    print_table("", CHECK_COLUMNS, checks)
    for name, clock in alignment.streams.items():
        if clock.reasons:
            said = f"{name}: {'; '.join(dict.fromkeys(clock.reasons))}"
            stdout.print(said, highlight=False, soft_wrap=True)
    for reason in alignment.reasons:
        stdout.print(reason, highlight=False, soft_wrap=True)


def _ends(row: dict[str, Any]) -> str:
    """Return the half-widths at the first, the middle and the last sample."""
    widths = [row[f"half_width_{at}_ms"] for at in ("start", "middle", "end")]
    return ", ".join("-" if width is None else f"{width:.3g}" for width in widths)


def _with_width(value: float | None, half_width: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:+.1f} ± {half_width:.1f}" if half_width else f"{value:+.1f}"
