"""Findings as one self-contained page: code by code, what it means, what to do."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from acquire.dataset.checks.codes import codes
from acquire.findings import Finding, in_order
from acquire.storage.durable import write_text_atomically
from acquire.storage.provenance import code_version

SHOWN = 8  #: places of one code that are shown at once; the rest unfold


def write_findings_page(out: Path, title: str, findings: Sequence[Finding]) -> Path:
    """Write ``out``, a page that needs no network; return its path."""
    groups: dict[str, list[Finding]] = {}
    for finding in in_order(findings):
        groups.setdefault(finding.code, []).append(finding)
    environment = Environment(
        loader=PackageLoader("acquire.dataset", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("check.html.j2").render(
        title=title,
        counts={
            severity: sum(f.severity == severity for f in findings)
            for severity in ("error", "warning", "info")
        },
        groups=[(codes()[code], found) for code, found in groups.items()],
        shown=SHOWN,
        code_version=code_version(),
    )
    write_text_atomically(out, page)
    return out
