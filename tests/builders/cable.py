"""Another computer at the end of a cable: a Linux network namespace and its link."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

import pytest

HERE, THERE = "10.213.78.1", "10.213.78.2"
NEAR, FAR = "km-near", "km-far"


class Cable:
    """A context manager; skips the test where making one is not allowed."""

    def __init__(self) -> None:
        self.space = f"kinemuse-{os.getpid()}"

    def __enter__(self) -> "Cable":
        if sys.platform != "linux" or not shutil.which("ip"):
            pytest.skip("network namespaces are Linux's")
        if not _ip("netns", "add", self.space):
            pytest.skip("making a network namespace is not allowed here")
        ends = ("type", "veth", "peer", "name", FAR, "netns", self.space)
        inside = ("-n", self.space)
        made = (
            _ip("link", "add", NEAR, *ends)
            and _ip("addr", "add", f"{HERE}/24", "dev", NEAR)
            and _ip("link", "set", NEAR, "up")
            and _ip(*inside, "addr", "add", f"{THERE}/24", "dev", FAR)
            and _ip(*inside, "link", "set", FAR, "up")
            and _ip(*inside, "link", "set", "lo", "up")
        )
        if not made:
            self._remove()
            pytest.skip("making a virtual cable is not allowed here")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def start(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Run a program on the other computer."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.space, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def pull(self) -> None:
        """Pull the cable out."""
        assert _ip("link", "set", NEAR, "down")

    def plug(self) -> None:
        """Put it back in."""
        assert _ip("link", "set", NEAR, "up")

    def _remove(self) -> None:
        _ip("link", "del", NEAR)
        _ip("netns", "del", self.space)


def _ip(*arguments: str) -> bool:
    done = subprocess.run(["ip", *arguments], capture_output=True, check=False)
    return done.returncode == 0
