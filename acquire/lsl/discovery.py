"""Find streams on the network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from acquire.lsl.binding import pylsl
from acquire.lsl.errors import PredicateError
from acquire.storage.stream_description import LSL_FORMAT
from devices.stream import DType

ANY = "true()"
_FORMATS: dict[int, DType] = {
    pylsl.cf_float32: "float32",
    pylsl.cf_double64: "float64",
    pylsl.cf_string: "string",
    pylsl.cf_int8: "int8",
    pylsl.cf_int16: "int16",
    pylsl.cf_int32: "int32",
    pylsl.cf_int64: "int64",
}


@dataclass(frozen=True, slots=True)
class FoundStream:
    """A stream as announced: all but its description, which an `Inlet` fetches."""

    name: str
    type: str
    n_channels: int
    rate_hz: float  #: nominal; 0 means irregular
    dtype: DType
    source_id: str  #: empty: the stream cannot be recovered after a restart
    uid: str  #: of this run of the outlet
    created_at_s: float
    hostname: str
    session_id: str
    info: Any = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> str:
        """What stays when the outlet restarts, and by what liblsl finds it again.

        Streams of one device may share a source id, so name and form belong to it; a
        stream without source id is itself only as long as its outlet lives.
        """
        form = f"{self.name}|{self.type}|{self.n_channels}|{self.dtype}"
        return f"{form}|{self.source_id or self.uid}"

    def describe(self) -> str:
        rate = f"{self.rate_hz:g} Hz" if self.rate_hz else "irregular"
        return (
            f"{self.name} ({self.n_channels} x {LSL_FORMAT[self.dtype]}, {rate}, "
            f"source id {self.source_id or 'none'}, on {self.hostname})"
        )


def by_names(names: Sequence[str]) -> str:
    """Return the XPath predicate that selects streams of these names."""
    return " or ".join(f"name={_quoted(name)}" for name in names) or "false()"


def discover(
    timeout_s: float,
    minimum: int = 1,
    predicate: str | None = None,
    *,
    every_session: bool = False,
) -> list[FoundStream]:
    """Return the streams that answer, sorted by name, source id and uid.

    Returns as soon as `minimum` streams are known, at the latest after `timeout_s`.
    `predicate` is XPath on the stream's description, such as ``type='EMG'``. With
    `every_session` streams of other LSL sessions are listed too.
    """
    # liblsl appends the predicate to "session_id='...' and": without parentheses an
    # "or" inside it would let streams of every session through.
    query = f"({predicate or ANY})"
    if every_session:
        query = f"{query} or {query}"
    found = pylsl.resolve_bypred(query, minimum, timeout_s)
    return _sorted(found)


class Discovery:
    """Knows at any moment which streams are on the network; a thread of liblsl.

    A predicate that is no XPath raises `PredicateError`.
    """

    def __init__(
        self, predicate: str | None = None, forget_after_s: float = 5.0
    ) -> None:
        try:
            self._resolver: Any = pylsl.ContinuousResolver(
                pred=f"({predicate or ANY})", forget_after=forget_after_s
            )
        except RuntimeError as error:
            raise PredicateError(f"{predicate!r} is no XPath predicate") from error

    def streams(self) -> list[FoundStream]:
        """Return the streams seen within `forget_after_s`; never waits."""
        if self._resolver is None:
            return []
        return _sorted(self._resolver.results())

    def close(self) -> None:
        self._resolver = None


def _sorted(infos: Sequence[Any]) -> list[FoundStream]:
    unique = {stream.uid: stream for stream in map(_found, infos)}
    return sorted(unique.values(), key=lambda s: (s.name, s.source_id, s.uid))


def _found(info: Any) -> FoundStream:  # noqa: ANN401 (pylsl is untyped)
    return FoundStream(
        name=info.name(),
        type=info.type(),
        n_channels=info.channel_count(),
        rate_hz=info.nominal_srate(),
        dtype=_FORMATS[info.channel_format()],
        source_id=info.source_id(),
        uid=info.uid(),
        created_at_s=info.created_at(),
        hostname=info.hostname(),
        session_id=info.session_id(),
        info=info,
    )


def _quoted(text: str) -> str:
    """Quote for XPath 1.0, which has no escapes."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    parts = ', "\'", '.join(f"'{part}'" for part in text.split("'"))
    return f"concat({parts})"
