"""Decode the Samples chunks of one stream into arrays, raw stamps and all."""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.storage import xdf_format as xdf
from acquire.storage.xdf_scan import PAGE, ChunkAt


@dataclass
class Decoded:
    """Rows of one stream: `data` (n, n_channels), `t` (n,) s; and what was left out."""

    data: NDArray[Any]
    t: NDArray[np.float64]
    n_dropped: int = 0  #: rows known to have been there and not usable
    n_unverified: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class _Rows:
    """One chunk: row starts and end in the file (n + 1,), stamps, values."""

    edges: NDArray[np.int64]
    t: NDArray[np.float64]
    deduced: NDArray[np.bool_]  #: stamp left out by the writer
    values: NDArray[Any]
    good: NDArray[np.bool_]


class SampleDecoder:
    """Decodes the chunks of one stream in file order.

    A sample without stamp follows the one before by 1 / rate, as every XDF reader
    deduces it; behind damage (`damage_ends`, bytes) it precedes the next stamp in its
    chunk instead. Rows that touch a page of zeros (`zeros`: page starts) are left out
    unless the file's journal vouches for them.
    """

    def __init__(
        self,
        buffer: xdf.Buffer,
        dtype: str,
        n_channels: int,
        rate_hz: float,
        *,
        zeros: NDArray[np.int64],
        damage_ends: Sequence[int] = (),
    ) -> None:
        self._buffer, self._zeros, self._damage_ends = buffer, zeros, damage_ends
        self._dtype, self._n_channels = dtype, n_channels
        self._period_s = 1.0 / rate_hz if rate_hz > 0 else 0.0
        self._last_t = 0.0
        if dtype != "string":
            self._stamped = xdf.row_dtype(dtype, n_channels, stamped=True)
            self._deduced = xdf.row_dtype(dtype, n_channels, stamped=False)

    def decode(self, chunks: Sequence[tuple[ChunkAt, bool]]) -> Decoded:
        """Decode `chunks`, each with whether the journal vouches for it."""
        kept_t, kept_values = [], []
        found = Decoded(np.empty(0), np.empty(0))
        stop = 0
        for chunk, verified in chunks:
            if bisect_right(self._damage_ends, chunk.start) > bisect_left(
                self._damage_ends, stop
            ):
                self._last_t = np.nan
            stop = chunk.stop
            try:
                rows, n_declared = self._rows(chunk)
            except ValueError as error:
                found.problems.append(f"bytes {chunk.start} to {chunk.stop}: {error}")
                self._last_t = np.nan
                continue
            t = self._with_deduced(rows.t, rows.deduced)
            good = rows.good if verified else _trusted(rows, self._zeros)
            good = good & ~(rows.deduced & np.isnan(t))
            n_good = int(np.count_nonzero(good))
            if not n_good:
                self._last_t = np.nan
            found.n_dropped += (good.size if chunk.cut else n_declared) - n_good
            found.n_unverified += 0 if verified else n_good
            everything = n_good == good.size
            kept_t.append(t if everything else t[good])
            kept_values.append(rows.values if everything else rows.values[good])
        found.t = np.concatenate([*kept_t, np.empty(0)])
        found.data = self._joined(kept_values)
        return found

    def _joined(self, parts: list[NDArray[Any]]) -> NDArray[Any]:
        native = np.dtype(object if self._dtype == "string" else self._dtype)
        out = np.empty((sum(len(part) for part in parts), self._n_channels), native)
        position = 0
        for part in parts:
            out[position : position + len(part)] = part
            position += len(part)
        return out

    def _rows(self, chunk: ChunkAt) -> tuple[_Rows, int]:
        n, start = xdf.read_varlen(self._buffer, chunk.content + 4, chunk.stop)
        if self._dtype == "string":
            return self._text_rows(chunk, n, start), n
        n_bytes = chunk.stop - start
        narrow, wide = self._deduced.itemsize, self._stamped.itemsize
        if chunk.cut:
            if n > (1 << 32):
                raise ValueError(f"a chunk of {n} samples is not plausible")
            return self._mixed_rows(chunk, n, start), n
        if n_bytes == n * wide:
            return self._uniform_rows(n, start, self._stamped, 8), n
        if n_bytes == n * narrow:
            return self._uniform_rows(n, start, self._deduced, 0), n
        if not n * narrow < n_bytes < n * wide:
            raise ValueError(f"{n_bytes} bytes cannot hold {n} samples")
        rows = self._mixed_rows(chunk, n, start)
        if rows.t.size != n or rows.edges[-1] != chunk.stop:
            raise ValueError("the samples do not end where their chunk ends")
        return rows, n

    def _uniform_rows(
        self, n: int, start: int, layout: np.dtype[Any], width: int
    ) -> _Rows:
        view = np.frombuffer(self._buffer, layout, count=n, offset=start)
        edges = start + layout.itemsize * np.arange(n + 1)
        t = np.array(view["t"]) if width else np.full(n, np.nan)
        deduced = np.full(n, width == 0)
        return _Rows(edges, t, deduced, view["values"], view["width"] == width)

    def _mixed_rows(self, chunk: ChunkAt, n: int, start: int) -> _Rows:
        """Follow runs of equal stamp widths; stop at the first that is neither."""
        parts: list[_Rows] = []
        done, position = 0, start
        look = 16
        while done < n and position < chunk.stop:
            width = self._buffer[position]
            if width not in (0, 8):
                break
            layout = self._stamped if width else self._deduced
            room = min(n - done, (chunk.stop - position) // layout.itemsize, look)
            if room == 0:
                break
            run = self._uniform_rows(room, position, layout, width)
            view = np.frombuffer(self._buffer, layout, count=room, offset=position)
            other = np.flatnonzero(view["width"] != width)
            length = int(other[0]) if other.size else room
            look = 16 if other.size else look * 4
            parts.append(
                _Rows(
                    run.edges[: length + 1],
                    run.t[:length],
                    run.deduced[:length],
                    run.values[:length],
                    run.good[:length],
                )
            )
            done += length
            position = int(run.edges[length])
        if not parts:
            empty = np.empty((0, self._n_channels), self._stamped["values"].base)
            none = np.empty(0, dtype=bool)
            return _Rows(np.array([start]), np.empty(0), none, empty, none)
        return _Rows(
            np.concatenate([[start], *(part.edges[1:] for part in parts)]),
            np.concatenate([part.t for part in parts]),
            np.concatenate([part.deduced for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.good for part in parts]),
        )

    def _text_rows(self, chunk: ChunkAt, n: int, start: int) -> _Rows:
        edges, stamps = [start], []
        rows: list[list[str]] = []
        position = start
        try:
            while len(rows) < n:
                t, position = self._stamp(position, chunk.stop)
                row = []
                for _ in range(self._n_channels):
                    length, begin = xdf.read_varlen(self._buffer, position, chunk.stop)
                    position = begin + length
                    row.append(self._text(begin, position, chunk.stop))
                stamps.append(t)
                rows.append(row)
                edges.append(position)
        except ValueError:
            if not rows and not chunk.cut:
                raise
        if len(rows) == n and position != chunk.stop:
            raise ValueError("the samples do not end where their chunk ends")
        values = np.empty((len(rows), self._n_channels), object)
        if rows:
            values[:] = rows
        deduced = np.array([t is None for t in stamps], dtype=bool)
        t_all = np.array(stamps, dtype=np.float64)  # None becomes NaN
        everyone = np.ones(len(rows), dtype=bool)
        return _Rows(np.array(edges), t_all, deduced, values, everyone)

    def _text(self, start: int, stop: int, end: int) -> str:
        if stop > end:
            raise ValueError("a string is longer than its chunk")
        return bytes(self._buffer[start:stop]).decode(errors="surrogateescape")

    def _stamp(self, position: int, stop: int) -> tuple[float | None, int]:
        width = self._buffer[position] if position < stop else -1
        if width == 0:
            return None, position + 1
        if width != 8 or position + 9 > stop:
            raise ValueError(f"no time stamp at byte {position}")
        (t,) = struct.unpack_from("<d", self._buffer, position + 1)
        return t, position + 9

    def _with_deduced(
        self, t: NDArray[np.float64], deduced: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Fill stamps that were left out, adding up periods one by one."""
        if not t.size:
            return t
        if deduced.any():
            runs = np.diff(deduced.astype(np.int8), prepend=0, append=0)
            firsts, behinds = np.flatnonzero(runs == 1), np.flatnonzero(runs == -1)
            for first, behind in zip(firsts, behinds, strict=True):
                if first == 0 and np.isnan(self._last_t):
                    if behind < t.size:
                        t[:behind] = t[behind] - self._period_s * np.arange(
                            behind, 0, -1
                        )
                    continue
                steps = np.full(behind - first + 1, self._period_s)
                steps[0] = t[first - 1] if first else self._last_t
                t[first:behind] = np.cumsum(steps)[1:]
        self._last_t = float(t[-1])
        return t


def _trusted(rows: _Rows, zeros: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Judge rows that nothing vouches for, shape (n,).

    Pages of zeros cost the rows they touch; garbage costs its whole chunk, for
    where it begins and ends cannot be seen.
    """
    n = rows.t.size
    lost = _touches(rows.edges, zeros) if zeros.size else np.zeros(n, bool)
    garbage = ~rows.good & ~lost
    return np.zeros(n, bool) if garbage.any() else ~lost


def _touches(edges: NDArray[np.int64], zeros: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows overlap a page of zeros, shape (n,)."""
    behind = np.searchsorted(zeros, edges[1:], side="left")  # pages starting before end
    last = np.where(behind > 0, zeros[np.maximum(behind - 1, 0)] + PAGE, -1)
    return np.asarray(last > edges[:-1])
