"""Checks of one recording: damage, losses, notes of the recorder, clocks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from acquire.align import Alignment, align
from acquire.dataset.checks.codes import found
from acquire.findings import Finding
from acquire.storage.errors import StorageError
from acquire.storage.layout import parse_path
from acquire.storage.reader import open_recording
from acquire.storage.recorder_notes import STATE_TYPE, note_findings
from acquire.storage.recording import RecordedStream, Recording

RESIDUAL_MS: Final = 2.0  #: median distance of edges from the clock, or one sample
DRIFT_PPM: Final = 500.0  #: quartz is within 100, a radio's rate within 300
Gaps = Sequence[tuple[float, int, str]]  #: first missing sample, how many, kind
MODALITIES: Final = ("vicon-markers", "vicon-forces", "semg", "amode")


@dataclass(frozen=True, eq=False)
class ClockTable:
    """What is known of a recording's clocks: a row and the gaps of each stream."""

    rows: Mapping[str, Mapping[str, Any]]
    gaps: Mapping[str, Gaps]
    reasons: Sequence[str] = ()

    @classmethod
    def of(cls, clocks: Alignment) -> Self:
        """Take the table from an alignment."""
        streams = clocks.streams.items()
        return cls(
            {
                k: {
                    **c.row(),
                    "has_trigger": c.has_trigger,
                    "rate_hz": c.fit.rate_hz,
                }
                for k, c in streams
            },
            {
                k: [(g.first_missing_index, g.n, g.kind) for g in c.gaps]
                for k, c in streams
            },
            clocks.reasons,
        )


def recording_findings(
    path: Path, clocks: ClockTable | None = None
) -> tuple[Recording | None, list[Finding]]:
    """Check a recording or archive; return it too, None where it cannot be read.

    `clocks` is its clock table where that is known already; without it the recording
    is aligned here.
    """
    try:
        recording = open_recording(path)
    except StorageError as error:
        return None, [found("recording-format", path.name, str(error))]
    findings = [*_whole(recording, path.name), *note_findings(recording)]
    for stream in recording.streams:
        findings += _stream(stream, f"{path.name}:{stream.name}")
    if recording.streams:
        table = clocks or ClockTable.of(align(recording))
        findings += clock_findings(path.name, table)
    return recording, findings


def _whole(recording: Recording, name: str) -> Iterator[Finding]:
    for problem in recording.problems:
        yield found("recording-damage", name, problem)
    if not recording.complete:
        text = "was cut off: it has no proper end"
        yield found("recording-incomplete", name, text)
    kinds = {
        s.simulated
        for s in recording.streams
        if s.source_id.startswith("kinemuse") and s.type != STATE_TYPE
    }
    if len(kinds) > 1:
        yield found("recording-mixed", name, "holds simulated and real streams")
    if not recording.streams:
        yield found("recording-empty", name, "has no stream")


def modality_findings(recording: Recording) -> Iterator[Finding]:
    """Tell which of the four modalities a walking trial lacks."""
    if parse_path(recording.path).is_calibration:
        return
    lacking = [name for name in MODALITIES if name not in recording]
    if lacking:
        where = recording.path.name
        yield found("trial-modality", where, f"has no {', '.join(lacking)}")


def _stream(stream: RecordedStream, where: str) -> Iterator[Finding]:
    if not len(stream.t_lsl):
        yield found("stream-empty", where, "has no sample")
        return
    n_bad = int(np.count_nonzero(~np.isfinite(stream.t_lsl)))
    if n_bad:
        yield found("stream-stamps", where, f"{n_bad} stamps are not finite")
    if stream.counter.source == "none" and stream.rate_hz:
        text = "has no counter: losses can only be inferred"
        yield found("stream-uncounted", where, text)
    of_network = stream.source_id and stream.hostname and stream.rate_hz
    if not len(stream.offsets) and of_network:
        yield found("stream-offsets", where, "no clock offset was measured")


def clock_findings(name: str, table: ClockTable) -> Iterator[Finding]:
    """Judge a clock table, as stored in a derived file or just fitted."""
    for stream, row in table.rows.items():
        if int(row["rows"]):
            yield from _clock(f"{name}:{stream}", row, table.gaps.get(stream, ()))
    for reason in table.reasons:
        yield found("clock-reference", name, reason)


def _clock(where: str, row: Mapping[str, Any], gaps: Gaps) -> Iterator[Finding]:
    for first, n, kind in gaps:
        text = f"{n} samples are missing ({kind}) at sample {first:.0f}"
        yield found("stream-gap", where, text)
    if int(row["repeated"]):
        yield found("stream-repeat", where, f"{row['repeated']} samples came twice")
    status = str(row["status"])
    if bool(row["has_trigger"]) and status != "ok":
        text = f"clock {status}: {row['reasons'] or 'no reason given'}"
        yield found(f"clock-{status}", where, text)
    residual_ms, skew_ppm = (
        float("nan") if row[key] is None else float(row[key])
        for key in ("residual_median_ms", "skew_ppm")
    )
    if residual_ms > max(RESIDUAL_MS, 1000 / max(float(row["rate_hz"]), 1.0)):
        text = f"edges lie {residual_ms:.2f} ms from the clock, in the middle"
        yield found("clock-residual", where, text)
    if row["method"] == "edges" and abs(skew_ppm) > DRIFT_PPM:
        yield found("clock-drift", where, f"runs {skew_ppm:+.0f} ppm off its rate")
