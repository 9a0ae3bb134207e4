"""Say in what two recordings differ."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.storage.recording import RecordedStream, Recording


def differences(first: Recording, second: Recording) -> list[str]:
    """List what differs between two recordings' streams; empty when they are equal.

    Every value is compared bit by bit (one NaN equals another); paths and attributes
    are not compared.
    """
    if len(first.streams) != len(second.streams):
        return [f"{len(first.streams)} streams against {len(second.streams)}"]
    wrong = [
        difference
        for one, other in zip(first.streams, second.streams, strict=True)
        for difference in stream_differences(one, other)
    ]
    if first.problems != second.problems:
        wrong.append("the lists of problems differ")
    return wrong


def stream_differences(one: RecordedStream, other: RecordedStream) -> list[str]:
    """List what differs between two streams; empty when they are equal."""
    wrong = []
    for part in fields(RecordedStream):
        a, b = getattr(one, part.name), getattr(other, part.name)
        same = _same_array(a, b) if isinstance(a, np.ndarray) else a == b
        if not same:
            wrong.append(f"{one.name}: {part.name} differs")
    return wrong


def _same_array(a: NDArray[Any], b: Any) -> bool:  # noqa: ANN401
    if not isinstance(b, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype:
        return False
    floating = np.issubdtype(a.dtype, np.floating)
    return bool(np.array_equal(a, b, equal_nan=floating))
