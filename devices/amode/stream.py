"""The `amode` stream: one sample per frame, lines of all probes side by side."""

import numpy as np
from numpy.typing import NDArray

from devices.amode.config import AModeConfig
from devices.amode.wire import Frame
from devices.errors import WireFormatError
from devices.stream import Channel, Counter, DType, StreamSpec, TriggerInput

NAME = "amode"
SEQ_MODULUS = 2**15
TICK_BITS = 15
N_TICKS = 4
HEAD = ("seq", "trigger", "flags", "tick_0", "tick_1", "tick_2", "tick_3")
UNITS = {label: "us" for label in HEAD if label.startswith("tick")}
INTO_INT16 = ("uint8", "int16")
INTO_INT32 = ("uint16", "int32")


def stream_dtype(source: np.dtype[np.generic]) -> DType:
    """Return int16 or int32, whichever holds the source; refuse what fits neither."""
    if source.name in INTO_INT16:
        return "int16"
    if source.name in INTO_INT32:
        return "int32"
    raise WireFormatError(
        f"the source sends {source.name}; A-mode streams hold {INTO_INT16} as int16 or "
        f"{INTO_INT32} as int32"
    )


def spec(config: AModeConfig, source: np.dtype[np.generic]) -> StreamSpec:
    """Describe the stream for a source that sends samples of type `source`."""
    labels = (
        f"CH{probe}_{depth:04d}"
        for probe in range(1, config.n_probes + 1)
        for depth in range(config.n_depths)
    )
    gated = config.trigger.role == "gates"
    return StreamSpec(
        name=NAME,
        type="Ultrasound",
        rate_hz=config.rate_hz,
        channels=(
            *(
                Channel(label, "us" if "tick" in label else "", "Info")
                for label in HEAD
            ),
            *(Channel(label, "count", "Amplitude") for label in labels),
        ),
        dtype=stream_dtype(source),
        serial=config.serial,
        counter=Counter("device", "seq", SEQ_MODULUS),
        trigger=TriggerInput(
            channel="trigger",
            kind="digital",
            role=config.trigger.role,
            edge_delay_s=config.trigger.edge_delay_s,
            start_latency_max_s=config.trigger.start_latency_max_s if gated else 0.0,
        ),
        metadata={
            "acquisition": {"model": "A-mode source, framed TCP"},
            "probes": {
                "n_probes": str(config.n_probes),
                "n_depths": str(config.n_depths),
                "muscles": " ".join(config.muscles),
                "sample_rate_hz": f"{config.sample_rate_hz:g}",
                "centre_frequency_hz": f"{config.centre_frequency_hz:g}",
                "sound_speed_mps": f"{config.sound_speed_mps:g}",
                "source_dtype": source.name,
            },
            "ticks": "device microseconds = sum of tick_k * 32768**k",
            "flags": "1 trigger, 2 refilled (maybe fabricated), 4 gap before",
            "synchronization": {"can_drop_samples": "true"},
        },
    )


def rows(frames: list[Frame], dtype: DType) -> NDArray[np.generic]:
    """Return samples of shape (n_frames, 7 + n_probes * n_depths)."""
    n_values = frames[0].lines.size
    samples = np.empty((len(frames), len(HEAD) + n_values), dtype)
    for row, frame in zip(samples, frames, strict=True):
        tick_us = frame.tick_ns // 1000
        row[0] = frame.seq % SEQ_MODULUS
        row[1] = frame.trigger
        row[2] = frame.flags
        row[3 : 3 + N_TICKS] = [
            tick_us >> (TICK_BITS * k) & (2**TICK_BITS - 1) for k in range(N_TICKS)
        ]
        row[len(HEAD) :] = frame.lines.ravel()
    return samples
