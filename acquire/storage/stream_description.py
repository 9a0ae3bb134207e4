"""The XML description of a stream: what its LSL outlet and its XDF header say.

Pure text, no LSL: the outlet copies the tree into liblsl, and streams that never
travel by LSL (the recorder's own) get their XDF header from `header_xml`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from devices.stream import DType, StreamSpec

LAYOUT_VERSION = 1
ITEM = "item"  #: element name of one entry of a list

#: LSL's and XDF's spelling of our sample types
LSL_FORMAT: dict[DType, str] = {
    "float32": "float32",
    "float64": "double64",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "int64": "int64",
    "string": "string",
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RESERVED = {"channels", "kinemuse"}


def source_id(spec: StreamSpec, device: str) -> str:
    """Return ``kinemuse:<device>:<serial>:<stream>[:<generation>]``."""
    base = f"kinemuse:{device}:{spec.serial}:{spec.name}"
    return f"{base}:{spec.generation}" if spec.generation else base


def describe(
    spec: StreamSpec, *, device: str, kind: str, simulated: bool, waveform: str
) -> ET.Element:
    """Build the ``desc`` element of a stream.

    `spec.metadata` becomes its first children (`acquisition`, `synchronization`,
    `setup`...), where the XDF metadata tables look for them; our own block follows in
    ``kinemuse``. `device` is the name in the rig, `kind` the adapter's.
    """
    taken = _RESERVED & set(spec.metadata)
    if taken:
        raise ValueError(f"{spec.name}: metadata may not use the keys {sorted(taken)}")
    desc = ET.Element("desc")
    channels = ET.SubElement(desc, "channels")
    for channel in spec.channels:
        facts: dict[str, object] = {
            "label": channel.label,
            "unit": channel.unit,
            "type": channel.type,
        }
        if channel.delay_s:
            facts["delay_s"] = channel.delay_s
        _fill(ET.SubElement(channels, "channel"), facts)
    _fill(desc, spec.metadata)
    own: dict[str, Any] = {
        "device": device,
        "kind": kind,
        "layout_version": LAYOUT_VERSION,
        "simulated": simulated,
        "serial": spec.serial,
        "generation": spec.generation,
        "counter": {
            "source": spec.counter.source,
            "channel": spec.counter.channel,
            "modulus": spec.counter.modulus,
        },
    }
    if spec.trigger is not None:
        own["trigger"] = {
            "channel": spec.trigger.channel,
            "kind": spec.trigger.kind,
            "role": spec.trigger.role,
            "edge_delay_s": spec.trigger.edge_delay_s,
            "start_latency_max_s": spec.trigger.start_latency_max_s,
            "waveform": waveform,
        }
    _fill(ET.SubElement(desc, "kinemuse"), own)
    return desc


def header_xml(
    spec: StreamSpec,
    *,
    device: str,
    kind: str,
    simulated: bool,
    waveform: str = "unknown",
    uid: str = "",
    hostname: str = "",
    session_id: str = "",
    created_at_s: float = 0.0,
) -> str:
    """Return the stream header as LSL would write it, for streams without an outlet."""
    info = ET.Element("info")
    _fill(
        info,
        {
            "name": spec.name,
            "type": spec.type,
            "channel_count": len(spec.channels),
            "channel_format": LSL_FORMAT[spec.dtype],
            "source_id": source_id(spec, device),
            "nominal_srate": float(spec.rate_hz),
            "version": "1.1",
            "created_at": float(created_at_s),
            "uid": uid,
            "session_id": session_id,
            "hostname": hostname,
        },
    )
    info.append(
        describe(spec, device=device, kind=kind, simulated=simulated, waveform=waveform)
    )
    return '<?xml version="1.0"?>\n' + ET.tostring(info, encoding="unicode")


def _fill(parent: ET.Element, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if not _NAME.match(key):
            raise ValueError(
                f"{key!r} cannot be a metadata key: letters, digits, '_', '.' and '-' "
                "only, and no digit first"
            )
        _set(ET.SubElement(parent, key), value)


def _set(element: ET.Element, value: object) -> None:
    if isinstance(value, Mapping):
        _fill(element, value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for entry in value:
            _set(ET.SubElement(element, ITEM), entry)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    elif value is not None:
        element.text = _NOT_XML.sub("", str(value))
