"""One XDF file per trial: every stream, its stamps already on one clock.

Stamps are trial time, seconds; there are no clock offsets left to apply. What a
reader straightens in stamps stays as it is: streams are evenly sampled in the file,
with NaN where samples were lost, and a stream that cannot hold NaN and lost some is
declared irregular.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.placed_trial import PlacedTrial, placed_trial
from acquire.exports.trials import ExportResult, accepted_trials, new_folder
from acquire.placed import named
from acquire.storage.durable import replace_atomically
from acquire.storage.recording import RecordedStream
from acquire.storage.stream_description import header_xml
from acquire.storage.xdf import XdfWriter
from devices.stream import Channel, StreamSpec

Floats = NDArray[np.float64]

LONGEST_FILL_S = 1.0  #: longer losses stay gaps
_ROWS = 1000  #: of a chunk
_SPARE = {"kinemuse-offsets", "kinemuse-recorder"}  #: in the stamps; wall clock
_PRIVATE = {"wall", "message", "override_reason"}  #: days, and what operators typed


def export_xdf(
    dataset: Path,
    participants: Sequence[str],
    out: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> ExportResult:
    """Write one XDF file per accepted trial into the new folder `out`."""
    new_folder(out)
    result = ExportResult()
    for trial in accepted_trials(dataset, participants):
        progress(trial.name)
        key = trial.key
        parts = (key.participant, key.condition, key.mode, key.speed)
        name = "_".join((*parts, f"Trial_{key.trial}.xdf"))
        path = out / key.participant / name
        path.parent.mkdir(exist_ok=True)
        write_merged(placed_trial(trial.archive, trial.session), path)
        result.files.append(path)
    return result


def write_merged(trial: PlacedTrial, path: Path) -> Path:
    """Write one trial's streams and gait events."""
    tmp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    tmp.unlink(missing_ok=True)
    try:
        with XdfWriter(tmp, journal=False) as writer:
            names = dict.fromkeys(stream.name for stream in trial.recording.streams)
            for name in names:
                for key, stream in named(trial.recording, name):
                    if name not in _SPARE and key in trial.derived["time"].arrays:
                        _put(writer, stream, trial.time_s(key))
            _put_gait(writer, trial)
        replace_atomically(tmp, path)
    finally:
        tmp.unlink(missing_ok=True)
    return path


def _put(writer: XdfWriter, stream: RecordedStream, time_s: Floats) -> None:
    known = np.isfinite(time_s)
    times, rows = time_s[known], stream.data[known]
    if rows.dtype == object:
        rows = np.array([[public(text) for text in row] for row in rows], dtype=object)
        rows = rows.reshape(times.size, len(stream.channels))
    rate = stream.rate_hz
    if rate > 0 and times.size > 1:
        steps = np.round(np.diff(times) * rate)
        if rows.dtype.kind == "f":
            times, rows = _filled(times, rows, steps, rate)
        elif (steps != 1).any():
            rate = 0.0
    xml = _header(stream, rate)
    number = writer.add_stream(xml, stream.dtype, len(stream.channels), rate)
    for first in range(0, times.size, _ROWS):
        part = slice(first, first + _ROWS)
        writer.write_samples(number, rows[part], times[part])
        writer.flush_to_file()
    for at in times[[0, -1]] if times.size else ():
        writer.write_offset(number, float(at), 0.0)  # some readers ask for offsets
    writer.write_boundary()


def public(text: str) -> str:
    """Return an event without days and without what operators typed."""
    try:
        event = json.loads(text)
    except ValueError:
        return text
    if not isinstance(event, dict) or not _PRIVATE & set(event):
        return text
    return json.dumps({k: v for k, v in event.items() if k not in _PRIVATE})


def _filled(
    times: Floats, rows: NDArray[Any], steps: Floats, rate_hz: float
) -> tuple[Floats, NDArray[Any]]:
    """Put rows of NaN where samples were lost, unless for longer than a second."""
    short = np.where(steps > LONGEST_FILL_S * rate_hz, 1, np.maximum(steps, 1))
    slot = np.concatenate([[0], np.cumsum(short)]).astype(int)
    made = np.full((slot[-1] + 1, rows.shape[1]), np.nan, dtype=rows.dtype)
    made[slot] = rows
    return np.interp(np.arange(len(made)), slot, times), made


def _header(stream: RecordedStream, rate_hz: float) -> str:
    """Return the stream's header without what names a computer or a day."""
    info = ET.fromstring(stream.header_xml.strip())  # noqa: S314 (our own archive)
    for name, text in (
        ("hostname", ""),
        ("uid", ""),
        ("session_id", ""),
        ("created_at", "0"),
        ("nominal_srate", repr(rate_hz)),
    ):
        element = info.find(name)
        if element is not None:
            element.text = text
    for name in [child.tag for child in info if child.tag.startswith("v4")]:
        info.remove(info.find(name))  # type: ignore[arg-type]
    desc = info.find("desc")
    desc = ET.SubElement(info, "desc") if desc is None else desc
    exported = ET.SubElement(desc, "export")
    ET.SubElement(exported, "stamps").text = "trial time, s; corrected"
    ET.SubElement(exported, "rate_hz").text = repr(stream.rate_hz)
    return '<?xml version="1.0"?>\n' + ET.tostring(info, encoding="unicode")


def _put_gait(writer: XdfWriter, trial: PlacedTrial) -> None:
    spec = StreamSpec("gait-events", "Markers", 0.0, (Channel("event"),), "string")
    simulated = any(stream.simulated for stream in trial.recording.streams)
    xml = header_xml(spec, device="gait", kind="derived", simulated=simulated)
    number = writer.add_stream(xml, "string", 1, 0.0)
    events = trial.gait.events
    texts = [f"{event.side} foot {event.kind}" for event in events]
    times = np.array([event.time_s for event in events])
    writer.write_samples(number, texts, times)
    for at in times[[0, -1]] if times.size else ():
        writer.write_offset(number, float(at), 0.0)
