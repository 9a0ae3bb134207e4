"""A trigger box, simulated: ``python -m devices.trigger.twin``."""

from devices.sim.faults import FaultKind, active_faults
from devices.sim.one_client import OneClientServer
from devices.sim.twin_process import run, twin_config
from devices.sim.world import LAG_S, Lab


class TriggerBoxTwin:
    """Raises and lowers the lab's line at a byte, and answers with the level.

    Faults: ``stall`` (nothing is done nor answered), ``disconnect``, ``drop`` (the
    line does not move, though the box says so). Option ``noisy``: line ends around
    answers, as boards that print lines send them.
    """

    def __init__(self, lab: Lab, name: str, port: int | None = None) -> None:
        config = twin_config(lab, name, port)
        self._noisy = bool(config.options.get("noisy", False))
        self._lab, self._name = lab, name
        self._server = OneClientServer(config.host, config.port)
        self._high = False

    @property
    def port(self) -> int:
        return self._server.port

    def step(self, timeout_s: float) -> None:
        self._server.refuses = self._active("disconnect")
        if self._server.refuses:
            self._server.drop()
        for byte in self._server.poll(timeout_s):
            if byte in b"10?" and not self._active("stall"):
                self._obey(byte)

    def close(self) -> None:
        self._server.close()

    def _obey(self, byte: int) -> None:
        if byte != ord("?"):
            high = byte == ord("1")
            if high != self._high and not self._active("drop"):
                self._lab.append("line", {"high": high, "name": ""})
            self._high = high
        answer = b"1" if self._high else b"0"
        self._server.send(answer + b"\r\n" if self._noisy else answer)

    def _active(self, kind: FaultKind) -> bool:
        now_s = self._lab.world_now() + LAG_S  # it acts at once, as in host time
        rise_s = self._lab.history.last_rise_s(now_s)
        return any(active_faults(self._lab.faults(self._name), kind, now_s, rise_s))


def main() -> None:
    """Run the box of a simulated lab."""
    run(TriggerBoxTwin, "Trigger box, simulated")


if __name__ == "__main__":
    main()
