"""The treadmill as a session drives it: commands, readback, and a heartbeat."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from acquire.control import ControlClient, ControlError
from acquire.lab_view import treadmill_of
from acquire.news import News
from acquire.process_watch import ProcessWatch
from protocols.engine import Treadmill

log = logging.getLogger("kinemuse.engine")

HEARTBEAT_S = 0.1
RUNNER_ALIVE_S = 0.3
COMMAND_TIMEOUT_S = 1.0
URGENT = ("stop", "abort")


class Belts:
    """Commands to the treadmill's process, each acknowledged, and what it reports.

    Stop and abort have a connection of their own: they never wait behind another
    command. The heartbeat goes on while the runner ticks, and ends with it.
    `on_notice` is called with every warning and error of the treadmill, on a thread. A
    `device` of None is a rig without treadmill.
    """

    def __init__(
        self,
        device: str | None,
        runtime_dir: Path,
        on_notice: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._clients = {
            use: ControlClient(device, runtime_dir)
            for use in ("command", "urgent", "heartbeat")
            if device
        }
        self._watch = ProcessWatch(device, runtime_dir, self._heard)
        self._news, self._on_notice = News(), on_notice
        self._last_tick_s = 0.0
        self._stopping = threading.Event()
        self._heart = threading.Thread(
            target=self._beat, name="engine-heart", daemon=True
        )

    def start(self) -> None:
        """Begin to watch and to beat."""
        self._heart.start()
        self._watch.start()

    def close(self) -> None:
        """Stop beating: whoever is on moving belts is brought to rest."""
        self._stopping.set()
        self._heart.join(timeout=2.0)
        self._watch.close()
        for client in self._clients.values():
            client.close()

    @property
    def is_there(self) -> bool:
        """Whether the rig names a treadmill."""
        return bool(self._clients)

    def seen(self) -> Treadmill:
        """Return what is known now."""
        return treadmill_of(self._watch.fresh())

    def runner_ticked(self) -> None:
        """Show that the runner lives; without this the heartbeat stops."""
        self._last_tick_s = time.monotonic()

    def command(self, verb: str, **arguments: object) -> None:
        """Have the treadmill carry out a verb; what it refuses raises ControlError."""
        client = self._clients.get("urgent" if verb in URGENT else "command")
        if client is None:
            raise ControlError("the rig names no treadmill")
        client.request("command", COMMAND_TIMEOUT_S, verb=verb, arguments=arguments)
        with contextlib.suppress(ControlError):  # what was seen before is old news
            self._watch.refresh()

    def _heard(self, snapshot: Mapping[str, Any]) -> None:
        listed = int(snapshot.get("n_notices", 0))
        for notice in self._news.of(listed, snapshot.get("notices", ())):
            if notice.get("severity") != "info":
                self._on_notice(notice)

    def _beat(self) -> None:
        while not self._stopping.wait(HEARTBEAT_S):
            client = self._clients.get("heartbeat")
            alive = time.monotonic() - self._last_tick_s < RUNNER_ALIVE_S
            if client is None or not alive:
                continue
            try:
                client.request("command", 0.3, verb="heartbeat", arguments={})
            except ControlError as error:
                log.debug("heartbeat: %s", error)
