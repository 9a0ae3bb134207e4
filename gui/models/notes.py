"""The two short lines beside a lane, from a stream's verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from acquire.quality.metric import RANK
from acquire.quality.monitor import Finding, StreamVerdict, in_words
from gui.theme import LightLevel


@dataclass(frozen=True)
class Note:
    """What stands beside a lane: its light and two short lines."""

    level: LightLevel = "off"
    first: str = ""
    second: str = ""


def worst(findings: Sequence[Finding], subject: str) -> Finding | None:
    """Return the worst finding on one subject."""
    mine = [finding for finding in findings if finding.subject == subject]
    return max(mine, key=lambda finding: RANK[finding.level], default=None)


def note(
    verdict: StreamVerdict | None,
    subject: str,
    numbers: Sequence[tuple[str, str, str]],
) -> Note:
    """Say what is wrong with a subject, or its numbers when nothing is.

    `numbers` are (metric, word, unit) to show.
    """
    if verdict is None or not subject:
        return Note()
    shown = [
        f"{word} {in_words(value, unit)}".lstrip()
        for metric, word, unit in numbers
        if math.isfinite(value := verdict.values.get(f"{metric}:{subject}", math.nan))
    ]
    finding = worst(verdict.findings, subject)
    if finding is None:
        level: LightLevel = "ok" if shown else "off"
        return Note(level, *shown[:2])
    what = finding.metric.partition(".")[2].replace("_", " ")
    return Note(finding.level, what, in_words(finding.value, finding.unit))
