from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquire.lsl.inlet import Offset
from acquire.recorder.checks import not_ready
from acquire.recorder.selection import Selection, any_of, as_predicate
from acquire.recorder.stream import MAX_UNCOUNTED, StreamWorker
from acquire.recorder.verification import verify
from acquire.recorder.writer import WriterThread
from acquire.storage.xdf_reader import read_xdf
from devices.stream import StreamSpec, TriggerInput
from tests.builders.lsl_source import spec
from tests.builders.recorder_fakes import Bench, FakeSource

SEMG = spec("semg", 2000.0)
GATED = spec("amode", 40.0, trigger=TriggerInput("sync", "digital", "gates"))
EVENTS = spec("kinemuse-events", dtype="string")


class FakeSink:
    def __init__(self) -> None:
        self.has_room = True
        self.n = 0
        self.offsets: list[tuple[str, Offset]] = []

    def put(self, _stream: StreamWorker, _samples: object, stamps: np.ndarray) -> None:
        self.n += len(stamps)

    def write_soon(self) -> None: ...

    def put_offset(self, stream: StreamWorker, offset: Offset) -> None:
        self.offsets.append((stream.name, offset))


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(
        Selection(
            required=("semg", "amode", "kinemuse-events"),
            expected={"semg": "kinemuse:dev:0:semg"},
        )
    )
    yield bench
    bench.streams.close()


def ready(bench: Bench, tmp_path: Path) -> list[str]:
    return not_ready(bench.streams, tmp_path / "a.xdf", bench.now())


def test_ready_once_all_are_there_and_flow(bench: Bench, tmp_path: Path) -> None:
    assert ready(bench, tmp_path) == [
        "semg is not on the network",
        "amode is not on the network",
        "kinemuse-events is not on the network",
    ]
    semg = bench.network.add(SEMG, "u-semg")
    bench.network.add(GATED, "u-amode")
    bench.network.add(EVENTS, "u-events")
    bench.keep()
    bench.step(1.0, semg=semg)
    assert ready(bench, tmp_path) == ["semg: seen for 1.0 s only; its rate needs 1.8 s"]
    bench.step(1.0, semg=semg)
    assert ready(bench, tmp_path) == []
    assert bench.names() == ["stream_joined"] * 3


def test_all_reasons_come_together(bench: Bench, tmp_path: Path) -> None:
    slow = bench.network.add(replace(SEMG, rate_hz=1900.0), "u-semg")
    slow.spec = replace(slow.spec, rate_hz=2000.0)
    bench.network.add(GATED, "u-amode")
    bench.keep()
    for _ in range(100):
        slow.send(50, bench.now() + 50 / 1950)
        bench.step(50 / 1950)
    (tmp_path / "a.xdf").touch()
    reasons = ready(bench, tmp_path)
    assert len(reasons) == 3
    assert reasons[0].endswith("a.xdf exists already, and nothing is overwritten")
    assert "samples/s instead of 2000" in reasons[1]
    assert reasons[2] == "kinemuse-events is not on the network"


def test_a_foreign_source_is_not_joined(bench: Bench, tmp_path: Path) -> None:
    bench.network.add(SEMG, "u-1", source_id="somebody:else")
    bench.keep()
    assert bench.streams.workers == ()
    assert ready(bench, tmp_path)[0] == (
        "semg comes from somebody:else on lab; expected is kinemuse:dev:0:semg"
    )
    bench.streams.selection = replace(bench.streams.selection, accept_foreign=True)
    bench.keep()
    assert bench.source_ids() == ["somebody:else"]


def test_a_foreign_source_beside_the_right_one_is_named(
    bench: Bench, tmp_path: Path
) -> None:
    bench.network.add(SEMG, "u-1")
    bench.network.add(SEMG, "u-2", source_id="somebody:else")
    bench.keep()
    assert bench.source_ids() == ["kinemuse:dev:0:semg"]
    assert "semg also comes from somebody:else" in "; ".join(ready(bench, tmp_path))


