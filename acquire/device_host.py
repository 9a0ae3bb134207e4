"""One device in a process of its own: adapter in, LSL streams out, commands between.

    python -m acquire.device_host --rig FILE --device NAME --session-id ID --runtime DIR

An adapter that fails is closed and connected again, with a growing pause; its outlets
stay, so that whoever reads them waits instead of losing them.
"""

import argparse
import json
import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from acquire import lsl
from acquire.control import ControlServer
from acquire.device_commands import CommandQueue
from acquire.rig import RigError, load_rig
from acquire.supervise import hold_lifeline
from devices.adapter import Commandable, DeviceAdapter, Reporting, Restreaming
from devices.errors import DeviceError
from devices.stream import Channel, Chunk, Notice, StreamSpec

log = logging.getLogger("kinemuse.device")

State = Literal["connecting", "streaming", "lost", "stopped"]

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 0.02
COMMAND_TIMEOUT_S = 1.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
RAN_WELL_S = 5.0
SNAPSHOT_EVERY_S = 0.02
SNAPSHOT_FRESH_S = 0.5  # what a device said longer ago is not known any more
LOST_FOR_GOOD_S = 30.0
KEEP_NOTICES = 50


class OutletLike(Protocol):
    """What a host needs of an outlet."""

    spec: StreamSpec
    source_id: str

    def push(self, chunk: Chunk) -> None: ...
    def close(self) -> None: ...


def notices_spec(device: str) -> StreamSpec:
    """Return the stream that carries a device's notices, as JSON texts."""
    channel = Channel("notice", "", "JSON")
    return StreamSpec(f"{device}-notices", "Markers", 0.0, (channel,), dtype="string")


