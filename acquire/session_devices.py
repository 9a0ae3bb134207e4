"""The processes of a session, and the wait until every device streams."""

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from acquire.control import ControlClient, ControlError
from acquire.device_host import LOST_FOR_GOOD_S
from acquire.rig import RigConfig
from acquire.session_plan import SessionError, SessionPlan
from acquire.supervise import ChildSpec

log = logging.getLogger("kinemuse.session")

STREAMS_TIMEOUT_S = 60.0
OTHERS_END_S = 5.0  #: adapters of a killed session end with it
ORPHANS_END_S = LOST_FOR_GOOD_S + 15.0  #: a treadmill's, once belts rest or it is lost
POLL_S = 0.1


def children(plan: SessionPlan, session: str, rig_file: Path) -> list[ChildSpec]:
    """Name every process: one per device, the recorder, quality, and live gait."""
    rig, runtime = plan.rig, str(plan.runtime_dir)
    common = ("--session-id", rig.lsl.session_id, "--runtime", runtime)
    with_rig = ("--rig", str(rig_file))
    hosts = [
        ChildSpec(name, "acquire.device_host", (*with_rig, "--device", name, *common))
        for name in rig.devices
    ]
    visit = (
        *("--dataset", str(plan.dataset)),
        *("--participant", plan.participant, "--session", session),
    )
    has_markers = any(entry.kind == "vicon" for entry in rig.devices.values())
    gait = ChildSpec("gait-live", "acquire.gait_live", (*with_rig, *common, *visit))
    return [
        *hosts,
        ChildSpec("recorder", "acquire.recorder", common),
        ChildSpec("quality", "acquire.quality", (*with_rig, *common)),
        *([gait] if has_markers else []),
    ]


def running(names: Iterable[str], runtime_dir: Path) -> dict[str, bool]:
    """Return which of the devices have adapters already in this LSL session.

    And of each whether the session it belonged to is gone.
    """
    found = {}
    for name in names:
        client = ControlClient(name, runtime_dir)
        try:
            found[name] = bool(client.request("snapshot", 1.0).get("orphaned"))
        except ControlError:
            continue
        finally:
            client.close()
    return found


def wait_for_others(names: Iterable[str], runtime_dir: Path) -> None:
    """Wait until no other adapters of these devices run.

    That of a treadmill outlives its session until the belts rest, or until it has had
    no connection for so long that nothing is left to wait for.

    Raises
    ------
    SessionError
        They go on: two would take each other's samples and publish twice.
    """
    began_s, told = time.monotonic(), False
    while others := running(names, runtime_dir):
        waited_s, orphans = time.monotonic() - began_s, all(others.values())
        if waited_s > (ORPHANS_END_S if orphans else OTHERS_END_S):
            raise SessionError(already_running(others))
        if orphans and not told and waited_s > 1.0:
            told = True
            log.warning(
                "waiting for %s, left by a session that is gone: it ends once belts "
                "rest, or %g s after its connection was lost",
                ", ".join(others), LOST_FOR_GOOD_S,
            )  # fmt: skip
        time.sleep(POLL_S)


def already_running(names: Iterable[str]) -> str:
    """Say that adapters run already, and what to do."""
    return (
        f"adapters run already for {', '.join(names)}: end `kinemuse stream`, or the "
        "session, in the other terminal first"
    )


def wait_for_devices(rig: RigConfig, runtime_dir: Path) -> dict[str, str]:
    """Wait until every device streams; return source ids of required streams by name.

    Raises
    ------
    SessionError
        Some are not ready in time; the message says which, and why.
    """
    end_s = time.monotonic() + STREAMS_TIMEOUT_S
    waiting = dict.fromkeys([*rig.devices, "recorder"], "not started")
    streams: dict[str, str] = {}
    while True:
        for name in list(waiting):
            state, found = _look_at(name, rig, runtime_dir)
            if state in ("streaming", "idle"):
                del waiting[name]
                entry = rig.devices.get(name)
                streams |= found if entry and entry.required else {}
            else:
                waiting[name] = state
        if not waiting:
            return streams
        if time.monotonic() > end_s:
            raise SessionError(_what_is_missing(waiting, runtime_dir / "log"))
        time.sleep(POLL_S)


def _look_at(
    name: str, rig: RigConfig, runtime_dir: Path
) -> tuple[str, dict[str, str]]:
    client = ControlClient(name, runtime_dir)
    try:
        seen = client.request("snapshot", 1.0)
    except ControlError as error:
        return str(error), {}
    finally:
        client.close()
    reason = seen.get("reason") or ""
    state = str(seen.get("state", "unknown"))
    said = f"{state}: {reason}" if reason and state != "streaming" else state
    streams = seen.get("streams", []) if name in rig.devices else []
    return said, {str(s["name"]): str(s["source_id"]) for s in streams}


def _what_is_missing(waiting: Mapping[str, str], logs: Path) -> str:
    lines = [f"{name}: {why}" for name, why in waiting.items()]
    return "\n  ".join(
        [f"not ready after {STREAMS_TIMEOUT_S:g} s:", *lines, f"(logs in {logs})"]
    )
