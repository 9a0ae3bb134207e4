"""Checks that a subject file is what the published description promises."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import h5py

from acquire.dataset.checks.codes import found
from acquire.dataset.checks.container import container_findings
from acquire.dataset.checks.subject_cycles import normalized_findings
from acquire.dataset.checks.subject_times import original_findings
from acquire.dataset.mat_reader import Node, variables
from acquire.findings import Finding
from acquire.storage import labels
from acquire.storage.errors import LayoutError

TREES: Final = ("OriginalData", "NormalizedData")
DATATYPES: Final = (
    *("Markers", "Angles", "Forces", "Moments", "Powers"),
    *("Events", "USData", "EMGData"),
)


def subject_findings(path: Path) -> list[Finding]:
    """Check a subject file: container, names, order, shapes, ratios, magnitudes."""
    findings = container_findings(path)
    if any(finding.severity == "error" for finding in findings):
        return findings
    with h5py.File(path, "r") as file:
        names = [node.path for node in variables(file)]
        if names != [path.stem]:
            text = f"holds the variables {names}, not {path.stem} alone"
            return [*findings, found("subject-variable", path.name, text)]
        (subject,) = variables(file)
        if subject.fields != list(TREES):
            text = f"has the fields {subject.fields}, not {list(TREES)}"
            return [*findings, found("subject-trees", subject.path, text)]
        trees = [
            {_tail(trial): trial for trial in _trials(subject[tree], findings)}
            for tree in TREES
        ]
        for name in sorted(trees[0].keys() ^ trees[1].keys()):
            text = f"trial {name} is in one of {' and '.join(TREES)} only"
            findings.append(found("subject-pair", subject.path, text))
        for tree, checks in zip(
            trees, (original_findings, normalized_findings), strict=True
        ):
            for trial in tree.values():
                findings += [*_order(trial), *checks(trial)]
    return findings


def _tail(trial: Node) -> str:
    return trial.path.split(".", 2)[2]


def _trials(tree: Node, findings: list[Finding]) -> Iterator[Node]:
    """Yield every trial, noting names that are none of the layout's."""
    for condition in tree.children():
        for mode in condition.children():
            for speed in mode.children():
                name = [
                    node.path.rpartition(".")[2] for node in (condition, mode, speed)
                ]
                try:
                    labels.condition_label(name[0])
                    labels.slope_deg(name[1])
                    labels.speed_mps(name[2])
                except LayoutError as error:
                    findings.append(found("subject-name", speed.path, str(error)))
                    continue
                yield from speed.children()


def _order(trial: Node) -> Iterator[Finding]:
    wanted = [name for name in DATATYPES if name in trial]
    if trial.fields != wanted:
        text = f"has the fields {trial.fields}, expected {wanted}"
        yield found("subject-field-order", trial.path, text)
    missing = [name for name in DATATYPES if name not in trial]
    if missing:
        yield found("subject-absent", trial.path, f"has no {', '.join(missing)}")
