"""Which channels of a stream become lanes of a sweep, and at what scale."""

from dataclasses import dataclass

from acquire.quality.force import plates
from acquire.storage.stream_header import StreamHeader
from gui import theme

EMG_SCALES_UV = (50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0)
FORCE_SCALES_N = (800.0, 1200.0, 1600.0, 2400.0)
SHEAR_SHARE = 0.25  #: range of the horizontal forces against the vertical


@dataclass(frozen=True)
class LaneSpec:
    """A lane: where its values come from, and how tall and wide it is drawn."""

    column: int
    label: str
    subject: str  #: as in quality findings
    low: float
    high: float
    unit: str
    colour: str
    weight: float = 1.0


def emg_lanes(header: StreamHeader, scale_uv: float) -> list[LaneSpec]:
    """One lane per muscle, the trigger line below."""
    helpers = {header.counter_column, header.trigger_column}
    lanes = [
        LaneSpec(column, label, label, -scale_uv, scale_uv, "µV", _side(label))
        for column, label in enumerate(header.labels)
        if column not in helpers
    ]
    return lanes + trigger_lane(header, 0.9)


def force_lanes(header: StreamHeader, scale_n: float) -> list[LaneSpec]:
    """Vertical forces tall, horizontal ones below, the trigger line last."""
    found = plates(header.labels)
    lanes = [
        LaneSpec(
            header.labels.index(axes[2]),
            f"{_short(name)} Fz",
            name,
            -0.08 * scale_n,
            scale_n,
            "N",
            _side(name),
            2.0,
        )
        for name, axes in found.items()
    ]
    shear_n = SHEAR_SHARE * scale_n
    lanes += [
        LaneSpec(
            header.labels.index(axes[axis]),
            f"{_short(name)} F{'xyz'[axis]}",
            f"{name}:{axis}",
            -shear_n,
            shear_n,
            "N",
            _side(name),
        )
        for axis in (1, 0)
        for name, axes in found.items()
    ]
    return lanes + trigger_lane(header, 0.9)


def trigger_lane(header: StreamHeader, weight: float) -> list[LaneSpec]:
    """Return the lane of the trigger line, if the stream records it."""
    if header.trigger_column is None or header.trigger is None:
        return []
    analog = header.trigger.kind == "analog"
    low, high = (-0.4, 5.6) if analog else (-0.1, 1.15)
    colour = theme.TRIGGER
    column = header.trigger_column
    return [LaneSpec(column, "trigger", "", low, high, "", colour, weight)]


def _short(plate: str) -> str:
    """Shorten the usual plate names to one letter."""
    return {"left": "L", "right": "R"}.get(plate.lower(), plate)


def _side(label: str) -> str:
    """Blue for the left of the body, yellow for the right."""
    first = label[:1].upper()
    return {"L": theme.LEFT, "R": theme.RIGHT}.get(first, theme.TRACE)
