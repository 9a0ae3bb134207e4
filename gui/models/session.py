"""The session as its snapshot tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TRIAL_KEYS = ("participant", "condition", "mode", "speed", "trial", "take")
STARTABLE = frozenset({"idle", "ready"})
OVER = frozenset({"finished", "aborted", "failed"})


@dataclass(frozen=True)
class Prompt:
    """A question of the session; without `choices` it takes any text."""

    prompt_id: object
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class SessionView:
    """One snapshot, ready to show. `reachable` False: nobody answers; see `message`."""

    reachable: bool = False
    state: str = "no session"
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
    prompts: tuple[Prompt, ...] = ()

    @property
    def recording(self) -> bool:
        return "recording" in (self.state, self.recorder)

    @property
    def paused(self) -> bool:
        return self.state == "paused"

    @property
    def may_start(self) -> bool:
        return self.reachable and self.state in STARTABLE

    @property
    def may_pause(self) -> bool:
        return self.reachable and self.state not in (STARTABLE | OVER | {"aborting"})

    @property
    def progress(self) -> str:
        if self.n_trials is None:
            return ""
        return f"{self.n_done or 0} of {self.n_trials} trials done"

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
        belts = session.get("belts")
        belts_state = belts.get("state") if isinstance(belts, Mapping) else belts
        return cls(
            reachable=True,
            state=str(session.get("state", "unknown")).lower(),
            protocol=_text(session.get("protocol"), ("name",)),
            step=_text(session.get("step"), ("label", "name")),
            trial=_text(session.get("trial"), TRIAL_KEYS),
            message=str(session.get("message") or ""),
            participant=str(session.get("participant") or ""),
            elapsed_s=_elapsed_s(session, recorder),
            remaining_s=_number(session, "time_left_s"),
            n_done=_count(session, "n_done"),
            n_trials=_count(session, "n_trials"),
            simulated=bool(session.get("simulated", False)),
            belts_known=_known(belts_state),
            recorder=str(recorder.get("state", "")).lower(),
            problems=_problems(session, recorder),
            n_bytes=_count(recorder, "bytes"),
            prompts=_prompts(session),
        )


def _text(value: object, keys: Sequence[str]) -> str:
    """Show a mapping by its known keys, in their order; anything else as it is."""
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    parts = [
        f"{key.capitalize()} {value[key]}"
        if isinstance(value[key], int)
        else value[key]
        for key in keys
        if value.get(key) not in (None, "")
    ]
    return " · ".join(map(str, parts)) or str(value.get("name") or "")


def _known(state: object) -> bool | None:
    if state is None:
        return None
    return str(state).lower() not in ("unknown", "connection_lost")


def _number(source: Mapping[str, Any], *keys: str) -> float | None:
    for key in keys:
        value = source.get(key)
        if isinstance(value, int | float):
            return float(value)
    return None


def _elapsed_s(session: Mapping[str, Any], recorder: Mapping[str, Any]) -> float | None:
    """Length of the recording under way, else the time in this state."""
    if recorder.get("state") == "recording":
        return _number(recorder, "elapsed_s")
    return _number(session, "time_in_state_s")


def _problems(
    session: Mapping[str, Any], recorder: Mapping[str, Any]
) -> tuple[str, ...]:
    recording = session.get("recording")
    told = recording.get("problems") if isinstance(recording, Mapping) else None
    return tuple(map(str, told or recorder.get("problems") or ()))


def _count(source: Mapping[str, Any], *keys: str) -> int | None:
    number = _number(source, *keys)
    return None if number is None else int(number)


def _prompts(session: Mapping[str, Any]) -> tuple[Prompt, ...]:
    asked = session.get("prompts")
    if asked is None:
        asked = [session["question"]] if session.get("question") else []
    return tuple(_prompt(prompt) for prompt in asked if isinstance(prompt, Mapping))


def _prompt(prompt: Mapping[str, Any]) -> Prompt:
    choices = prompt.get("answers") or prompt.get("choices") or ()
    return Prompt(
        prompt_id=prompt.get("prompt_id", prompt.get("id", "")),
        text=str(prompt.get("text") or prompt.get("message") or ""),
        choices=tuple(str(choice) for choice in choices),
    )
