"""What faults make of a frame that is sent: hidden, silent, clipped, chattering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CHATTER_S = 0.0017  #: a bouncing contact changes this often


@dataclass(frozen=True, slots=True)
class Spoilt:
    """Faults of one frame, by the labels of markers and the names of devices.

    `limits` is the magnitude that values of a device cannot exceed, in their own unit;
    `bounce_s` is how long the trigger line chatters after each edge.
    """

    occluded: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    limits: Mapping[str, float] = field(default_factory=dict)
    bounce_s: float = 0.0

    def clipped(self, device: str, values: Floats) -> Floats:
        """Return values as a saturated amplifier of this device has them."""
        limit = self.limits.get(device)
        return values if limit is None else np.clip(values, -limit, limit)


SOUND = Spoilt()


def bounced(
    level: Floats, t_s: Floats, edges: Sequence[tuple[float, bool]], bounce_s: float
) -> Floats:
    """Toggle a line's level (n,), 0 or 1, back and forth after each edge."""
    level = level.copy()
    for edge_s, _ in edges:
        since_s = t_s - edge_s
        off = (since_s >= 0) & (since_s < bounce_s) & (since_s // CHATTER_S % 2 == 1)
        level[off] = 1.0 - level[off]
    return level
