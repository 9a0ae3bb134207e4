"""What the recorder noted in a recording while it was made, as findings.

The stream `kinemuse-recorder` holds one JSON object per event. Losses themselves are
counted from the samples; here is what cannot be seen from them: why a recording was
started although something was missing, when streams were silent, what the disk did.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from acquire.findings import Finding
from acquire.storage.recording import Recording

STREAM = "kinemuse-recorder"
STATE_TYPE = "RecorderState"  #: of the stream of another recorder's state

Note = Mapping[str, Any]
Notes = Sequence[Note]


def read_notes(recording: Recording) -> list[dict[str, Any]]:
    """Return the recorder's events in order; none for a foreign recording."""
    if STREAM not in recording:
        return []
    notes = []
    for row in recording[STREAM].data:
        try:
            note = json.loads(row[0])
        except ValueError:
            continue
        if isinstance(note, dict) and "event" in note and "t_lsl" in note:
            notes.append(note)
    return notes


def note_findings(recording: Recording) -> list[Finding]:
    """Return what the notes of a recording tell.

    Codes: ``recording-overridden recording-disk recording-disk-slow stream-interrupted
    stream-restarted stream-lost stream-late``.
    """
    notes, name = read_notes(recording), recording.path.name
    if not notes:
        return []
    t_start = float(notes[0]["t_lsl"])
    t_end = float(notes[-1]["t_lsl"])
    found = list(_of_recording(notes, name))
    streams = dict.fromkeys(str(n["stream"]) for n in notes if "stream" in n)
    for stream in streams:
        own = [note for note in notes if note.get("stream") == stream]
        found += _of_stream(own, f"{name}:{stream}", t_start, t_end)
    return found


def _of_recording(notes: Notes, name: str) -> Iterator[Finding]:
    for note in notes:
        match note["event"]:
            case "start" if note.get("overridden"):
                what = "; ".join(map(str, note["overridden"]))
                why = note.get("override_reason")
                text = f"was started although {what}. The reason given: {why}"
                yield Finding("recording-overridden", "warning", name, text)
            case "disk_short":
                text = "was ended because the disk was nearly full"
                yield Finding("recording-disk", "warning", name, text)
            case "disk_slow":
                text = "the disk was slow; what it cost is counted stream by stream"
                yield Finding("recording-disk-slow", "info", name, text)


def _of_stream(
    notes: Notes, where: str, t_start: float, t_end: float
) -> Iterator[Finding]:
    pauses = list(_pauses(notes, t_end))
    if pauses:
        at, total = pauses[0][0] - t_start, sum(end - start for start, end in pauses)
        text = (
            f"was silent {len(pauses)} times, {total:.1f} s in all, first at {at:.1f} s"
        )
        if notes[-1]["event"] == "stream_stalled":
            text += "; it did not come back"
        yield Finding("stream-interrupted", "warning", where, text)
    for event, code, text in (
        ("stream_restarted", "stream-restarted", "its outlet was restarted"),
        ("stream_lost", "stream-lost", "was lost, and joined anew if it came back"),
    ):
        times = [float(n["t_lsl"]) - t_start for n in notes if n["event"] == event]
        if times:
            said = ", ".join(f"{t:.1f}" for t in times[:5])
            yield Finding(code, "warning", where, f"{text} at {said} s")
    if notes[0]["event"] == "stream_joined":
        late_s = float(notes[0]["t_lsl"]) - t_start
        text = f"joined {late_s:.1f} s after the recording began"
        yield Finding("stream-late", "info", where, text)


def _pauses(notes: Notes, t_end: float) -> Iterator[tuple[float, float]]:
    began: float | None = None
    for note in notes:
        t = float(note["t_lsl"])
        if note["event"] == "stream_stalled":
            began = t - float(note.get("silent_s", 0.0))
        elif note["event"] == "stream_back" and began is not None:
            yield began, t
            began = None
    if began is not None:
        yield began, t_end
