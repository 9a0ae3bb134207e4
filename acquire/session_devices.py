"""The processes of a session, and the wait until every device streams."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from acquire.control import ControlClient, ControlError
from acquire.rig import RigConfig
from acquire.session_plan import SessionError, SessionPlan
from acquire.supervise import ChildSpec

STREAMS_TIMEOUT_S = 60.0
OTHERS_END_S = 15.0  #: adapters of a killed session end with it, once belts rest
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


def running(names: Iterable[str], runtime_dir: Path) -> list[str]:
    """Return those of the devices whose adapters run already in this LSL session."""
    found = []
    for name in names:
        client = ControlClient(name, runtime_dir)
        try:
            client.request("ping", 1.0)
        except ControlError:
            continue
        finally:
            client.close()
        found.append(name)
    return found


def wait_for_others(names: Iterable[str], runtime_dir: Path) -> None:
    """Wait until no other adapters of these devices run.

    Raises
    ------
    SessionError
        They go on: two would take each other's samples and publish twice.
    """
    end_s = time.monotonic() + OTHERS_END_S
    while others := running(names, runtime_dir):
        if time.monotonic() > end_s:
            raise SessionError(already_running(others))
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
