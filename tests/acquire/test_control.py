"""Requests are acknowledged after the act, need the token, and keep a deadline."""

import json
import socket
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from acquire.control import (
    ControlClient,
    ControlError,
    ControlRefusedError,
    ControlServer,
)


def refuse(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise ValueError("9.0 m/s is above the limit of 2.5 m/s")


def test_result_and_refusal_reach_the_client(tmp_path: Path) -> None:
    handlers = {"double": lambda a: {"value": a["value"] * 2}, "fast": refuse}
    with ControlServer("belt", handlers, tmp_path):
        client = ControlClient("belt", tmp_path)
        assert client.request("double", value=21) == {"value": 42}
        with pytest.raises(ControlRefusedError, match=r"9\.0 m/s is above"):
            client.request("fast")
        with pytest.raises(ControlRefusedError, match="has double, fast, ping"):
            client.request("treble")
        assert client.request("ping") == {"name": "belt"}
        client.close()


def test_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="not running"):
        ControlClient("belt", tmp_path).request("ping")


def test_deadline_is_kept(tmp_path: Path) -> None:
    release = threading.Event()

    def wait(_: Mapping[str, Any]) -> Mapping[str, Any]:
        release.wait(5.0)
        return {}

    with ControlServer("belt", {"wait": wait}, tmp_path):
        client = ControlClient("belt", tmp_path)
        with pytest.raises(ControlError, match=r"within 0\.05 s"):
            client.request("wait", timeout_s=0.05)
        release.set()
        assert client.request("ping") == {"name": "belt"}  # on a new connection
        client.close()


def test_a_restarted_server_is_found_again(tmp_path: Path) -> None:
    client = ControlClient("belt", tmp_path)
    for _ in range(2):
        with ControlServer("belt", {}, tmp_path):
            assert client.request("ping") == {"name": "belt"}
            client.close()


def test_the_first_request_reaches_a_restarted_server(tmp_path: Path) -> None:
    client = ControlClient("belt", tmp_path)
    for _ in range(2):
        with ControlServer("belt", {}, tmp_path):
            assert client.request("ping") == {"name": "belt"}
    client.close()


def test_token_is_private_and_needed(tmp_path: Path) -> None:
    with ControlServer("belt", {}, tmp_path) as server:
        file = tmp_path / "belt.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with socket.create_connection(("127.0.0.1", server.port)) as stranger:
            stranger.sendall(b'{"id": 1, "verb": "ping", "token": "guess"}\nnonsense\n')
            with stranger.makefile() as answers:
                lines = answers.readline(), answers.readline()
        assert json.loads(lines[0])["error"] == "wrong token"
        assert json.loads(lines[1])["error"] == "not a line of JSON"
    assert not file.exists()
