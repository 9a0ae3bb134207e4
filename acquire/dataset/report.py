"""One self-contained page per participant: every trial's signals, clocks, losses."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from acquire.dataset import report_figures as draw
from acquire.dataset.arrays import TrialArrays
from acquire.dataset.participants import read_participants
from acquire.dataset.reference import read_reference
from acquire.dataset.report_ensemble_figures import session_figure
from acquire.dataset.report_ensembles import Ensemble
from acquire.dataset.report_groups import (
    REFERENCE_COLUMNS,
    REPEATABILITY_COLUMNS,
    GroupSection,
    group_section,
    order,
)
from acquire.dataset.selection import select, verdicts
from acquire.dataset.trial_source import load, up_to_date
from acquire.dataset.truth import Comparison, TruthError, compare_with_truth
from acquire.session_clocks import SessionClocks
from acquire.storage.derived_file import Derived, read_derived_attributes
from acquire.storage.durable import write_text_atomically
from acquire.storage.layout import TrialKey, find_archives
from acquire.storage.manifest import append_to_manifest
from acquire.storage.provenance import code_version
from acquire.stored_gait import stored_gait

log = logging.getLogger("kinemuse.report")

FOLDER = "reports"
NOTHING = "\N{EN DASH}"
CLOCK_COLUMNS = (
    *("stream", "status", "method", "skew, ppm", "edges matched", "missed", "extra"),
    *("residual median / max, ms", "interval start / middle / end, ± ms"),
)
GAIT_WORDS = {
    "contacts": ("foot contacts", "{:.0f}"),
    "crossovers": ("with both feet on one plate", "{:.0f}"),
    "strides": ("strides", "{:.0f}"),
    "strides_accepted": ("strides accepted", "{:.0f}"),
    "stride_mean_force_n": ("mean force over whole strides", "{:.1f} N"),
    "stride_mean_tilt_deg": ("its angle from gravity", "{:.2f}°"),
    "cop_inside_share": ("pressure centre on the belt", "{:.1%}"),
}


MOST_PICTURED = 40  #: takes with pictures of their own; of more, the first of a kind
Kind = tuple[str, str, str]  #: condition, mode, speed
OWN = "kinemuse-"  #: streams of the session, the recorder and the quality monitor


@dataclass(frozen=True)
class TrialSection:
    """What the page shows of one trial."""

    anchor: str
    title: str
    verdict: str
    facts: list[tuple[str, str]]
    figures: list[tuple[str, str]]
    clocks: list[list[str]]
    losses: list[tuple[str, str]]
    remarks: list[str]
    status: str
    summary: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class KindSection:
    """All takes of one condition, mode and speed; `group` shows them together."""

    anchor: str
    title: str
    takes: list[TrialSection]
    group: GroupSection | None


@dataclass(eq=False)
class _Collected:
    """What is gathered take by take for the pictures of many."""

    ensembles: dict[Kind, Ensemble] = field(default_factory=dict)
    residuals_ms: dict[str, list[float]] = field(default_factory=dict)
    lost: dict[str, list[float]] = field(default_factory=dict)

    def add(self, kind: Kind, trial: TrialArrays, mass_kg: float) -> None:
        self.ensembles.setdefault(kind, Ensemble(*kind)).add(trial, mass_kg)

    def add_clocks(self, derived: Derived, n_before: int) -> None:
        """Note residual and losses of each stream; NaN for takes without it."""
        for name in _instruments(derived):
            own = derived["clock"].groups[name].attributes
            for told, value in (
                (self.residuals_ms, float(own["residual_median_ms"])),
                (self.lost, float(own["lost"])),
            ):
                row = told.setdefault(name, [])
                row += [float("nan")] * (n_before - len(row)) + [value]


def write_report(
    dataset: Path,
    participant: str,
    *,
    truth: Path | None = None,
    reference: Sequence[Path] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write ``reports/P43.html`` of all archived trials; return its path.

    The page needs no network and nothing beside it. It shows the subject (all accepted
    strides of each condition, mode and speed, and how well they repeat), the session
    (clocks and losses of all takes), and every take. With a truth file one section
    compares with it; without one, or when it is gone, only that section is missing.
    With reference files (see `read_reference`) mean curves are compared with theirs.

    Raises
    ------
    FileNotFoundError
        The participant has no archived trial.
    BandsError
        A reference cannot be read.
    """
    archives = find_archives(dataset, participant)
    if not archives:
        raise FileNotFoundError(f"{dataset} has no archived trial of {participant}")
    bands = read_reference(reference) if reference else None
    people = read_participants(dataset)
    mass_kg = people[participant].mass_kg if participant in people else float("nan")
    judged = verdicts(dataset, participant)
    accepted = select(dataset, participant, own_conditions=True).archives
    sessions = sorted({key.session for key in archives})
    kinds: dict[Kind, list[TrialSection]] = {}
    collected, simulated, clocks = _Collected(), False, SessionClocks()
    for number, (key, path) in enumerate(archives.items()):
        kind = (key.condition, key.mode, key.speed)
        progress(f"{' '.join(kind)} {key.stem} ({number + 1} of {len(archives)})")
        trial, facts = load(path, clocks)
        derived, _ = up_to_date(path, clocks)
        if key in accepted:
            collected.add(kind, trial, mass_kg)
        collected.add_clocks(derived, number)
        section = _section(
            key,
            (trial, facts, derived),
            mass_kg,
            judged.get(key),
            visit=sessions.index(key.session) + 1,
            pictured=len(archives) <= MOST_PICTURED or kind not in kinds,
        )
        kinds.setdefault(kind, []).append(section)
        simulated |= bool(read_derived_attributes(derived.path)["simulated"])
    progress("all strides together")
    groups = {
        (e.condition, e.mode, e.speed): group_section(e, bands)
        for e in order(list(collected.ensembles.values()))
    }
    parts = [
        KindSection(
            "-".join(part for part in kind if part),
            " · ".join(part for part in kind if part),
            takes,
            groups.get(kind),
        )
        for kind, takes in kinds.items()
    ]
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            participant=participant,
            simulated=simulated,
            parts=parts,
            navigation=_navigation(parts),
            n_takes=len(archives),
            most_pictured=MOST_PICTURED,
            session_figure=session_figure(collected.residuals_ms, collected.lost),
            summary_columns=("trial", "verdict", "length", "strides L / R", "clocks"),
            clock_columns=CLOCK_COLUMNS,
            repeatability_columns=REPEATABILITY_COLUMNS,
            reference_columns=REFERENCE_COLUMNS,
            reference=bands.name if bands else "",
            comparison=_comparison(dataset, participant, truth),
            mass_kg=mass_kg,
            code_version=code_version(),
        )
    )
    folder = dataset / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{participant}.html"
    write_text_atomically(out, page)
    append_to_manifest(dataset, out)
    return out


