"""A whole virtual subject on disk: every trial of the young protocol, faster than life.

Streams are written to XDF as the recorder writes them, then archived, judged and
listed by the product's own code; only time is not waited for.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from acquire.archive import archive_take
from acquire.bench.virtual_streams import LSL_AT_ZERO_S, VirtualStreams
from acquire.bench.virtual_walk import QUIET_S, Span, Walk
from acquire.dataset.build import Progress
from acquire.dataset.participants import add_participant
from acquire.rig import RigConfig
from acquire.storage.journal import Journal
from acquire.storage.labels import CALIBRATION
from acquire.storage.layout import (
    TrialKey,
    claim_dataset,
    next_session,
    session_folder,
)
from acquire.storage.xdf import XdfWriter
from devices.sim.config import LabConfig

STATIC_S = 3.0
MODES = ("LG_0", "AS_5", "AS_10", "DS_5", "DS_10")
SPEEDS = ("S_0x5", "S_1", "S_1x5")
SHIFTS = tuple(
    f"Shift{place}"
    for place in ("Initial", "Upward", "Downward", "Leftward", "Rightward")
)


@dataclass(frozen=True, slots=True)
class Part:
    """Trials of one condition: every mode at every speed so many times."""

    condition: str
    modes: Sequence[str] = ("LG_0",)
    speeds: Sequence[str] = ("S_1",)
    n_trials: int = 5
    fatigue: float = 0.0

    @property
    def n(self) -> int:
        return len(self.modes) * len(self.speeds) * self.n_trials


FULL: tuple[Part, ...] = (
    Part("Ideal", MODES, SPEEDS),
    Part("Fatigue", n_trials=10, fatigue=0.6),
    *(Part(shift) for shift in SHIFTS),
)
"""What a young participant does: 75 trials, 10 tired ones, 25 with electrodes moved."""


def write_subject(
    dataset: Path,
    rig: RigConfig,
    participant: str = "P43",
    parts: Sequence[Part] = FULL,
    *,
    session: str = "",
    trial_s: float = 6.0,
    progress: Progress = lambda _: None,
) -> list[TrialKey]:
    """Write a session with all trials of `parts` and a static one; return their keys.

    Every take is accepted. `session` (``2026-11-22_1``) must be new; without it the
    next one of today is taken. The participant gets the simulated person's measures.
    """
    if rig.lab is None:
        raise ValueError(f"{rig.name!r} is a real laboratory, not simulated")
    claim_dataset(dataset, simulated=True)
    person = {**rig.lab.person.model_dump(), "participant": participant}
    lab = rig.lab.model_copy(
        update={
            "person": rig.lab.person.model_copy(update={"participant": participant})
        }
    )
    add_participant(dataset, person)
    today = dt.datetime.now(tz=dt.UTC).date()
    session = session or next_session(dataset, participant, today)
    folder = _begin(dataset, participant, session, rig)
    written: list[TrialKey] = []
    n_trials = 1 + sum(part.n for part in parts)
    with Journal(folder / "journal.jsonl", clock=lambda: LSL_AT_ZERO_S) as journal:
        journal.append("session_start", participant=participant, session=session)
        name = TrialKey(participant, session, CALIBRATION, "Static", "", 1)
        for key, streams, span in _trials(rig, lab, parts, trial_s, name):
            facing = "reversed" if streams.walk.reversed else "forward"
            _record(key, dataset, streams, span)
            archive_take(key, dataset, folder, facing=facing)
            journal.append(
                "verdict", **key.attributes(), accepted=True, reason="accept"
            )
            written.append(key)
            progress(f"{key.condition} {key.mode} ({len(written)} of {n_trials})")
        journal.append("session_end", outcome="finished")
    return written


def _trials(
    rig: RigConfig,
    lab: LabConfig,
    parts: Sequence[Part],
    trial_s: float,
    static: TrialKey,
) -> Iterator[tuple[TrialKey, VirtualStreams, Span]]:
    """Yield the static trial, then every other, in order of time within a walk.

    No two walks are alike: each has a seed of its own.
    """
    standing = Walk(lab, "LG_0").stand(STATIC_S)
    yield static, VirtualStreams(rig, standing), standing.spans[0]
    places = [(part, mode) for part in parts for mode in part.modes]
    for number, (part, mode) in enumerate(places, 1):
        own = lab.model_copy(update={"seed": lab.seed + number})
        walk = Walk(own, mode, fatigue=part.fatigue)
        streams = VirtualStreams(rig, walk.plan(part.speeds, part.n_trials, trial_s))
        for span in walk.spans:
            key = replace(
                static,
                condition=part.condition,
                mode=mode,
                speed=span.speed,
                trial=span.trial,
            )
            yield key, streams, span


def _begin(dataset: Path, participant: str, session: str, rig: RigConfig) -> Path:
    folder = session_folder(dataset, participant, session)
    folder.mkdir(parents=True)
    facts = {
        "participant": participant,
        "session": session,
        "protocol": "virtual subject",
        "rig": rig.name,
        "simulated": True,
    }
    (folder / "session.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    (folder / "rig.yaml").write_text(rig.to_yaml(), encoding="utf-8")
    text = "# trials written ahead of time; no protocol was run\n"
    (folder / "protocol.yaml").write_text(text, encoding="utf-8")
    return folder


def _record(key: TrialKey, dataset: Path, streams: VirtualStreams, span: Span) -> None:
    path = key.xdf(dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    t0_s, t1_s = span.rise_s - QUIET_S, span.fall_s + QUIET_S
    writer = XdfWriter(path)
    event = json.dumps({"event": "trial_start", **key.attributes()})
    for stream in (*streams.render(t0_s, t1_s), streams.event(event, span.rise_s)):
        spec = stream.spec
        number = writer.add_stream(
            stream.header_xml, spec.dtype, len(spec.channels), spec.rate_hz
        )
        for now_s in (t0_s, t1_s):
            writer.write_offset(number, LSL_AT_ZERO_S + now_s, 0.0)
        writer.write_samples(number, stream.samples, stream.stamps)
        writer.flush_to_file()
    writer.sync()
    writer.close()
