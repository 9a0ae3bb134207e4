"""Commands for the first day with an instrument: capture, measure."""

import time
from pathlib import Path
from typing import Annotated

import typer

from acquire.commands.console import print_json, print_table, stderr, stdout
from acquire.commands.laboratory import Json, Rig
from acquire.rig import VIRTUAL_LAB, load_rig


def capture(
    seconds: Annotated[
        float, typer.Option(min=0.5, help="How long the line stays high, s.")
    ] = 5.0,
    name: Annotated[
        str, typer.Option(help="What the capture is called.")
    ] = "line_test",
    rig: Rig = VIRTUAL_LAB,
) -> None:
    """Start and stop one capture as a session would: the trigger line rises and falls.

    Whether it did is in what the instruments record. A trigger box needs its adapter
    (`kinemuse stream`).
    """
    from acquire.capture import capture_of
    from acquire.paths import runtime_dir

    loaded = load_rig(rig)
    sender = capture_of(loaded, runtime_dir(loaded.lsl.session_id))
    if sender is None:
        raise typer.BadParameter("the rig names no capture device")
    sender.start(name)
    try:
        with stderr.status(f"{loaded.capture}: capture {name!r} for {seconds:g} s"):
            time.sleep(seconds)
    finally:
        sender.stop(name)
    stdout.print(f"{loaded.capture}: asked to start and to stop capture {name!r}")


def measure(
    file: Annotated[Path, typer.Argument(help="XDF file or trial archive.")],
    *,
    as_json: Json = False,
) -> None:
    """Say what a recording shows of the instruments: pace, latency, belts and deck."""
    from acquire.measure import measure as measured
    from acquire.storage.reader import open_recording

    found = measured(open_recording(file))
    if as_json:
        print_json(found.to_json())
        return
    columns = ("stream", "samples", "Hz", "longest gap ms", "later ms", "99 % ms")
    rows = [
        (p.stream, p.n_samples, p.rate_hz, p.longest_gap_ms, p.later_ms, p.later_p99_ms)
        for p in found.streams
    ]
    print_table(f"{file}", columns, rows)
    told = any(pace.later_ms is not None for pace in found.streams)
    stdout.print(
        f"later: than {found.reference}, at the same instant, by the stamps"
        if told
        else "later: not known, that needs Vicon and edges of the trigger line",
        soft_wrap=True,
    )
    if found.plates:
        loads = [(p.plate, p.fz_n, p.noise_n) for p in found.plates]
        print_table("Force plates, Fz", ("plate", "median N", "noise N"), loads)
        stdout.print(
            f"together {found.load_kg:.1f} kg, if what stands there is at rest"
        )
    mill = found.treadmill
    if mill is None:
        return
    facts = [
        ("status rate", mill.status_hz, "Hz"),
        ("longest silence", mill.longest_silence_s, "s"),
        ("fastest belt", mill.fastest_mps, "m/s"),
        ("largest belt acceleration", mill.belt_accel_mps2, "m/s²"),
        ("belt noise", mill.belt_noise_mps, "m/s"),
        ("deck, lowest", mill.deck_low_deg, "deg"),
        ("deck, highest", mill.deck_high_deg, "deg"),
        ("deck speed", mill.deck_dps, "deg/s"),
        ("deck noise", mill.deck_noise_deg, "deg"),
    ]
    print_table("Treadmill, by its own readback", ("what", "value", "unit"), facts)
