"""The command that plays the hands of people in a virtual lab: hand."""

from enum import StrEnum
from typing import Annotated

import typer

from acquire.commands.console import stdout
from acquire.commands.laboratory import Rig
from acquire.control import ControlClient, ControlError, ControlRefusedError
from acquire.hands import NAME
from acquire.paths import runtime_dir
from acquire.rig import VIRTUAL_LAB, load_rig

TIMEOUT_S = 5.0


class Deed(StrEnum):
    """What hands can do."""

    BELTS = "belts"
    DECK = "deck"
    ESTOP = "estop"
    UNPLUG = "unplug"
    FAULT = "fault"


NUMBERS = (Deed.BELTS, Deed.DECK)


def hand(
    deed: Deed,
    value: Annotated[
        str,
        typer.Argument(help="Speed in m/s, angle in degrees, device, or fault."),
    ] = "",
    seconds: Annotated[
        float, typer.Option(min=0.1, help="How long it lasts: estop, unplug.")
    ] = 5.0,
    rig: Rig = VIRTUAL_LAB,
) -> None:
    """Do by hand in a running virtual lab what people do in a real one.

    belts and deck: at the treadmill's panel; estop: press it; unplug: pull a device's
    cable; fault: device:fault[:key=value,...] as for `kinemuse lab`.
    """
    if deed is not Deed.ESTOP and not value:
        raise typer.BadParameter(f"{deed} needs a value: kinemuse hand {deed} …")
    if deed in NUMBERS:
        _check_number(deed, value)
    client = ControlClient(NAME, runtime_dir(load_rig(rig).lsl.session_id))
    try:
        said = client.request(str(deed), TIMEOUT_S, value=value, seconds=seconds)
    except ControlRefusedError:
        raise
    except ControlError as error:
        raise ControlError(
            "no virtual lab runs in this LSL session: start `kinemuse lab`, `run` or "
            f"`gui` with a virtual rig first ({error})"
        ) from error
    finally:
        client.close()
    stdout.print(str(said["done"]), highlight=False)


def _check_number(deed: Deed, value: str) -> None:
    try:
        float(value)
    except ValueError:
        raise typer.BadParameter(f"{deed} needs a number, not {value!r}") from None
