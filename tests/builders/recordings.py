"""XDF files made to measure: streams of every kind, foreign writers, lost pages."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.storage import xdf_format as xdf
from acquire.storage.stream_description import header_xml
from acquire.storage.xdf import XdfWriter
from devices.stream import Channel, Counter, DType, StreamSpec, TriggerInput

NUMERIC: tuple[DType, ...] = ("float32", "float64", "int8", "int16", "int32", "int64")


def spec(
    name: str,
    dtype: DType = "float32",
    n_channels: int = 3,
    rate_hz: float = 100.0,
    **more: Any,
) -> StreamSpec:
    channels = tuple(Channel(f"c{k}", "uV", "EMG") for k in range(n_channels))
    return StreamSpec(name, "Test", rate_hz, channels, dtype=dtype, **more)


COUNTED = spec(
    "counted",
    n_channels=3,
    counter=Counter("device", "c0", 64),
    trigger=TriggerInput("c1", edge_delay_s=0.001),
)


def header(stream: StreamSpec, **more: Any) -> str:
    facts = {"device": "dev", "kind": "test", "simulated": True, "uid": stream.name}
    return header_xml(stream, **{**facts, **more})


def values(dtype: str, shape: tuple[int, int], seed: int = 0) -> NDArray[Any]:
    """Random bytes of a dtype, NaN and infinities among them, and no zeros."""
    rng = np.random.default_rng(seed)
    if dtype.startswith("float"):
        data = rng.standard_normal(shape).astype(dtype)
        data[rng.random(shape) < 0.05] = np.nan
        return data
    info = np.iinfo(dtype)
    return rng.integers(1, info.max, shape, dtype=dtype, endpoint=True)


def add(writer: XdfWriter, stream: StreamSpec, **more: Any) -> int:
    n = len(stream.channels)
    return writer.add_stream(header(stream, **more), stream.dtype, n, stream.rate_hz)


def write_all_kinds(path: Path, n: int = 120) -> dict[str, tuple[Any, NDArray[Any]]]:
    """Write one stream of every format, in chunks; return data and stamps by name."""
    truth: dict[str, tuple[Any, NDArray[Any]]] = {}
    with XdfWriter(path) as writer:
        ids = {}
        for seed, dtype in enumerate(NUMERIC):
            stream = spec(dtype, dtype, n_channels=seed + 1)
            ids[dtype] = add(writer, stream)
            t = 1000.0 + np.arange(n) / 100.0 + 1e-4 * np.sin(np.arange(n))
            truth[dtype] = values(dtype, (n, seed + 1), seed), t
        ids["texts"] = add(writer, spec("texts", "string", 1, 0.0))
        texts = [f"événement {k} " + "x" * (k * 7 % 400) for k in range(n // 10)]
        truth["texts"] = texts, 1000.0 + np.arange(len(texts)) * 0.1
        for start in range(0, n, 30):
            for name, (data, t) in truth.items():
                rows = slice(start, start + 30)
                if name == "texts":
                    rows = slice(start // 10, start // 10 + 3)
                writer.write_samples(ids[name], data[rows], t[rows])
                writer.write_offset(ids[name], float(t[0]) + start / 100, -1e-5)
            writer.flush_to_file()
            writer.sync()
    return truth


def write_counted(
    path: Path, n: int = 2000, *, journal: bool = True, sync_every: int = 200
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Write one counted stream with a trigger, 10 rows a chunk; return data, stamps."""
    data = values("float32", (n, 3), 7)
    data[:, 0] = np.arange(n) % 64
    data[:, 1] = np.where((np.arange(n) // 300) % 2, 5.0, 0.1)
    t = 50.0 + np.arange(n) / 100.0
    with XdfWriter(path, journal) as writer:
        stream_id = add(writer, COUNTED)
        for start in range(0, n, 10):
            rows = slice(start, start + 10)
            writer.write_samples(stream_id, data[rows], t[rows])
            writer.flush_to_file()
            if start % sync_every == 0:
                writer.write_offset(stream_id, float(t[start]), 2e-5)
                writer.sync()
    return data, t


def foreign(
    path: Path,
    stream: StreamSpec,
    chunks: Sequence[tuple[NDArray[Any], Sequence[float | None]]],
    *,
    footer: bool = True,
) -> None:
    """Write as LabRecorder does: stamps that follow from the rate are left out."""
    parts = [xdf.MAGIC, xdf.chunk(xdf.FILE_HEADER, xdf.VERSION_XML.encode())]
    stream_id = struct.pack("<I", 7)
    parts.append(xdf.chunk(xdf.STREAM_HEADER, stream_id, header(stream).encode()))
    for data, stamps in chunks:
        body = xdf.varlen(len(stamps))
        for row, t in zip(data, stamps, strict=True):
            body += b"\0" if t is None else struct.pack("<Bd", 8, t)
            body += row.tobytes()
        parts.append(xdf.chunk(xdf.SAMPLES, stream_id, body))
        parts.append(xdf.chunk(xdf.BOUNDARY, xdf.BOUNDARY_UUID))
    if footer:
        n = sum(len(stamps) for _, stamps in chunks)
        text = f"<info><sample_count>{n}</sample_count></info>"
        parts.append(xdf.chunk(xdf.STREAM_FOOTER, stream_id, text.encode()))
    path.write_bytes(b"".join(parts))
