"""What must not be told in a dataset: words to look for, and how to recognise them."""

import getpass
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

SHORTEST: Final = 3  #: shorter names occur everywhere by chance
COMMON: Final = frozenset(
    ("localhost", "root", "user", "admin", "administrator", "guest", "runner", "test")
)
NOTHING: Final = frozenset(
    ("", "x", "n/a", "none", "unknown", "localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (looked for, not bound)
)
PERSON: Final = frozenset(
    (
        *("surname", "lastname", "familyname", "firstname", "givenname", "forename"),
        *("fullname", "nachname", "vorname", "patient", "patientname", "patientid"),
        *("subjectname", "participantname", "operatorname", "initials"),
    )
)
BIRTH: Final = frozenset(
    ("birth", "birthday", "birthdate", "dateofbirth", "dob", "geburtsdatum")
)
HOST: Final = frozenset(("host", "hostname", "computer", "computername", "machine"))
USER: Final = frozenset(("user", "username", "login", "loginname", "account"))
PSEUDONYM: Final = re.compile(r"(sub-)?P\d{2,}", re.IGNORECASE)
HIDDEN_YEARS: Final = ("1900", "1985", "2000")  #: what stands where a date must
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}")
_PATH: Final = re.compile(
    r"(?<![\w.:/>-])/(?:home|Users|root|tmp|mnt|media|srv|data|work|opt|var)/[\w.-]+"
    r"|(?<![A-Za-z])[A-Za-z]:[\\/](?![\\/])[\w .-]+|\\\\[\w.-]+\\[\w.$-]+"
)
_DATE: Final = re.compile(
    r"(?<!\d)(?P<iso>(?:19|20)\d\d)-[01]\d-[0-3]\d(?!\d)"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d [\d:]{8} (?P<c>\d{4})"
)


class Told(NamedTuple):
    """A text in a file: which part, under which key."""

    place: str
    key: str
    text: str


@dataclass(frozen=True)
class Watch:
    """Names of people, computers and users that must not occur, in small letters."""

    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    @classmethod
    def here(cls, names: Path | None = None) -> Self:
        """Look for this computer, its user, and the names listed in a file.

        The file lies outside the dataset and has one name a line.
        """
        lines = names.read_text(encoding="utf-8").splitlines() if names else []
        return cls(
            names=_words(lines),
            hosts=_words([socket.gethostname().partition(".")[0]]),
            users=_words([getpass.getuser()]),
        )

    def leaks(self, told: Told) -> Iterator[str]:
        """Yield the code of each thing that a text gives away."""
        key = re.sub(r"[^a-z]", "", told.key.rpartition(".")[2].lower())
        value = told.text.strip()
        says = value.lower() not in NOTHING
        if (says and key in PERSON and not PSEUDONYM.fullmatch(value)) or _any(
            self.names, value
        ):
            yield "privacy-name"
        if says and key in BIRTH:
            yield "privacy-birth-date"
        elif any(
            (m["iso"] or m["c"]) not in HIDDEN_YEARS for m in _DATE.finditer(value)
        ):
            yield "privacy-date"
        if _EMAIL.search(value):
            yield "privacy-contact"
        if (says and key in HOST) or _any(self.hosts, value):
            yield "privacy-host"
        if (says and key in USER) or _any(self.users, value):
            yield "privacy-user"
        if _PATH.search(value):
            yield "privacy-path"


def _words(lines: Iterable[str]) -> tuple[str, ...]:
    words = (line.strip().lower() for line in lines)
    return tuple(w for w in words if len(w) >= SHORTEST and w not in COMMON)


def _any(words: tuple[str, ...], text: str) -> bool:
    low = text.lower()
    return any(
        word in low and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", low)
        for word in words
    )
