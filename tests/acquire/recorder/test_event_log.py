import sys
import threading
from collections.abc import Iterator

import pytest

from acquire.recorder.event_log import KEEP_EVENTS, EventLog


@pytest.fixture
def _restless() -> Iterator[None]:
    """Have threads take turns as often as can be."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual_s)


@pytest.mark.usefixtures("_restless")
def test_events_of_many_threads_have_numbers_of_their_own() -> None:
    log = EventLog(now=lambda: 0.0)
    seen: dict[int, int] = {}

    def look(_event: str, _: object) -> None:
        for entry in log.latest():
            assert seen.setdefault(entry["n"], entry["key"]) == entry["key"]

    log.listeners.append(look)

    def tell(thread: int) -> None:
        for k in range(100):
            log.add("said", {"key": 1000 * thread + k})

    threads = [threading.Thread(target=tell, args=(k,)) for k in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert log.n == 800
    assert len(set(seen.values())) == len(seen)
    numbers = [entry["n"] for entry in log.latest()]
    assert numbers == list(range(801 - KEEP_EVENTS, 801))


def test_no_fact_takes_the_place_of_the_number() -> None:
    log = EventLog(now=lambda: 0.0)
    log.add("samples_missing", {"n": 40})
    assert [entry["n"] for entry in log.latest()] == [1]