def _navigation(parts: Iterable[KindSection]) -> dict[str, list[tuple[str, str]]]:
    """Return links by condition: anchor, and mode and speed in words."""
    found: dict[str, list[tuple[str, str]]] = {}
    for part in parts:
        condition, _, rest = part.title.partition(" · ")
        found.setdefault(condition, []).append((part.anchor, rest))
    return found


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("acquire.dataset", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _comparison(
    dataset: Path, participant: str, truth: Path | None
) -> Comparison | None:
    if truth is None:
        return None
    try:
        return compare_with_truth(dataset, participant, truth)
    except TruthError as error:
        log.warning("no comparison with the truth: %s", error)
        return None


def _section(
    key: TrialKey,
    loaded: tuple[TrialArrays, Mapping[str, Any], Derived],
    mass_kg: float,
    verdict: tuple[bool, str] | None,
    *,
    visit: int,
    pictured: bool,
) -> TrialSection:
    """Return one take's section; `visit` counts the participant's sessions."""
    trial, facts, derived = loaded
    attributes = read_derived_attributes(derived.path)
    gait = stored_gait(derived)
    said = "not judged"
    if verdict is not None:
        accepted, reason = verdict
        said = "accepted" if accepted else f"rejected: {reason}"
    place = [part for part in (key.condition, key.mode, key.speed) if part]
    title = f"{' · '.join(place)} · trial {key.trial}, take {key.take}"
    title += f", visit {visit}" if visit > 1 else ""
    status = str(attributes["status"])
    strides = f"{facts['strides_left']} / {facts['strides_right']}"
    return TrialSection(
        anchor="-".join((*place, key.stem, str(visit))),
        title=title,
        verdict=said,
        facts=[
            ("length", f"{trial.duration_s:.2f} s ({trial.n_frames} frames)"),
            ("facing", str(facts["facing"])),
            ("rise of the line", f"{attributes['rise_s']:.4f} s, Vicon clock"),
            ("recording", "complete" if facts["complete"] else "cut off, recovered"),
            *_checks(gait.checks, mass_kg),
        ],
        figures=_figures(trial, mass_kg) if pictured else [],
        clocks=[_clock_row(name, derived) for name in _instruments(derived)],
        losses=[
            (name, str(derived["clock"].groups[name].attributes["completeness"]))
            for name in _instruments(derived)
        ],
        remarks=[*facts["remarks"], *_reasons(attributes)],
        status=status,
        summary=[said, f"{trial.duration_s:.1f} s", strides],
    )


def _figures(trial: TrialArrays, mass_kg: float) -> list[tuple[str, str]]:
    """Draw one take: words and address of each picture that there is."""
    figures = [
        ("Surface EMG over one stride (dotted: foot off)", draw.emg_figure(trial)),
        (
            "Ground reaction on each foot: mean ± SD of all strides, one stride dashed",
            draw.force_figure(trial, mass_kg),
        ),
        ("Markers from the side, right leg strong", draw.stick_figure(trial)),
        ("A-mode ultrasound over one left stride", draw.echo_figure(trial)),
    ]
    return [(words, made) for words, made in figures if made]


def _instruments(derived: Derived) -> list[str]:
    """Name the streams of instruments; our own are about them."""
    return [name for name in derived["clock"].groups if not name.startswith(OWN)]


def _reasons(attributes: dict[str, Any]) -> list[str]:
    return [text for text in str(attributes["reasons"]).split("; ") if text]


def _checks(checks: Mapping[str, float], mass_kg: float) -> list[tuple[str, str]]:
    found = [
        (words, form.format(checks[name]))
        for name, (words, form) in GAIT_WORDS.items()
        if name in checks
    ]
    force = checks.get("stride_mean_force_n")
    if force is not None and mass_kg > 0:
        found.append(("of body weight", f"{force / (mass_kg * 9.80665):.1%}"))
    return found


def _clock_row(name: str, derived: Derived) -> list[str]:
    own = derived[f"clock/{name}"].attributes
    width = [_number(own[f"half_width_{k}_ms"]) for k in ("start", "middle", "end")]
    skew = f"{_number(own['skew_ppm'], 1)} ± {_number(own['skew_half_width_ppm'], 1)}"
    residual = [_number(own[f"residual_{k}_ms"]) for k in ("median", "max")]
    fitted = str(own["method"]) == "edges"
    status = str(own["status"])
    if not own["has_trigger"] and str(own["method"]) == "stamps":
        status = "by stamps"  # all that a stream without the line can have
    counts = [
        str(own[name]) if fitted else NOTHING for name in ("matched", "missed", "extra")
    ]
    return [
        *(name, status, str(own["method"])),
        skew if fitted else NOTHING,
        *counts,
        " / ".join(residual) if fitted else NOTHING,
        " / ".join(width),
    ]


def _number(value: Any, digits: int = 3) -> str:  # noqa: ANN401 (an attribute)
    number = float(value)
    return NOTHING if number != number else f"{number:.{digits}f}"
