"""Carries what the protocol runner asks for to treadmill, recorder and trigger line.

Calls return at once. What is slow (opening a file, verifying it) runs on a worker
thread, and its failure shows as a failed recording. What the treadmill and the recorder
report is polled on threads of their own; a report that is not fresh counts as unknown.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from acquire.control import ControlClient, ControlError, ControlRefusedError
from acquire.lab_view import findings_of, person_of, treadmill_of, triggers_of
from acquire.process_watch import FRESH_S, ProcessWatch
from acquire.storage import labels
from acquire.storage.layout import TrialKey, next_take
from acquire.visits import days_since
from protocols.engine import Person, QualityFinding, RecordingStatus, Treadmill
from protocols.timeline import TrialPlan

log = logging.getLogger("kinemuse.engine")

HEARTBEAT_S = 0.1
QUALITY_POLL_S = 0.25
QUALITY_FRESH_S = 2.0
SILENT_S = 5.0  #: a recorder that answers nothing for longer has failed
RUNNER_ALIVE_S = 0.3
COMMAND_TIMEOUT_S = 1.0
ARM_TIMEOUT_S = 15.0
FINISH_TIMEOUT_S = 20.0
ARCHIVE_TIMEOUT_S = 600.0  #: of the takes that wait when a session ends
JOURNALLED = (
    "disk_back",
    "disk_low",
    "disk_short",
    "disk_slow",
    "failed",
    "samples_missing",
    "stream_back",
    "stream_duplicated",
    "stream_foreign",
    "stream_joined",
    "stream_lost",
    "stream_refused",
    "stream_restarted",
    "stream_stalled",
)
"""What the recorder says during a take that belongs into the session's journal."""


class Capture(Protocol):
    """Starts and stops a capture, and with it the trigger line."""

    def start(self, name: str) -> None: ...
    def stop(self, name: str) -> None: ...


@dataclass(frozen=True)
class Take:
    """One recorded take, and what the recorder said of it."""

    key: TrialKey
    path: Path
    state: str
    problems: tuple[str, ...]
    facing: str = "forward"


def capture_name(participant: str, trial: str) -> str:
    """Return what a capture of this trial is called, as a file may be."""
    name = f"{participant}_{trial}" if participant else trial
    return name.replace(" ", "_").replace("/", "p")