class DeviceHost:
    """Runs one adapter until told to stop.

    `run` owns the adapter and its outlets; `command` and `snapshot` may be called
    from other threads.
    """

    def __init__(
        self,
        adapter: DeviceAdapter,
        *,
        make_outlet: Callable[[StreamSpec], OutletLike],
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name = adapter.name
        self.state: State = "connecting"
        self.reason = ""
        self._adapter, self._make_outlet, self._now = adapter, make_outlet, now
        self._outlets: dict[str, OutletLike] = {}
        self._n_samples: dict[str, int] = {}
        self._notices: deque[dict[str, Any]] = deque(maxlen=KEEP_NOTICES)
        self._n_notices = 0
        self._n_reconnects = -1
        self._lost_s = now()
        self._notice_outlet: OutletLike | None = None
        self._commands = CommandQueue(self.name)
        self._said: tuple[float, Mapping[str, Any]] | None = None
        self._stop = threading.Event()
        self._orphaned = False

    def run(self) -> None:
        """Connect, stream and reconnect until `stop`; then close everything."""
        self._notice_outlet = self._make_outlet(notices_spec(self.name))
        pause_s = FIRST_PAUSE_S
        try:
            while not self._stop.is_set():
                began = self._now()
                try:
                    self._stream()
                except DeviceError as error:
                    self._lose(str(error))
                except Exception as error:  # a bug in an adapter must not end the day
                    log.exception("%s failed", self.name)
                    self._lose(f"{type(error).__name__}: {error}")
                if self._now() - began > RAN_WELL_S:
                    pause_s = FIRST_PAUSE_S
                if not self._stop.wait(pause_s):
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            self._commands.refuse("the process ends")
            self._close_adapter()
            self.state = "stopped"
            for outlet in (*self._outlets.values(), self._notice_outlet):
                outlet.close()

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stop.set()

    def owner_gone(self) -> None:
        """Note that whoever started this process is gone."""
        self._orphaned = True

    def may_end(self) -> bool:
        """Whether nobody is left on moving belts: asked when the owner is gone.

        A device that cannot be reached any more is waited for `LOST_FOR_GOOD_S`.
        """
        if not isinstance(self._adapter, Commandable):
            return True
        device = self.snapshot()["device"]
        if device is not None:
            return bool(device.get("at_zero", True))
        given_up = self._now() - self._lost_s > LOST_FOR_GOOD_S
        return self.state != "streaming" and given_up

    def command(
        self, verb: str, arguments: Mapping[str, Any], timeout_s: float
    ) -> Mapping[str, Any]:
        """Have the device execute a verb; return what it did."""
        if not isinstance(self._adapter, Commandable):
            raise DeviceError(f"{self.name} takes no commands")
        return self._commands.submit(verb, arguments, timeout_s)

    def snapshot(self) -> dict[str, Any]:
        """Return what is known now; `device` is None when it is not fresh."""
        said, device = self._said, None
        if said is not None and self.state == "streaming":
            age_s = self._now() - said[0]
            device = dict(said[1]) if age_s < SNAPSHOT_FRESH_S else None
        return {
            "name": self.name,
            "state": self.state,
            "reason": self.reason,
            "orphaned": self._orphaned,
            "n_reconnects": max(0, self._n_reconnects),
            "streams": [
                {
                    "name": outlet.spec.name,
                    "source_id": outlet.source_id,
                    "rate_hz": outlet.spec.rate_hz,
                    "n_samples": self._n_samples.get(outlet.spec.name, 0),
                }
                for outlet in list(self._outlets.values())
            ],
            "n_notices": self._n_notices,
            "notices": list(self._notices),
            "device": device,
        }

    def _stream(self) -> None:
        specs = self._adapter.connect(CONNECT_TIMEOUT_S)
        for spec in specs:
            self._offer(spec)
        self._adapter.start()
        self._n_reconnects += 1
        again = self._n_reconnects > 0
        self.state, self.reason = "streaming", ""
        self._commands.accept()
        self._tell(Notice("info", "reconnected" if again else "connected", self.name))
        while not self._stop.is_set():
            self._step()

    def _step(self) -> None:
        self._commands.execute(self._act)
        for chunk in self._adapter.read(READ_TIMEOUT_S):
            self._outlets[chunk.stream].push(chunk)
            self._n_samples[chunk.stream] += len(chunk.samples)
        if isinstance(self._adapter, Reporting):
            for notice in self._adapter.notices():
                self._tell(notice)
        if isinstance(self._adapter, Restreaming):
            for spec in self._adapter.changed_specs():
                self._offer(spec)
        self._ask()

    def _act(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(self._adapter, Commandable):
            raise DeviceError(f"{self.name} takes no commands")
        done = self._adapter.command(verb, arguments)
        self._said = (self._now(), self._adapter.snapshot())
        return done

    def _ask(self) -> None:
        if not isinstance(self._adapter, Commandable):
            return
        now = self._now()
        if self._said is None or now - self._said[0] >= SNAPSHOT_EVERY_S:
            self._said = (now, self._adapter.snapshot())

    def _offer(self, spec: StreamSpec) -> None:
        """Have an outlet for `spec`: the one there is, if it still fits."""
        have = self._outlets.get(spec.name)
        if have is not None:
            if _same(have.spec, spec):
                return
            if spec.generation <= have.spec.generation and spec.serial == (
                have.spec.serial
            ):  # other content must never appear under the same source id
                spec = replace(spec, generation=have.spec.generation + 1)
            have.close()
        self._outlets[spec.name] = self._make_outlet(spec)
        self._n_samples.setdefault(spec.name, 0)

    def _lose(self, why: str) -> None:
        if self.state == "streaming":
            self._lost_s = self._now()
        self.state, self.reason, self._said = "lost", why, None
        self._commands.refuse(why)
        self._close_adapter()
        if not self._notices or self._notices[-1].get("message") != why:
            self._tell(Notice("error", "lost", why))

    def _close_adapter(self) -> None:
        for act in (self._adapter.stop, self._adapter.close):
            try:
                act()
            except Exception as error:  # it is going away; say so and go on
                log.info("%s: closing: %s", self.name, error)

    def _tell(self, notice: Notice) -> None:
        level = {"info": logging.INFO, "warning": logging.WARNING}
        log.log(
            level.get(notice.severity, logging.ERROR),
            "%s: %s %s",
            self.name,
            notice.code,
            notice.message,
        )
        now = self._now()
        said = {"device": self.name, "t_lsl": now, **asdict(notice)}
        self._n_notices += 1
        self._notices.append(said)
        if self._notice_outlet is not None:
            text = np.array([[json.dumps(said, default=str)]], dtype=object)
            self._notice_outlet.push(Chunk(self._notice_outlet.spec.name, text, now))


def _same(one: StreamSpec, other: StreamSpec) -> bool:
    """Whether an outlet for `one` may go on carrying `other`."""
    return replace(one, generation=0) == replace(other, generation=0) and (
        other.generation <= one.generation
    )


def handlers(
    host: DeviceHost,
) -> dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
    """Return the control verbs of a device host."""

    def command(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        timeout_s = float(arguments.get("timeout_s", COMMAND_TIMEOUT_S))
        return host.command(
            str(arguments["verb"]), arguments.get("arguments") or {}, timeout_s
        )

    def shutdown(_: Mapping[str, Any]) -> Mapping[str, Any]:
        host.stop()
        return {}

    return {
        "snapshot": lambda _: host.snapshot(),
        "command": command,
        "shutdown": shutdown,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one device of a rig; SIGTERM and SIGINT end it cleanly."""
    parser = argparse.ArgumentParser(prog="python -m acquire.device_host")
    parser.add_argument("--rig", required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--session-id", default=None)
    parser.add_argument("--scope", default=None)
    parser.add_argument("--runtime", type=Path, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        rig = load_rig(options.rig)
    except RigError as error:
        parser.error(str(error))
    entry = rig.devices.get(options.device)
    if entry is None:
        have = ", ".join(rig.devices)
        parser.error(f"no device {options.device!r} in the rig; it has {have}")
    kind = entry.kind
    lsl.configure(
        options.session_id or rig.lsl.session_id, options.scope or rig.lsl.scope
    )

    def make_outlet(spec: StreamSpec) -> lsl.Outlet:
        return lsl.Outlet(
            spec,
            device=options.device,
            kind=kind,
            simulated=rig.simulated,
            waveform=rig.trigger.waveform,
        )

    settings = entry.settings
    if getattr(settings, "state_file", "") is None:  # what a restart must remember
        state_file = options.runtime / f"{options.device}.state"
        settings = settings.model_copy(update={"state_file": state_file})
        entry = entry.model_copy(update={"settings": settings})
    adapter = entry.make(options.device, lsl.local_clock)
    host = DeviceHost(adapter, make_outlet=make_outlet, now=lsl.local_clock)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: host.stop())
    hold_lifeline(host.may_end, host.owner_gone)
    with ControlServer(options.device, handlers(host), options.runtime):
        host.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
