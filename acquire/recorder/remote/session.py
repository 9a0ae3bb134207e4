"""What the commands of a remote control do to a recorder."""

import json
import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acquire.recorder.recorder import Recorder
from acquire.recorder.remote.target import Target, TargetError, parse_options
from acquire.recorder.selection import any_of, as_predicate
from acquire.recorder.state_stream import describe_state
from acquire.recorder.states import RecorderState, RecordingRefusedError

log = logging.getLogger("kinemuse.remote")

OK = "OK"
COMMANDS = "update, select, filename, start, stop, status"
SETTLE_TIMEOUT_S = 3.0
START_TIMEOUT_S = 1.0
_COMMAND = re.compile(r"(\w+)\s*(.*)", re.DOTALL)
_OVERRIDE = re.compile(r"\A\{override:([^}]*)\}\Z")


class CommandError(ValueError):
    """A command that was not carried out; the message says why."""


class RemoteSession:
    """Carries out one command after the other, whoever sends it.

    `allowed` are predicates or names: what ``select all`` means, and each must match a
    stream for a recording to start. None given: every stream there is.
    """

    def __init__(
        self, recorder: Recorder, target: Target, allowed: Sequence[str] = ()
    ) -> None:
        self._recorder, self._target = recorder, target
        self._allowed = tuple(allowed)
        self._chosen: tuple[str, ...] | None = None  #: None: all that is allowed
        self._started: tuple[Target, object] | None = None
        self._one_at_a_time = threading.Lock()

    def handle(self, line: str) -> str:
        """Return the reply to one line, once it is carried out.

        Raises
        ------
        CommandError
            It was not carried out.
        """
        word = _COMMAND.match(line.strip())
        command, rest = (word[1], word[2]) if word else (line.strip(), "")
        try:
            if command.lower() == "status":
                return json.dumps(self.status(), default=str)
            with self._one_at_a_time:
                self._carry_out(command.lower(), rest)
        except CommandError:
            raise
        except RecordingRefusedError as error:
            raise CommandError("; ".join(error.reasons)) from error
        except (OSError, RuntimeError, ValueError) as error:
            raise CommandError(str(error) or type(error).__name__) from error
        return OK

    def status(self) -> dict[str, Any]:
        """Return what is known now; never waits for another command."""
        snapshot = self._recorder.snapshot()
        path = self._recorder.out
        return {
            **describe_state(snapshot),
            "out": str(path) if path and self._started else None,
            "next": self._next(),
            "selected": "all" if self._chosen is None else list(self._chosen),
            "allowed": list(self._allowed) or "all",
            "warnings": self._recorder.warnings() if self._started else [],
        }

    def prepare(self) -> None:
        """Join the selected streams, so that a start need not wait for them."""
        if self._is_recording() or self._chosen == ():
            return
        self._arm(self._target.root / "next.xdf")
        self._recorder.settle(SETTLE_TIMEOUT_S)

    def _carry_out(self, command: str, rest: str) -> None:
        match command:
            case "update":
                self.prepare()
            case "select":
                self._select(rest)
            case "filename":
                self._target = self._target.changed(parse_options(rest))
            case "start":
                self._start(rest)
            case "stop":
                self._stop()
            case _:
                raise CommandError(f"no command {command!r}; there are {COMMANDS}")

    def _select(self, what: str) -> None:
        if not what:
            raise CommandError("select what: all, none, a name or an XPath predicate")
        before = self._chosen
        if what.lower() in ("all", "none"):
            self._chosen = None if what.lower() == "all" else ()
        else:
            self._chosen = (*(before or ()), what)
        try:
            self.prepare()
        except ValueError:  # no XPath
            self._chosen = before
            raise

    def _start(self, rest: str) -> None:
        override = _OVERRIDE.match(rest)
        if rest and (override is None or not override[1].strip()):
            raise CommandError("start takes nothing, or {override:the reason}")
        wanted = (self._target, self._chosen)
        if self._is_recording():
            if self._started == wanted:
                return  # scripts repeat it
            raise CommandError(f"still recording to {self._recorder.out}; stop first")
        if self._chosen == ():
            raise CommandError("no stream is selected; select all, or some")
        path = self._target.free_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._arm(path)
        not_joined = self._recorder.settle(SETTLE_TIMEOUT_S)
        if not_joined and override is None:
            raise CommandError("cannot be recorded: " + "; ".join(not_joined))
        reason = override[1].strip() if override else ""
        self._recorder.start(reason, START_TIMEOUT_S)
        self._started = wanted
        log.info("recording to %s", path)

    def _stop(self) -> None:
        if self._started is None or self._recorder.state in (
            RecorderState.IDLE,
            RecorderState.ARMED,
        ):
            return  # nothing was started, so nothing runs
        running = self._is_recording()
        problems = self._recorder.stop() if running else list(self._recorder.reasons)
        if problems:
            raise CommandError("; ".join(problems))

    def _arm(self, path: Path) -> None:
        asked = self._allowed if self._chosen is None else self._chosen
        predicate = any_of(asked)
        if self._chosen is not None:  # never more than is allowed
            predicate = f"({any_of(self._allowed)}) and ({predicate})"
        needed = [as_predicate(text) for text in asked]
        self._recorder.arm(path, predicate=predicate, needed=needed, timeout_s=0.0)

    def _is_recording(self) -> bool:
        return self._recorder.state is RecorderState.RECORDING

    def _next(self) -> str:
        try:
            return str(self._target.free_path())
        except (TargetError, OSError) as error:
            return str(error)
