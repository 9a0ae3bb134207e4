"""What processes tell in their snapshots, in the words of the protocol runner."""

from collections.abc import Iterator, Mapping
from typing import Any

from protocols.engine import Muscle, Person, QualityFinding, Treadmill, TriggerSeen

CADENCE = "person.cadence"
STRIDE_CV = "person.stride_cv"
FACING = "person.facing"
MEDIAN_FREQUENCY = "person.median_frequency"
RMS = "person.rms"


def treadmill_of(snapshot: Mapping[str, Any]) -> Treadmill:
    """Read the snapshot of the treadmill's process; empty: it does not answer."""
    device = snapshot.get("device")
    if not isinstance(device, Mapping):
        why = str(snapshot.get("reason") or "it gives no status")
        return Treadmill(cause=why if snapshot else "its process does not answer")
    state = str(device.get("state", "unknown"))
    return Treadmill(
        left_mps=_number(device.get("left_mps")),
        right_mps=_number(device.get("right_mps")),
        incline_deg=_number(device.get("incline_deg")),
        at_standstill=bool(device.get("at_zero")) and state != "stopping",
        deck_moving=bool(device.get("deck_moving")),
        reversed_facing=bool(device.get("reversed")),
        state=state,
        cause=str(device.get("cause", "")),
    )


def triggers_of(snapshot: Mapping[str, Any]) -> dict[str, TriggerSeen]:
    """Read from the recorder's snapshot what each stream has seen of the trigger."""
    found = {}
    for stream in snapshot.get("streams", ()):
        seen = stream.get("trigger")
        if isinstance(seen, Mapping):
            found[str(stream["name"])] = TriggerSeen(
                high=seen.get("high"),
                n_rises=int(seen.get("n_rises", 0)),
                n_falls=int(seen.get("n_falls", 0)),
            )
    return found


def person_of(snapshot: Mapping[str, Any]) -> Person:
    """Read from the snapshot of quality what the signals show of the participant."""
    values = dict(_values(snapshot))
    facing = values.get(FACING)
    muscles = {
        name.partition(":")[2]: Muscle(
            frequency_hz, values.get(f"{RMS}:{name.partition(':')[2]}", 0.0)
        )
        for name, frequency_hz in values.items()
        if name.startswith(f"{MEDIAN_FREQUENCY}:")
    }
    return Person(
        cadence_spm=values.get(CADENCE),
        stride_cv_percent=values.get(STRIDE_CV),
        reversed_facing=None if facing is None else facing < 0,
        muscles=muscles,
    )


def findings_of(snapshot: Mapping[str, Any]) -> tuple[QualityFinding, ...]:
    """Read every finding that is beyond its limit now, not those that clear up."""
    return tuple(
        QualityFinding(
            stream=str(finding["stream"]),
            level="red" if finding["level"] == "red" else "amber",
            text=_words(finding),
            advice=str(finding.get("advice", "")),
            name=f"{finding['metric']}:{finding.get('subject', '')}",
        )
        for verdict in snapshot.values()
        for finding in verdict.get("findings", ())
        if finding.get("level") in ("amber", "red") and not finding.get("clearing")
    )


def _words(finding: Mapping[str, Any]) -> str:
    """Name a finding by subject and metric, and its size."""
    metric = str(finding["metric"]).partition(".")[2].replace("_", " ")
    subject = str(finding.get("subject") or "")
    value = finding.get("value")
    size = f" {value:.3g} {finding.get('unit', '')}" if _number(value) else ""
    return f"{subject} {metric}{size} (limit {finding.get('limit')})".strip()


def _values(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for verdict in snapshot.values():
        for name, value in verdict.get("values", {}).items():
            number = _number(value)
            if number is not None:
                yield str(name), number


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
