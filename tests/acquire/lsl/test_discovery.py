import subprocess
import sys
import time

import pytest

from acquire import lsl
from acquire.lsl.discovery import by_names
from tests.acquire.lsl.test_round_trip import BUILDERS, OURS
from tests.builders.lsl_source import spec

pytestmark = pytest.mark.usefixtures("lsl_session")


def test_by_names_quotes_whatever_a_name_holds() -> None:
    names = ["plain", "it's", 'a "b"', 'it\'s "both"']
    outlets = [lsl.Outlet(spec(f"dq {name}"), **OURS) for name in names]
    for name in names:
        found = lsl.discover(3.0, 1, by_names([f"dq {name}"]))
        assert [stream.name for stream in found] == [f"dq {name}"]
    everyone = lsl.discover(3.0, 4, by_names([f"dq {name}" for name in names]))
    for outlet in outlets:
        outlet.close()
    assert {stream.name for stream in everyone} == {f"dq {name}" for name in names}
    assert by_names([]) == "false()"


def test_other_sessions_stay_out_unless_asked_for(lsl_session: str) -> None:
    other = f"{lsl_session}-other"
    source = subprocess.Popen(
        [sys.executable, str(BUILDERS / "lsl_source.py"), other, "ds-x", "ds-y"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert source.stdout is not None
        assert source.stdout.readline() == b"ready\n"
        within = lsl.discover(0.7, 9, "name='ds-x' or name='ds-y'")
        across = lsl.discover(3.0, 2, "starts-with(name,'ds-')", every_session=True)
    finally:
        source.communicate(timeout=5)
    assert within == []
    assert {(s.name, s.session_id) for s in across} == {
        ("ds-x", other),
        ("ds-y", other),
    }


def test_found_streams_say_what_they_are() -> None:
    outlet = lsl.Outlet(spec("df-a", 20.0, dtype="int16"), **OURS)
    (found,) = lsl.discover(3.0, 1, "name='df-a'")
    outlet.close()
    assert (found.n_channels, found.rate_hz, found.dtype) == (3, 20.0, "int16")
    assert found.source_id == "kinemuse:dev:0:df-a"
    assert found.key == "df-a|EMG|3|int16|kinemuse:dev:0:df-a"
    assert found.uid == outlet.uid
    assert "df-a (3 x int16, 20 Hz, source id kinemuse:dev:0:df-a" in found.describe()


def test_discovery_follows_streams_that_come_and_go() -> None:
    discovery = lsl.Discovery("name='dc-a'", forget_after_s=1.0)
    outlet = lsl.Outlet(spec("dc-a"), **OURS)
    assert _within(3.0, lambda: len(discovery.streams()) == 1)
    outlet.close()
    assert _within(4.0, lambda: not discovery.streams())
    discovery.close()
    assert discovery.streams() == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("lsl.configure('a'); lsl.configure('b')", "process of its own"),
        ("lsl.configure('a', 'moon')", "moon"),
        ("lsl.configure('a\\n[ports]')", "letters"),
    ],
)
def test_configuration_that_cannot_hold_is_refused(code: str, message: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", f"from acquire import lsl; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LslConfigurationError" in result.stderr
    assert message in result.stderr


def _within(seconds: float, condition: object) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
