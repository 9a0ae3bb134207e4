"""Orders of conditions: as written, seeded random, or by a balanced Latin square.

An order depends on the seed, the participant and a name alone, so that a session that
was cut off goes on in the same order, on any computer and Python.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Literal, TypeVar

Order = Literal["fixed", "blocked", "latin_square", "random"]
T = TypeVar("T")


def arranged(
    items: Sequence[T], order: Order, *, seed: int, participant: str, name: str
) -> list[T]:
    """Return the items in the order of this participant."""
    if order == "fixed":
        return list(items)
    if order == "latin_square":
        row = latin_row(len(items), participant_number(participant))
        return [items[k] for k in row]
    chance = Random(f"{seed}/{participant}/{name}")
    keys = [chance.random() for _ in items]  # `shuffle` may change between Pythons
    return [items[k] for k in sorted(range(len(items)), key=keys.__getitem__)]


def participant_number(participant: str) -> int:
    """Return the number in a participant's name: 43 of ``P43``; 1 where none is."""
    digits = re.search(r"\d+", participant)
    return int(digits[0]) if digits else 1


def latin_row(n: int, number: int) -> list[int]:
    """Return the row of participant `number` (from 1) of a Williams design of size n.

    Over n rows (2n when n is odd) every item stands at every place equally often, and
    follows every other equally often.
    """
    zigzag = [k // 2 if k % 2 == 0 else n - 1 - k // 2 for k in range(n)]
    index = (number - 1) % (n if n % 2 == 0 else 2 * n)
    row = [(place + index % n) % n for place in zigzag]
    return row[::-1] if index >= n else row
