"""Commands about instruments and streams: lab, stream, streams, plan."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from acquire.commands.console import print_json, print_table, stderr, stdout
from acquire.control import ControlClient, ControlError
from acquire.hands import Hands
from acquire.paths import runtime_dir
from acquire.rig import VIRTUAL_LAB, RigConfig, load_rig
from acquire.session_devices import already_running, running
from acquire.supervise import ChildSpec, Supervisor
from acquire.virtual_lab import VirtualLab

Rig = Annotated[str, typer.Option(help="Shipped rig by name, or a YAML file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def lab(
    rig: Rig = VIRTUAL_LAB,
    truth: Annotated[Path | None, typer.Option(help="File for what was true.")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="device:fault[:key=value,...]; repeatable.")
    ] = None,
) -> None:
    """Start the twins of a rig and keep them until Ctrl-C."""
    loaded = load_rig(rig)
    virtual = VirtualLab(loaded, truth=truth, faults=fault or ())
    with virtual, Hands(virtual, runtime_dir(loaded.lsl.session_id)):
        rows = [(name, address) for name, address in virtual.addresses.items()]
        print_table("Virtual lab", ["device", "address"], rows)
        stdout.print("Ctrl-C ends it.")
        _wait()


def stream(
    rig: Rig = VIRTUAL_LAB,
    device: Annotated[
        list[str] | None, typer.Option(help="Only this device; repeatable.")
    ] = None,
) -> None:
    """Connect the adapters of a rig and publish to LSL until Ctrl-C."""
    loaded = load_rig(rig)
    names = device or list(loaded.devices)
    for name in names:
        if name not in loaded.devices:
            have = ", ".join(loaded.devices)
            raise typer.BadParameter(f"no device {name!r} in the rig; it has {have}")
    runtime = runtime_dir(loaded.lsl.session_id)
    if taken := running(names, runtime):
        raise ControlError(already_running(taken))
    rig_file = runtime / "stream.rig.yaml"
    rig_file.write_text(loaded.to_yaml(), encoding="utf-8")
    common = ("--rig", str(rig_file), "--session-id", loaded.lsl.session_id)
    children = [
        ChildSpec(
            name,
            "acquire.device_host",
            (*common, "--runtime", str(runtime), "--device", name),
        )
        for name in names
    ]
    with Supervisor(children, runtime / "log"):
        stdout.print(f"publishing {', '.join(names)}; logs in {runtime / 'log'}")
        stdout.print("Ctrl-C ends it.")
        _wait()


def streams(
    rig: Rig = VIRTUAL_LAB,
    seconds: Annotated[float, typer.Option(help="How long to look, s.")] = 2.0,
    expect: Annotated[
        list[str] | None,
        typer.Option(help="Stream that should be there, instead of those of the rig."),
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option(help="Computer that should have streams.")
    ] = None,
    write_config: Annotated[
        Path | None,
        typer.Option(help="Write an lsl_api.cfg by which the missing ones are seen."),
    ] = None,
    session_id: Annotated[
        str, typer.Option(help="LSL session. Default: the rig's.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """List what is on the network, and why an expected stream is not seen."""
    from acquire import lsl
    from acquire.network import survey
    from acquire.network.remedy import write_configuration

    loaded = load_rig(rig)
    lsl.configure(session_id or loaded.lsl.session_id, loaded.lsl.scope)
    devices = {} if expect else _device_snapshots(loaded)
    expected: dict[str, str | None] = dict.fromkeys(expect or loaded.streams)
    for snapshot in devices.values():
        for stream in snapshot.get("streams", ()):
            expected[str(stream["name"])] = str(stream["source_id"])
    report = survey(seconds, expected, devices, hosts=host or ())
    silent = [name for name in loaded.devices if name not in devices and not expect]
    if write_config:
        write_configuration(report, write_config)
        stderr.print(f"wrote {write_config}", highlight=False, soft_wrap=True)
    if as_json:
        print_json({**report.to_json(), "devices_not_running": silent})
    else:
        rows = [
            (s.name, s.type, s.n_channels, s.nominal_hz, s.rate_hz, s.n_lost, s.health)
            for s in report.streams
        ]
        columns = ["stream", "type", "channels", "Hz", "measured", "lost", "health"]
        print_table("Streams", columns, rows)
        advice = [f"{s.name}: {s.advice}" for s in report.streams if s.advice]
        advice += [
            f"{m.name}: {m.reason} ({m.cause}). To do: {m.advice}"
            for m in report.missing
        ]
        advice += [item.message for item in report.hosts]
        advice += [
            f"{name}: no adapter runs for it; start it with `kinemuse stream`"
            for name in silent
        ]
        for line in advice:
            stdout.print(line, highlight=False, soft_wrap=True)
    well = all(stream.health in ("ok", "waiting") for stream in report.streams)
    raise typer.Exit(0 if well and not report.missing and not silent else 1)


def _device_snapshots(rig: RigConfig) -> dict[str, dict[str, Any]]:
    """Ask every device process of a rig that runs here."""
    found = {}
    for name in rig.devices:
        client = ControlClient(name, runtime_dir(rig.lsl.session_id))
        try:
            found[name] = client.request("snapshot", 1.0)
        except ControlError:
            continue
        finally:
            client.close()
    return found


def _wait() -> None:
    try:
        while True:
            time.sleep(1.0)
    except KeyboardInterrupt:
        stdout.print("stopping")
