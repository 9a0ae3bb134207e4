"""The alignment benchmark measures what it says."""

from acquire.bench.sync import CASES, OURS, run


def test_every_case_beats_the_other_methods() -> None:
    rows = run(n_seeds=2)
    assert len(rows) == 4 * (len(CASES) + 1)
    for own in (row for row in rows if row["method"] == OURS):
        assert own["covered"] >= 0.99
        assert own["times ours"] == 1.0
        peers = [r for r in rows if r["case"] == own["case"] and r is not own]
        assert len(peers) == 3
        assert own["median ms"] < min(peer["median ms"] for peer in peers)
        assert all(peer["times ours"] > 1.0 for peer in peers)
