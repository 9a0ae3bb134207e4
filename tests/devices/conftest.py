"""Property tests without a clock: the machine may be busy."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "devices", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("devices")
