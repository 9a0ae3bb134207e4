"""What a build made, and how it is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquire.dataset.source_tree import SourceResult
from acquire.findings import Finding
from acquire.storage.layout import TrialKey


@dataclass(frozen=True, eq=False)
class BuildResult:
    """What was built: the file, its side-car, and every trial in or left out."""

    path: Path
    sidecar: Path
    simulated: bool
    trials: dict[TrialKey, dict[str, Any]]
    left_out: dict[TrialKey, str]
    findings: list[Finding]
    files: tuple[Path, ...]  #: all that was written
    removed: tuple[Path, ...]  #: flat files of trials that are left out now
    sources: SourceResult | None = None  #: of the SourceData tree, where it was asked

    def describe(self) -> str:
        """Say in a few lines what was built."""
        kind = "simulated" if self.simulated else "recorded"
        lines = [f"{self.path}: {len(self.trials)} {kind} trials"]
        for key, facts in self.trials.items():
            source = str(facts.get("model_source", ""))
            lines.append(
                f"  {key.condition} {key.mode} {key.speed} trial {key.trial}: "
                f"{facts['frames'] / 100:.1f} s, strides {facts['strides_left']} left, "
                f"{facts['strides_right']} right, clocks {facts['clock_status']}"
                + (f", model of {source}" if source.startswith("Nexus") else "")
            )
        lines += [
            f"  left out: {key.condition} {key.mode} {key.speed} {key.stem}: {why}"
            for key, why in self.left_out.items()
        ]
        lines += [
            f"  {finding.severity}: {finding.where}: {finding.message}"
            for finding in self.findings
            if finding.severity != "info"
        ]
        lines += [self.sources.describe()] if self.sources else []
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-able values."""
        return {
            "path": str(self.path),
            "sidecar": str(self.sidecar),
            "simulated": self.simulated,
            "files": [str(path) for path in self.files],
            "trials": [
                {**key.attributes(), **facts} for key, facts in self.trials.items()
            ],
            "left_out": [
                {**key.attributes(), "reason": why}
                for key, why in self.left_out.items()
            ],
            "findings": [finding.to_json() for finding in self.findings],
            "sources": self.sources.to_json() if self.sources else None,
        }
