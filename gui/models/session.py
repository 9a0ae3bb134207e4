"""The session as its snapshot tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocols.states import OVER, Question, Request, State


@dataclass(frozen=True)
class SessionView:
    """One snapshot, ready to show. `reachable` False: nobody answers; see `message`.

    `lost`: nobody answers any more, and the rest is the last that was known.
    """

    reachable: bool = False
    lost: bool = False
    state: str = "no session"
    session: str = ""
    protocol: str = ""
    step: str = ""
    trial: str = ""
    participant: str = ""
    message: str = ""
    elapsed_s: float | None = None
    remaining_s: float | None = None
    n_done: int | None = None
    n_trials: int | None = None
    simulated: bool = False
    belts_known: bool | None = None
    recorder: str = ""
    n_bytes: int | None = None
    problems: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    requests: Mapping[str, Request] = field(default_factory=dict)

    @property
    def recording(self) -> bool:
        return self.reachable and State.RECORDING in (self.state, self.recorder)

    @property
    def paused(self) -> bool:
        return self.state == State.PAUSED

    @property
    def over(self) -> bool:
        """Whether its run has ended, one way or another."""
        return self.state in OVER

    @property
    def progress(self) -> str:
        if self.n_trials is None:
            return ""
        return f"{self.n_done or 0} of {self.n_trials} trials done"

    @property
    def closed(self) -> bool:
        """Whether its run has ended, and the session is gone as it should."""
        return self.lost and self.over

    def refusal(self, verb: str) -> str:
        """Say why the session would refuse a request now; nothing where it would not.

        The session's own words: the window has no rules about what is allowed when.
        """
        if not self.reachable:
            return "no session answers"
        asked = self.requests.get(verb)
        return "this session does not offer it" if asked is None else asked.refusal

    def about(self, verb: str) -> str:
        """Name what a request would be about: the trial, the rest, the question."""
        asked = self.requests.get(verb)
        return asked.about if asked else ""

    @classmethod
    def unreachable(cls, why: str) -> "SessionView":
        """Nobody answers: say so, claim nothing."""
        return cls(message=why)

    @classmethod
    def parse(
        cls, session: Mapping[str, Any], recorder: Mapping[str, Any] | None = None
    ) -> "SessionView":
        """Read a session's snapshot, and the recorder's if it answered."""
        recorder = recorder or {}
        belts = session.get("belts") or {}
        return cls(
            reachable=True,
            state=str(session.get("state", "unknown")).lower(),
            session=str(session.get("session") or ""),
            protocol=str(session.get("protocol") or ""),
            step=str(session.get("step") or ""),
            trial=str(session.get("trial") or ""),
            message=str(session.get("message") or ""),
            participant=str(session.get("participant") or ""),
            elapsed_s=_elapsed_s(session, recorder),
            remaining_s=_number(session, "time_left_s"),
            n_done=_count(session, "n_done"),
            n_trials=_count(session, "n_trials"),
            simulated=bool(session.get("simulated", False)),
            belts_known=_known(belts.get("state")),
            recorder=str(recorder.get("state", "")).lower(),
            problems=_problems(session, recorder),
            n_bytes=_count(recorder, "bytes"),
            questions=_questions(session),
            requests=_requests(session),
        )


def _known(state: object) -> bool | None:
    if state is None:
        return None
    return str(state).lower() not in ("unknown", "connection_lost")


def _number(source: Mapping[str, Any], key: str) -> float | None:
    value = source.get(key)
    return float(value) if isinstance(value, int | float) else None


def _count(source: Mapping[str, Any], key: str) -> int | None:
    number = _number(source, key)
    return None if number is None else int(number)


def _elapsed_s(session: Mapping[str, Any], recorder: Mapping[str, Any]) -> float | None:
    """Length of the recording under way, else the time in this state."""
    if recorder.get("state") == State.RECORDING:
        return _number(recorder, "elapsed_s")
    return _number(session, "time_in_state_s")


def _problems(
    session: Mapping[str, Any], recorder: Mapping[str, Any]
) -> tuple[str, ...]:
    recording = session.get("recording")
    told = recording.get("problems") if isinstance(recording, Mapping) else None
    return tuple(map(str, told or recorder.get("problems") or ()))


def _questions(session: Mapping[str, Any]) -> tuple[Question, ...]:
    return tuple(
        Question(
            id=int(asked["id"]),
            text=str(asked.get("text", "")),
            answers=tuple(map(str, asked.get("answers") or ())),
            number=_range(asked.get("number")),
            suggestion=str(asked.get("suggestion") or ""),
        )
        for asked in session.get("prompts") or ()
    )


def _range(bounds: Sequence[float] | None) -> tuple[float, float] | None:
    return None if bounds is None else (float(bounds[0]), float(bounds[1]))


def _requests(session: Mapping[str, Any]) -> dict[str, Request]:
    told = session.get("requests") or {}
    return {
        str(verb): Request(str(each.get("about", "")), str(each.get("refusal", "")))
        for verb, each in told.items()
    }
