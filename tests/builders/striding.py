"""Muscles and movement artefacts of the schematic walker, in true time."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acquire.storage.recording import RecordedStream
from tests.builders.walking import EMG, Session

Floats = NDArray[np.float64]


def with_muscles(
    made: Session, *, artefact_uv: float = 0.0, late_s: float = 0.0
) -> Session:
    """Let the muscles of each leg work after its strikes, `late_s` later than they do.

    Bursts of noise 60 ms after the strike; with `artefact_uv` every lead swings for
    80 ms as the foot hits the ground, too.
    """
    rng = np.random.default_rng(7)
    streams = []
    for stream in made.recording.streams:
        if stream.name == "semg":
            rows = np.flatnonzero(made.kept["semg"]).astype(np.float64)
            t = made.clocks["semg"].at(rows) - late_s
            data = stream.data.copy()
            jolt = sum(_bell(made, side, t, 0.02, 0.03) for side in ("left", "right"))
            swing = artefact_uv * jolt
            for k, name in enumerate(EMG):
                side = "right" if name.startswith("R") else "left"
                loud = 5.0 + 80.0 * _bell(made, side, t, 0.06, 0.05)
                data[:, k] = loud * rng.normal(size=t.size) + swing
            stream = replace(stream, data=data)
        streams.append(stream)
    recording = replace(made.recording, streams=tuple(streams))
    return replace(made, recording=recording)


def _bell(made: Session, side: str, t: Floats, after_s: float, wide_s: float) -> Floats:
    strikes = made.walk.strikes(side) + after_s
    near = np.abs(t[:, None] - strikes).min(axis=1)
    return np.asarray(np.exp(-0.5 * np.square(near / wide_s)))


def later(made: Session, by_s: float) -> Session:
    """Return a trial as recorded `by_s` later in the session: counts ran on."""

    def move(stream: RecordedStream) -> RecordedStream:
        offsets = stream.offsets + np.array([by_s, 0.0, 0.0])
        data = stream.data
        if stream.name == "semg":
            data = data.copy()
            data[:, -1] += round(by_s * 2000.0 / (1 + 60e-6))
        return replace(stream, data=data, t_lsl=stream.t_lsl + by_s, offsets=offsets)

    streams = tuple(move(stream) for stream in made.recording.streams)
    return replace(made, recording=replace(made.recording, streams=streams))
