"""One LSL session per test process, so that tests never see each other's streams."""

import os
import secrets

import pytest

from acquire import lsl


@pytest.fixture(scope="session")
def lsl_session() -> str:
    if not lsl.is_configured():
        lsl.configure(f"test-{os.getpid()}-{secrets.token_hex(4)}")
    session_id = lsl.configured_session_id()
    assert session_id is not None
    return session_id
