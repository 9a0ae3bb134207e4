"""A dataset of the simulated person: a static trial, and accepted walks."""

from dataclasses import replace

from tests.builders.dataset import archive, dataset, key, verdict
from tests.builders.person_session import listed, static_session, walk_session


def static_key():
    return replace(key(), condition="Calibration", mode="Static", speed="")


def person_dataset(root, *trials, walk=None):
    """Archive and accept `trials` (by default one) of one walk, and a static trial."""
    dataset(root)
    listed(root, sex="F", age_y=30.0, height_mm=1760.0)
    static = static_key()
    archive(root, static, static_session())
    recorded = walk or walk_session()
    for trial in trials or (key(),):
        archive(root, trial, recorded)
        verdict(root, trial, accepted=True)
    return root
