"""What is shown of a session that no longer answers."""

from dataclasses import replace

from gui.models.session import SessionView
from protocols.states import State

HERE_AGAIN = "A new run shows here by itself"
DEAD_MAN = (
    "Without it the belts ramp down by themselves; if they do not, use the hardware "
    "e-stop"
)


def attached(before: SessionView, now: SessionView) -> SessionView:
    """Return `now`, or the last that was known where nobody answers any more."""
    if now.reachable or not (before.reachable or before.lost):
        return now
    if before.lost:
        return before
    return replace(
        before,
        reachable=False,
        lost=True,
        recorder="",
        elapsed_s=None,
        remaining_s=None,
        belts_known=None,
        message=_what_happened(before),
        problems=(),
        questions=(),
        requests={},
    )


def greeting(before: SessionView, now: SessionView) -> str:
    """Say which session is shown from now on; nothing while it is the same."""
    if not now.reachable or not now.session:
        return ""
    if now.session == before.session and not before.lost:
        return ""
    names = (now.participant, now.protocol)
    whose = ", ".join(name for name in names if name)
    again = "again " if now.session == before.session else ""
    return f"watching session {now.session} {again}({whose})"


def _what_happened(before: SessionView) -> str:
    if before.over:
        why = f" ({before.message})" if before.message else ""
        return f"Run ended, state {before.state}{why}. {HERE_AGAIN}"
    if before.state == State.IDLE:
        return f"The session closed before its run began. {HERE_AGAIN}"
    state = before.state.replace("_", " ")
    return f"The session does not answer; its last state was {state}. {DEAD_MAN}"
