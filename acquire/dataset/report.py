"""One self-contained page per participant: every trial's signals, clocks, losses."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from acquire.dataset import report_figures as draw
from acquire.dataset.participants import read_participants
from acquire.dataset.selection import verdicts
from acquire.dataset.trial_source import load, up_to_date
from acquire.dataset.truth import Comparison, TruthError, compare_with_truth
from acquire.derived_groups import stored_gait
from acquire.session_clocks import SessionClocks
from acquire.storage.derived_file import Derived, read_derived_attributes
from acquire.storage.durable import write_text_atomically
from acquire.storage.layout import TrialKey, find_archives
from acquire.storage.manifest import append_to_manifest
from acquire.storage.provenance import code_version

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


def write_report(dataset: Path, participant: str, *, truth: Path | None = None) -> Path:
    """Write ``reports/P43.html`` of all archived trials; return its path.

    The page needs no network and nothing beside it. With a truth file the last section
    compares with it; without one, or when it is gone, only that section is missing.

    Raises
    ------
    FileNotFoundError
        The participant has no archived trial.
    """
    archives = find_archives(dataset, participant)
    if not archives:
        raise FileNotFoundError(f"{dataset} has no archived trial of {participant}")
    people = read_participants(dataset)
    mass_kg = people[participant].mass_kg if participant in people else float("nan")
    judged = verdicts(dataset, participant)
    sections, simulated, session = [], False, SessionClocks()
    for key, path in archives.items():
        section, virtual = _section(key, path, mass_kg, judged.get(key), session)
        sections.append(section)
        simulated |= virtual
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            participant=participant,
            simulated=simulated,
            sections=sections,
            summary_columns=("trial", "verdict", "length", "strides L / R", "clocks"),
            clock_columns=CLOCK_COLUMNS,
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
    path: Path,
    mass_kg: float,
    verdict: tuple[bool, str] | None,
    session: SessionClocks,
) -> tuple[TrialSection, bool]:
    """Return one trial's section, and whether the trial is simulated."""
    trial, facts = load(path, session)
    derived, _ = up_to_date(path, session)
    attributes = read_derived_attributes(derived.path)
    gait = stored_gait(derived)
    figures = [
        ("Surface EMG over one stride (dotted: foot off)", draw.emg_figure(trial)),
        (
            "Ground reaction on each foot: mean ± SD of all strides, one stride dashed",
            draw.force_figure(trial, mass_kg),
        ),
        ("Markers from the side, right leg strong", draw.stick_figure(trial)),
        ("A-mode ultrasound over one left stride", draw.echo_figure(trial)),
    ]
    said = "not judged"
    if verdict is not None:
        accepted, reason = verdict
        said = "accepted" if accepted else f"rejected: {reason}"
    place = [part for part in (key.condition, key.mode, key.speed) if part]
    title = f"{' · '.join(place)} · trial {key.trial}, take {key.take}"
    status = str(attributes["status"])
    strides = f"{facts['strides_left']} / {facts['strides_right']}"
    section = TrialSection(
        anchor="-".join((*place, key.stem, key.session)),
        title=title,
        verdict=said,
        facts=[
            ("length", f"{trial.duration_s:.2f} s ({trial.n_frames} frames)"),
            ("facing", str(facts["facing"])),
            ("rise of the line", f"{attributes['rise_s']:.4f} s, Vicon clock"),
            ("recording", "complete" if facts["complete"] else "cut off, recovered"),
            *_checks(gait.checks, mass_kg),
        ],
        figures=[(words, made) for words, made in figures if made],
        clocks=[_clock_row(name, derived) for name in _instruments(derived)],
        losses=[
            (name, str(derived["clock"].groups[name].attributes["completeness"]))
            for name in _instruments(derived)
        ],
        remarks=[*facts["remarks"], *_reasons(attributes)],
        status=status,
        summary=[said, f"{trial.duration_s:.1f} s", strides],
    )
    return section, bool(attributes["simulated"])


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
