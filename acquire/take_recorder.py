"""Takes as a session records them: armed, recorded, closed, archived."""

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acquire.control import ControlClient, ControlError, ControlRefusedError
from acquire.lab_view import triggers_of
from acquire.news import News
from acquire.process_watch import FRESH_S, ProcessWatch
from acquire.storage.layout import TrialKey
from protocols.engine import RecordingStatus

log = logging.getLogger("kinemuse.engine")

SILENT_S = 5.0  #: a recorder that answers nothing for longer has failed
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


@dataclass(frozen=True)
class Take:
    """One recorded take, and what the recorder said of it."""

    key: TrialKey
    path: Path
    state: str
    problems: tuple[str, ...]
    facing: str = "forward"


class TakeRecorder:
    """Has the recorder's process record one take after another.

    Calls return at once: a worker thread talks to the recorder, in order, and a
    failure shows as a failed recording. `required` maps the name of each stream that
    must be there to its source id, empty where any will do. `event` journals and
    publishes; `on_take` is called, on a thread that does nothing else, with every take
    once its file is closed.
    """

    def __init__(
        self,
        dataset: Path,
        runtime_dir: Path,
        *,
        required: Mapping[str, str],
        optional: Sequence[str],
        event: Callable[..., None],
        on_take: Callable[[Take], None],
    ) -> None:
        self.key: TrialKey | None = None  #: of the take armed last
        self._dataset, self._event, self._on_take = dataset, event, on_take
        self._required, self._optional = dict(required), list(optional)
        self._recorder = ControlClient("recorder", runtime_dir)
        self._watch = ProcessWatch("recorder", runtime_dir, self._heard)
        self._news = News()
        self._status = RecordingStatus()
        self._override_reason = ""  #: for the next take
        self._started = False
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._to_archive: queue.Queue[Take | None] = queue.Queue()
        self._worker = threading.Thread(
            target=self._run_work, name="engine-worker", daemon=True
        )
        self._archiver = threading.Thread(
            target=self._run_archive, name="engine-archive", daemon=True
        )

    def start(self) -> None:
        """Begin to watch and to work."""
        self._worker.start()
        self._archiver.start()
        self._watch.start()

    def close(self) -> None:
        """Finish the work at hand, and the archives of the takes that wait."""
        self._work.put(None)
        self._worker.join(timeout=FINISH_TIMEOUT_S)
        self._to_archive.put(None)
        self._archiver.join(timeout=ARCHIVE_TIMEOUT_S)
        self._watch.close()
        self._recorder.close()

    # ---- what is asked for ------------------------------------------------------

    def override(self, reason: str) -> None:
        """Record the next take although something is missing."""
        self._override_reason = reason

    def arm(self, key: TrialKey, facts: Mapping[str, object]) -> None:
        """Open the take's file; `facts` are journalled once it is armed."""
        self.key, self._status = key, RecordingStatus("arming")
        self._work.put(lambda: self._arm(key, facts))

    def record(self) -> None:
        """Start to write what was armed."""
        key = self.key
        if key is not None and self._status.state == "armed":
            self._status = replace(self._status, state="starting")
            self._work.put(lambda: self._record(key))

    def finish(self, facing: str, record_s: float) -> None:
        """Close and verify the file of a take that lasted about `record_s`."""
        key = self.key
        self._status = RecordingStatus("stopping")
        if key is not None:
            timeout_s = FINISH_TIMEOUT_S + record_s
            self._work.put(lambda: self._finish(key, facing, timeout_s))

    # ---- what is seen -----------------------------------------------------------

    def status(self) -> RecordingStatus:
        """Return where the take is; while it records, what the recorder says."""
        status = self._status
        if status.state != "recording":
            return status
        seen, silent_s = self._watch.latest(), self._watch.silent_s()
        if self._watch.gone:
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

    def _heard(self, snapshot: Mapping[str, Any]) -> None:
        """Journal what the recorder noticed during a take."""
        listed = int(snapshot.get("n_events", 0))
        for entry in self._news.of(listed, snapshot.get("events", ())):
            if self._status.state == "recording" and entry["event"] in JOURNALLED:
                facts = {k: v for k, v in entry.items() if k not in ("n", "event")}
                facts["t_seen"] = facts.pop("t_lsl", None)
                self._event(str(entry["event"]), **facts)

    # ---- on the worker's thread -------------------------------------------------

    def _becomes(self, key: TrialKey, status: RecordingStatus) -> None:
        """Say what became of a take, unless the next one is under way already."""
        if self.key is key:
            self._status = status

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
        self._event("trial_armed", **key.attributes(), **facts)

    def _record(self, key: TrialKey) -> None:
        self._started = True  # also when no answer comes: then it must be stopped
        try:
            override, self._override_reason = self._override_reason, ""
            self._recorder.request("start", ARM_TIMEOUT_S, override_reason=override)
        except ControlError as error:
            self._started = not isinstance(error, ControlRefusedError)
            self._becomes(key, RecordingStatus("failed", (str(error),)))
            return
        self._watch.refresh()
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
        self._event("trial_done", **facts)

    def _run_work(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception as error:
                log.exception("recording")
                self._status = RecordingStatus("failed", (str(error),))

    def _run_archive(self) -> None:
        while (take := self._to_archive.get()) is not None:
            try:
                self._on_take(take)
            except Exception as error:
                log.exception("archiving %s", take.path)
                facts = {**take.key.attributes(), "reason": str(error)}
                self._event("archive_failed", **facts)
