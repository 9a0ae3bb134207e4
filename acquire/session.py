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
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acquire.archive import archive_take
from acquire.control import ControlClient, ControlError, ControlServer
from acquire.engine import LabEngine, Take, capture_name
from acquire.event_stream import EVENTS, EventStream
from acquire.findings import Finding
from acquire.lsl import local_clock
from acquire.preflight import device_findings, disk_findings
from acquire.session_devices import children, wait_for_devices
from acquire.session_folder import SessionFolder
from acquire.session_plan import SessionError, SessionPlan
from acquire.storage.journal import Journal, read_journal
from acquire.storage.layout import claim_dataset
from acquire.supervise import ChildStatus, Supervisor
from devices.sim.lab import LabClient
from devices.vicon.capture import CaptureSender
from protocols.runner import Runner
from protocols.schema import parse_protocol
from protocols.states import Question, Snapshot, State

log = logging.getLogger("kinemuse.session")

TICK_S = 0.03
OVER = tuple(state for state in State if state.is_over)
AUTO_REPEATS = 2  #: so often a failing trial is tried again without an operator


class Session:
    """A session, as a context manager; see the module's text for the order."""

    def __init__(self, plan: SessionPlan) -> None:
        self._plan, self._rig = plan, plan.rig
        self._protocol = parse_protocol(plan.protocol_text, source=plan.protocol_source)
        _refuse_second(plan.runtime_dir)
        claim_dataset(plan.dataset, simulated=plan.rig.simulated)
        self.folder = SessionFolder(plan, self._protocol.name)
        self.takes: list[Take] = []
        self._repeats: Counter[str] = Counter()
        self._lab = LabClient(plan.lab_address) if plan.lab_address else None
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
        try:
            streams = wait_for_devices(self._rig, self._plan.runtime_dir)
            self._start_engine({EVENTS.name: self._events.source_id} | streams)
        except BaseException:
            self._stop_processes()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._come_to_rest()
            self._engine.close()  # the last take's events come before the end
            self._publish("session_end", {})
        finally:
            self._control.close()
            self._stop_processes()

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
        self._events.close()
        self._journal.close()
        if self._lab:
            self._lab.close()

    def _start_engine(self, streams: Mapping[str, str]) -> None:
        rig, plan = self._rig, self._plan
        required = {name: streams.get(name, "") for name in rig.streams or streams}
        sender = (
            CaptureSender.of(rig.devices[rig.capture].settings) if rig.capture else None
        )
        left_high = trial_left_high(self.folder.journal)
        if sender and left_high:  # the process that raised the line was killed
            sender.stop(capture_name(plan.participant, left_high))
            self._publish("trial_stop", {"trial": left_high})
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
            on_take=self._archive,
        )
        self._engine.start()
        self.runner = Runner(
            self._protocol,
            self._engine,
            now=time.monotonic,
            already_done=accepted_trials(self.folder.journal),
        )
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
            self._start()
        shown: tuple[object, ...] = ()
        while True:
            snapshot = self.runner.snapshot()
            what = (snapshot.state, snapshot.trial, snapshot.question)
            if what != shown:
                shown = what
                self._plan.on_change(snapshot)
                self._play_participant(snapshot)
            if snapshot.state.is_over or self._closed:
                return snapshot
            if self._plan.auto and snapshot.question:
                self._answer_by_itself(snapshot.question)
            self.runner.tick()
            self._engine.runner_ticked()
            time.sleep(TICK_S)

    def _answer_by_itself(self, question: Question) -> None:
        """Take the first answer; skip a trial that was repeated often enough."""
        answer = question.answers[0]
        if answer == "repeat":
            name = str(self.runner.snapshot().trial)
            self._repeats[name] += 1
            if self._repeats[name] > AUTO_REPEATS:
                answer = "skip"
        self.runner.answer(question.id, answer)

    def wait_until_closed(self) -> None:
        """Go on answering until somebody asks for the end."""
        while not self._closed:
            time.sleep(TICK_S)

    def _start(self) -> None:
        self._engine.take_charge()
        self._engine.runner_ticked()
        self.runner.start()

    def _play_participant(self, snapshot: Snapshot) -> None:
        """In the virtual lab, turn round when the operator is asked to see to it."""
        if self._lab and snapshot.trial and snapshot.state is State.CONFIRMING_FACING:
            reversed_facing = snapshot.trial.reversed_facing
            self._lab.append("facing", {"reversed": reversed_facing})

    # ---- what others ask ------------------------------------------------------

    def _verbs(self) -> dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
        def done(act: Callable[[], None]) -> dict[str, Any]:
            act()
            return self.snapshot()

        return {
            "snapshot": lambda _: self.snapshot(),
            "start": lambda _: done(self._start),
            "pause": lambda _: done(self.runner.pause),
            "resume": lambda _: done(self.runner.resume),
            "abort": lambda a: done(
                lambda: self.runner.abort(str(a.get("reason", "the operator")))
            ),
            "answer": lambda a: done(
                lambda: self.runner.answer(int(a["prompt_id"]), str(a["value"]))
            ),
            "note": lambda a: done(
                lambda: self._publish("note", {"text": str(a["text"])})
            ),
            "shutdown": lambda _: done(self._shut_down),
        }

    def snapshot(self) -> dict[str, Any]:
        """Everything a window shows, as JSON-able values."""
        now = self.runner.snapshot()
        treadmill = self._engine.treadmill()
        recording = self._engine.recording()
        return {
            "state": str(now.state),
            "simulated": self._rig.simulated,
            "protocol": now.protocol,
            "participant": self._plan.participant,
            "session": self.folder.name,
            "trial": now.trial.name if now.trial else None,
            "n_done": now.n_done,
            "n_trials": now.n_trials,
            "time_in_state_s": now.time_in_state_s,
            "time_left_s": now.time_left_s,
            "message": now.message,
            "prompts": [asdict(now.question)] if now.question else [],
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

    def _archive(self, take: Take) -> None:
        self.takes.append(take)
        archive_take(take.key, self._plan.dataset, self.folder.path, facing=take.facing)

    def _restarted(self, status: ChildStatus) -> None:
        facts = {"process": status.name, "last_exit": status.last_exit}
        self._publish("process_restarted", facts)


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


def accepted_trials(journal: Path) -> set[str]:
    """Names of the trials whose last verdict in this journal was yes."""
    accepted: set[str] = set()
    for line in read_journal(journal):
        if line.get("event") == "verdict" and "trial_name" in line:
            name = str(line["trial_name"])
            (accepted.add if line.get("accepted") else accepted.discard)(name)
    return accepted


def trial_left_high(journal: Path) -> str | None:
    """Name the trial whose start raised the trigger line, if nothing lowered it."""
    left: str | None = None
    for line in read_journal(journal):
        event = line.get("event")
        if event == "trial_start" or (
            event == "state" and line.get("state") == "recording"
        ):
            left = str(line.get("trial"))
        elif event == "trial_stop":
            left = None
    return left
