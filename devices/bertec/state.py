"""States of a treadmill, and the life of one request."""

from dataclasses import dataclass
from enum import Enum
from typing import Any


class BeltState(Enum):
    """What is known about the belts; values are the codes of the stream's `state`.

    Any state becomes `UNKNOWN` without fresh status, `CONNECTION_LOST` without link::

        UNKNOWN ──status, belts at zero──► IDLE ──belts──► MOVING ──at zero──► IDLE
           │                                │                 │
           └─status, belts moving─► ADOPTED◄┘ not by us       ├─► STOPPING ──► IDLE
                                      │ take_over ► MOVING    └─► UNEXPECTED_STOP
                                      └ stop ► STOPPING             take_over ► IDLE
    """

    UNKNOWN = 0
    IDLE = 1
    MOVING = 2
    ADOPTED = 3
    STOPPING = 4
    UNEXPECTED_STOP = 5
    CONNECTION_LOST = 6

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(slots=True)
class Request:
    """One request, acknowledged by readback alone; times in host seconds."""

    id: int
    verb: str
    values: dict[str, Any]
    commanded_s: float
    sent_s: float | None = None
    accepted_s: float | None = None
    reached_s: float | None = None
    ended: str = ""  #: why it will never be reached, e.g. ``replaced by stop``
    reported_late: bool = False

    @property
    def is_open(self) -> bool:
        return self.reached_s is None and not self.ended

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "verb": self.verb,
            **self.values,
            "commanded_s": self.commanded_s,
            "sent_s": self.sent_s,
            "accepted_s": self.accepted_s,
            "reached_s": self.reached_s,
            "ended": self.ended,
        }
