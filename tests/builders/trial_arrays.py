"""The arrays of one trial of the schematic walker."""

import numpy as np

from acquire.dataset.arrays import TrialArrays, trial_arrays
from acquire.gait.cycles import find_strides
from acquire.gait.events import GaitEvent
from tests.builders.walking import Session


def trial_of(recorded: Session) -> TrialArrays:
    """Return a recorded walk as the subject file needs it, with its true gait."""
    walk, t0 = recorded.walk, recorded.t0_s
    events = [
        GaitEvent(float(t) - t0, side, kind, "force")
        for side in ("left", "right")
        for kind, times in (("strike", walk.strikes(side)), ("off", walk.offs(side)))
        for t in times
    ]
    events.sort(key=lambda event: event.time_s)
    fine = np.arange(0, walk.duration_s, 1e-3)
    return trial_arrays(
        recorded.recording,
        recorded.trial_time_s(),
        recorded.fall_s - t0,
        force_time_s=fine - t0,
        force_rate_hz=1000.0,
        forces_n={side: walk.force(side, fine) for side in ("left", "right")},
        events=events,
        strides=find_strides(events),
    )
