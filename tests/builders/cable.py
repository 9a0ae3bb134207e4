"""Another computer at the end of a cable: a Linux network namespace and its link."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

import pytest


class Cable:
    """A context manager; skips the test where making one is not allowed.

    Each test process has a cable, names and addresses of its own.
    """

    def __init__(self) -> None:
        number = os.getpid()
        subnet = f"10.213.{number % 250 + 1}"
        self.space = f"kinemuse-{number}"
        self.near, self.far = f"kmn{number}", f"kmf{number}"
        self.here, self.there = f"{subnet}.1", f"{subnet}.2"
        self.nobody = f"{subnet}.9"  #: an address on the cable that nobody has

    def __enter__(self) -> "Cable":
        if sys.platform != "linux" or not shutil.which("ip"):
            pytest.skip("network namespaces are Linux's")
        if not _ip("netns", "add", self.space):
            pytest.skip("making a network namespace is not allowed here")
        ends = ("type", "veth", "peer", "name", self.far, "netns", self.space)
        inside = ("-n", self.space)
        made = (
            _ip("link", "add", self.near, *ends)
            and _ip("addr", "add", f"{self.here}/24", "dev", self.near)
            and _ip("link", "set", self.near, "up")
            and _ip(*inside, "addr", "add", f"{self.there}/24", "dev", self.far)
            and _ip(*inside, "link", "set", self.far, "up")
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
        assert _ip("link", "set", self.near, "down")

    def plug(self) -> None:
        """Put it back in."""
        assert _ip("link", "set", self.near, "up")

    def _remove(self) -> None:
        _ip("link", "del", self.near)
        _ip("netns", "del", self.space)


def _ip(*arguments: str) -> bool:
    done = subprocess.run(["ip", *arguments], capture_output=True, check=False)
    return done.returncode == 0
