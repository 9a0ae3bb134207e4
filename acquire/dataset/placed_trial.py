"""A trial's streams as recorded, every row with its trial time, nothing resampled."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from acquire.dataset.arrays import (
    FRAME_HZ,
    centred_means,
    marker_positions,
    model_on_frames,
    on_frames,
    rate_of,
)
from acquire.dataset.trial_source import up_to_date
from acquire.gait.feet import Side
from acquire.gait.plates import Deck, Plate
from acquire.gait.survey import DeckSettings, deck_settings, surveyed_plates
from acquire.placed import incline_at
from acquire.session_clocks import SessionClocks
from acquire.storage.derived_file import Derived, read_derived_attributes
from acquire.storage.recording import Recording
from acquire.storage.stream_header import parse_header
from acquire.storage.trial_file import read_provenance, read_trial
from acquire.stored_gait import StoredGait, stored_gait

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlacedTrial:
    """One archive and what follows from it; trial time 0 is frame 0 of `n_frames`."""

    archive: Path
    recording: Recording
    derived: Derived
    status: str  #: of the clocks
    n_frames: int
    gait: StoredGait
    deck: DeckSettings

    def time_s(self, name: str) -> Floats:
        """Return the trial time of every row of a stream, NaN where unknown."""
        return np.asarray(self.derived["time"].arrays[name], dtype=np.float64)

    @property
    def duration_s(self) -> float:
        return self.n_frames / FRAME_HZ

    def markers_m(self) -> dict[str, Floats]:
        """Return positions by label at the trial's frames, (n_frames, 3)."""
        if "vicon-markers" not in self.recording:
            return {}
        stream, at = self.recording["vicon-markers"], self.time_s("vicon-markers")
        return {
            name: on_frames(at, rows, self.n_frames, stream.rate_hz)
            for name, rows in marker_positions(stream).items()
        }

    def model(self) -> dict[str, Floats]:
        """Return the gait model's outputs at the trial's frames, (n_frames, 3) each."""
        return model_on_frames(self.gait.model, self.gait.model_time_s, self.n_frames)

    def forces_n(self) -> dict[Side, Floats]:
        """Return the reaction on each foot at the trial's frames, (n_frames, 3)."""
        at = self.gait.force_time_s
        return {
            side: centred_means(at, rows, rate_of(at), self.n_frames)
            for side, rows in self.gait.forces_n.items()
            if rows.size
        }

    def incline_deg(self) -> float:
        """Return the deck's angle, the middle one of the trial."""
        at = np.linspace(0, self.duration_s, 101)
        return float(np.median(incline_at(self, at)))

    def plates(self) -> list[tuple[Plate, tuple[int, ...]]]:
        """Return each plate where it was in this trial, and its six columns."""
        if "vicon-forces" not in self.recording:
            return []
        stream = self.recording["vicon-forces"]
        incline = self.incline_deg()
        deck = Deck(
            np.array([incline]),
            np.array(self.deck.pivot_m),
            self.deck.plates_follow_deck,
        )
        metadata = parse_header(stream.header_xml).metadata
        return [
            (_turned(surveyed.plate, deck, incline), surveyed.columns)
            for surveyed in surveyed_plates(metadata, stream.labels)
        ]


def placed_trial(archive: Path, session: SessionClocks | None = None) -> PlacedTrial:
    """Read an archive with its derived file, which is made anew when out of date."""
    derived, _ = up_to_date(archive, session)
    return placed(archive, read_trial(archive), derived)


def placed(archive: Path, recording: Recording, derived: Derived) -> PlacedTrial:
    """Join an archive's content with what was derived from it."""
    attributes = read_derived_attributes(derived.path)
    duration_s = float(attributes["duration_s"])
    rig: Any = yaml.safe_load(read_provenance(archive).get("rig", "")) or {}
    settings = deck_settings(rig) if isinstance(rig, Mapping) else None
    return PlacedTrial(
        archive,
        recording,
        derived,
        str(attributes["status"]),
        max(int(np.floor(duration_s * FRAME_HZ + 1e-6)), 0),
        stored_gait(derived),
        settings or DeckSettings(),
    )


def even_rows(
    time_s: Floats, rate_hz: float, duration_s: float
) -> tuple[NDArray[np.intp], Floats]:
    """Return which row holds each sample of a trial, -1 where it was lost, and times.

    Both have shape (n,): the samples of a stream at `rate_hz` from trial time 0 to
    `duration_s`, counted by the device's own clock. A loss takes the room of as many
    samples as its time holds.
    """
    rows = np.flatnonzero(np.isfinite(time_s))
    if rows.size == 0:
        return np.empty(0, np.intp), np.empty(0)
    times = time_s[rows]
    steps = np.maximum(np.round(np.diff(times) * rate_hz), 1)
    slot = np.concatenate([[0], np.cumsum(steps)]).astype(int)
    every = np.interp(np.arange(slot[-1] + 1), slot, times)
    row = np.full(every.size, -1, np.intp)
    row[slot] = rows
    inside = (every >= -1e-9) & (every < duration_s - 1e-9)
    return row[inside], every[inside]


def _turned(plate: Plate, deck: Deck, incline_deg: float) -> Plate:
    turn = deck.turn(plate.pose_incline_deg)[0]

    def moved(points: Floats) -> Floats:
        return np.asarray((points - deck.pivot_m) @ turn.T + deck.pivot_m)

    return Plate(
        plate.name,
        turn @ plate.rotation,
        moved(plate.origin_m),
        moved(plate.corners_m),
        incline_deg,
    )
