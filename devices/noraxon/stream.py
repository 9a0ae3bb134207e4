"""The `semg` stream, and which channels of MR it is made of."""

from collections.abc import Sequence

from devices.errors import WireFormatError
from devices.noraxon.config import NoraxonConfig
from devices.noraxon.wire import Header
from devices.stream import Channel, Counter, StreamSpec, TriggerInput

NAME = "semg"
INDEX_MODULUS = 2**24


def choose(config: NoraxonConfig, headers: Sequence[Header]) -> list[Header]:
    """Return the headers of the stream's channels in order, sync last.

    A missing channel, a wrong rate, unit or type is refused: nothing is resampled,
    scaled or left out.
    """
    there = {header.name: header for header in headers}
    wanted = [*config.channels.values(), config.sync.channel]
    missing = [name for name in wanted if name not in there]
    if missing:
        raise WireFormatError(
            f"MR has no channel {missing}; it has {sorted(there)}; see `channels` and "
            "`sync.channel` in the rig file"
        )
    chosen = [there[name] for name in wanted]
    for header in chosen:
        if not header.is_scalar:
            raise WireFormatError(f"channel {header.name!r} is a {header.type}")
        if header.rate_hz != config.rate_hz:
            raise WireFormatError(
                f"channel {header.name!r} is sampled at {header.rate_hz:g} Hz, the rig "
                f"says {config.rate_hz:g} (rate_hz)"
            )
    for header in chosen[:-1]:
        if _plain(header.unit) != _plain(config.unit):
            raise WireFormatError(
                f"channel {header.name!r} is in {header.unit!r}, the rig says "
                f"{config.unit!r} (unit)"
            )
    return chosen


def spec(config: NoraxonConfig, sync: Header) -> StreamSpec:
    """Describe the stream."""
    digital = config.sync.kind == "digital"
    return StreamSpec(
        name=NAME,
        type="EMG",
        rate_hz=config.rate_hz,
        channels=(
            *(Channel(label, config.unit, "EMG") for label in config.channels),
            Channel("sync", "" if digital else sync.unit or "V", "Trigger"),
            Channel("index", "", "Counter"),
        ),
        dtype="float32",
        serial=config.serial,
        counter=Counter("adapter", "index", INDEX_MODULUS),
        trigger=TriggerInput(
            channel="sync",
            kind=config.sync.kind,
            edge_delay_s=config.sync.edge_delay_s,
        ),
        metadata={
            "acquisition": {"manufacturer": "Noraxon", "model": "Ultium, MR HTTP"},
            "source_channels": dict(config.channels),
            "filtering": {
                "highpass_hz": f"{config.highpass_hz:g}",
                "lowpass_hz": f"{config.lowpass_hz:g}",
                "applied_by": "MR",
            },
            "losses": "not counted by the source; inferred from trigger edges",
            "synchronization": {"can_drop_samples": "true"},
        },
    )


def _plain(unit: str) -> str:
    """Return a unit in plain letters: MR may write micro as one of two signs."""
    return unit.strip().replace("µ", "u").replace("μ", "u")
