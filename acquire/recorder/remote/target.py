"""Where the next recording goes: LabRecorder's folder, template and placeholders."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

BIDS = "sub-%p/ses-%s/%m/sub-%p_ses-%s_task-%b[_acq-%a]_run-%r_%m.xdf"
OPTIONS = "root template participant session task run acquisition modality"
MAX_RUN = 9999

_OPTION = re.compile(r"\{(\w+):([^}]*)\}")
_PLACEHOLDER = re.compile(r"%([psbamrn])", re.IGNORECASE)
_OPTIONAL = re.compile(r"\[([^\]\[]*%[^\]\[]*)\]")
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*]')


class TargetError(ValueError):
    """Options that do not name a file; the message says which and why."""


def parse_options(text: str) -> dict[str, str]:
    """Return the options of ``{name:value} {name:value}…``, names in lower case.

    Raises
    ------
    TargetError
        There is none, or one of another name.
    """
    found = {name.lower(): value for name, value in _OPTION.findall(text)}
    if not found:
        raise TargetError(f"no {{option:value}} in {text!r}; there are {OPTIONS}")
    for name in found:
        if name not in OPTIONS.split():
            raise TargetError(f"no option {name!r}; there are {OPTIONS}")
    return found


@dataclass(frozen=True)
class Target:
    """Folder, template and what its placeholders stand for.

    ``%p`` participant, ``%s`` session, ``%b`` task (block), ``%a`` acquisition, ``%m``
    modality, ``%n`` and ``%r`` the run with three digits. A part in square brackets is
    left out where one of its placeholders is empty. `run` None is the lowest number
    that is free.
    """

    root: Path
    template: str = BIDS
    participant: str = "P001"
    session: str = "S001"
    task: str = "Default"
    acquisition: str = ""
    modality: str = "eeg"
    run: int | None = None

    def changed(self, options: Mapping[str, str]) -> "Target":
        """Return this target with `options`, as `parse_options` gives them.

        Raises
        ------
        TargetError
            A value that cannot be part of a path, or leads out of the root.
        """
        changes: dict[str, object] = dict(options)
        if "root" in options:
            changes["root"] = _root(options["root"])
        if "run" in options:
            changes["run"] = _run(options["run"])
        if "template" in options:
            changes["template"] = options["template"].strip() or BIDS
        if "modality" in options:  # a folder of BIDS
            changes["modality"] = options["modality"].lower()
        made = replace(self, **changes)  # type: ignore[arg-type]
        made.path(made.run or 1)
        return made

    def path(self, run: int) -> Path:
        """Return the file of one run, whether it exists or not."""
        template = _OPTIONAL.sub(self._optional, self.template)
        name = _PLACEHOLDER.sub(lambda match: self._value(match[1], run), template)
        parts = PurePosixPath(name.strip().replace("\\", "/")).parts
        if not parts or any(part in ("..", "/") for part in parts):
            raise TargetError(f"{name!r} leads out of {self.root}")
        if _FORBIDDEN.search(name):
            raise TargetError(f"{name!r} holds a character that no file name may hold")
        path = self.root.joinpath(*parts)
        return path if path.suffix.lower() == ".xdf" else Path(f"{path}.xdf")

    def free_path(self) -> Path:
        """Return the file of the next recording, which does not exist.

        A run that was named keeps its number, and a file of it that exists makes the
        new one another take (``…_take2.xdf``); otherwise the next number is used.
        """
        if self.run is None and self._counts():
            paths = (self.path(run) for run in range(1, MAX_RUN + 1))
        else:
            first = self.path(self.run or 1)
            takes = (first.with_stem(f"{first.stem}_take{k}") for k in range(2, 10_000))
            paths = (path for path in (first, *takes))
        for path in paths:
            if not path.exists():
                return path
        raise TargetError(f"no number is free for another recording in {self.root}")

    def _counts(self) -> bool:
        return re.search("%[rn]", self.template, re.IGNORECASE) is not None

    def _optional(self, match: re.Match[str]) -> str:
        inside = match[1]
        names = _PLACEHOLDER.findall(inside)
        return inside if all(self._value(name, 1) for name in names) else ""

    def _value(self, letter: str, run: int) -> str:
        values = {
            "p": self.participant,
            "s": self.session,
            "b": self.task,
            "a": self.acquisition,
            "m": self.modality,
        }
        return values.get(letter.lower(), f"{run:03d}")


def _root(text: str) -> Path:
    path = Path(text.strip()).expanduser()
    if not path.is_absolute():
        example = "C:\\Data" if os.name == "nt" else "/data/study"
        raise TargetError(f"root {text!r} is no full path, such as {example}")
    return path


def _run(text: str) -> int:
    if not text.strip().isdecimal() or int(text) > MAX_RUN:
        raise TargetError(f"run {text!r} is no number from 0 to {MAX_RUN}")
    return int(text)
