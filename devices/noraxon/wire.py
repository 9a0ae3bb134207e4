"""MR's HTTP streaming: what its JSON replies mean. Nothing here touches a socket."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import WireFormatError

HEADERS, DISABLE_ALL, SAMPLES = "/headers", "/disable/all", "/samples"


def enable(index: int) -> str:
    """Return the path that has a channel sent."""
    return f"/enable/{index}"


@dataclass(frozen=True, slots=True)
class Header:
    """One channel as MR describes it, e.g. type ``real.emg`` or ``switch``."""

    name: str
    type: str
    rate_hz: float
    unit: str
    index: int

    @property
    def is_scalar(self) -> bool:
        """Whether samples are single numbers, not flat triplets."""
        return not self.type.startswith("vector")


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """New samples of one channel; `sample_index` of the first, where MR sends it."""

    index: int
    samples: NDArray[np.float32]
    sample_index: int | None = None


def parse_headers(body: bytes) -> list[Header]:
    """Return the channels of a ``/headers`` reply; empty while nothing is measured."""
    return [
        Header(
            name=str(_get(item, "name", str)),
            type=str(_get(item, "type", str)),
            rate_hz=float(_get(item, "samplerate", int | float)),
            unit=str(item.get("units", "")),
            index=int(_get(item, "index", int)),
        )
        for item in _items(body, "headers")
    ]


def parse_samples(body: bytes) -> list[Batch]:
    """Return the batches of a ``/samples`` reply."""
    batches = []
    for item in _items(body, "channels"):
        values = _get(item, "samples", list)
        try:
            samples = np.array(values, np.float32).reshape(-1)
        except (TypeError, ValueError) as error:
            raise _foreign(body, f"samples are no numbers: {error}") from error
        first = item.get("sampleindex")
        batches.append(
            Batch(
                int(_get(item, "index", int)),
                samples,
                first if isinstance(first, int) else None,
            )
        )
    return batches


def _items(body: bytes, key: str) -> list[Mapping[str, Any]]:
    try:
        reply = json.loads(body)
    except ValueError as error:
        raise _foreign(body, str(error)) from error
    items = reply.get(key) if isinstance(reply, dict) else None
    if not isinstance(items, list):
        raise _foreign(body, f"no list {key!r}")
    if not all(isinstance(item, dict) for item in items):
        raise _foreign(body, f"{key!r} holds something else than objects")
    return items


def _get(item: Mapping[str, Any], key: str, kind: Any) -> Any:  # noqa: ANN401
    value = item.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise WireFormatError(f"MR reply: {key!r} is {value!r} in {dict(item)!r:.120}")
    return value


def _foreign(body: bytes, why: str) -> WireFormatError:
    return WireFormatError(f"not MR's HTTP streaming ({why}): {body[:60]!r}")
