"""One state of a Vicon session: its description, its channels and how to fill them."""

from dataclasses import dataclass

from devices.errors import DeviceError, DeviceTimeoutError
from devices.stream import StreamSpec
from devices.vicon.assemble import ForceRows, MarkerRows
from devices.vicon.config import ViconConfig
from devices.vicon.extra_rows import FrameRows, SegmentRows, UnlabeledRows
from devices.vicon.frames import Frame
from devices.vicon.generations import Generations
from devices.vicon.layout import Layout, build_layout
from devices.vicon.objects import Statics
from devices.vicon.probe import RateProbe
from devices.vicon.specs import (
    force_spec,
    marker_spec,
    segment_spec,
    unlabeled_spec,
)

PATIENCE_FRAMES = 10


@dataclass(frozen=True, eq=False)
class Session:
    """What was learned from the server; `forces` is None without plates and sync.

    `per_frame` are the streams of one row a frame, the markers first.
    """

    statics: Statics
    layout: Layout
    per_frame: tuple[tuple[StreamSpec, FrameRows], ...]
    forces: ForceRows | None = None
    force_spec: StreamSpec | None = None

    @property
    def specs(self) -> tuple[StreamSpec, ...]:
        (markers, _), *others = self.per_frame
        forces = [self.force_spec] if self.force_spec else []
        return (markers, *forces, *(spec for spec, _ in others))

    def changed_since(self, previous: "Session") -> tuple[StreamSpec, ...]:
        """Specs that are not those of an earlier state."""
        return tuple(spec for spec in self.specs if spec not in previous.specs)


class Learner:
    """Turns the first frames after connecting, or after a change, into a `Session`."""

    def __init__(
        self, config: ViconConfig, where: str, generations: Generations
    ) -> None:
        self._config, self._where, self._generations = config, where, generations
        self._statics: Statics | None = None
        self._layout: Layout | None = None
        self._probe: RateProbe | None = None
        self._error: DeviceError | None = None
        self._seen: set[int] = set()

    def look(self, frame: Frame) -> Session | None:
        """Return the session once it is known; `DeviceError` when it cannot be."""
        if frame.frame_id in self._seen:
            return None
        self._seen.add(frame.frame_id)
        if frame.statics is not self._statics:
            self._describe(frame.statics)
        if self._layout is None:
            if len(self._seen) >= PATIENCE_FRAMES and self._error:
                raise self._error
            return None
        if self._probe is None:
            return self._session(self._layout, None)
        if not self._probe.look(frame):
            return None
        return self._session(self._layout, self._probe)

    def give_up(self, timeout_s: float) -> DeviceError:
        """Say what was missing when the time was up."""
        if self._error:
            return self._error
        missing = self._probe.waiting_for if self._probe else "frame"
        return DeviceTimeoutError(
            f"{self._where} speaks the protocol but sent no {missing} within "
            f"{timeout_s:g} s ({len(self._seen)} frames came); is it live?"
        )

    def _describe(self, statics: Statics) -> None:
        self._statics = statics
        self._layout = self._probe = self._error = None
        try:
            self._layout = build_layout(statics, self._config, self._where)
        except DeviceError as error:
            self._error = error
            return
        if self._layout.outputs:
            self._probe = RateProbe(self._layout, statics, self._where)

    def _session(self, layout: Layout, probe: RateProbe | None) -> Session:
        statics = self._statics or Statics()
        number, config = self._generations.number, self._config
        force = rows = None
        if probe is not None:
            per_frame, per_device_frame = probe.result()
            rows = ForceRows(layout, statics, per_device_frame)
            force = number(force_spec(layout, config, per_frame))
        markers = marker_spec(layout, config), MarkerRows(layout)
        found: list[tuple[StreamSpec, FrameRows]] = [markers]
        if config.segments:
            found.append((segment_spec(layout, config), SegmentRows(layout)))
        if config.unlabeled_markers:
            places = UnlabeledRows(layout, config.unlabeled_markers)
            found.append((unlabeled_spec(layout, config), places))
        numbered = tuple((number(spec), rows_) for spec, rows_ in found)
        return Session(statics, layout, numbered, rows, force)
