"""Commands that run a session: demo, plan, run, gui."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from acquire.commands.console import print_findings, print_json, print_table, stdout
from acquire.commands.laboratory import Json, Rig
from acquire.commands.progress import SessionProgress
from acquire.rig import VIRTUAL_LAB, RigConfig, load_rig
from acquire.session import Session
from acquire.session_plan import SessionPlan
from acquire.virtual_lab import VirtualLab
from protocols.schema import load_protocol, protocol_text
from protocols.timeline import plan as dry_run

Dataset = Annotated[Path, typer.Option(help="Dataset folder; made when missing.")]
Participant = Annotated[str, typer.Option(help="Pseudonym, such as P43.")]
ProtocolName = Annotated[str, typer.Argument(help="Library name, or a YAML file.")]


def demo(
    out: Annotated[
        Path | None, typer.Option(help="New folder; default: demo-dataset-<n>.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials per mode.")] = 1,
    seconds: Annotated[float, typer.Option(min=6, help="Length of a trial, s.")] = 10.0,
    rig: Rig = VIRTUAL_LAB,
    *,
    as_json: Json = False,
) -> None:
    """Record a short session in the virtual lab, and compare it with the truth."""
    from acquire.demo import next_folder, run_demo

    with SessionProgress() as progress:
        result = run_demo(
            load_rig(rig),
            out or next_folder(Path()),
            n_trials=trials,
            record_s=seconds,
            progress=progress,
        )
    if as_json:
        print_json(result.to_json())
    else:
        for title, columns, rows in result.tables():
            print_table(title, columns, rows)
        stdout.print(f"report: {result.report}", soft_wrap=True, highlight=False)
        stdout.print(f"subject file: {result.subject_file}", soft_wrap=True)
    raise typer.Exit(0 if result.ok else 1)


def plan(
    protocol: ProtocolName, rig: Rig = VIRTUAL_LAB, *, as_json: Json = False
) -> None:
    """Expand a protocol to its timeline, without any device."""
    loaded, definition = load_rig(rig), load_protocol(protocol)
    limits = _limits(loaded)
    rows = dry_run(
        definition,
        deck_rate_dps=None,
        max_speed_mps=limits.get("max_speed_mps"),
        max_incline_deg=limits.get("max_incline_deg"),
    )
    warnings = [f"{row.what}: {text}" for row in rows for text in row.warnings]
    if as_json:
        print_json({"rows": [_row_json(row) for row in rows], "warnings": warnings})
        return
    columns = ["t (s)", "what", "for (s)", "belts (m/s)", "deck (°)", "walked (m)"]
    shown = [
        (r.t_s, r.what, r.duration_s, r.speed_mps, r.incline_deg, r.distance_m)
        for r in rows
    ]
    print_table(definition.title, columns, shown)
    total_s = rows[-1].t_s + (rows[-1].duration_s or 0.0)
    walked_m = sum(row.distance_m for row in rows)
    stdout.print(
        f"{total_s / 60:.1f} min and {walked_m:.0f} m, plus what the operator takes"
    )
    for text in warnings:
        stdout.print(f"[yellow]note[/] {text}", highlight=False)


def run(
    protocol: ProtocolName,
    dataset: Dataset,
    participant: Participant,
    rig: Rig = VIRTUAL_LAB,
    *,
    auto: Annotated[
        bool, typer.Option("--auto", help="Answer prompts (virtual lab only).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a protocol without a window."""
    from acquire import lsl
    from acquire.paths import runtime_dir

    loaded = load_rig(rig)
    text = protocol_text(protocol)
    lsl.configure(loaded.lsl.session_id, loaded.lsl.scope)
    with Laboratory(loaded) as laboratory, SessionProgress() as progress:
        plan_ = SessionPlan(
            rig=laboratory.rig,
            protocol_text=text,
            protocol_source=protocol,
            dataset=dataset,
            participant=participant,
            runtime_dir=runtime_dir(loaded.lsl.session_id),
            auto=auto,
            lab_address=laboratory.lab_address,
            on_change=progress.show,
        )
        with Session(plan_) as session:
            if print_findings(session.preflight(), as_json=False):
                raise typer.Exit(1)
            progress.ask = None if auto else session.runner.answer
            ended = session.run()
    if as_json:
        takes = [str(take.path) for take in session.takes]
        print_json(
            {"state": str(ended.state), "message": ended.message, "takes": takes}
        )
    else:
        stdout.print(f"{ended.state}: {ended.message}")
    raise typer.Exit(0 if ended.state == "finished" else 1)


def gui(
    rig: Rig = VIRTUAL_LAB,
    dataset: Annotated[
        Path | None, typer.Option(help="Dataset folder; virtual lab: a temporary one.")
    ] = None,
    participant: Participant = "P43",
    protocol: Annotated[str, typer.Option(help="Library name, or a file.")] = "demo",
) -> None:
    """Open the operator's window (on the virtual lab unless told otherwise)."""
    from acquire.window_session import open_window

    loaded = load_rig(rig)
    if dataset is None and not loaded.simulated:
        raise typer.BadParameter("a real laboratory needs --dataset")
    folder = dataset or Path(tempfile.mkdtemp(prefix="kinemuse-virtual-"))
    raise typer.Exit(open_window(loaded, folder, participant, protocol))


class Laboratory:
    """The twins of a virtual rig on free ports; nothing at all for a real one."""

    def __init__(self, rig: RigConfig) -> None:
        self.rig = rig
        self.lab_address: str | None = None
        self._virtual = VirtualLab(rig, free_ports=True) if rig.simulated else None

    def __enter__(self) -> "Laboratory":
        if self._virtual:
            self.rig = self._virtual.start()
            self.lab_address = self._virtual.addresses["lab"]
        return self

    def __exit__(self, *_: object) -> None:
        if self._virtual:
            self._virtual.stop()


def _limits(rig: RigConfig) -> dict[str, float]:
    if rig.treadmill is None:
        return {}
    limits = getattr(rig.devices[rig.treadmill].settings, "limits", None)
    return limits.model_dump() if limits is not None else {}


def _row_json(row: object) -> dict[str, object]:
    from dataclasses import asdict, is_dataclass

    if not is_dataclass(row) or isinstance(row, type):
        raise TypeError(type(row))
    return asdict(row)
