"""One visit of one participant: folder, processes, runner, and the record of it all.

```
with Session(...) as session:      folder made, processes started, streams seen
    session.preflight()            findings; an error among them refuses the run
    session.run()                  ticks the runner until it is over
```
The session's own control server is called ``session``; a window shows what it answers
and sends the operator's wishes. Device processes and the recorder are children here,
and can be killed and started again without this process.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acquire.archiver import ArchiveError, Archiver
from acquire.autopilot import Autopilot, Participant
from acquire.capture import capture_of
from acquire.control import ControlClient, ControlError, ControlServer
from acquire.engine import LabEngine, capture_name
from acquire.event_stream import EVENTS, EventStream
from acquire.findings import Finding
from acquire.lsl import local_clock
from acquire.preflight import device_findings, disk_findings
from acquire.session_devices import children, wait_for_devices, wait_for_others
from acquire.session_folder import SessionFolder, verified_takes
from acquire.session_plan import SessionError, SessionPlan
from acquire.start_gate import GATE_QUESTION, StartGate
from acquire.storage.journal import Journal, read_journal
from acquire.storage.layout import claim_dataset
from acquire.storage.recover import recover
from acquire.supervise import ChildStatus, Supervisor
from acquire.take_recorder import Take
from protocols.replay import replay
from protocols.runner import Runner
from protocols.schema import parse_protocol
from protocols.states import Snapshot, State

log = logging.getLogger("kinemuse.session")

TICK_S = 0.03
OVER = tuple(state for state in State if state.is_over)


class Session:
    """A session, as a context manager; see the module's text for the order."""

    def __init__(self, plan: SessionPlan) -> None:
        self._plan, self._rig = plan, plan.rig
        self._protocol = parse_protocol(plan.protocol_text, source=plan.protocol_source)
        _refuse_second(plan.runtime_dir)
        wait_for_others(plan.rig.devices, plan.runtime_dir)
        claim_dataset(plan.dataset, simulated=plan.rig.simulated)
        self.folder = SessionFolder(plan, self._protocol.name)
        self.takes: list[Take] = []
        self._participant = Participant(plan.lab_address)
        self._lock = threading.Lock()
        self._closed = False

    # ---- life -----------------------------------------------------------------

    def __enter__(self) -> "Session":
        self.folder.write()
        self._events = EventStream(self._rig)
        self._journal = Journal(self.folder.journal, clock=local_clock)
        begins = "session_resume" if self.folder.resumes else "session_start"
        self._publish(begins, {"protocol": self._protocol.name})
        self._supervisor = Supervisor(
            children(self._plan, self.folder.name, self.folder.rig_file),
            self._plan.runtime_dir / "log",
            on_restart=self._restarted,
        )
        self._supervisor.start()
        self._archiver = Archiver(self._plan.runtime_dir / "log" / "archiver.log")
        self._archiver.start()
        try:
            streams = wait_for_devices(self._rig, self._plan.runtime_dir)
            self._recover()
            self._start_engine({EVENTS.name: self._events.source_id} | streams)
        except BaseException:
            self._stop_processes()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._come_to_rest()
            self._engine.close()  # the last take's events come before the end
            if not self._still_cut_off:
                self._publish("session_end", {})
        finally:
            self._control.close()
            self._stop_processes()

    @property
    def _still_cut_off(self) -> bool:
        """Whether this run was to go on with another one, and never began."""
        return self.folder.resumes and self.runner.snapshot().state is State.IDLE

    def _come_to_rest(self) -> None:
        """Leave no belt running, however the session ends."""
        if self.runner.snapshot().state in (State.IDLE, *OVER):
            return
        self.runner.abort("the session ended")
        while not self.runner.snapshot().state.is_over:
            self._engine.runner_ticked()
            self.runner.tick()
            time.sleep(TICK_S)

    def _stop_processes(self) -> None:
        self._supervisor.stop()
        self._archiver.close()
        self._events.close()
        self._journal.close()
        self._participant.close()

    def _recover(self) -> None:
        """Archive what a run that was cut off had recorded, whole or in part."""
        if not self.folder.resumes:
            return
        dataset = self._plan.dataset
        for key, facing in verified_takes(self.folder.journal).items():
            path = key.xdf(dataset)
            if not path.is_file() or key.h5(dataset).exists():
                continue
            try:
                self._archive(Take(key, path, "verified", (), facing))
            except ArchiveError as error:
                facts = {**key.attributes(), "reason": str(error)}
                self._publish("archive_failed", facts)
        for found in recover(self.folder.path):
            self._publish("recovered", found.to_json())

    def _start_engine(self, streams: Mapping[str, str]) -> None:
        rig, plan = self._rig, self._plan
        required = {name: streams.get(name, "") for name in rig.streams or streams}
        sender = capture_of(rig, plan.runtime_dir)
        progress = replay(read_journal(self.folder.journal))
        if sender and progress.line_high:  # the process that raised it was killed
            sender.stop(capture_name(plan.participant, progress.line_high))
            self._publish("trial_stop", {"trial": progress.line_high})
        self._engine = LabEngine(
            dataset=plan.dataset,
            participant=plan.participant,
            session=self.folder.name,
            runtime_dir=plan.runtime_dir,
            treadmill=rig.treadmill,
            capture=sender,
            required_streams=required,
            optional_streams=[
                "kinemuse-quality",
                *(f"{name}-notices" for name in rig.devices),
            ],
            publish=self._publish,
            note=self._note,
            on_take=self._archive,
        )
        self._engine.start()
        if progress.unjudged:
            self._engine.adopt(progress.unjudged)
        self.runner = Runner(
            self._protocol,
            self._engine,
            now=time.monotonic,
            participant=plan.participant,
            progress=progress,
        )
        self._autopilot = Autopilot(self.runner)
        self._gate = StartGate(self.preflight, self._begin, self._publish)
        self._control = ControlServer("session", self._verbs(), plan.runtime_dir)
        self._control.start()

    # ---- running --------------------------------------------------------------

    def preflight(self) -> list[Finding]:
        """Check everything that can be checked before a person walks."""
        found = disk_findings(self._plan.dataset)
        for name in self._rig.devices:
            client = ControlClient(name, self._plan.runtime_dir)
            found += device_findings(name, client)
            client.close()
        for finding in found:
            self._publish("preflight", asdict(finding))
        return found

    def run(self, *, start: bool = True) -> Snapshot:
        """Tick the runner until it is over; return its last snapshot.

        With `start` false the run begins when a window asks for it.
        """
        if start:
            self._begin()
        shown: tuple[object, ...] = ()
        while True:
            snapshot = self.runner.snapshot()
            what = (snapshot.state, snapshot.trial, snapshot.question)
            if what != shown:
                shown = what
                self._plan.on_change(snapshot)
                self._participant.follow(snapshot)
            if snapshot.state.is_over or self._closed:
                return snapshot
            if self._plan.auto and snapshot.question:
                self._autopilot.answer(snapshot.question)
            self.runner.tick()
            self._engine.runner_ticked()
            time.sleep(TICK_S)

    def wait_until_closed(self) -> None:
        """Go on answering until somebody asks for the end."""
        while not self._closed:
            time.sleep(TICK_S)

    def _begin(self) -> None:
        self._engine.take_charge()
        self._engine.runner_ticked()
        self.runner.start()

    # ---- what others ask ------------------------------------------------------

    def _verbs(self) -> dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
        def done(act: Callable[[], None]) -> dict[str, Any]:
            act()
            return self.snapshot()

        return {
            "snapshot": lambda _: self.snapshot(),
            "start": lambda a: done(lambda: self._start(str(a.get("reason") or ""))),
            "pause": lambda _: done(self.runner.pause),
            "resume": lambda _: done(self.runner.resume),
            "abort": lambda a: done(lambda: self.runner.abort(_reason(a))),
            "answer": lambda a: done(
                lambda: self._answer(int(a["prompt_id"]), str(a["value"]))
            ),
            "skip": lambda a: done(lambda: self.runner.skip(_reason(a))),
            "repeat": lambda a: done(lambda: self.runner.repeat(_reason(a))),
            "adverse_event": lambda a: done(
                lambda: self.runner.adverse_event(str(a["text"]))
            ),
            "override": lambda a: done(
                lambda: self._engine.override(str(a.get("reason", "")))
            ),
            "note": lambda a: done(
                lambda: self._publish("note", {"text": str(a["text"])})
            ),
            "shutdown": lambda _: done(self._shut_down),
        }

    def _start(self, reason: str) -> None:
        refusal = self.runner.snapshot().requests["start"].refusal
        if refusal:
            raise SessionError(refusal)
        self._gate.start(reason)

    def _answer(self, prompt_id: int, value: str) -> None:
        if prompt_id == GATE_QUESTION:
            self._gate.answer(value)
        else:
            self.runner.answer(prompt_id, value)

    def snapshot(self) -> dict[str, Any]:
        """Everything a window shows, as JSON-able values."""
        now = self.runner.snapshot()
        treadmill = self._engine.treadmill()
        recording = self._engine.recording()
        before = self._gate.question if now.state is State.IDLE else None
        questions = (before, now.question)
        return {
            "state": str(now.state),
            "simulated": self._rig.simulated,
            "protocol": now.protocol,
            "participant": self._plan.participant,
            "session": self.folder.name,
            "trial": now.trial.name if now.trial else None,
            "step": now.step,
            "take_problems": list(now.problems),
            "fatigue_percent": dict(now.fatigue),
            "n_done": now.n_done,
            "n_trials": now.n_trials,
            "time_in_state_s": now.time_in_state_s,
            "time_left_s": now.time_left_s,
            "message": now.message,
            "prompts": [asdict(each) for each in questions if each],
            "requests": {verb: asdict(each) for verb, each in now.requests.items()},
            "belts": asdict(treadmill),
            "recording": {
                "state": recording.state,
                "problems": list(recording.problems),
            },
            "processes": {
                name: asdict(status)
                for name, status in self._supervisor.status().items()
            },
        }

    def _shut_down(self) -> None:
        if not self.runner.snapshot().state.is_over:
            self.runner.abort("the session was ended")
        self._closed = True

    # ---- the record -----------------------------------------------------------

    def _publish(self, event: str, facts: Mapping[str, object]) -> None:
        """Journal an event (synced), then send it to LSL."""
        with self._lock:
            self._journal.append(event, **facts)
            self._events.send(event, facts)
        if event == "squats":
            self._participant.tire(float(str(facts.get("value", 0))))

    def _note(self, event: str, facts: Mapping[str, object]) -> None:
        """Journal what LSL has already, in the stream of a device's notices."""
        with self._lock:
            self._journal.append(event, **facts)

    def _archive(self, take: Take) -> None:
        self.takes.append(take)
        self._archiver.archive(
            take.key, self._plan.dataset, self.folder.path, facing=take.facing
        )

    def _restarted(self, status: ChildStatus) -> None:
        facts = {
            "process": status.name,
            "last_exit": status.last_exit,
            "n_restarts": status.n_restarts,
            "pause_s": status.pause_s,
        }
        self._publish("process_restarted", facts)


def _reason(arguments: Mapping[str, Any]) -> str:
    return str(arguments.get("reason") or "the operator")


def _refuse_second(runtime_dir: Path) -> None:
    """Raise when a session of this rig runs already: it owns devices and journal."""
    client = ControlClient("session", runtime_dir)
    try:
        client.request("ping", 1.0)
    except ControlError:
        return
    finally:
        client.close()
    raise SessionError(
        "a session of this rig runs already; end it first, or watch it with "
        "`kinemuse gui`"
    )
