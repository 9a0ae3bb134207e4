"""What the gait model must know of a body, in SI units, and what it does without."""

from collections.abc import Mapping
from dataclasses import dataclass

from acquire.gait.feet import SIDES, Side

LARGEST_M = 2.0


class MeasureError(ValueError):
    """A measure of the body is missing or impossible; `measure` names it."""

    def __init__(self, measure: str, problem: str) -> None:
        self.measure = measure
        super().__init__(f"{measure} {problem}")


@dataclass(frozen=True, slots=True)
class LegMeasures:
    """One leg: lengths in m, rotations of the wands in degrees.

    `thigh_rotation_deg` and `shank_rotation_deg` correct wands that do not lie in the
    plane of the joint's axis; positive turns the wand as the vendor's sheet does.
    """

    leg_length_m: float
    knee_width_m: float
    ankle_width_m: float
    thigh_rotation_deg: float = 0.0
    shank_rotation_deg: float = 0.0
    sole_delta_m: float = 0.0  #: how much thicker the sole is under the heel

    @property
    def asis_to_trochanter_m(self) -> float:
        """Distance along the pelvis, by the regression on leg length."""
        return 0.1288 * self.leg_length_m - 0.04856


@dataclass(frozen=True, slots=True)
class Measures:
    """One participant. Without `mass_kg` there are angles but no kinetics.

    `inter_asis_m` is taken from the static trial unless it was measured by hand.
    """

    left: LegMeasures
    right: LegMeasures
    marker_diameter_m: float
    mass_kg: float | None = None
    inter_asis_m: float | None = None

    def __post_init__(self) -> None:
        for side in SIDES:
            leg = self.leg(side)
            for name in ("leg_length", "knee_width", "ankle_width"):
                _plausible(f"{name}_{side}_mm", getattr(leg, f"{name}_m"))
        _plausible("marker_diameter_mm", self.marker_diameter_m)
        if self.inter_asis_m is not None:
            _plausible("inter_asis_mm", self.inter_asis_m)
        if self.mass_kg is not None and not 0 < self.mass_kg < 500:
            raise MeasureError("mass_kg", f"is {self.mass_kg:g}, no body's mass")

    def leg(self, side: Side) -> LegMeasures:
        return self.left if side == "left" else self.right

    @property
    def mean_leg_m(self) -> float:
        return (self.left.leg_length_m + self.right.leg_length_m) / 2


def measures(known: Mapping[str, float]) -> Measures:
    """Return measures from a participant's sheet, in mm and kg.

    Names are those of ``participants.tsv``; a value that is absent, NaN or 0 was not
    taken.

    Raises
    ------
    MeasureError
        One that the model needs was not taken; its `measure` says which.
    """

    def taken(name: str) -> float | None:
        value = known.get(name, 0.0)
        return value if value == value and value != 0 else None

    def needed_m(name: str) -> float:
        value = taken(name)
        if value is None:
            raise MeasureError(name, "is missing")
        return value / 1000

    legs = {
        side: LegMeasures(
            needed_m(f"leg_length_{side}_mm"),
            needed_m(f"knee_width_{side}_mm"),
            needed_m(f"ankle_width_{side}_mm"),
            thigh_rotation_deg=taken(f"thigh_rotation_{side}_deg") or 0.0,
            shank_rotation_deg=taken(f"shank_rotation_{side}_deg") or 0.0,
            sole_delta_m=(taken(f"sole_delta_{side}_mm") or 0.0) / 1000,
        )
        for side in SIDES
    }
    asis_mm = taken("inter_asis_mm")
    return Measures(
        legs["left"],
        legs["right"],
        needed_m("marker_diameter_mm"),
        mass_kg=taken("mass_kg"),
        inter_asis_m=None if asis_mm is None else asis_mm / 1000,
    )


def _plausible(name: str, value_m: float) -> None:
    if not 0 < value_m < LARGEST_M:
        raise MeasureError(
            name, f"is {value_m * 1000:g} mm, which no body has; is it in mm?"
        )
