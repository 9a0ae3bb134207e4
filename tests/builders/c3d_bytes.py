"""C3D files byte by byte, as the format's manual lays them out, for any processor.

Shares nothing with the reader under test or the library below it.
"""

import struct

import numpy as np

INTEL, DEC, MIPS = 84, 85, 86


def _dec_float(values):
    """IEEE to VAX F: two bits more in the exponent, and the halves exchanged."""
    raw = (np.asarray(values, "<f4") + np.float32(0.0)) * np.float32(4.0)  # no -0
    words = raw.view("<u2").reshape(-1, 2)
    return words[:, ::-1].astype("<u2").tobytes()


class Packer:
    """Numbers in one processor's byte order."""

    def __init__(self, processor):
        self.order = ">" if processor == MIPS else "<"
        self.processor = processor

    def i2(self, values):
        return np.asarray(values, f"{self.order}i2").tobytes()

    def f4(self, values):
        if self.processor == DEC:
            return _dec_float(values)
        return np.asarray(values, f"{self.order}f4").tobytes()


def _group(number, name):
    return struct.pack("bb", len(name), -number) + name.encode()


def _entry(pack, number, name, value):
    """One parameter: its type follows from the value's."""
    value = np.asarray(value)
    if value.dtype.kind == "U":
        width = max(int(np.char.str_len(value).max(initial=1)), 1)
        kind, dims = -1, (width, *value.shape)
        body = "".join(t.ljust(width) for t in value.ravel().tolist()).encode()
    elif value.dtype.kind == "i":
        kind, dims, body = 2, value.shape, pack.i2(value.ravel(order="F"))
    elif value.dtype.kind == "u":
        kind, dims, body = 1, value.shape, value.astype("u1").tobytes(order="F")
    else:
        kind, dims, body = 4, value.shape, pack.f4(value.ravel(order="F"))
    data = struct.pack("bB", kind, len(dims)) + bytes(dims) + body + b"\0"
    return struct.pack("bb", len(name), number) + name.encode(), data


def c3d_bytes(
    parameters,
    points,
    analogs,
    *,
    rate_hz=100.0,
    processor=INTEL,
    as_float=True,
    scale=0.01,
    first_frame=1,
):
    """Return a file: `parameters` by group and name, `points` (n, p, 3) in mm.

    `analogs` has shape (n, samples a frame, channels); both hold NaN for what is
    hidden. Integer files keep points in units of `scale`.
    """
    pack = Packer(processor)
    n, p = points.shape[:2]
    per, channels = analogs.shape[1:]
    point = {
        "USED": np.int16(p),
        "FRAMES": np.int16(n),
        "SCALE": np.float32(-scale if as_float else scale),
        "RATE": np.float32(rate_hz),
    }
    analog = {
        "USED": np.int16(channels),
        "RATE": np.float32(rate_hz * per),
        "GEN_SCALE": np.float32(1.0),
        "SCALE": np.full(channels, 1.0, "f4"),
        "OFFSET": np.zeros(channels, "i2"),
    }
    groups = {
        "POINT": {**point, **parameters.get("POINT", {})},
        "ANALOG": {**analog, **parameters.get("ANALOG", {})},
        **{k: v for k, v in parameters.items() if k not in ("POINT", "ANALOG")},
    }
    parts = []
    for number, (group, entries) in enumerate(groups.items(), 1):
        parts.append((_group(number, group), b"\0"))
        parts += [_entry(pack, number, name, v) for name, v in entries.items()]
    body = b""
    for k, (head, data) in enumerate(parts):
        last = k == len(parts) - 1
        body += head + pack.i2([0 if last else 2 + len(data)]) + data
    blocks = -(-(4 + len(body)) // 512)
    section = b"\x01\x50" + bytes([blocks, processor]) + body
    section = section.ljust(512 * blocks, b"\0")
    begin = 2 + blocks
    header = bytes([2, 0x50])
    header += pack.i2([p, channels * per, first_frame, first_frame + n - 1, 0])
    header += pack.f4([-scale if as_float else scale])
    header += pack.i2([begin, per]) + pack.f4([rate_hz])
    frames = b""
    for frame, samples in zip(points, analogs, strict=True):
        hidden = np.isnan(frame).any(axis=1)
        if as_float:
            word = np.where(hidden, -1.0, 0.0)[:, None]
            frames += pack.f4(np.hstack([np.nan_to_num(frame), word]).ravel())
            frames += pack.f4(samples.ravel())
        else:
            word = np.where(hidden, -1, 0)[:, None]
            whole = np.round(np.nan_to_num(frame) / scale)
            frames += pack.i2(np.hstack([whole, word]).ravel())
            frames += pack.i2(np.round(samples).ravel())
    return header.ljust(512, b"\0") + section + frames