class LabEngine:
    """The engine of a real or virtual laboratory.

    `required_streams` maps the name of each stream that a recording must hold to its
    source id, empty where any will do. `publish` journals an event and sends it to
    LSL. `on_take` is called, on a thread that does nothing else, with every take once
    its file is closed.
    """

    def __init__(
        self,
        *,
        dataset: Path,
        participant: str,
        session: str,
        runtime_dir: Path,
        treadmill: str | None,
        capture: Capture | None,
        required_streams: Mapping[str, str],
        optional_streams: Sequence[str] = (),
        publish: Callable[[str, Mapping[str, object]], None],
        on_take: Callable[[Take], None],
    ) -> None:
        self._dataset, self._participant, self._session = dataset, participant, session
        self._capture, self._required = capture, dict(required_streams)
        self._optional = list(optional_streams)
        self._publish, self._on_take = publish, on_take
        self._belts = ControlClient(treadmill, runtime_dir) if treadmill else None
        self._beat = ControlClient(treadmill, runtime_dir) if treadmill else None
        self._urgent = (  # stop and abort never wait behind another command
            ControlClient(treadmill, runtime_dir) if treadmill else None
        )
        self._treadmill_watch = ProcessWatch(treadmill, runtime_dir)
        self._recorder_watch = ProcessWatch(
            "recorder", runtime_dir, self._recorder_said
        )
        self._quality_watch = ProcessWatch(
            "quality", runtime_dir, poll_s=QUALITY_POLL_S, fresh_s=QUALITY_FRESH_S
        )
        self._watches = (
            self._treadmill_watch,
            self._recorder_watch,
            self._quality_watch,
        )
        self._n_heard: int | None = None  #: events of the recorder
        self._override_reason = ""  #: for the next take
        self._recorder = ControlClient("recorder", runtime_dir)
        self._to_archive: queue.Queue[Take | None] = queue.Queue()
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._recording = RecordingStatus()
        self._take: TrialKey | None = None
        self._started = False
        self._last_tick_s = 0.0
        self._stopping = threading.Event()
        self._threads = {
            name: threading.Thread(target=run, name=f"engine-{name}", daemon=True)
            for name, run in (
                ("worker", self._worker),
                ("archive", self._archiver),
                ("heart", self._heart),
            )
        }

    def start(self) -> None:
        """Begin to watch, to beat, and to work."""
        for thread in self._threads.values():
            thread.start()
        for watch in self._watches:
            watch.start()

    def close(self) -> None:
        """Finish the work at hand and stop every thread."""
        self._work.put(None)
        self._threads["worker"].join(timeout=FINISH_TIMEOUT_S)
        self._to_archive.put(None)
        self._threads["archive"].join(timeout=ARCHIVE_TIMEOUT_S)
        self._stopping.set()
        self._threads["heart"].join(timeout=2.0)
        for watch in self._watches:
            watch.close()
        for client in (self._belts, self._urgent, self._beat, self._recorder):
            if client is not None:
                client.close()

    def runner_ticked(self) -> None:
        """Show that the runner lives; without this the heartbeat stops."""
        self._last_tick_s = time.monotonic()

    # ---- treadmill ------------------------------------------------------------

    def treadmill(self) -> Treadmill:
        return treadmill_of(self._treadmill_watch.fresh())

    def take_charge(self) -> None:
        """Arm the treadmill and show it a living runner: the operator has started."""
        self._command("arm")
        self._command("heartbeat")

    def belts(self, belt_mps: float, accel_mps2: float) -> None:
        speeds = {"left_mps": belt_mps, "right_mps": belt_mps}
        self._command("belts", **speeds, accel_mps2=accel_mps2)
        self.event("belts", belt_mps=belt_mps, accel_mps2=accel_mps2)

    def deck(self, incline_deg: float) -> None:
        self._command("deck", incline_deg=incline_deg, confirm=True)
        self.event("deck", incline_deg=incline_deg)

    def facing(self, reversed_facing: bool) -> None:
        self._command("facing", reversed=reversed_facing, confirm=True)
        self.event("facing", reversed=reversed_facing)

    def stop(self) -> None:
        self._send(self._urgent, "stop", {})

    def abort(self) -> None:
        self._send(self._urgent, "abort", {})
        self.event("abort")

    def release(self) -> None:
        if self._belts is not None:
            self._command("disarm")

    def _command(self, verb: str, **arguments: object) -> None:
        self._send(self._belts, verb, arguments)

    def _send(
        self, client: ControlClient | None, verb: str, arguments: Mapping[str, object]
    ) -> None:
        if client is None:
            raise ControlError("the rig names no treadmill")
        client.request("command", COMMAND_TIMEOUT_S, verb=verb, arguments=arguments)
        with contextlib.suppress(ControlError):  # what was seen before is old news
            self._treadmill_watch.refresh()

    # ---- what is seen ---------------------------------------------------------

    def person(self) -> Person:
        return person_of(self._quality_watch.fresh())

    def findings(self) -> tuple[QualityFinding, ...]:
        found = findings_of(self._quality_watch.fresh())
        return tuple(finding for finding in found if finding.stream in self._required)

    def days_since(self, condition: str) -> float | None:
        return days_since(
            self._dataset, self._participant, condition, before=self._session
        )

    # ---- recording ------------------------------------------------------------

    def arm(self, trial: TrialPlan) -> None:
        key = TrialKey(
            participant=self._participant,
            session=self._session,
            condition=trial.condition,
            mode=trial.mode,
            speed="" if trial.is_calibration else labels.speed_label(trial.speed_mps),
            trial=trial.number,
        )
        key = next_take(self._dataset, key)
        facts: dict[str, object] = {"facing": self._facing_of(trial)}
        if trial.is_calibration:
            facts |= {"incline_deg": trial.deck_deg, "label": trial.label}
        self._take, self._recording = key, RecordingStatus("arming")
        self._work.put(lambda: self._arm(key, facts))

    def record(self) -> None:
        key = self._take
        if key is not None and self._recording.state == "armed":
            self._recording = replace(self._recording, state="starting")
            self._work.put(lambda: self._record(key))

    def recording(self) -> RecordingStatus:
        status = self._recording
        if status.state != "recording":
            return status
        watch = self._recorder_watch
        seen, silent_s = watch.latest(), watch.silent_s()
        if watch.gone:
            return RecordingStatus("failed", ("the recorder's process has ended",))
        if silent_s > SILENT_S:
            return RecordingStatus("failed", ("the recorder does not answer",))
        state = str(seen.get("state", "unknown"))
        if state in ("idle", "armed"):  # it was told to record: this is another process
            text = "the recorder was started anew: what came before is in the file"
            return RecordingStatus("failed", (text,))
        problems = tuple(str(problem) for problem in seen.get("problems", ()))
        if silent_s > FRESH_S:
            said = f"the recorder has not answered for {silent_s:.1f} s"
            problems = (said, *problems)
        return RecordingStatus(state, problems, triggers_of(seen), dict(seen))

    def finish(self, trial: TrialPlan) -> None:
        key, facing = self._take, self._facing_of(trial)
        self._recording = RecordingStatus("stopping")
        if key is not None:
            timeout_s = FINISH_TIMEOUT_S + trial.record_s
            self._work.put(lambda: self._finish(key, facing, timeout_s))

    def capture(self, start: bool, trial: TrialPlan) -> None:
        if self._capture is None:
            raise ControlError("the rig names no capture device: no trigger")
        key = self._take
        name = capture_name(key.participant if key else "", trial.name)
        (self._capture.start if start else self._capture.stop)(name)
        self.event("trial_start" if start else "trial_stop", trial=trial.name)

    def adopt(self, take: Mapping[str, Any]) -> None:
        """Take up a take of an earlier run, named by its key, to judge it."""
        self._take = TrialKey(**take)

    def verdict(self, trial: TrialPlan, accepted: bool, reason: str) -> None:
        if self._take is None:
            raise ControlError(f"no take of {trial.name} to judge")
        self.event(
            "verdict",
            **self._take.attributes(),
            trial_name=trial.name,
            accepted=accepted,
            reason=reason,
        )

    def event(self, name: str, **facts: object) -> None:
        self._publish(name, facts)

    def _becomes(self, key: TrialKey, status: RecordingStatus) -> None:
        """Say what became of a take, unless the next one is under way already."""
        if self._take is key:
            self._recording = status

    def _arm(self, key: TrialKey, facts: Mapping[str, object]) -> None:
        path = key.xdf(self._dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            said = self._recorder.request(
                "arm",
                ARM_TIMEOUT_S,
                out=str(path),
                required=list(self._required),
                optional=self._optional,
                expected={
                    name: source for name, source in self._required.items() if source
                },
            )
        except ControlError as error:
            said = {"ready": False, "problems": [str(error)]}
        reasons = tuple(str(reason) for reason in said.get("problems", ()))
        if not said.get("ready"):
            if not self._override_reason:
                self._becomes(key, RecordingStatus("failed", reasons))
                return
            facts = {
                **facts,
                "overridden": list(reasons),
                "override_reason": self._override_reason,
            }
        self._becomes(key, RecordingStatus("armed"))
        self.event("trial_armed", **key.attributes(), **facts)

    def _record(self, key: TrialKey) -> None:
        self._started = True  # also when no answer comes: then it must be stopped
        try:
            override, self._override_reason = self._override_reason, ""
            self._recorder.request("start", ARM_TIMEOUT_S, override_reason=override)
        except ControlError as error:
            self._started = not isinstance(error, ControlRefusedError)
            self._becomes(key, RecordingStatus("failed", (str(error),)))
            return
        self._recorder_watch.refresh()
        self._becomes(key, RecordingStatus("recording"))

    def _finish(self, key: TrialKey, facing: str, timeout_s: float) -> None:
        verb = "stop" if self._started else "disarm"
        self._started = False
        try:
            said = self._recorder.request(verb, timeout_s)
        except ControlError as error:
            said = {"state": "failed", "problems": [str(error)]}
        state = str(said.get("state", "failed"))
        problems = tuple(
            str(text)
            for kind in ("problems", "warnings")
            for text in said.get(kind, ())
            if not str(text).startswith(tuple(f"{name}:" for name in self._optional))
        )
        path = key.xdf(self._dataset)
        if path.is_file():  # the verdict does not wait for the archive
            self._to_archive.put(Take(key, path, state, problems, facing))
        self._becomes(key, RecordingStatus(state, problems, details=dict(said)))
        facts = {**key.attributes(), "state": state, "problems": list(problems)}
        self.event("trial_done", **facts)

    @staticmethod
    def _facing_of(trial: TrialPlan) -> str:
        return "reversed" if trial.reversed_facing else "forward"

    def override(self, reason: str) -> None:
        """Record the next take although something is missing; the reason is stored."""
        if not reason.strip():
            raise ValueError("an override needs a reason in words")
        self._override_reason = reason.strip()
        self.event("override", reason=self._override_reason)

    def _recorder_said(self, snapshot: Mapping[str, Any]) -> None:
        """Journal what the recorder noticed during a take."""
        n_events = int(snapshot.get("n_events", 0))
        heard, self._n_heard = self._n_heard, n_events
        if heard is None or n_events < heard or self._recording.state != "recording":
            return
        for entry in snapshot.get("events", ()):
            if entry["n"] > heard and entry["event"] in JOURNALLED:
                facts = {k: v for k, v in entry.items() if k not in ("n", "event")}
                facts["t_seen"] = facts.pop("t_lsl", None)
                self.event(str(entry["event"]), **facts)

    # ---- threads --------------------------------------------------------------

    def _worker(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception as error:
                log.exception("recording")
                self._recording = RecordingStatus("failed", (str(error),))

    def _archiver(self) -> None:
        while (take := self._to_archive.get()) is not None:
            try:
                self._on_take(take)
            except Exception as error:
                log.exception("archiving %s", take.path)
                facts = {**take.key.attributes(), "reason": str(error)}
                self.event("archive_failed", **facts)

    def _heart(self) -> None:
        while not self._stopping.wait(HEARTBEAT_S):
            alive = time.monotonic() - self._last_tick_s < RUNNER_ALIVE_S
            if self._beat is None or not alive:
                continue
            try:
                self._beat.request("command", 0.3, verb="heartbeat", arguments={})
            except ControlError as error:
                log.debug("heartbeat: %s", error)
