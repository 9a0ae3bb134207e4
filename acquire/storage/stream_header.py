"""Read the header of any LSL or XDF stream, ours or foreign: pure, no LSL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from acquire.storage.stream_description import ITEM, LSL_FORMAT
from devices.stream import Channel, Counter, DType, TriggerInput

_DTYPE = {lsl: ours for ours, lsl in LSL_FORMAT.items()}
_WAVEFORMS = ("level", "level+pulses")


class StreamHeaderError(ValueError):
    """The header is no XML, or lacks what every stream must say."""


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a stream says of itself.

    `metadata` is the rest of its ``desc`` as nested text: mappings, lists, strings.
    A foreign stream has no counter and no trigger; channels it does not describe
    are called ``ch0``, ``ch1``...
    """

    name: str
    type: str
    dtype: DType
    rate_hz: float  #: nominal; 0 means irregular
    channels: tuple[Channel, ...]
    source_id: str = ""
    uid: str = ""
    hostname: str = ""
    session_id: str = ""
    created_at_s: float = 0.0
    device: str = ""  #: name in the rig; empty for a foreign stream
    kind: str = ""
    serial: str = ""
    generation: int = 0
    layout_version: int = 0  #: 0 for a foreign stream
    simulated: bool = False
    counter: Counter = field(default_factory=lambda: Counter("none"))
    trigger: TriggerInput | None = None
    waveform: str = "unknown"  #: level | level+pulses | unknown
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(channel.label for channel in self.channels)

    @property
    def gated(self) -> bool:
        """Whether samples flow only while the trigger line is high."""
        return self.trigger is not None and self.trigger.role == "gates"

    @property
    def counter_column(self) -> int | None:
        """Column of the sample counter; None where there is none."""
        label = self.counter.channel
        return self.labels.index(label) if label in self.labels else None

    @property
    def trigger_column(self) -> int | None:
        """Column of the recorded trigger; None where there is none."""
        label = self.trigger.channel if self.trigger else ""
        return self.labels.index(label) if label in self.labels else None


def parse_header(xml: str | bytes) -> StreamHeader:
    """Parse the stream header `xml`, as LSL sends it or XDF stores it.

    Raises
    ------
    StreamHeaderError
        `xml` is not well formed, declares entities, or has no usable name, format or
        number of channels.
    """
    info = _parse(xml)
    name, form = _text(info, "name"), _text(info, "channel_format")
    if form not in _DTYPE:
        raise StreamHeaderError(
            f"stream {name!r}: channel_format {form!r} is none of {sorted(_DTYPE)}"
        )
    n_channels = _integer(info, "channel_count", -1)
    if n_channels < 1:
        raise StreamHeaderError(
            f"stream {name!r}: channel_count is {_text(info, 'channel_count')!r}"
        )
    desc = info.find("desc")
    desc = ET.Element("desc") if desc is None else desc
    own = desc.find("kinemuse")
    own = ET.Element("kinemuse") if own is None else own
    return StreamHeader(
        name=name,
        type=_text(info, "type"),
        dtype=_DTYPE[form],
        rate_hz=max(_number(info, "nominal_srate", 0.0), 0.0),
        channels=_channels(desc, n_channels),
        source_id=_text(info, "source_id"),
        uid=_text(info, "uid"),
        hostname=_text(info, "hostname"),
        session_id=_text(info, "session_id"),
        created_at_s=_number(info, "created_at", 0.0),
        device=_text(own, "device"),
        kind=_text(own, "kind"),
        serial=_text(own, "serial"),
        generation=_integer(own, "generation", 0),
        layout_version=_integer(own, "layout_version", 0),
        simulated=_text(own, "simulated") == "true",
        counter=_counter(own.find("counter")),
        trigger=_trigger(own.find("trigger")),
        waveform=_waveform(own.find("trigger")),
        metadata=_nested(
            [child for child in desc if child.tag not in ("channels", "kinemuse")]
        ),
    )


def _parse(xml: str | bytes) -> ET.Element:
    text = xml.decode("utf-8", "replace") if isinstance(xml, bytes) else xml
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise StreamHeaderError("the stream header declares a DTD, which none needs")
    try:
        return ET.fromstring(text.strip("\x00 \t\r\n"))  # noqa: S314 (no DTD: above)
    except ET.ParseError as error:
        raise StreamHeaderError(
            f"the stream header is not XML ({error}): {text[:60]!r}"
        ) from error


def _channels(desc: ET.Element, n_channels: int) -> tuple[Channel, ...]:
    described = desc.findall("channels/channel")[:n_channels]
    found = [
        Channel(
            _text(channel, "label") or f"ch{k}",
            _text(channel, "unit"),
            _text(channel, "type"),
            _number(channel, "delay_s", 0.0),
        )
        for k, channel in enumerate(described)
    ]
    found += [Channel(f"ch{k}") for k in range(len(found), n_channels)]
    return tuple(found)


def _counter(element: ET.Element | None) -> Counter:
    if element is None:
        return Counter("none")
    source, channel = _text(element, "source"), _text(element, "channel")
    modulus = _integer(element, "modulus", 0)
    if source not in ("device", "adapter") or not channel or modulus < 2:
        return Counter("none")
    return Counter("device" if source == "device" else "adapter", channel, modulus)


def _trigger(element: ET.Element | None) -> TriggerInput | None:
    if element is None:
        return None
    return TriggerInput(
        channel=_text(element, "channel"),
        kind="digital" if _text(element, "kind") == "digital" else "analog",
        role="gates" if _text(element, "role") == "gates" else "recorded",
        edge_delay_s=_number(element, "edge_delay_s", 0.0),
        start_latency_max_s=_number(element, "start_latency_max_s", 0.0),
    )


def _waveform(element: ET.Element | None) -> str:
    text = "" if element is None else _text(element, "waveform")
    return text if text in _WAVEFORMS else "unknown"


def _value(element: ET.Element) -> Any:  # noqa: ANN401 (nested text)
    children = list(element)
    if not children:
        return (element.text or "").strip()
    if all(child.tag == ITEM for child in children):
        return [_value(child) for child in children]
    return _nested(children)


def _nested(children: Sequence[ET.Element]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for child in children:  # repeated elements, as the XDF tables have, make a list
        value = _value(child)
        if child.tag not in nested:
            nested[child.tag] = value
        elif isinstance(nested[child.tag], list):
            nested[child.tag].append(value)
        else:
            nested[child.tag] = [nested[child.tag], value]
    return nested


def _text(element: ET.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _number(element: ET.Element, path: str, default: float) -> float:
    try:
        value = float(_text(element, path))
    except ValueError:
        return default
    return value if abs(value) < float("inf") else default


def _integer(element: ET.Element, path: str, default: int) -> int:
    return int(_number(element, path, default))
