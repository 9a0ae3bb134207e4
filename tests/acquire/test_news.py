"""What a process lists in its snapshots is told once."""

import pytest

from acquire.news import News


def listing(first: int, last: int) -> list[dict[str, int]]:
    return [{"n": n} for n in range(first, last + 1)]


@pytest.mark.parametrize(
    ("heard", "listed", "at_hand", "new"),
    [
        (None, 3, (1, 3), []),  # what was there before is old
        (3, 3, (1, 3), []),
        (3, 5, (1, 5), [4, 5]),
        (3, 90, (41, 90), list(range(41, 91))),  # some have left the list
        (90, 2, (1, 2), [1, 2]),  # a new process
        (90, 0, (1, 0), []),
    ],
)
def test_news(
    heard: int | None, listed: int, at_hand: tuple[int, int], new: list[int]
) -> None:
    news = News()
    if heard is not None:
        news.of(heard, listing(1, heard))
    told = news.of(listed, listing(*at_hand))
    assert [entry["n"] for entry in told] == new
    assert news.of(listed, listing(*at_hand)) == ()
