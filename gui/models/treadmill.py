"""Belts and deck as the window may claim to know them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acquire.live import LiveStreams

FRESH_S = 1.0
UNKNOWN = "BELT STATE UNKNOWN"
ADVICE = "use the hardware e-stop"
REVERSED = -1.0
STREAM = "treadmill"
COLUMNS = (
    "left_mps",
    "right_mps",
    "incline_deg",
    "left_set_mps",
    "right_set_mps",
    "incline_set_deg",
    "facing",
    "state",
)
"""Channels of the stream that are shown."""
NAN = float("nan")


@dataclass(frozen=True)
class TreadmillView:
    """Readback and setpoints; `known` False: nobody can say what the belts do."""

    known: bool
    why: str = ""
    left_mps: float = NAN
    right_mps: float = NAN
    incline_deg: float = NAN
    left_set_mps: float = NAN
    right_set_mps: float = NAN
    incline_set_deg: float = NAN
    reversed: bool | None = None
    state: str = ""

    @property
    def moving(self) -> bool:
        speeds = (self.left_mps, self.right_mps)
        return any(abs(speed) > 0.005 for speed in speeds if math.isfinite(speed))


def newest(live: LiveStreams, *, session_knows: bool | None = None) -> TreadmillView:
    """Read the newest status that has arrived, if any has."""
    header, rows = live.facts(STREAM), live.latest(STREAM, 1.0)
    stats = live.stats().get(STREAM)
    if header is None or stats is None or rows is None or not len(rows.stamps):
        return view((), None, float("inf"))
    codes = header.metadata.get("state_codes")
    return view(
        header.labels,
        rows.samples[-1].tolist(),
        stats.age_s,
        session_knows=session_knows,
        states=codes if isinstance(codes, Mapping) else None,
    )


def view(
    labels: Sequence[str],
    row: Sequence[float] | None,
    age_s: float,
    *,
    session_knows: bool | None = None,
    states: Mapping[str, str] | None = None,
) -> TreadmillView:
    """Read the newest status sample, `age_s` seconds old.

    `session_knows` False overrules a fresh sample; `states` names the codes of the
    state channel, as the stream's metadata do: ``{"idle": "1", ...}``.
    """
    if row is None:
        return TreadmillView(known=False, why="no treadmill stream")
    columns = {label: index for index, label in enumerate(labels)}
    values = {
        label: float(row[columns[label]]) for label in COLUMNS if label in columns
    }
    facing, code = values.pop("facing", NAN), values.pop("state", NAN)
    state = _state(code, states or {})
    why = ""
    if not age_s <= FRESH_S:
        why = f"last status {age_s:.1f} s ago" if math.isfinite(age_s) else "no status"
    elif session_knows is False or state in ("unknown", "connection_lost"):
        why = "the treadmill process does not know it"
    elif not math.isfinite(values.get("left_mps", NAN)):
        why = "the status holds no belt speed"
    return TreadmillView(
        known=not why,
        why=why,
        reversed=facing == REVERSED if math.isfinite(facing) else None,
        state=state,
        **values,
    )


def _state(code: float, states: Mapping[str, str]) -> str:
    names = {number: name for name, number in states.items()}
    return names.get(f"{code:.0f}", "") if math.isfinite(code) else ""
