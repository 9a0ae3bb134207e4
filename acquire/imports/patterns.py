"""Names of files as patterns: what of a trial a path says, in whatever spelling."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from acquire.storage import labels
from acquire.storage.errors import LayoutError

#: what a path may say, and how it is spelled unless the profile knows other words
FIELDS: Final[Mapping[str, str]] = {
    "participant": r"P\d{2,}",
    "condition": r"[A-Za-z][A-Za-z-]*?",
    "mode": r"(?:LG|AS|DS)(?:[_-]?\d+(?:[.x]\d+)?)?",
    "angle": r"\d+(?:[.x]\d+)?",
    "speed": r"(?:S_)?\d+(?:[.x]\d+)?",
    "trial": r"(?:Trial_)?\d+",
    "channel": r"(?:ch|CH|Ch)?\d+",
}
_TOKEN = re.compile(r"\{(\w+)\}|(\*\*/)|(\*)")


class PatternError(ValueError):
    """A pattern has an unknown field, or a path says something unknown."""


@dataclass(frozen=True)
class Pattern:
    """One pattern: ``Noraxon/{participant}/{condition}-{mode}-{angle}-{trial}.mat``.

    ``**/`` stands for any folders, ``*`` for anything within a name. `values` are a
    laboratory's own words by field: ``{"condition": {"baseline": "Ideal"}}``.
    """

    text: str
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._compiled()

    def match(self, path: str) -> dict[str, str] | None:
        """Return what a path (with ``/``) says, in our words; None if it differs."""
        found = self._compiled().fullmatch(path)
        if found is None:
            return None
        said = {name: text for name, text in found.groupdict().items() if text}
        return {name: self._ours(name, text) for name, text in said.items()}

    def _ours(self, name: str, text: str) -> str:
        return self.values.get(name, {}).get(text, text)

    def _compiled(self) -> re.Pattern[str]:
        parts, at, seen = [], 0, set()
        for token in _TOKEN.finditer(self.text):
            parts.append(re.escape(self.text[at : token.start()]))
            at = token.end()
            name = token[1]
            if name is None:
                parts.append("(?:.*/)?" if token[2] else "[^/]*")
            elif name not in FIELDS:
                raise PatternError(
                    f"pattern {self.text!r}: {{{name}}} is none of {', '.join(FIELDS)}"
                )
            elif name in seen:
                parts.append(f"(?P={name})")
            else:
                seen.add(name)
                parts.append(f"(?P<{name}>{self._spellings(name)})")
        parts.append(re.escape(self.text[at:]))
        return re.compile("".join(parts))

    def _spellings(self, name: str) -> str:
        own = sorted(self.values.get(name, {}), key=len, reverse=True)
        return "|".join([*(re.escape(word) for word in own), FIELDS[name]])


def trial_labels(said: Mapping[str, str]) -> dict[str, str | int]:
    """Return participant, condition, mode, speed and trial as the dataset names them.

    Raises
    ------
    PatternError
        One is missing, or is no such thing; the message says what to declare.
    """

    def needed(name: str) -> str:
        if name not in said:
            raise PatternError(
                f"nothing says the {name}: put {{{name}}} into the pattern or "
                f"{name} under defaults"
            )
        return said[name]

    mode = needed("mode")
    if mode in ("LG", "AS", "DS"):
        mode = f"{mode}_{needed('angle').replace('.', 'x')}"
    speed = needed("speed").replace(".", "x")
    speed = speed if speed.startswith("S_") else f"S_{speed}"
    trial = needed("trial").removeprefix("Trial_")
    try:
        return {
            "participant": labels.participant_label(needed("participant")),
            "condition": labels.condition_label(needed("condition")),
            "mode": labels.mode_label(labels.slope_deg(mode)),
            "speed": labels.speed_label(labels.speed_mps(speed)),
            "trial": int(trial),
        }
    except (LayoutError, ValueError) as error:
        raise PatternError(f"{error}; say under values what it means") from error
