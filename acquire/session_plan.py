"""What a session needs to know before it starts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from acquire.rig import RigConfig
from protocols.states import Snapshot


class SessionError(RuntimeError):
    """A session that cannot begin; the message lists every reason."""


@dataclass(frozen=True)
class SessionPlan:
    """Rig, protocol, participant, and where everything lies."""

    rig: RigConfig
    protocol_text: str
    protocol_source: str
    dataset: Path
    participant: str
    runtime_dir: Path
    auto: bool = False
    """Answer every question with its first answer (virtual lab only)."""
    resume: bool = False
    """Go on with the participant's last session although it was aborted or failed; one
    that was cut off goes on in any case."""
    lab_address: str | None = None
    """The virtual lab, where the participant turns round when asked to."""
    on_change: Callable[[Snapshot], None] = field(default=lambda _: None)

    def __post_init__(self) -> None:
        if self.auto and not self.rig.simulated:
            raise SessionError(
                "answering by itself is for the virtual lab: a real participant "
                "needs a real operator"
            )
