"""The demonstration: a short session in the virtual lab, judged against the truth.

Everything up to the comparison is what a real session does; only that last step opens
the truth file.
"""

import itertools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from acquire import lsl
from acquire.dataset.build import build
from acquire.dataset.participants import add_participant
from acquire.dataset.report import write_report
from acquire.dataset.truth import Comparison, compare_with_truth
from acquire.derive import derive
from acquire.rig import RigConfig
from acquire.session import Session
from acquire.session_clocks import SessionClocks
from acquire.session_plan import SessionError, SessionPlan
from acquire.storage.layout import find_archives
from acquire.virtual_lab import VirtualLab
from protocols.schema import ProtocolDefinition, load_protocol
from protocols.states import Snapshot, State

PROTOCOL = "demo"
SILENT_DROP = "noraxon:drop:n=40,after=rise,at=3"
"""What the Noraxon twin loses without a word, once per trial: 20 ms of EMG."""

Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]


class Progress(Protocol):
    """Where the demonstration says what it is doing."""

    def say(self, text: str) -> None: ...
    def show(self, snapshot: Snapshot) -> None: ...


@dataclass(frozen=True)
class DemoResult:
    """What was recorded, and how far it is from the truth."""

    dataset: Path
    subject_file: Path
    report: Path
    comparison: Comparison | None
    """None where the truth file is gone; nothing else depends on it."""

    @property
    def ok(self) -> bool:
        """Whether everything recovered is within what is promised."""
        return self.comparison is not None and self.comparison.ok

    def tables(self) -> list[Table]:
        """Title, columns and rows of each table to print."""
        return list(self.comparison.tables()) if self.comparison else []

    def to_json(self) -> Mapping[str, object]:
        """Return the result as JSON-able values."""
        return {
            "ok": self.ok,
            "dataset": str(self.dataset),
            "subject_file": str(self.subject_file),
            "report": str(self.report),
            "comparison": self.comparison.to_json() if self.comparison else None,
        }


def next_folder(parent: Path) -> Path:
    """Return the first ``demo-dataset-<n>`` that is not there yet."""
    numbers = itertools.count(1)
    paths = (parent / f"demo-dataset-{number}" for number in numbers)
    return next(path for path in paths if not path.exists())


def run_demo(
    rig: RigConfig,
    out: Path,
    *,
    n_trials: int,
    record_s: float,
    progress: Progress,
    faults: Sequence[str] = (SILENT_DROP,),
) -> DemoResult:
    """Record, align, build and report in the new folder `out`.

    Raises
    ------
    FileExistsError
        `out` exists and is not empty.
    SessionError
        The run did not finish; the message says why.
    """
    if rig.lab is None:
        raise SessionError(f"rig {rig.name!r} is real; the demo is for the virtual lab")
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} exists and is not empty; choose another --out")
    session_id = f"demo-{secrets.token_hex(4)}"
    person = rig.lab.person
    rig = rig.model_copy(
        update={"lsl": rig.lsl.model_copy(update={"session_id": session_id})}
    )
    lsl.configure(session_id, rig.lsl.scope)
    truth = out / "truth.jsonl"
    out.mkdir(parents=True, exist_ok=True)
    progress.say("starting the virtual lab")
    with VirtualLab(rig, truth=truth, faults=faults, free_ports=True) as lab:
        add_participant(out, person.model_dump())
        _record(lab, out, _protocol(n_trials, record_s), progress)
    return finish(out, person.participant, truth, progress)


def finish(
    dataset: Path, participant: str, truth: Path, progress: Progress
) -> DemoResult:
    """Everything after the recording: clocks, subject file, report, comparison."""
    session = SessionClocks(progress.say)
    for path in find_archives(dataset, participant).values():
        progress.say(f"aligning {path.parent.parent.name} {path.stem}")
        derive(path, session)
    progress.say("building the subject file")
    built = build(dataset, participant, progress.say)
    comparison = None
    if truth.is_file():
        progress.say("comparing with the truth")
        comparison = compare_with_truth(dataset, participant, truth)
    progress.say("drawing the report")
    report = write_report(dataset, participant, truth=truth)
    return DemoResult(dataset, built.path, report, comparison)


def _protocol(n_trials: int, record_s: float) -> ProtocolDefinition:
    protocol = load_protocol(PROTOCOL).with_settings(record_s=record_s)
    steps = [step.model_dump() for step in protocol.steps]
    repeated = [s | {"repeat": n_trials} if s["type"] == "trials" else s for s in steps]
    return ProtocolDefinition.model_validate(
        protocol.model_dump() | {"steps": repeated}
    )


def _record(
    lab: VirtualLab, dataset: Path, protocol: ProtocolDefinition, progress: Progress
) -> None:
    if lab.rig.lab is None:
        raise SessionError("the virtual lab has no lab")
    plan = SessionPlan(
        rig=lab.rig,
        protocol_text=protocol.to_yaml(),
        protocol_source=PROTOCOL,
        dataset=dataset,
        participant=lab.rig.lab.person.participant,
        runtime_dir=dataset / ".runtime",
        auto=True,
        lab_address=lab.addresses["lab"],
        on_change=progress.show,
    )
    progress.say("starting adapters and recorder")
    with Session(plan) as session:
        errors = [f for f in session.preflight() if f.severity == "error"]
        if errors:
            raise SessionError("; ".join(f"{f.where}: {f.message}" for f in errors))
        ended = session.run()
    if ended.state is not State.FINISHED:
        raise SessionError(f"the run was {ended.state}: {ended.message}")
