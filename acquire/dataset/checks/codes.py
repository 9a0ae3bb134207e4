"""The registry of findings: what each code of `kinemuse check` means."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from acquire.findings import Finding, Severity

FILE = Path(__file__).with_name("codes.yaml")


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding: how bad, what it means, what to do."""

    name: str
    severity: Severity
    meaning: str
    remedy: str


@cache
def codes() -> Mapping[str, Code]:
    """Return every code by name, in the order of the registry."""
    read: Any = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {name: Code(name, *entry) for name, entry in read.items()}


def found(code: str, where: str, message: str) -> Finding:
    """Make a finding with the severity that the registry gives its code."""
    return Finding(code, codes()[code].severity, where, message)
