"""After a recording: is in the file what was handed to the writer, and received."""

from collections.abc import Mapping, Sequence

from acquire.recorder.readback import Readback, read_back
from acquire.recorder.recording_file import RecordingFile
from acquire.recorder.stream import StreamWorker
from acquire.recorder.watch import CounterWatch


def verify(files: Sequence[RecordingFile]) -> list[str]:
    """Reopen a finished recording and compare it with what was handed to the writer.

    Of several files that go on with each other, each must hold what went into it, and
    together what was received.
    """
    reasons: list[str] = []
    counters: dict[tuple[str, str], CounterWatch] = {}
    for file in files:
        found = read_back(file.path, counters)
        counters |= {key: stream.counter for key, stream in found.streams.items()}
        about = f"{file.path.name}: " if len(files) > 1 else ""
        reasons += [about + reason for reason in _file_reasons(file, found)]
    for key, last in files[-1].written.items():
        n_written = sum(f.written[key].n_samples for f in files if key in f.written)
        reasons += _total_reasons(last.worker, n_written, counters)
    return reasons


def _file_reasons(file: RecordingFile, found: Readback) -> list[str]:
    reasons = list(found.problems)
    if not found.complete:
        reasons.append("the file has no proper end")
    for written in file.written.values():
        header = written.worker.header
        recorded = found.streams.get((header.name, header.uid))
        if recorded is None:
            reasons.append(f"{header.name} is not in the file")
            continue
        if recorded.n_samples != written.n_samples:
            reasons.append(
                f"{header.name}: {recorded.n_samples} samples in the file, "
                f"{written.n_samples} were written"
            )
        if recorded.n_offsets != written.n_offsets:
            reasons.append(
                f"{header.name}: {recorded.n_offsets} clock offsets in the file, "
                f"{written.n_offsets} were written"
            )
    return reasons


def _total_reasons(
    worker: StreamWorker,
    n_written: int,
    counters: Mapping[tuple[str, str], CounterWatch],
) -> list[str]:
    reasons = []
    if n_written != worker.n_recorded:
        reasons.append(
            f"{worker.name}: {n_written} samples were written, "
            f"{worker.n_recorded} were received"
        )
    counter = counters.get((worker.header.name, worker.header.uid))
    n_lost = counter.n_lost if counter else 0
    if n_lost != worker.counter.n_lost:
        reasons.append(
            f"{worker.name}: by its counter the recording lacks {n_lost} samples, "
            f"{worker.counter.n_lost} were seen missing while recording"
        )
    return reasons
