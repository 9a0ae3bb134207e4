"""Put the batches of several channels side by side, never misaligned."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from devices.errors import WireFormatError
from devices.noraxon.wire import Batch

MOST_WAITING = 200_000  #: samples one channel may be ahead of another


class Merger:
    """Keeps what one channel has more than another until that one catches up.

    Channels are enabled one after another, so the first reply may hold more of the
    earlier ones: it is aligned at its end, and the excess at its beginning dropped.
    """

    def __init__(self, indices: Sequence[int]) -> None:
        self._begun = False
        self._waiting: dict[int, list[NDArray[np.float32]]] = {i: [] for i in indices}
        self._sizes = dict.fromkeys(indices, 0)

    def add(self, batches: Sequence[Batch]) -> NDArray[np.float32]:
        """Return the rows now complete, shape (n, n_channels), in the given order.

        Batches of other channels are ignored.
        """
        ours = [batch for batch in batches if batch.index in self._waiting]
        for batch in ours:
            self._waiting[batch.index].append(batch.samples)
            self._sizes[batch.index] += batch.samples.size
        if ours and not self._begun:
            self._begin()
        n_rows = min(self._sizes.values())
        if max(self._sizes.values()) - n_rows > MOST_WAITING:
            behind = min(self._sizes, key=lambda index: self._sizes[index])
            raise WireFormatError(
                f"MR sends channel {behind} no more, {MOST_WAITING} samples behind"
            )
        if n_rows == 0:
            return np.empty((0, len(self._waiting)), np.float32)
        columns = []
        for index, parts in self._waiting.items():
            whole = np.concatenate(parts)
            columns.append(whole[:n_rows])
            self._waiting[index] = [whole[n_rows:]]
            self._sizes[index] -= n_rows
        return np.stack(columns, axis=1)

    def _begin(self) -> None:
        """Cut all channels to the length of the shortest, keeping their ends."""
        n_rows = min(self._sizes.values())
        self._begun = True
        for index, parts in self._waiting.items():
            excess = self._sizes[index] - n_rows
            if excess:
                self._waiting[index] = [np.concatenate(parts)[excess:]]
                self._sizes[index] = n_rows

    def n_ahead(self) -> int:
        """Return how many samples the longest channel is ahead of the shortest."""
        return max(self._sizes.values()) - min(self._sizes.values())
