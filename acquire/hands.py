"""Hands in a virtual lab: at the panel, on the emergency stop, at a cable.

Nothing of this reaches a real laboratory: there, people do it.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acquire.control import ControlClient, ControlError, ControlServer
from acquire.rig import RigConfig
from acquire.virtual_lab import VirtualLab
from devices.sim.faults import FaultKind, FaultSpec

NAME = "lab"  #: of the control server that answers for a virtual lab
PANEL_ACCEL_MPS2 = 0.25
DECK_RATE_DPS = 1.0


class Hands:
    """Answers `kinemuse hand` while a virtual lab runs, as a context manager."""

    def __init__(self, lab: VirtualLab, runtime_dir: Path) -> None:
        self._lab = lab
        self._server = ControlServer(
            NAME,
            {
                "where": self.where,
                "belts": self.belts,
                "deck": self.deck,
                "estop": self.estop,
                "unplug": self.unplug,
                "fault": self.fault,
            },
            runtime_dir,
        )

    def __enter__(self) -> "Hands":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def where(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Say which lab this is, for a session that wants to use it."""
        address = self._lab.addresses["lab"]
        return {"address": address, "rig": self._lab.rig.to_yaml()}

    def belts(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set both belts at the panel: `value`, m/s in the deck frame."""
        speed_mps = float(given["value"])
        self._append(
            "belts",
            {
                "left_mps": speed_mps,
                "right_mps": speed_mps,
                "accel_left_mps2": PANEL_ACCEL_MPS2,
                "accel_right_mps2": PANEL_ACCEL_MPS2,
            },
        )
        return {"done": f"belts set to {speed_mps:g} m/s at the panel"}

    def deck(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Tilt the deck at the panel: `value`, degrees."""
        angle_deg = float(given["value"])
        rate_dps = self._option("deck_rate_dps", DECK_RATE_DPS)
        self._append("deck", {"target_deg": angle_deg, "rate_dps": rate_dps})
        return {"done": f"deck set to {angle_deg:g} deg at the panel"}

    def estop(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Press the treadmill's emergency stop, for `seconds`."""
        held_s = float(given["seconds"])
        self._fault(_now("estop", self._treadmill, held_s))
        return {"done": f"emergency stop pressed for {held_s:g} s"}

    def unplug(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Pull the cable of the device `value`, for `seconds`."""
        device, out_s = str(given["value"]), float(given["seconds"])
        self._fault(_now("disconnect", device, out_s))
        return {"done": f"{device} unplugged for {out_s:g} s"}

    def fault(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make any fault happen now: `value` as for ``kinemuse lab --fault``."""
        self._fault(FaultSpec.parse(str(given["value"])))
        return {"done": f"fault {given['value']}"}

    @property
    def _treadmill(self) -> str:
        if self._lab.rig.treadmill is None:
            raise ValueError("the rig names no treadmill")
        return self._lab.rig.treadmill

    def _option(self, key: str, default: float) -> float:
        lab = self._lab.rig.lab
        twin = lab.twins.get(self._treadmill) if lab else None
        return float(twin.options.get(key, default)) if twin else default

    def _fault(self, fault: FaultSpec) -> None:
        if fault.device not in self._lab.rig.devices:
            have = ", ".join(self._lab.rig.devices)
            raise ValueError(f"no device {fault.device!r} in this lab; it has {have}")
        value = fault.to_mapping()
        if not fault.at and fault.after == "start":
            del value["at"]  # now
        self._append("fault", value)

    def _append(self, kind: str, value: Mapping[str, Any]) -> None:
        with contextlib.closing(self._lab.client()) as client:
            client.append(kind, value)


def lab_that_runs(rig: RigConfig, runtime_dir: Path) -> str | None:
    """Return the address of the virtual lab of exactly this rig, if one runs."""
    client = ControlClient(NAME, runtime_dir)
    try:
        said = client.request("where", 1.0)
    except ControlError:
        return None
    finally:
        client.close()
    return str(said["address"]) if said["rig"] == rig.to_yaml() else None


def _now(kind: FaultKind, device: str, seconds: float) -> FaultSpec:
    return FaultSpec(device=device, fault=kind, at=0.0, for_s=seconds)
