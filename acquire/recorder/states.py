"""Where a recorder is in its life, and what it refuses there.

```
          arm            start                stop
  idle ───────► armed ──────────► recording ───────► stopping ──► verified
   ▲              │ (refused: stays armed)  │            │
   │ disarm       ▼                         ▼ disk       ▼
   └────────── (idle)                     failed ◄────────
```
From `verified` and `failed` the next `arm` goes on; streams stay open in between.
"""

import enum
from collections.abc import Sequence


class RecorderState(enum.StrEnum):
    """Where a recorder is in its life."""

    IDLE = "idle"
    ARMED = "armed"
    RECORDING = "recording"
    STOPPING = "stopping"
    VERIFIED = "verified"
    FAILED = "failed"

    @property
    def has_open_file(self) -> bool:
        """Whether a file is being written."""
        return self in (RecorderState.RECORDING, RecorderState.STOPPING)

    @property
    def is_over(self) -> bool:
        """Whether a recording has ended, well or badly."""
        return self in (RecorderState.VERIFIED, RecorderState.FAILED)


class RecorderStateError(RuntimeError):
    """The verb is not possible in this state."""


class RecordingRefusedError(ValueError):
    """A recording may not start; `reasons` says why, all of them."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(reasons))
