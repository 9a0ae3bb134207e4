"""What a check found: a code, how bad it is, where, and in words."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]
_RANK = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Finding:
    """One thing a check has to say.

    `code` is stable and short (``counter-gap``); `where` names the file and, behind a
    colon, the part of it. An ``error`` makes the thing checked unfit for use, a
    ``warning`` limits it, ``info`` is only worth knowing.
    """

    code: str
    severity: Severity
    where: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def worst(findings: Iterable[Finding]) -> Severity | None:
    """Return the gravest severity; None when nothing was found."""
    found = sorted((finding.severity for finding in findings), key=_RANK.__getitem__)
    return found[0] if found else None


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort by severity, gravest first; the order is otherwise kept."""
    return sorted(findings, key=lambda finding: _RANK[finding.severity])
