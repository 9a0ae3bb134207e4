"""Commands that run a session: demo, run, gui."""

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from acquire.commands.console import print_findings, print_json, print_table, stdout
from acquire.commands.laboratory import Json, Rig
from acquire.commands.progress import SessionProgress
from acquire.findings import worst
from acquire.hands import Hands, lab_that_runs
from acquire.paths import runtime_dir
from acquire.rig import VIRTUAL_LAB, RigConfig, load_rig
from acquire.session_plan import SessionPlan
from acquire.virtual_lab import VirtualLab
from protocols.overrides import overridden
from protocols.schema import parse_protocol, protocol_text

Dataset = Annotated[Path, typer.Option(help="Dataset folder; made when missing.")]
Participant = Annotated[str, typer.Option(help="Pseudonym, such as P43.")]
MostTrials = Annotated[
    int | None, typer.Option("--trials", min=1, help="At most so many of each kind.")
]
TrialSeconds = Annotated[
    float | None, typer.Option(min=2, help="Length of every trial, s.")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Setting as key=value; repeatable.")
]
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


def run(
    protocol: ProtocolName,
    dataset: Dataset,
    participant: Participant,
    rig: Rig = VIRTUAL_LAB,
    *,
    auto: Annotated[
        bool, typer.Option("--auto", help="Answer prompts (virtual lab only).")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a session that was aborted.")
    ] = False,
    trials: MostTrials = None,
    trial_seconds: TrialSeconds = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Run a protocol without a window; a session that was cut off goes on.

    The other values of --trials, --trial-seconds and --set are for rehearsals: they
    stand in the session's protocol.yaml, and going on needs the same ones.
    """
    from acquire import lsl
    from acquire.session import Session

    loaded = load_rig(rig)
    text = effective_text(protocol, trials, trial_seconds, settings)
    lsl.configure(loaded.lsl.session_id, loaded.lsl.scope)
    with Laboratory(loaded) as laboratory, SessionProgress() as progress:
        if laboratory.lab_address:
            progress.say(f"virtual lab at {laboratory.lab_address}")
        plan_ = SessionPlan(
            rig=laboratory.rig,
            protocol_text=text,
            protocol_source=protocol,
            dataset=dataset,
            participant=participant,
            runtime_dir=runtime_dir(loaded.lsl.session_id),
            auto=auto,
            resume=resume,
            lab_address=laboratory.lab_address,
            on_change=progress.show,
        )
        with Session(plan_) as session:
            found = session.preflight()
            if print_findings(() if as_json else found, as_json=False):
                raise typer.Exit(1)
            if as_json and worst(found) == "error":
                print_json(
                    {"state": "refused", "findings": [f.to_json() for f in found]}
                )
                raise typer.Exit(1)
            progress.ask = None if auto else session.runner.answer
            ended = session.run()
    if as_json:
        takes = [str(take.path) for take in session.takes]
        print_json(
            {
                "state": str(ended.state),
                "message": ended.message,
                "takes": takes,
                "findings": [finding.to_json() for finding in found],
            }
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


def effective_text(
    protocol: str,
    trials: int | None,
    trial_seconds: float | None,
    settings: list[str] | None,
) -> str:
    """Return the protocol's own text, or that of a copy with other values."""
    text = protocol_text(protocol)
    if trials is None and trial_seconds is None and not settings:
        return text
    definition = parse_protocol(text, source=protocol)
    return overridden(
        definition,
        most_trials=trials,
        record_s=trial_seconds,
        settings=settings or (),
    ).to_yaml()


class Laboratory:
    """The twins of a virtual rig; nothing at all for a real one.

    Those of a `kinemuse lab` of the same rig that runs, else twins of its own on free
    ports, which end with it.
    """

    def __init__(self, rig: RigConfig) -> None:
        self.rig = rig
        self.lab_address: str | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> "Laboratory":
        if self.rig.simulated:
            runtime = runtime_dir(self.rig.lsl.session_id)
            self.lab_address = lab_that_runs(self.rig, runtime)
            if self.lab_address:
                return self
            lab = self._open.enter_context(VirtualLab(self.rig, free_ports=True))
            self._open.enter_context(Hands(lab, runtime))
            self.rig, self.lab_address = lab.rig, lab.addresses["lab"]
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
