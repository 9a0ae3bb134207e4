"""What the gait analysis is given of a known walk: loads, markers, deck, mass."""

import dataclasses
from typing import Any

import numpy as np

from acquire.gait.plates import Deck
from acquire.gait.trial import GaitInput
from tests.builders.walking import PIVOT_M, PLATES, Walk, loads, markers


def gait_input(walk: Walk, **changes: Any) -> GaitInput:
    """Return a walk seen at 1000 and 100 Hz, with fields as `changes` say."""
    fine, coarse = (np.arange(0, walk.duration_s, step) for step in (1e-3, 1e-2))
    made = GaitInput(
        plates=PLATES,
        loads=loads(walk, fine),
        force_time_s=fine,
        force_rate_hz=1000.0,
        markers_m=markers(walk, coarse),
        marker_time_s=coarse,
        marker_rate_hz=100.0,
        deck=Deck(np.full(fine.size, walk.incline_deg), PIVOT_M),
        mass_kg=walk.mass_kg,
    )
    return dataclasses.replace(made, **changes)
