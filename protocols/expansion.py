"""A protocol expanded, for one participant, to what will happen, without hardware."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from protocols.order import Order, arranged
from protocols.schema import ProtocolDefinition
from protocols.settings import BorgScale
from protocols.steps import (
    Block,
    Blocks,
    Borg,
    CalibrationTrial,
    Cell,
    Cycle,
    ElectrodeShift,
    GapCheck,
    Matrix,
    Prompt,
    Rest,
    Squats,
    Step,
    StopRules,
    Trials,
    Walk,
)
from protocols.timeline import (
    CALIBRATION,
    UNRECORDED,
    Action,
    Asking,
    Entry,
    GapChecking,
    Resting,
    TrialPlan,
)

BORG_RANGE: Mapping[BorgScale, tuple[float, float]] = {"CR10": (0, 10), "RPE": (6, 20)}
SHIFTS = {
    "upward": "towards the head, along the limb",
    "downward": "towards the foot, along the limb",
    "leftward": "to the participant's left, across the limb",
    "rightward": "to the participant's right, across the limb",
}
OTHER_SHIFTS = {
    "initial": "Mark the initial place of every electrode on the skin, and leave it "
    "there",
    "superficial": "Take the strap off the probes: no pressure on the skin",
    "compressed": "Strap the probes firmly: pressure on the skin",
}
T = TypeVar("T")


def timeline(protocol: ProtocolDefinition, participant: str = "") -> list[Entry]:
    """Return everything that happens, in this participant's order."""
    return list(_Expansion(protocol, participant).entries())


def actions(protocol: ProtocolDefinition, participant: str = "") -> list[Action]:
    """Return the timeline's actions alone."""
    return [entry.action for entry in timeline(protocol, participant)]


@dataclass(frozen=True, slots=True)
class _Scope:
    groups: tuple[str, ...] = ()
    cycle: str = ""
    stop: StopRules | None = None


