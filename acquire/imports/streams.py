"""Arrays from files as recorded streams: counted, stamped, with what they rest on.

Stamps are seconds on the clock of the Vicon frames: frame k has the stamp k / rate.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from acquire.align.declared import BLOCK
from acquire.dataset.arrays import US_SHAPE
from acquire.gait.plates import Plate
from acquire.gait.survey import COMPONENTS
from acquire.storage.recording import RecordedStream
from acquire.storage.stream_description import header_xml
from acquire.storage.stream_header import parse_header
from devices.stream import Channel, Counter, StreamSpec, TriggerInput

Floats = NDArray[np.float64]

DEVICE: Final = "import"
SEQUENCE: Final = 2**15
_UNITS: Final = {"F": "newtons", "M": "newton-meters"}


def recorded(
    spec: StreamSpec, data: NDArray[Any], stamps_s: Floats, *, simulated: bool
) -> RecordedStream:
    """Return a stream of `data` (n, n_channels) with `stamps_s` (n,)."""
    xml = header_xml(spec, device=DEVICE, kind="file", simulated=simulated)
    head = parse_header(xml)
    return RecordedStream(
        name=spec.name,
        type=spec.type,
        source_id=head.source_id,
        uid="",
        rate_hz=spec.rate_hz,
        dtype=spec.dtype,
        channels=spec.channels,
        data=data,
        t_lsl=np.asarray(stamps_s, dtype=np.float64),
        offsets=np.empty((0, 3)),
        header_xml=xml,
        counter=head.counter,
        trigger=head.trigger,
        waveform=head.waveform,
        simulated=simulated,
    )


def marker_stream(
    markers_m: Mapping[str, Floats],
    rate_hz: float,
    first_frame: int,
    span: tuple[int, int] | None,
    *,
    simulated: bool,
) -> RecordedStream:
    """Return positions (n, 3) by label; `span`: frames at the line's rise and fall."""
    n = len(next(iter(markers_m.values())))
    frames = first_frame + np.arange(n, dtype=np.float64)
    axes = tuple(Channel(f"{name}_{a}", "meters") for name in markers_m for a in "XYZ")
    block = {"rise_frame": span[0], "fall_frame": span[1]} if span else {"free": True}
    spec = StreamSpec(
        "vicon-markers",
        "MoCap",
        rate_hz,
        (Channel("frame"), *axes),
        counter=Counter("device", "frame"),
        metadata={BLOCK: block},
    )
    data = np.column_stack([frames, *markers_m.values()]).astype(np.float32)
    return recorded(spec, data, frames / rate_hz, simulated=simulated)


def force_stream(
    plates: list[tuple[Plate, Floats]],
    line: Floats | None,
    rate_hz: float,
    first_sample: int,
    incline_deg: float,
    *,
    simulated: bool,
) -> RecordedStream:
    """Return plates with their loads (n, 6) and the trigger line (n,), if recorded."""
    columns = [loads for _, loads in plates]
    names = [f"FP{k}" for k in range(1, len(plates) + 1)]
    channels = [Channel(f"{p}_{c}", _UNITS[c[0]]) for p in names for c in COMPONENTS]
    if line is not None:
        columns.append(line[:, None])
        channels.append(Channel("sync", "V"))
    index = first_sample + np.arange(len(columns[0]), dtype=np.float64)
    described = {
        name: {
            "translation_m": plate.origin_m.tolist(),
            "rotation": plate.rotation.tolist(),
            "corners_m": plate.corners_m.tolist(),
            "pose_incline_deg": incline_deg,
        }
        for name, (plate, _) in zip(names, plates, strict=True)
    }
    spec = StreamSpec(
        "vicon-forces",
        "Force",
        rate_hz,
        (*channels, Channel("index")),
        counter=Counter("device", "index"),
        trigger=None if line is None else TriggerInput("sync"),
        metadata={"plates": described} if described else {},
    )
    data = np.column_stack([*columns, index]).astype(np.float32)
    return recorded(spec, data, index / rate_hz, simulated=simulated)


def emg_stream(
    channels: Mapping[str, tuple[Floats, str]],
    line: Floats | None,
    rate_hz: float,
    start_s: float,
    half_width_s: float,
    *,
    simulated: bool,
) -> RecordedStream:
    """Return sEMG: rows (n,) and unit by our channel; a row of NaN was lost."""
    columns = [rows for rows, _ in channels.values()]
    described = [Channel(name, unit, "EMG") for name, (_, unit) in channels.items()]
    if line is not None:
        columns.append(line)
        described.append(Channel("sync", "", "TRIG"))
    rows = np.stack(columns, axis=1)
    index = np.flatnonzero(~np.isnan(rows).all(axis=1)).astype(np.float64)
    spec = StreamSpec(
        "semg",
        "EMG",
        rate_hz,
        (*described, Channel("index")),
        counter=Counter("adapter", "index"),
        trigger=None if line is None else TriggerInput("sync"),
        metadata={BLOCK: {"start_half_width_s": half_width_s}},
    )
    data = np.column_stack([rows[index.astype(int)], index]).astype(np.float32)
    return recorded(spec, data, start_s + index / rate_hz, simulated=simulated)


def echo_stream(
    echo: NDArray[np.integer],
    lost: NDArray[np.bool_],
    made_up: NDArray[np.bool_],
    rate_hz: float,
    start_s: float,
    half_width_s: float,
    origin: Mapping[str, Any],
    *,
    simulated: bool,
) -> RecordedStream:
    """Return frames (n, 4, 1000); lost ones leave a gap, made-up ones are flagged."""
    probes, depth = US_SHAPE
    lead = ("seq", "trigger", "flags", *(f"tick_{k}" for k in range(4)))
    lines = (f"CH{p}_{k:04d}" for p in range(1, probes + 1) for k in range(depth))
    index = np.flatnonzero(~lost)
    head = np.zeros((index.size, len(lead)), dtype=echo.dtype)
    head[:, 0] = index % SEQUENCE
    head[:, 2] = made_up[index]
    spec = StreamSpec(
        "amode",
        "Ultrasound",
        rate_hz,
        tuple(Channel(name) for name in (*lead, *lines)),
        "int16" if echo.dtype == np.int16 else "int32",
        counter=Counter("adapter", "seq", SEQUENCE),
        metadata={BLOCK: {"start_half_width_s": half_width_s, **origin}},
    )
    data = np.hstack([head, echo[index].reshape(index.size, probes * depth)])
    return recorded(spec, data, start_s + index / rate_hz, simulated=simulated)
