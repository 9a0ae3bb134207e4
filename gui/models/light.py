"""A stream's light: level, words and advice from its counts and its verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acquire.live.stream import StreamStats
from acquire.quality.monitor import Finding, StreamVerdict
from gui.theme import LightLevel

EXPECTED = (
    "vicon-markers",
    "vicon-forces",
    "semg",
    "amode",
    "treadmill",
    "kinemuse-events",
)
EVENTS = "kinemuse-events"
STALE_S = 1.0


@dataclass(frozen=True)
class Light:
    """What one row of the stream list shows."""

    name: str
    level: LightLevel
    rate: str = ""
    detail: str = ""
    trigger: str = ""
    advice: str = ""


def lights(
    stats: Mapping[str, StreamStats],
    verdicts: Mapping[str, StreamVerdict],
    expected: Sequence[str] = EXPECTED,
    *,
    closed: bool = False,
) -> list[Light]:
    """List expected streams first, in their order, then whatever else has samples.

    Texts nobody expects (notices of devices) are messages, not streams to watch. When
    the session is `closed`, a stream that has ended with it is no fault.
    """
    others = {name for name, each in stats.items() if not each.is_text}
    names = [*expected, *sorted(others - set(expected))]
    return [
        Light(name, "off", "-", "ended with its session")
        if closed and _is_silent(stats.get(name))
        else _light(name, stats.get(name), verdicts.get(name))
        for name in names
    ]


def _is_silent(stats: StreamStats | None) -> bool:
    return stats is None or stats.age_s > STALE_S


def summary(lights: Sequence[Light]) -> tuple[LightLevel, str]:
    """Return the worst level and how many streams have it or nearly so, in words."""
    levels = [light.level for light in lights]
    n_bad = sum(level in ("amber", "red") for level in levels)
    if n_bad:
        return ("red" if "red" in levels else "amber"), f"{n_bad} to look at"
    return ("ok", "all good") if "ok" in levels else ("off", "no streams")


def _light(
    name: str, stats: StreamStats | None, verdict: StreamVerdict | None
) -> Light:
    if stats is None:
        if name == EVENTS:
            return Light(name, "off", "-", "not there yet")
        return Light(
            name, "red", "-", "not seen on the network", advice="Start its device."
        )
    level: LightLevel = verdict.level if verdict else "ok"
    advice = _advice(verdict.findings) if verdict else ""
    if not stats.is_text and not stats.gated and stats.age_s > STALE_S:
        level, advice = "red", f"No data for {stats.age_s:.0f} s. {advice}".strip()
    if not stats.n_samples and stats.is_text:
        level = "off"
    return Light(name, level, _rate(stats), _detail(stats), _trigger(stats), advice)


def _advice(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    worst = findings[0]
    more = f" (+{len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{worst.text}. {worst.advice}{more}"


def _rate(stats: StreamStats) -> str:
    if stats.is_text:
        return f"{stats.n_samples} events"
    if not stats.nominal_hz:
        return f"{stats.n_samples} samples"
    if math.isnan(stats.rate_hz):
        return f"- of {stats.nominal_hz:g} Hz"
    return f"{stats.rate_hz:.1f} Hz"


def _detail(stats: StreamStats) -> str:
    parts = []
    if stats.is_text:
        return ""
    if stats.n_lost is None:
        parts.append("losses unknown")
    else:
        how = "" if stats.counter_source == "device" else " seen"
        parts.append(f"{stats.n_lost} lost{how}")
    if stats.n_restarts:
        parts.append(f"{stats.n_restarts} restarts")
    if math.isfinite(stats.age_s):
        parts.append(f"{stats.age_s:.1f} s ago")
    return " · ".join(parts)


def _trigger(stats: StreamStats) -> str:
    if stats.trigger_high is None:
        return "gated" if stats.gated else ""
    level = "HIGH" if stats.trigger_high else "low"
    return f"line {level} ↑{stats.n_rises} ↓{stats.n_falls}"