class _Expansion:
    """Walks through the steps, counting trials and entries on the way."""

    def __init__(self, protocol: ProtocolDefinition, participant: str) -> None:
        self._protocol, self._participant = protocol, participant
        self._settings = protocol.settings
        self._counts: dict[tuple[str, str, float, bool], int] = {}
        self._n = 0

    def entries(self) -> Iterator[Entry]:
        if self._protocol.stop_criteria:
            text = "Stop criteria, read to the participant: "
            text += "; ".join(self._protocol.stop_criteria)
            yield self._entry(Asking(text, "stop_criteria_read"), _Scope())
        yield from self._steps(self._protocol.steps, _Scope())

    def _steps(self, steps: tuple[Step, ...], scope: _Scope) -> Iterator[Entry]:
        for step in steps:
            yield from self._step(step, scope)

    def _step(self, step: Step, scope: _Scope) -> Iterator[Entry]:
        match step:
            case CalibrationTrial():
                yield from self._calibration(step, scope)
            case Trials():
                for _ in range(step.repeat):
                    trial = self._walk(step.mode, step.speed_mps, step.condition)
                    yield self._trial(trial, step.record_s, scope)
            case Matrix():
                yield from self._matrix(step, scope)
            case Cycle():
                name = f"cycle {self._n + 1}"
                inner = _Scope((*scope.groups, name), name, step.stop)
                for _ in range(step.repeat):
                    yield from self._steps(step.steps, inner)
            case Blocks():
                for block in self._order_of(step):
                    yield from self._steps(block.steps, scope)
            case _:
                yield self._entry(self._simple(step), scope)

    def _simple(
        self, step: Prompt | Rest | Walk | Squats | Borg | ElectrodeShift | GapCheck
    ) -> Action:
        settings = self._settings
        match step:
            case Prompt():
                return Asking(step.text, facts={"text": step.text})
            case Rest():
                given_s = step.duration_s
                return Resting(settings.block_rest_s if given_s is None else given_s)
            case Walk():
                given_s = step.duration_s
                lasts_s = settings.acclimatise_s if given_s is None else given_s
                return self._walk(
                    step.mode, step.speed_mps, UNRECORDED, lasts_s, recorded=False
                )
            case Squats():
                count = step.count or settings.squats
                text = f"{count} squats beside the belts, then: how many were done?"
                facts = {"asked": count}
                return Asking(text, "squats", facts, (0, 500), str(count))
            case Borg():
                scale = step.scale or settings.borg_scale
                low, high = BORG_RANGE[scale]
                text = f"Rating of effort, Borg {scale} ({low:g} to {high:g})?"
                middle = f"{(low + high) // 2:g}"
                return Asking(
                    text, "borg", {"scale": scale}, (low, high), middle,
                    while_walking=step.while_walking,
                )  # fmt: skip
            case ElectrodeShift():
                return _shift(step, settings.shift_mm)
            case GapCheck():
                return GapChecking(step.condition, step.min_days, step.max_days)

    def _calibration(self, step: CalibrationTrial, scope: _Scope) -> Iterator[Entry]:
        group = f"optional {self._n + 1}" if step.optional else ""
        if group:
            groups = (*scope.groups, group)
            scope = _Scope(groups, scope.cycle, scope.stop)
        if step.text:
            asked = Asking(step.text, facts={"text": step.text}, leaves_out=group)
            yield self._entry(asked, scope)
        number = self._count(CALIBRATION, step.kind, 0.0, recorded=True)
        yield self._entry(
            TrialPlan(
                CALIBRATION, step.kind, 0.0, number, step.record_s,
                deck_deg=step.incline_deg, label=step.label,
            ),
            scope,
        )  # fmt: skip

    def _matrix(self, step: Matrix, scope: _Scope) -> Iterator[Entry]:
        skipped = {(cell.mode, cell.speed_mps) for cell in step.skip}
        if step.order == "random":
            cells = [
                Cell(mode=mode, speed_mps=speed)
                for mode in step.modes
                for speed in step.speeds_mps
                if (mode, speed) not in skipped
            ]
            for cell in self._arranged(cells * step.trials, "random", step.seed):
                trial = self._walk(cell.mode, cell.speed_mps, step.condition)
                yield self._trial(trial, None, scope)
            return
        blocks = _cells_by_block(step, skipped)
        for k, block in enumerate(self._arranged(blocks, step.order, step.seed)):
            if k and step.rest_between and self._settings.block_rest_s:
                yield self._entry(Resting(self._settings.block_rest_s), scope)
            for cell in self._arranged(block, step.inner, step.seed):
                for _ in range(step.trials):
                    trial = self._walk(cell.mode, cell.speed_mps, step.condition)
                    yield self._trial(trial, None, scope)

    def _order_of(self, step: Blocks) -> list[Block]:
        first, rest = step.blocks[: step.keep_first], step.blocks[step.keep_first :]
        return [*first, *self._arranged(rest, step.order, step.seed)]

    def _arranged(self, items: Sequence[T], order: Order, seed: int) -> list[T]:
        name = f"{self._protocol.name}/{self._n}"
        return arranged(
            items, order, seed=seed, participant=self._participant, name=name
        )

    def _walk(
        self,
        mode: str,
        speed_mps: float,
        condition: str | None,
        record_s: float | None = None,
        *,
        recorded: bool = True,
    ) -> TrialPlan:
        condition = condition or self._protocol.condition
        number = self._count(condition, mode, speed_mps, recorded=recorded)
        lasts_s = self._settings.record_s if record_s is None else record_s
        return TrialPlan(condition, mode, speed_mps, number, lasts_s, recorded=recorded)

    def _trial(self, trial: TrialPlan, record_s: float | None, scope: _Scope) -> Entry:
        if record_s is not None:
            trial = replace(trial, record_s=record_s)
        return self._entry(trial, scope)

    def _count(
        self, condition: str, mode: str, speed_mps: float, *, recorded: bool
    ) -> int:
        key = (condition, mode, speed_mps, recorded)
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key]

    def _entry(self, action: Action, scope: _Scope) -> Entry:
        self._n += 1
        entry_id = f"step {self._n}"
        if isinstance(action, TrialPlan) and action.recorded:
            entry_id = action.name
        return Entry(entry_id, action, scope.groups, scope.cycle, scope.stop)


def _cells_by_block(
    step: Matrix, skipped: Collection[tuple[str, float]]
) -> list[list[Cell]]:
    """Return the combinations of a matrix in blocks; empty blocks are left out."""
    if step.block_by == "mode":
        pairs = [[(mode, speed) for speed in step.speeds_mps] for mode in step.modes]
    else:
        pairs = [[(mode, speed) for mode in step.modes] for speed in step.speeds_mps]
    blocks = [
        [Cell(mode=mode, speed_mps=speed) for mode, speed in block] for block in pairs
    ]
    kept = [
        [cell for cell in block if (cell.mode, cell.speed_mps) not in skipped]
        for block in blocks
    ]
    return [block for block in kept if block]


def _shift(step: ElectrodeShift, default_mm: float) -> Asking:
    facts: dict[str, object] = {"direction": step.direction}
    if step.direction in OTHER_SHIFTS:
        text = OTHER_SHIFTS[step.direction]
    else:
        distance_mm = step.distance_mm or default_mm
        facts["distance_mm"] = distance_mm
        text = (
            f"Move every electrode {distance_mm:g} mm {step.direction} "
            f"({SHIFTS[step.direction]}) from its marked initial place"
        )
    return Asking(f"{text}; check every signal. Done?", "electrode_shift", facts)
