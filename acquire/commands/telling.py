"""The command that speaks to a running session from another terminal: tell."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from acquire.commands.console import print_json, stdout
from acquire.commands.laboratory import Json, Rig
from acquire.control import ControlClient, ControlError
from acquire.paths import runtime_dir
from acquire.rig import VIRTUAL_LAB, load_rig

TIMEOUT_S = 5.0


class Verb(StrEnum):
    """What a session can be told."""

    SHOW = "show"
    PAUSE = "pause"
    RESUME = "resume"
    SKIP = "skip"
    REPEAT = "repeat"
    ANSWER = "answer"
    NOTE = "note"
    ADVERSE_EVENT = "adverse-event"
    ABORT = "abort"


NEEDS_WORDS = (Verb.NOTE, Verb.ADVERSE_EVENT, Verb.ANSWER)


def tell(
    verb: Verb,
    words: Annotated[
        str, typer.Argument(help="Reason, note, what happened, or the answer.")
    ] = "",
    rig: Rig = VIRTUAL_LAB,
    *,
    as_json: Json = False,
) -> None:
    """Tell a running session something, and show where it is then.

    An adverse event stops the belts as fast as an abort does; the run waits.
    """
    if verb in NEEDS_WORDS and not words.strip():
        raise typer.BadParameter(
            f"{verb} needs words: kinemuse tell {verb} 'so and so'"
        )
    client = ControlClient("session", runtime_dir(load_rig(rig).lsl.session_id))
    try:
        snapshot = _request(client, verb, words.strip())
    finally:
        client.close()
    if as_json:
        print_json(snapshot)
    else:
        _show(snapshot)


def _request(client: ControlClient, verb: Verb, words: str) -> dict[str, Any]:
    if verb is Verb.SHOW:
        return client.request("snapshot", TIMEOUT_S)
    arguments: dict[str, object] = {"reason": words} if words else {}
    if verb in (Verb.NOTE, Verb.ADVERSE_EVENT):
        arguments = {"text": words}
    elif verb is Verb.ANSWER:
        asked = client.request("snapshot", TIMEOUT_S)["prompts"]
        if not asked:
            raise ControlError("nothing is being asked")
        arguments = {"prompt_id": asked[0]["id"], "value": words}
    return client.request(verb.replace("-", "_"), TIMEOUT_S, **arguments)


def _show(snapshot: dict[str, Any]) -> None:
    belts, done = snapshot["belts"], f"{snapshot['n_done']}/{snapshot['n_trials']}"
    what = snapshot["trial"] or snapshot["step"]
    stdout.print(f"{done}  {snapshot['state']}  {what}  {snapshot['message']}")
    stdout.print(
        f"belts {belts['state']}: {belts['left_mps']} and {belts['right_mps']} m/s, "
        f"deck {belts['incline_deg']}°",
        highlight=False,
    )
    for question in snapshot["prompts"]:
        answers = ", ".join(question["answers"]) or "a number or words"
        stdout.print(f"asks: {question['text']} ({answers})", highlight=False)
