"""Read one stream, unprocessed: stamps exactly as the source sent them."""

import ctypes
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acquire.lsl.binding import lib, matches, pylsl
from acquire.lsl.discovery import FoundStream
from acquire.lsl.errors import StreamLostError, StreamTimeoutError
from acquire.storage.stream_header import StreamHeader, parse_header

DEFAULT_BUFFER_S = 60.0
DEFAULT_TIMEOUT_S = 5.0
MAX_PULL_BYTES = 4 << 20


class Offset(NamedTuple):
    """One measurement of the source's clock against ours, in seconds.

    Adding `offset_s` to a stamp of the source gives the time on this host. It was
    measured at `remote_time_s` on the source's clock with a round trip of `rtt_s`;
    the true offset lies within half of that.
    """

    offset_s: float
    rtt_s: float
    remote_time_s: float


class Inlet:
    """A subscription to a stream, with no processing of stamps.

    Parameters
    ----------
    found
        The stream, from `discover` or `Discovery`.
    max_buflen_s
        How much liblsl keeps while nobody pulls; older samples are dropped in
        silence. Irregular streams keep 100 samples per second of it.

    Notes
    -----
    One thread pulls; another may call `offset`. Both must have stopped before
    `close`. An outlet that restarts under the same source id is found again by
    liblsl, without a word: watch `Discovery` for a new uid.
    """

    def __init__(
        self, found: FoundStream, max_buflen_s: float = DEFAULT_BUFFER_S
    ) -> None:
        self.found = found
        self._inlet: Any = pylsl.StreamInlet(
            found.info, max(1, math.ceil(max_buflen_s)), 0, True, 0
        )
        self._info: Any = None
        self._spec: StreamHeader | None = None
        self._header_xml = ""
        row = 64 if found.dtype == "string" else np.dtype(found.dtype).itemsize
        self.max_pull = int(  #: most samples that one pull returns
            np.clip(MAX_PULL_BYTES // (row * found.n_channels), 1, 4096)
        )
        numeric = found.dtype != "string"
        self._landing = _Landing(self._inlet, found, self.max_pull) if numeric else None

    def open(self, timeout_s: float) -> None:
        """Fetch the header and start the flow of samples."""
        try:
            if not self._header_xml:
                self._info = self._inlet.info(timeout_s)
                xml = self._info.as_xml()
                self._spec, self._header_xml = parse_header(xml), xml
            self._inlet.open_stream(timeout_s)
        except pylsl.util.TimeoutError as error:
            raise StreamTimeoutError(
                f"{self.found.describe()} does not answer within {timeout_s:g} s; is "
                "its port open in the firewall?"
            ) from error
        except pylsl.util.LostError as error:
            raise self._lost() from error

    @property
    def header_xml(self) -> str:
        """The complete header, available once open."""
        if not self._header_xml:
            self.open(DEFAULT_TIMEOUT_S)
        return self._header_xml

    @property
    def spec(self) -> StreamHeader:
        """The header, parsed; available once open."""
        if self._spec is None:
            self.open(DEFAULT_TIMEOUT_S)
        if self._spec is None:
            raise self._lost()
        return self._spec

    def pull(
        self, timeout_s: float = 0.0
    ) -> tuple[NDArray[Any] | list[str], NDArray[np.float64]]:
        """Return what has arrived: samples (n, n_channels) and stamps (n,).

        Waits up to `timeout_s` for the first sample and for no other. String streams
        give a list of n texts (of n·n_channels, row by row, if there are several).
        """
        try:
            if self._landing is not None:
                return self._landing.pull(timeout_s)
            texts, stamps = self._inlet.pull_chunk(
                timeout_s, self.max_pull, min_samples=1, as_numpy=True
            )
        except pylsl.util.LostError as error:
            raise self._lost() from error
        return [raw.decode("utf-8", "surrogateescape") for raw in texts.flat], stamps

    def offset(self, timeout_s: float = 0.0) -> Offset | None:
        """Return the latest measurement of the clock offset, or None.

        The first call starts the measuring, which takes 0.7 s and is repeated every
        5 s by liblsl; `remote_time_s` tells a new measurement from an old one. With
        `timeout_s` 0 it never waits.
        """
        remote_time_s, rtt_s = ctypes.c_double(), ctypes.c_double()
        code = ctypes.c_int()
        offset_s = lib.lsl_time_correction_ex(
            self._inlet.obj,
            ctypes.byref(remote_time_s),
            ctypes.byref(rtt_s),
            ctypes.c_double(timeout_s),
            ctypes.byref(code),
        )
        if code.value:
            return None
        return Offset(float(offset_s), rtt_s.value, remote_time_s.value)

    def matches(self, predicate: str) -> bool:
        """Whether the complete header satisfies an XPath predicate; once open."""
        return self._info is not None and matches(self._info, predicate)

    def recovered(self) -> bool:
        """Whether liblsl found a lost stream again since this was last asked.

        True once, before samples flow again; needs clock offsets to be measured.
        """
        return self._inlet is not None and bool(self._inlet.was_clock_reset())

    def close(self) -> None:
        """Unsubscribe; legal twice."""
        self._inlet = self._landing = None  # pylsl destroys it with the last reference

    def _lost(self) -> StreamLostError:
        return StreamLostError(f"{self.found.describe()} is gone")


class _Landing:
    """Where liblsl puts numeric samples: one buffer, used again for every pull.

    pylsl allocates anew for each pull and asks liblsl twice; at dozens
    of pulls a second that is much of a recorder's time.
    """

    def __init__(self, inlet: Any, found: FoundStream, n_rows: int) -> None:  # noqa: ANN401
        self._inlet = inlet
        self._n_rows, self._n_channels = n_rows, found.n_channels
        self._samples = np.empty((n_rows, found.n_channels), found.dtype)
        self._stamps = np.empty(n_rows, np.float64)
        self._samples_at = self._samples.ctypes.data
        self._stamps_at = self._stamps.ctypes.data
        self._error = ctypes.c_int()
        self._at_once = self._arguments(0, n_rows, 0.0)

    def pull(self, timeout_s: float) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return what has arrived, waiting for the first sample alone."""
        if timeout_s <= 0.0:
            n = self._fill(self._at_once)
        else:
            n = self._fill(self._arguments(0, 1, timeout_s))
            if n and self._n_rows > 1:
                n += self._fill(self._arguments(1, self._n_rows - 1, 0.0))
        return self._samples[:n].copy(), self._stamps[:n].copy()

    def _arguments(self, first: int, n_rows: int, timeout_s: float) -> tuple[Any, ...]:
        """Return what liblsl is called with, to put rows behind the `first` ones."""
        return (
            self._inlet.obj,
            ctypes.c_void_p(self._samples_at + first * self._samples.strides[0]),
            ctypes.c_void_p(self._stamps_at + first * self._stamps.itemsize),
            ctypes.c_size_t(n_rows * self._n_channels),
            ctypes.c_size_t(n_rows),
            ctypes.c_double(timeout_s),
            ctypes.byref(self._error),
        )

    def _fill(self, arguments: tuple[Any, ...]) -> int:
        n_values = self._inlet.do_pull_chunk(*arguments)
        if self._error.value:
            pylsl.util.handle_error(self._error)
        return int(n_values) // self._n_channels
