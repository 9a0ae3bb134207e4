"""Live views over LSL."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.live import LiveStreams
from acquire.live.source import Candidate
from acquire.lsl import Discovery, FoundStream, Inlet, local_clock
from acquire.storage.stream_header import StreamHeader

OPEN_TIMEOUT_S = 2.0
OF_THE_RECORDER = ("kinemuse-offsets", "kinemuse-recorder-state")
BUFFER_S = 5.0  #: kept by liblsl for us; older samples are of no use to a live view


class LslSource:
    """An inlet as the live buffers need it."""

    def __init__(self, found: FoundStream) -> None:
        self._inlet = Inlet(found, max_buflen_s=BUFFER_S)
        try:
            self._inlet.open(OPEN_TIMEOUT_S)
            self.facts: StreamHeader = self._inlet.spec
        except Exception:
            self._inlet.close()
            raise

    def pull(
        self, timeout_s: float
    ) -> tuple[NDArray[Any] | list[str], NDArray[np.float64]]:
        return self._inlet.pull(timeout_s)

    def offset(self) -> tuple[float, float] | None:
        measured = self._inlet.offset()
        return None if measured is None else (measured.offset_s, measured.rtt_s)

    def close(self) -> None:
        self._inlet.close()


class LslFinder:
    """Follows the streams of this process's LSL session."""

    def __init__(self) -> None:
        self._discovery = Discovery()

    def candidates(self) -> list[Candidate]:
        return [
            Candidate(
                found.name, found.uid, found.created_at_s, partial(LslSource, found)
            )
            for found in self._discovery.streams()
        ]

    def close(self) -> None:
        self._discovery.close()


def live_over_lsl(
    *, ignore: Callable[[str], bool] = lambda name: name in OF_THE_RECORDER
) -> LiveStreams:
    """Return started live views of every stream of this LSL session.

    `acquire.lsl.configure` must have been called before.
    """
    return LiveStreams(LslFinder(), now=local_clock, ignore=ignore).start()
