"""The truth file: one JSON object per line, written by the lab server alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import Person
from devices.sim.trigger_line import TriggerLine


class TruthFile:
    """Records what clients report, and what the body and the line really did."""

    def __init__(self, path: Path, config: LabConfig, history: History) -> None:
        self._file = path.open("x", encoding="utf-8")
        self._person = Person(config, history)
        self._line = TriggerLine(history, config.waveform, config.seed)
        self._done_s = 0.0

    def write(self, record: Mapping[str, Any]) -> None:
        """Add one record."""
        self._file.write(json.dumps(record, separators=(",", ":")) + "\n")
        self._file.flush()

    def advance(self, t_s: float) -> None:
        """Add body events and line edges up to world time `t_s`."""
        if t_s <= self._done_s:
            return
        for at, side, event in self._person.heel_strikes(self._done_s, t_s):
            self.write({"kind": "event", "t_s": at, "side": side, "event": event})
        for at, rising in self._line.edges(self._done_s, t_s):
            self.write({"kind": "edge", "t_s": at, "rising": rising})
        self._done_s = t_s

    def close(self) -> None:
        self._file.close()
