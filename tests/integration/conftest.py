"""One LSL session per test process, as in the tests of `acquire`."""

from tests.acquire.conftest import lsl_session

__all__ = ["lsl_session"]
