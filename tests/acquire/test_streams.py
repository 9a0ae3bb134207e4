import json
import subprocess
import sys
from dataclasses import replace

import pytest

from acquire.streams import survey
from tests.acquire.lsl.test_round_trip import BUILDERS
from tests.builders.lsl_source import Source, spec

pytestmark = pytest.mark.usefixtures("lsl_session")


def test_rates_and_health_of_what_is_there() -> None:
    silent = Source(spec("sv-silent", 100.0))
    silent.paused = True
    with (
        Source(spec("sv-good", 1000.0)),
        Source(spec("sv-slow", 100.0), actual_hz=60.0),
        silent,
        Source(replace(spec("sv-x"), name="sv-twice")),
        Source(replace(spec("sv-x"), name="sv-twice")),
    ):
        report = survey(1.0, find_timeout_s=1.0)
    json.dumps(report.to_json())
    streams = {s.name: s for s in report.streams if s.name.startswith("sv-")}
    assert streams["sv-good"].health == "ok"
    assert streams["sv-good"].rate_hz == pytest.approx(1000.0, rel=0.02)
    assert streams["sv-good"].n_lost == 0
    assert streams["sv-good"].simulated
    assert streams["sv-slow"].health == "slow"
    assert "60" in streams["sv-slow"].advice
    assert streams["sv-silent"].health == "silent"
    assert streams["sv-twice"].health == "duplicate"
    assert report.missing == ()


def test_why_an_expected_stream_is_not_seen(lsl_session: str) -> None:
    other = f"{lsl_session}-b"
    source = subprocess.Popen(
        [sys.executable, str(BUILDERS / "lsl_source.py"), other, "sw-away"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    devices = {
        "noraxon": {"state": "lost", "reason": "no connection", "streams": []},
        "vicon": {"state": "streaming", "streams": [{"name": "sw-hidden"}]},
    }
    try:
        assert source.stdout is not None
        assert source.stdout.readline() == b"ready\n"
        with Source(spec("sw-here")):
            report = survey(
                0.2,
                {
                    "sw-here": "kinemuse:other:0:sw-here",
                    "sw-away": None,
                    "sw-hidden": None,
                    "sw-none": None,
                },
                devices,
                find_timeout_s=0.8,
            )
    finally:
        source.communicate(timeout=5)
    why = {missing.name: missing for missing in report.missing}
    assert set(why) == {"sw-here", "sw-away", "sw-hidden", "sw-none"}
    assert "not from kinemuse:other:0:sw-here" in why["sw-here"].reason
    assert other in why["sw-away"].reason
    assert "firewall" in why["sw-hidden"].advice
    assert "noraxon is not streaming: no connection" in why["sw-none"].reason
    assert all(missing.advice for missing in report.missing)
