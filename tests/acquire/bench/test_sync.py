"""The alignment benchmark measures what it says."""

from acquire.bench.sync import run


def test_every_case_beats_the_other_methods() -> None:
    rows = run(n_seeds=2)
    assert len(rows) == 9
    for row in rows:
        assert row["covered"] >= 0.99
        peers = [row[f"{name} ms"] for name in ("first/last pulse", "LSL stamps")]
        assert row["median ms"] < min(*peers, row["nearest neighbour ms"])
