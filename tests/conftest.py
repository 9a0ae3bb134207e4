"""Property tests without a clock: the machine may be busy.

Where ``CI`` is set the same examples are tried every time; elsewhere new ones.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "kinemuse",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kinemuse")
