"""A session that its window left goes on with its run, and is then ended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acquire.control import ControlServer
from acquire.window_session import LINGER_S, LOOK_EVERY_S, MOST_SILENT, end_session


class Left:
    """A session without its window: its states, one per look, and its process."""

    def __init__(self, folder: Path, *states: str) -> None:
        self.states, self.folder = list(states), folder
        self.asked: list[str] = []
        self.waits: list[float] = []
        self.over, self.terminated = False, False

    def poll(self) -> int | None:
        return 0 if self.over else None

    def terminate(self) -> None:
        self.over = self.terminated = True

    def wait(self) -> int:
        assert self.over
        return 0

    def _snapshot(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"state": self.states.pop(0) if len(self.states) > 1 else self.states[0]}

    def _shutdown(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append("shutdown")
        self.over = True
        return {}

    def end(self) -> "Left":
        verbs = {"snapshot": self._snapshot, "shutdown": self._shutdown}
        with ControlServer("session", verbs, self.folder):
            end_session(self, self.folder, self.waits.append)  # type: ignore[arg-type]
        return self


def test_a_run_goes_on_and_its_end_can_be_seen_before_the_session_ends(
    tmp_path: Path,
) -> None:
    left = Left(tmp_path, "recording", "closing", "finished").end()
    assert left.asked == ["shutdown"]
    assert left.waits[-1] == LINGER_S
    assert len(left.waits) == 3
    assert not left.terminated


def test_a_session_before_or_after_its_run_ends_with_its_window(tmp_path: Path) -> None:
    for state in ("idle", "finished", "aborted", "failed"):
        left = Left(tmp_path, state).end()
        assert (left.asked, left.waits) == (["shutdown"], [])


def test_a_session_that_does_not_answer_is_terminated(tmp_path: Path) -> None:
    left = Left(tmp_path, "idle")
    end_session(left, tmp_path, left.waits.append)  # type: ignore[arg-type]
    assert left.terminated
    assert left.waits == [LOOK_EVERY_S] * MOST_SILENT + [LINGER_S]
