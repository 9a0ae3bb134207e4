"""When a foot is on the ground: contacts found in a vertical force, with hysteresis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ContactRules:
    """What counts as a step. Forces in N, times in s.

    A contact begins where the force last rose through `on_n` before staying above it
    for `sustain_s`, and ends where it falls through `off_n`. `on_n` grows to
    `noise_factor` standard deviations of an unloaded plate.
    """

    on_n: float = 20.0
    off_n: float = 15.0
    sustain_s: float = 0.02
    min_stance_s: float = 0.2
    min_swing_s: float = 0.15
    noise_factor: float = 5.0


@dataclass(frozen=True, slots=True)
class Contact:
    """One loading of a plate: sub-sample indices, NaN beyond the recording's ends."""

    on: float
    off: float
    first: int  #: samples first..last-1 are loaded
    last: int


def find_contacts(
    force_n: Floats, rate_hz: float, rules: ContactRules = ContactRules()
) -> list[Contact]:
    """Return the contacts in a vertical force, shape (n,), in order.

    The force is taken as recorded, unfiltered: a low-pass would move strikes several
    ms early. Missing samples (NaN) count as unloaded.
    """
    force = np.nan_to_num(force_n, nan=0.0)
    quiet = force[np.abs(force) < rules.on_n]
    noise = (
        1.4826 * float(np.median(np.abs(quiet - np.median(quiet)))) if quiet.size else 0
    )
    on_n = max(rules.on_n, rules.noise_factor * noise)
    off_n = on_n * rules.off_n / rules.on_n
    found: list[Contact] = []
    for start, end in _runs(force >= on_n):
        if found and start < found[-1].last:
            continue
        if end - start < rules.sustain_s * rate_hz and end < force.size:
            continue
        below = np.flatnonzero(force[end:] < off_n)
        stop = end + int(below[0]) if below.size else force.size
        found.append(
            Contact(
                _crossing(force, start, on_n),
                _crossing(force, stop, off_n),
                start,
                stop,
            )
        )
    found = _merge(found, rules.min_swing_s * rate_hz)
    return [
        contact
        for contact in found
        if contact.last - contact.first >= rules.min_stance_s * rate_hz
        or np.isnan(contact.on + contact.off)
    ]


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, one past last) of each run of True."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(a), int(b)) for a, b in steps.reshape(-1, 2)]


def _crossing(force: Floats, index: int, level: float) -> float:
    """Return where `force` passes `level` between samples index - 1 and index."""
    if index <= 0 or index >= force.size:
        return float("nan")
    before, after = force[index - 1], force[index]
    return float(index - 1 + (level - before) / (after - before))


def _merge(contacts: list[Contact], min_swing: float) -> list[Contact]:
    """Join contacts whose gap is too short to be a swing."""
    merged: list[Contact] = []
    for contact in contacts:
        if merged and contact.first - merged[-1].last < min_swing:
            previous = merged.pop()
            contact = Contact(previous.on, contact.off, previous.first, contact.last)
        merged.append(contact)
    return merged
