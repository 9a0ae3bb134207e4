"""Carries what the protocol runner asks for to treadmill, recorder and trigger line.

Calls return at once. What the treadmill and the recorder report is polled on threads of
their own; a report that is not fresh counts as unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from acquire.belts import Belts
from acquire.control import ControlError
from acquire.lab_view import findings_of, person_of
from acquire.process_watch import ProcessWatch
from acquire.storage import labels
from acquire.storage.layout import TrialKey, next_take
from acquire.take_recorder import Take, TakeRecorder
from acquire.visits import days_since
from protocols.engine import Person, QualityFinding, RecordingStatus, Treadmill
from protocols.timeline import TrialPlan

QUALITY_POLL_S = 0.25
QUALITY_FRESH_S = 2.0
Facts = Mapping[str, object]


class Capture(Protocol):
    """Starts and stops a capture, and with it the trigger line."""

    def start(self, name: str) -> None: ...
    def stop(self, name: str) -> None: ...


def capture_name(participant: str, trial: str) -> str:
    """Return what a capture of this trial is called, as a file may be."""
    name = f"{participant}_{trial}" if participant else trial
    return name.replace(" ", "_").replace("/", "p")


class LabEngine:
    """The engine of a real or virtual laboratory.

    `required_streams` maps the name of each stream that a recording must hold to its
    source id, empty where any will do. `publish` journals an event and sends it to
    LSL; `note` journals what LSL has already. `on_take` is called, on a thread that
    does nothing else, with every take once its file is closed.
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
        publish: Callable[[str, Facts], None],
        note: Callable[[str, Facts], None],
        on_take: Callable[[Take], None],
    ) -> None:
        self._dataset, self._participant, self._session = dataset, participant, session
        self._capture, self._instruments = capture, frozenset(required_streams)
        self._publish = publish
        self._mill = Belts(
            treadmill, runtime_dir, lambda said: note("treadmill_notice", _facts(said))
        )
        self._takes = TakeRecorder(
            dataset,
            runtime_dir,
            required=required_streams,
            optional=optional_streams,
            event=self.event,
            on_take=on_take,
        )
        self._quality = ProcessWatch(
            "quality", runtime_dir, poll_s=QUALITY_POLL_S, fresh_s=QUALITY_FRESH_S
        )

    def start(self) -> None:
        """Begin to watch, to beat, and to work."""
        self._mill.start()
        self._takes.start()
        self._quality.start()

    def close(self) -> None:
        """Finish the work at hand and stop every thread."""
        self._takes.close()
        self._mill.close()
        self._quality.close()

    def runner_ticked(self) -> None:
        """Show that the runner lives; without this the heartbeat stops."""
        self._mill.runner_ticked()

    # ---- treadmill ------------------------------------------------------------

    def treadmill(self) -> Treadmill:
        return self._mill.seen()

    def take_charge(self) -> None:
        """Arm the treadmill and show it a living runner: the operator has started."""
        self._mill.command("arm")
        self._mill.command("heartbeat")

    def belts(self, belt_mps: float, accel_mps2: float) -> None:
        speeds = {"left_mps": belt_mps, "right_mps": belt_mps}
        self._mill.command("belts", **speeds, accel_mps2=accel_mps2)
        self.event("belts", belt_mps=belt_mps, accel_mps2=accel_mps2)

    def deck(self, incline_deg: float) -> None:
        self._mill.command("deck", incline_deg=incline_deg, confirm=True)
        self.event("deck", incline_deg=incline_deg)

    def facing(self, reversed_facing: bool) -> None:
        self._mill.command("facing", reversed=reversed_facing, confirm=True)
        self.event("facing", reversed=reversed_facing)

    def stop(self) -> None:
        self._mill.command("stop")

    def abort(self) -> None:
        self._mill.command("abort")
        self.event("abort")

    def release(self) -> None:
        if self._mill.is_there:
            self._mill.command("disarm")

    # ---- what is seen ---------------------------------------------------------

    def person(self) -> Person:
        return person_of(self._quality.fresh())

    def findings(self) -> tuple[QualityFinding, ...]:
        found = findings_of(self._quality.fresh())
        return tuple(each for each in found if each.stream in self._instruments)

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
        facts: dict[str, object] = {"facing": _facing_of(trial)}
        if trial.is_calibration:
            facts |= {"incline_deg": trial.deck_deg, "label": trial.label}
        self._takes.arm(next_take(self._dataset, key), facts)

    def record(self) -> None:
        self._takes.record()

    def recording(self) -> RecordingStatus:
        return self._takes.status()

    def finish(self, trial: TrialPlan) -> None:
        self._takes.finish(_facing_of(trial), trial.record_s)

    def capture(self, start: bool, trial: TrialPlan) -> None:
        if self._capture is None:
            raise ControlError("the rig names no capture device: no trigger")
        key = self._takes.key
        name = capture_name(key.participant if key else "", trial.name)
        (self._capture.start if start else self._capture.stop)(name)
        self.event("trial_start" if start else "trial_stop", trial=trial.name)

    def override(self, reason: str) -> None:
        """Record the next take although something is missing; the reason is stored."""
        if not reason.strip():
            raise ValueError("an override needs a reason in words")
        self._takes.override(reason.strip())
        self.event("override", reason=reason.strip())

    def adopt(self, take: Mapping[str, Any]) -> None:
        """Take up a take of an earlier run, named by its key, to judge it."""
        self._takes.key = TrialKey(**take)

    def verdict(self, trial: TrialPlan, accepted: bool, reason: str) -> None:
        key = self._takes.key
        if key is None:
            raise ControlError(f"no take of {trial.name} to judge")
        self.event(
            "verdict",
            **key.attributes(),
            trial_name=trial.name,
            accepted=accepted,
            reason=reason,
        )

    def event(self, name: str, **facts: object) -> None:
        self._publish(name, facts)


def _facing_of(trial: TrialPlan) -> str:
    return "reversed" if trial.reversed_facing else "forward"


def _facts(notice: Mapping[str, Any]) -> dict[str, object]:
    """Return a notice without the numbers behind it, and with the time it was said."""
    facts = {key: notice.get(key) for key in ("severity", "code", "message")}
    return {**facts, "t_seen": notice.get("t_lsl")}
