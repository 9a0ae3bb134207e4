"""The benchmark of Vicon on a short run: what its figures say can be checked."""

import importlib.util

from acquire.bench import vicon

PERIOD_S = 0.01


def test_reads_everything_and_counts_its_cost() -> None:
    rows = vicon.run(seconds=1.0)
    installed = importlib.util.find_spec("pyvicon_datastream") is not None
    assert [row["back end"] for row in rows] == ["native", *["sdk"] * installed]
    for row in rows:
        assert row["frames"] >= 50
        assert row["lost"] == 0
        in_a_frame = row["ms per frame"] / 1e3 / PERIOD_S
        assert abs(100 * in_a_frame - row["CPU % of a core at 100 Hz"]) < 0.5
    native = rows[0]
    assert native["frames/s at full speed"] > 200
    assert 0 < native["ms per frame"] < 10


def test_the_cost_of_other_processes_counts_but_not_the_server_s() -> None:
    with vicon._server(100.0) as (port, server):
        assert port > 0
        without = vicon._cpu_s(server)
        with_it = vicon._cpu_s(-1)
    assert with_it > without  # a server that has started has used some
