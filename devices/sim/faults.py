"""Faults that can be injected into a twin, by rule or at run time."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field

FaultKind = Literal[
    "drop",
    "stall",
    "burst",
    "disconnect",
    "restart",
    "duplicate",
    "bounce",
    "wrap",
    "occlude",
    "saturate",
    "electrode_off",
    "coupling_loss",
    "estop",
    "crc",
    "refuse",
]
FAULTS: tuple[FaultKind, ...] = get_args(FaultKind)
Value = float | str


class FaultSpec(BaseModel, frozen=True, extra="forbid"):
    """One fault: ``device:fault[:key=value,...]`` in text.

    `at` is in world seconds since the lab started, or, with `after` ``rise``, since
    the last rise of the trigger line (then it happens once per rise). `for_s` (key
    ``for``) is how long it lasts; 0 for something that just happens. Everything else,
    such as ``n`` or ``marker``, is in `options`.
    """

    device: str
    fault: FaultKind
    at: float = Field(0.0, ge=0)
    for_s: float = Field(0.0, ge=0)
    after: Literal["start", "rise"] = "start"
    options: dict[str, Value] = {}

    @classmethod
    def parse(cls, text: str) -> "FaultSpec":
        """Read the text form, e.g. ``vicon:occlude:marker=LKNE,at=3,for=1``."""
        parts = text.split(":", 2)
        if len(parts) < 2 or not parts[0] or not parts[1]:
            raise ValueError(
                f"fault {text!r} is not of the form device:fault[:key=value,...]"
            )
        value: dict[str, Value] = {"device": parts[0], "fault": parts[1]}
        for item in parts[2].split(",") if len(parts) == 3 and parts[2] else ():
            key, equals, raw = item.partition("=")
            if not equals or not key:
                raise ValueError(f"fault {text!r}: {item!r} is not key=value")
            value[key.strip()] = _number_or_text(raw.strip())
        return cls.from_mapping(value)

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "FaultSpec":
        """Build from flat keys, e.g. ``{"device": "noraxon", "fault": "drop"}``."""
        if value.get("fault") not in FAULTS:
            raise ValueError(
                f"fault {value.get('fault')!r} is unknown; "
                f"there are {', '.join(sorted(FAULTS))}"
            )
        flat = dict(value)
        known: dict[str, Any] = {"fault": flat.pop("fault")}
        if "device" in flat:
            known["device"] = flat.pop("device")
        for key, name in (("at", "at"), ("for", "for_s"), ("after", "after")):
            if key in flat:
                known[name] = flat.pop(key)
        return cls(**known, options=flat)

    def to_mapping(self) -> dict[str, Value]:
        """Return the flat keys that `from_mapping` reads."""
        return {
            "device": self.device,
            "fault": self.fault,
            "at": self.at,
            "for": self.for_s,
            "after": self.after,
            **self.options,
        }

    def number(self, key: str, default: float) -> float:
        """Return the option `key` as a number."""
        return float(self.options.get(key, default))

    def text(self, key: str, default: str = "") -> str:
        """Return the option `key` as text."""
        return str(self.options.get(key, default))

    def start_s(self, rise_s: float | None) -> float | None:
        """Return when it starts, or None while it waits for a rise of the line."""
        if self.after == "start":
            return self.at
        return None if rise_s is None else rise_s + self.at

    def active(self, t_s: float, rise_s: float | None) -> bool:
        """Tell whether it lasts at world time `t_s`; `rise_s` is the last rise."""
        start = self.start_s(rise_s)
        return start is not None and start <= t_s < start + self.for_s

    def starts_within(self, t0_s: float, t1_s: float, rise_s: float | None) -> bool:
        """Tell whether it starts in (t0_s, t1_s]."""
        start = self.start_s(rise_s)
        return start is not None and t0_s < start <= t1_s


def active_faults(
    faults: Iterable[FaultSpec], kind: FaultKind, t_s: float, rise_s: float | None
) -> list[FaultSpec]:
    """Return the faults of one kind that last at `t_s`."""
    return [f for f in faults if f.fault == kind and f.active(t_s, rise_s)]


def starting_faults(
    faults: Iterable[FaultSpec],
    kind: FaultKind,
    t0_s: float,
    t1_s: float,
    rise_s: float | None,
) -> list[FaultSpec]:
    """Return the faults of one kind that start in (t0_s, t1_s]."""
    return [
        f for f in faults if f.fault == kind and f.starts_within(t0_s, t1_s, rise_s)
    ]


def _number_or_text(raw: str) -> Value:
    try:
        return float(raw)
    except ValueError:
        return raw