def test_another_computer_under_our_name_and_id_is_foreign(
    bench: Bench, tmp_path: Path
) -> None:
    bench.streams.selection = replace(bench.streams.selection, host="lab")
    bench.network.add(SEMG, "u-1", hostname="other-pc")
    bench.keep()
    bench.keep()
    assert bench.streams.workers == ()
    assert ready(bench, tmp_path)[0] == (
        "semg comes from kinemuse:dev:0:semg on other-pc; "
        "expected is kinemuse:dev:0:semg on lab"
    )
    assert bench.names() == ["stream_foreign"]
    bench.network.add(SEMG, "u-2")
    bench.keep()
    assert [worker.uid for worker in bench.streams.workers] == ["u-2"]


def test_a_new_generation_joins_as_a_stream_of_its_own(bench: Bench) -> None:
    bench.network.add(SEMG, "u-1")
    bench.keep()
    bench.network.add(replace(SEMG, generation=1), "u-2")
    bench.keep()
    assert bench.source_ids() == [
        "kinemuse:dev:0:semg",
        "kinemuse:dev:0:semg:1",
    ]


def test_a_stall_is_told_within_a_second_and_so_is_its_end(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-semg")
    amode = bench.network.add(GATED, "u-amode")
    bench.keep()
    bench.step(2.0, semg=semg, amode=amode)
    bench.step(0.45)
    assert "stream_stalled" not in bench.names()
    bench.step(0.2)
    assert bench.events[-1][0] == "stream_stalled"
    assert bench.events[-1][1]["stream"] == "semg"
    bench.step(3.0)
    assert bench.names().count("stream_stalled") == 1
    bench.step(0.1, semg=semg)
    assert bench.events[-1][0] == "stream_back"


def test_a_restarted_outlet_is_told(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    bench.step(1.0, semg=semg)
    bench.network.outlets.clear()
    bench.step(0.2)
    bench.network.add(SEMG, "u-2")
    bench.step(0.2)
    event, facts = bench.events[-1]
    assert event == "stream_restarted"
    assert (facts["earlier_uid"], facts["uid"]) == ("u-1", "u-2")
    assert len(bench.streams.workers) == 1


def test_a_restart_is_told_before_the_old_outlet_is_forgotten(bench: Bench) -> None:
    amode = bench.network.add(GATED, "u-1")
    bench.keep()
    bench.network.add(GATED, "u-2")  # the old one is listed for two more seconds
    bench.step(0.2)
    assert "stream_restarted" not in bench.names()
    amode.found_again = True
    bench.step(0.1)
    assert bench.events[-1][0] == "stream_restarted"
    assert bench.streams.workers[0].uid == "u-2"


def test_a_stream_that_is_lost_and_joined_anew_goes_on_counting(
    bench: Bench, tmp_path: Path
) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    writer = WriterThread(tmp_path / "a.xdf", now=bench.now)
    bench.streams.record_into(writer)
    bench.step(0.5, semg=semg)
    semg.lost = True
    semg.send(60, bench.now())  # never arrive
    found, _ = bench.network.outlets.pop("u-1")
    bench.step(0.025)
    again = FakeSource(SEMG, "u-2")
    again.counter = semg.counter
    bench.network.outlets["u-2"] = (replace(found, uid="u-2"), again)
    bench.keep()
    bench.step(0.5, semg=again)
    (worker,) = bench.streams.workers
    assert (worker.n_recorded, worker.counter.n_lost) == (2000, 60)
    bench.streams.release(writer)
    writer.start()
    assert writer.close(5.0)
    assert verify(writer.files) == []
    assert len(read_xdf(tmp_path / "a.xdf")["semg"].t_lsl) == 2000


def test_two_living_outlets_are_a_duplicate_not_a_restart(
    bench: Bench, tmp_path: Path
) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    bench.step(0.5, semg=semg)
    bench.network.add(SEMG, "u-2")
    for _ in range(20):
        bench.step(0.2, semg=semg)
    assert bench.streams.joiner.duplicates() == ["kinemuse:dev:0:semg"]
    assert "stream_restarted" not in bench.names()
    assert bench.names().count("stream_duplicated") == 1
    assert any("two outlets" in reason for reason in ready(bench, tmp_path))


def test_a_stream_without_id_that_is_gone_can_come_back_as_new(bench: Bench) -> None:
    first = bench.network.add(SEMG, "u-1", source_id="")
    bench.streams.selection = Selection(required=("semg",))
    bench.keep()
    first.lost = True
    bench.step(0.1)
    assert "stream_lost" in bench.names()
    bench.network.outlets.clear()
    bench.network.add(SEMG, "u-2", source_id="")
    bench.step(0.1)
    assert [worker.uid for worker in bench.streams.workers] == ["u-2"]
    assert first.closed


def test_an_inlet_that_does_not_open_is_tried_again(
    bench: Bench, tmp_path: Path
) -> None:
    good = bench.network.add(SEMG, "u-1")
    found = bench.network.outlets["u-1"][0]
    bench.network.outlets["u-1"] = (found, TimeoutError("no answer"))
    bench.keep()
    assert "semg: no answer" in ready(bench, tmp_path)
    bench.network.outlets["u-1"] = (found, good)
    bench.step(1.0)
    assert bench.streams.workers == ()
    bench.step(1.1)
    assert len(bench.streams.workers) == 1
    assert bench.names() == ["stream_refused", "stream_joined"]


def test_each_offset_is_handed_on_once(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    semg.next_offset = Offset(0.001, 0.0002, 99.0)
    bench.keep()
    sink = FakeSink()
    bench.streams.record_into(sink)
    bench.keep()
    semg.next_offset = Offset(0.002, 0.0002, 101.0)
    bench.keep()
    bench.keep()
    assert [offset.remote_time_s for _, offset in sink.offsets] == [99.0, 101.0]


def test_a_full_queue_leaves_samples_in_the_inlet(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    bench.step(1.0, semg=semg)
    sink = FakeSink()
    bench.streams.record_into(sink)
    sink.has_room = False
    bench.step(2.0, semg=semg)
    assert sink.n == 0
    assert "stream_stalled" not in bench.names()
    sink.has_room = True
    bench.streams.watch()  # before the first poll
    assert "stream_stalled" not in bench.names()
    bench.step(0.5)
    assert sink.n == 4000


def test_the_end_of_a_recording_takes_what_the_inlets_hold(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    sink = FakeSink()
    bench.streams.record_into(sink)
    sink.has_room = False
    bench.step(2.0, semg=semg)
    assert not bench.streams.drain(0.0)  # no time for it
    assert bench.streams.drain(5.0)
    assert sink.n == 4000
    assert bench.streams.workers[0].n_recorded == 4000


def test_losses_after_a_recording_are_none_of_it(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    sink = FakeSink()
    bench.streams.record_into(sink)
    bench.step(0.5, semg=semg)
    semg.counter += 3
    bench.step(0.5, semg=semg)
    bench.streams.release(sink)
    semg.counter += 40
    bench.step(0.5, semg=semg)
    (worker,) = bench.streams.workers
    assert (worker.n_recorded, worker.counter.n_lost) == (2000, 3)
    bench.streams.count_anew()
    bench.step(0.5, semg=semg)
    semg.counter += 5
    bench.step(0.5, semg=semg)
    assert worker.counter.n_lost == 5


def test_a_sink_that_was_replaced_ends_nothing(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    earlier, later = FakeSink(), FakeSink()
    bench.streams.record_into(earlier)
    bench.streams.release(earlier)
    bench.streams.record_into(later)
    bench.streams.release(earlier)
    bench.step(0.5, semg=semg)
    assert (earlier.n, later.n) == (0, 1000)


def test_samples_do_not_pile_up_when_nobody_counts(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    semg.send(50, bench.now())
    semg.counter += 2
    for _ in range(2 * MAX_UNCOUNTED):
        semg.send(50, bench.now())
        bench.streams.poll()  # while `keep` is held up
    (worker,) = bench.streams.workers
    assert len(worker._uncounted) <= MAX_UNCOUNTED
    assert worker.counter.n_lost == 2


def test_a_stream_whose_clock_cannot_be_asked_leaves_the_others_alone(
    bench: Bench,
) -> None:
    broken = bench.network.add(GATED, "u-amode")
    semg = bench.network.add(SEMG, "u-semg")
    bench.keep()

    def fail(_timeout_s: float) -> None:
        raise ValueError("no such inlet")

    broken.offset = fail  # type: ignore[method-assign, assignment]
    sink = FakeSink()
    bench.streams.record_into(sink)
    bench.step(0.5, semg=semg)
    semg.counter += 7
    semg.next_offset = Offset(0.001, 0.0002, 99.0)
    bench.step(0.5, semg=semg)
    lost = {w.name: w.counter.n_lost for w in bench.streams.workers}
    assert lost["semg"] == 7
    assert [name for name, _ in sink.offsets] == ["semg"]
    assert "stream_lost" in bench.names()


def test_missing_samples_are_told_by_their_numbers(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    sink = FakeSink()
    bench.streams.record_into(sink)
    bench.step(1.0, semg=semg)
    semg.counter += 40
    bench.step(0.6, semg=semg)
    semg.counter += 2
    bench.step(0.025, semg=semg)
    bench.streams.release(sink)  # nothing is left untold
    told = [facts for event, facts in bench.events if event == "samples_missing"]
    assert [facts["gaps"][0][:2] for facts in told] == [[2000, 40], [3240, 2]]
    assert [facts["n_missing"] for facts in told] == [40, 2]
    assert bench.streams.workers[0].snapshot()["gaps"][-1][:2] == [3240, 2]


def test_counts_begin_with_the_recording(bench: Bench) -> None:
    semg = bench.network.add(SEMG, "u-1")
    bench.keep()
    bench.step(0.5, semg=semg)
    semg.counter += 7
    bench.step(0.1, semg=semg)
    (worker,) = bench.streams.workers
    assert worker.snapshot()["n_lost"] == 7
    bench.streams.record_into(FakeSink())
    bench.step(0.1, semg=semg)
    semg.counter += 3
    bench.step(0.1, semg=semg)
    assert worker.snapshot()["n_lost"] == 3
    assert worker.snapshot()["n_samples"] == 400


def test_gated_flow_counts_as_edges(bench: Bench) -> None:
    amode = bench.network.add(GATED, "u-1")
    bench.keep()
    (worker,) = bench.streams.workers
    assert worker.state(bench.now()) == "waiting"
    bench.streams.record_into(FakeSink())
    bench.step(1.0, amode=amode)
    assert worker.snapshot()["trigger"] == {
        "role": "gates",
        "high": True,
        "n_rises": 1,
        "n_falls": 0,
    }
    bench.step(1.0)
    assert worker.snapshot()["trigger"]["n_falls"] == 1


def test_predicates() -> None:
    assert as_predicate("semg") == "name='semg'"
    assert as_predicate("type='EMG'") == "type='EMG'"
    assert any_of(["a", "type='B'"]) == "(name='a') or (type='B')"
    assert any_of([]) == "true()"
    assert Selection(("a",), ("b",), predicate="type='C'").query == (
        "(type='C') or name='a' or name='b'"
    )


def test_an_irregular_stream_never_stalls(bench: Bench) -> None:
    irregular: StreamSpec = replace(SEMG, name="kinemuse-events", rate_hz=0.0)
    bench.network.add(irregular, "u-1")
    bench.keep()
    bench.step(5.0)
    assert bench.names() == ["stream_joined"]


def test_streams_that_share_a_source_id_are_all_joined(bench: Bench) -> None:
    bench.streams.selection = Selection(predicate="true()")
    bench.network.add(SEMG, "u-1", source_id="serial-7")
    bench.network.add(replace(SEMG, name="markers"), "u-2", source_id="serial-7")
    bench.keep()
    assert bench.source_ids() == ["serial-7", "serial-7"]
    bench.step(4.0)
    bench.keep()
    assert bench.streams.joiner.duplicates() == []


def test_a_stream_of_another_form_under_the_old_id_joins_as_new(bench: Bench) -> None:
    bench.streams.selection = Selection(required=("semg",))
    bench.network.add(SEMG, "u-1")
    bench.keep()
    bench.network.outlets.clear()
    bench.network.add(spec("semg", 2000.0, n_values=5), "u-2")
    bench.keep()
    assert len(bench.streams.workers) == 2


def test_a_stream_that_cannot_be_read_leaves_the_others_alone(bench: Bench) -> None:
    broken = bench.network.add(SEMG, "u-semg")
    events = bench.network.add(GATED, "u-amode")
    bench.keep()

    def fail(_timeout_s: float) -> None:
        raise ValueError("not a number of channels")

    broken.pull = fail  # type: ignore[method-assign, assignment]
    bench.step(1.0, amode=events)
    sink = FakeSink()
    bench.streams.record_into(sink)
    bench.step(0.5, amode=events)
    assert sink.n > 0
    assert "stream_lost" in bench.names()
