"""Suggest a profile for a folder: what its names and one file of each kind show.

A suggestion is text to read and to correct; nothing is imported by it.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from acquire.dataset.arrays import EMG_CHANNELS
from acquire.dataset.c3d import C3dError, read_c3d
from acquire.dataset.source_tree.vicon import SIMULATED
from acquire.imports.emg_files import EmgTable, read_emg
from acquire.imports.errors import ProfileError, SourceFileError
from acquire.imports.files import SUFFIXES, find_files
from acquire.imports.patterns import Pattern
from acquire.imports.profile import EmgFiles, load_profile, parse_profile
from acquire.imports.text_table import DELIMITERS, numbers, read_lines
from acquire.storage.labels import CONDITIONS

SAMPLES = 1000  #: of an ultrasound frame
_SYNC = re.compile(r"sync|trigger|ttl|lock", re.IGNORECASE)
_STATIC = re.compile(r"static|calib", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9.]+")
_CONDITION = "|".join([*CONDITIONS, "Inter-?[Dd]ay"])
#: what a piece of a name may say, the surest first
_PIECES = (
    ("participant", re.compile(r"P\d{2,}")),
    ("condition", re.compile(_CONDITION)),
    ("channel", re.compile(r"[Cc][Hh]\d")),
    ("mode", re.compile(r"(?:LG|AS|DS)[_-]\d+|LG|AS|DS")),
    ("trial", re.compile(r"[Tt]rial_?\d+")),
    ("speed", re.compile(r"S_\d+(?:x\d+)?|\d[.x]\d")),
)
#: words of muscles' names, by our abbreviation
_MUSCLES = {
    "TA": "tib",
    "MG": "med.*gas|gas.*med",
    "LG": "lat.*gas|gas.*lat",
    "SOL": "sol",
    "RF": "rect.*fem|rectus",
    "VLO": "vlo|vast.*lat",
    "VMO": "vmo|vast.*med",
    "BF": "bic.*fem|biceps",
    "SEM": "semi",
}


@dataclass(frozen=True)
class Proposal:
    """A profile as text, and what of the folder it would take in."""

    text: str
    n_trials: int
    unmatched: list[str]

    def describe(self) -> str:
        """Say what the proposal covers."""
        told = f"{self.n_trials} trials fit"
        if self.unmatched:
            some = ", ".join(self.unmatched[:3])
            told += f", {len(self.unmatched)} files do not: {some}"
        return told + ". Read every line before you use it"


def propose(folder: Path) -> Proposal:
    """Suggest a profile for a folder.

    Raises
    ------
    ProfileError
        It holds no C3D file.
    """
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    by_kind = {
        "c3d": [n for n in names if n.lower().endswith(".c3d")],
        "emg": [n for n in names if n.lower().endswith((".mat", ".csv"))],
        "text": [n for n in names if n.lower().endswith(".txt") and _is_probe(n)],
    }
    if not by_kind["c3d"]:
        raise ProfileError(f"{folder} holds no C3D file: there is no clock to go by")
    lines = ["kinemuse_import: 1", f"name: {_plain(folder.name)}"]
    walks = [n for n in by_kind["c3d"] if not _STATIC.search(n)] or by_kind["c3d"]
    vicon, simulated = _vicon(folder, walks, by_kind["c3d"])
    lines += [f"simulated: {str(simulated).lower()}", *_defaults(walks), *vicon]
    if by_kind["emg"]:
        lines += _emg(folder, by_kind["emg"])
    if by_kind["text"]:
        lines += _ultrasound(folder, by_kind["text"])
    text = "\n".join(lines) + "\n"
    found = find_files(folder, parse_profile(text, "the proposal"))
    return Proposal(text, len(found.trials), [*found.unmatched, *found.problems])


def _vicon(folder: Path, walks: list[str], every: list[str]) -> tuple[list[str], bool]:
    lines = ["vicon:", *_patterns(walks)]
    statics = [name for name in every if _STATIC.search(name) and name not in walks]
    if statics:
        lines.append("  static:")
        lines += [f'    - "{text}"' for text in _distinct(statics, static=True)]
    try:
        file = read_c3d(folder / walks[0])
    except C3dError as error:
        return [*lines, f"  # {walks[0]} cannot be read: {error}"], False
    line = next((name for name in file.analogs if _SYNC.search(name)), None)
    if line is None:
        lines.append("  sync: null  # no analog channel is named like a trigger line")
    else:
        lines.append(f'  sync: "{line}"  # by its name')
    lines.append("  first_frame: rise  # check: does the capture begin with the line?")
    if file.model_labels:
        lines.append("  smoothed: true  # check: Nexus made model outputs of it")
    return lines, bool(file.processing.get(SIMULATED, 0.0))


def _emg(folder: Path, names: list[str]) -> list[str]:
    lines = ["emg:", *_patterns(names)]
    layout, table = _emg_sample(folder / names[0], lines)
    if table is None:
        return lines
    lines += [f"  {name}: {value}" for name, value in layout.items()]
    line = next((name for name in table.names if _SYNC.search(name)), None)
    lines.append(f'  sync: "{line}"' if line else "  sync: null")
    if not set(table.names) & set(EMG_CHANNELS):
        lines.append("  channels:  # check each: ours behind the file's name")
        for name in table.names:
            ours = _muscle(name) if name != line else None
            lines += [f'    "{name}": {ours}'] if ours else [f'    # "{name}": ?']
    if not any(table.units):
        lines.append("  unit: uV  # check: the file does not say")
    return lines


def _emg_sample(path: Path, lines: list[str]) -> tuple[dict[str, str], EmgTable | None]:
    """Return settings with which one file can be read, and what it holds."""
    tries = (
        [{}]
        if path.suffix.lower() == ".mat"
        else [
            {"delimiter": delimiter, "decimal": decimal}
            for delimiter, decimal in (
                ("comma", "."),
                ("semicolon", ","),
                ("semicolon", "."),
                ("tab", "."),
                ("tab", ","),
            )
        ]
    )
    why = ""
    for settings in tries:
        layout = EmgFiles.model_validate({"files": ["x"], "rate_hz": 2000, **settings})
        try:
            table = read_emg(path, layout)
        except SourceFileError as error:
            why = why or str(error)
            continue
        if len(table.names) > 1:
            said = {k: f'"{v}"' for k, v in settings.items()}
            return said, table
    lines.append(f"  # {path.name} needs more to be read: {why}")
    return {}, None


def _ultrasound(folder: Path, names: list[str]) -> list[str]:
    lines = ["ultrasound:", *_patterns(names)]
    first = read_lines(folder / names[0])[:3]
    best = ("tab", 0)
    for delimiter in DELIMITERS:
        try:
            width = numbers(first[-1:], "", delimiter=delimiter).shape[1]
        except SourceFileError:
            continue
        best = max(best, (delimiter, width), key=lambda found: found[1])
    frames = "rows" if best[1] == SAMPLES else "columns"
    lines += [f"  delimiter: {best[0]}", f"  frames: {frames}"]
    lines += [
        "  rate_hz: 20  # check: the text does not say",
        "  synthetic_frames: possible  # none, if the software filled no losses",
        "  start: {half_width_s: 0.05}  # check: how soon after the rise?",
    ]
    return lines


def _defaults(names: list[str]) -> list[str]:
    """Give what no name of a C3D file says a value to be corrected."""
    said = {
        field for text in _distinct(names) for field in re.findall(r"{(\w+)}", text)
    }
    values = {"participant": "P01", "condition": "Ideal", "mode": "LG_0"}
    values |= {"speed": "S_1", "trial": "1"}
    lacking = {field: value for field, value in values.items() if field not in said}
    if not lacking:
        return []
    lines = ["defaults:  # check: no name says these"]
    return lines + [f'  {field}: "{value}"' for field, value in lacking.items()]


def _patterns(names: list[str]) -> list[str]:
    return ["  files:", *(f'    - "{text}"' for text in _distinct(names))]


def _distinct(names: list[str], *, static: bool = False) -> list[str]:
    """Return the patterns that a list of names makes, the shipped ones first."""
    shipped = load_profile("k2muse")
    parts = [shipped.vicon.files, shipped.emg.files if shipped.emg else ()]
    parts += [shipped.ultrasound.files if shipped.ultrasound else ()]
    known = shipped.vicon.static if static else [t for part in parts for t in part]
    for text in known:
        if all(Pattern(text).match(name) for name in names):
            return [text]
    return list(dict.fromkeys(_pattern(name, static=static) for name in names))[:20]


def _pattern(name: str, *, static: bool) -> str:
    """Put fields in place of what a path says; a last number is the trial's."""
    path, seen = PurePosixPath(name), set[str]()
    *folders, stem = (_fields(part, seen) for part in (*path.parts[:-1], path.stem))
    if "trial" not in seen and not static:
        stem = re.sub(r"\d+(?!.*\d)", "{trial}", stem, count=1)
    return "/".join([*folders, stem + path.suffix])


def _is_probe(name: str) -> bool:
    return "{channel}" in _pattern(name, static=False)


def _fields(text: str, seen: set[str]) -> str:
    for field, piece in _PIECES:
        bound = re.compile(rf"(?<![A-Za-z0-9{{])(?:{piece.pattern})(?![A-Za-z0-9}}])")
        if bound.search(text):
            text = bound.sub(f"{{{field}}}", text, count=1)
            seen.add(field)
    return text


def _muscle(name: str) -> str | None:
    """Guess our name of a channel from words of the vendor's."""
    low = name.lower()
    side = "R" if re.search(r"\b(rt|right|r)\b|^r[_ ]", low) else ""
    side = side or ("L" if re.search(r"\b(lt|left|l)\b|^l[_ ]", low) else "")
    found = [m for m, words in _MUSCLES.items() if side and re.search(words, low)]
    ours = f"{side}_{found[0]}" if len(found) == 1 else ""
    return ours if ours in EMG_CHANNELS else None


def _plain(text: str) -> str:
    return "-".join(_WORD.findall(text)) or "laboratory"
