"""Which of the streams on the network belong into the recording."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from acquire.lsl.discovery import FoundStream, by_names

DUPLICATE_AFTER_S = 2.5  # a restarted outlet is announced twice for up to 2 s
_GENERATION = re.compile(r":\d+\Z")


@dataclass(frozen=True)
class Selection:
    """Streams by name, or by XPath predicate for any stream there is.

    `expected` maps a name to the source id it must have; a generation suffix
    (``…:1``, a changed marker set) is accepted. With `host` they must also come from
    that computer: anybody on the network can publish under our names and ids. With
    `predicate` every match is wanted, whatever its source; each of the predicates
    `needed` must be matched by one of them. Source ids in `excluded` are never joined.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    predicate: str = ""
    needed: tuple[str, ...] = ()
    host: str = ""
    excluded: frozenset[str] = frozenset()
    accept_foreign: bool = False

    @property
    def query(self) -> str:
        """XPath predicate that finds every candidate."""
        names = by_names((*self.required, *self.optional))
        return f"({self.predicate}) or {names}" if self.predicate else names

    def is_foreign(self, found: FoundStream) -> bool:
        """Whether the stream has the name of an expected one, but is another."""
        wanted = self.expected.get(found.name)
        if wanted is None:
            return False
        if self.host and found.hostname != self.host:
            return True
        same = found.source_id == wanted
        return not same and _GENERATION.sub("", found.source_id) != wanted

    def expectation(self, name: str) -> str:
        """Say in words where a stream must come from."""
        return self.expected.get(name, "any") + (
            f" on {self.host}" if self.host else ""
        )

    def joins(self, found: FoundStream) -> bool:
        if found.source_id in self.excluded:
            return False
        return self.accept_foreign or not self.is_foreign(found)


def as_predicate(text: str) -> str:
    """Return the XPath predicate that `text` is; a plain word is a stream's name."""
    return text if re.search(r"[=()\[\]<>]", text) else by_names((text,))


def any_of(predicates: Sequence[str]) -> str:
    """Join predicates by "or"; everything when there are none."""
    return " or ".join(f"({as_predicate(text)})" for text in predicates) or "true()"


@dataclass
class Sightings:
    """When each outlet (uid) was first seen, to tell a restart from a duplicate."""

    first_s: dict[str, float] = field(default_factory=dict)

    def update(self, streams: Sequence[FoundStream], now: float) -> None:
        present = {stream.uid for stream in streams}
        self.first_s = {u: t for u, t in self.first_s.items() if u in present}
        for uid in present:
            self.first_s.setdefault(uid, now)

    def duplicates(self, streams: Sequence[FoundStream], now: float) -> list[str]:
        """Return source ids that two living outlets of one stream have at once."""
        settled = Counter(
            stream.key
            for stream in streams
            if now - self.first_s.get(stream.uid, now) > DUPLICATE_AFTER_S
        )
        return sorted({s.source_id for s in streams if settled[s.key] > 1})
