"""What goes wrong with the twin's frames, from the lab's list of faults.

==============  ==============================================================
``drop``        `n` frames (or all during `for`) are never sent; with `input` (a
                device name) only that device's samples are left out during `for`
``stall``       silence during `for`: its frames are lost; with ``pause=1`` the
                numbering pauses too, as when Nexus is paused
``burst``       frames during `for` are held back and come together at its end
``disconnect``  clients are dropped and none is accepted during `for`
``restart``     the same, then numbering begins anew at 0
``duplicate``   `n` frames are sent twice
``wrap``        numbering jumps to FrameID `frame`, by default ten frames before
                the counter of `vicon-forces` wraps
``occlude``     `marker` (or ``all``) is not seen during `for`
``saturate``    no value of the device `input` (``Force Plate 1``, ``Lock Lab``,
                ``EMG``) exceeds `limit`, in its own unit, during `for`
``bounce``      the trigger line chatters for `ms` (5) after each edge during `for`
==============  ==============================================================
"""

import logging
from dataclasses import dataclass

from devices.sim.faults import FaultKind, FaultSpec, active_faults, starting_faults
from devices.sim.lab import Lab
from devices.vicon.twin_spoilt import SOUND, Spoilt

log = logging.getLogger("kinemuse.vicon.twin")

KNOWN = frozenset(
    {
        *("drop", "stall", "burst", "disconnect", "restart", "duplicate", "wrap"),
        *("occlude", "saturate", "bounce"),
    }
)
BOUNCE_MS = 5.0
PLATE_LIMIT = 500.0  #: N, and N·m
DEFAULT_OUTAGE_S = 0.5
BEFORE_WRAP = 2**24 // 10 - 10


@dataclass(frozen=True, slots=True)
class Outage:
    """The server goes away until `until_s`; after a restart numbering begins anew."""

    until_s: float
    restart: bool


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one frame. `copies` 0: lost; sent no sooner than `held_s`."""

    copies: int = 1
    held_s: float = float("-inf")
    paused: bool = False
    jump_to: int | None = None
    outage: Outage | None = None
    spoilt: Spoilt = SOUND


class FrameFaults:
    """Tells the fate of frames, asked for in order of time."""

    def __init__(self, lab: Lab, name: str) -> None:
        self._lab, self._name = lab, name
        self._n_drop = self._n_twice = 0
        self._since_s = self._t_s = float("-inf")
        self._told: set[str] = set()

    def fate(self, t_s: float) -> Fate:
        """Return what becomes of the frame taken at world time `t_s`."""
        faults = self._lab.faults(self._name)
        self._since_s, self._t_s = self._t_s, t_s
        if not faults:
            return Fate()
        self._tell_unknown(faults)
        stalls = self._active(faults, "stall")
        bursts = self._active(faults, "burst")
        return Fate(
            copies=self._copies(faults) if not stalls else 0,
            held_s=max((self._end(fault) for fault in bursts), default=float("-inf")),
            paused=any(fault.number("pause", 0) for fault in stalls),
            jump_to=self._jump(faults),
            outage=self._outage(faults),
            spoilt=self._spoilt(faults),
        )

    def _spoilt(self, faults: list[FaultSpec]) -> Spoilt:
        saturated = self._active(faults, "saturate")
        bouncing = [f.number("ms", BOUNCE_MS) for f in self._active(faults, "bounce")]
        return Spoilt(
            occluded=_texts(self._active(faults, "occlude"), "marker"),
            silent=_texts(self._active(faults, "drop"), "input"),
            limits={
                fault.text("input", "Force Plate 1"): fault.number("limit", PLATE_LIMIT)
                for fault in saturated
            },
            bounce_s=max(bouncing, default=0.0) / 1000.0,
        )

    def _copies(self, faults: list[FaultSpec]) -> int:
        for fault in self._starting(faults, "drop"):
            if not fault.text("input"):
                self._n_drop += int(fault.number("n", 0 if fault.for_s else 1))
        for fault in self._starting(faults, "duplicate"):
            self._n_twice += int(fault.number("n", 1))
        lasting = [f for f in self._active(faults, "drop") if not f.text("input")]
        if self._n_drop or lasting:
            self._n_drop = max(self._n_drop - 1, 0)
            return 0
        if self._n_twice:
            self._n_twice -= 1
            return 2
        return 1

    def _jump(self, faults: list[FaultSpec]) -> int | None:
        jumps = self._starting(faults, "wrap")
        return int(jumps[-1].number("frame", BEFORE_WRAP)) if jumps else None

    def _outage(self, faults: list[FaultSpec]) -> Outage | None:
        restarts = self._starting(faults, "restart")
        outages = restarts + self._starting(faults, "disconnect")
        if not outages:
            return None
        longest_s = max(fault.for_s or DEFAULT_OUTAGE_S for fault in outages)
        return Outage(self._t_s + longest_s, restart=bool(restarts))

    def _active(self, faults: list[FaultSpec], kind: FaultKind) -> list[FaultSpec]:
        return active_faults(faults, kind, self._t_s, self._rise_s())

    def _starting(self, faults: list[FaultSpec], kind: FaultKind) -> list[FaultSpec]:
        rise_s = self._rise_s()
        return starting_faults(faults, kind, self._since_s, self._t_s, rise_s)

    def _end(self, fault: FaultSpec) -> float:
        return (fault.start_s(self._rise_s()) or 0.0) + fault.for_s

    def _rise_s(self) -> float | None:
        return self._lab.history.last_rise_s(self._t_s)

    def _tell_unknown(self, faults: list[FaultSpec]) -> None:
        for kind in {fault.fault for fault in faults} - KNOWN - self._told:
            self._told.add(kind)
            log.warning("fault %r means nothing to the Vicon twin", kind)


def _texts(faults: list[FaultSpec], key: str) -> frozenset[str]:
    return frozenset(fault.text(key) for fault in faults if fault.text(key))
