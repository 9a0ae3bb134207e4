"""Every text that a file holds, whatever its format: where, under which key, what."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import ezc3d
import h5py
import numpy as np
import yaml
from scipy.io.matlab import MatReadError

from acquire.dataset.checks.watch import Told

MOST_BYTES: Final = 4_000_000  #: of a text file; ultrasound as text is numbers alone
MOST_STRINGS: Final = 20_000  #: of one array
UNREADABLE: Final = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError, EOFError),
    *(yaml.YAMLError, ET.ParseError, MatReadError),
)
_DATA_ADDRESS: Final = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")
_HEADER: Final = re.compile(rb"<info>.*?</info>", re.DOTALL)


def texts_of(path: Path) -> Iterator[Told]:
    """Yield every text of a file; nothing of a format without any.

    Damaged files yield what can be read: other checks tell of the damage.
    """
    read = READERS.get(path.suffix.lower())
    if read is None and path.suffix == "":
        read = _plain
    if read is None:
        return
    try:
        yield from read(path)
    except UNREADABLE:
        return


def _plain(path: Path) -> Iterator[Told]:
    with path.open("rb") as file:
        text = file.read(MOST_BYTES).decode("utf-8", "replace")
    yield Told("", "", _DATA_ADDRESS.sub("", text))


def _numbers(path: Path) -> Iterator[Told]:
    """Read the beginning of a text file of numbers, where a heading would be."""
    with path.open("rb") as file:
        start = file.read(4096).decode("utf-8", "replace")
    yield Told("line 1", "", "" if start[:1].isdigit() or start[:1] == "-" else start)


def _json(path: Path) -> Iterator[Told]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("{") and line.endswith("}"):
                yield from _walk(json.loads(line), f"line {number}")
        return
    yield from _walk(json.loads(text), "")


def _yaml(path: Path) -> Iterator[Told]:
    yield from _walk(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader), "")


def _walk(value: Any, place: str) -> Iterator[Told]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield Told(place, "", str(key))
            below = f"{place}.{key}" if place else str(key)
            yield from _walk(item, below)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, place)
    elif value is not None:
        yield Told(place, place.rpartition(".")[2], str(value))


def _table(path: Path) -> Iterator[Told]:
    separator = "," if path.suffix == ".csv" else "\t"
    with path.open(encoding="utf-8", errors="replace") as file:
        columns = file.readline().rstrip("\n").split(separator)
        yield from (Told("line 1", "", name) for name in columns)
        for number, line in enumerate(file, 2):
            if number > MOST_STRINGS:
                return
            for k, cell in enumerate(line.rstrip("\n").split(separator)):
                yield Told(
                    f"line {number}", columns[k] if k < len(columns) else "", cell
                )


def _hdf5(path: Path) -> Iterator[Told]:
    with h5py.File(path, "r") as file:
        found: list[Told] = []

        def visit(name: str, node: Any) -> None:  # noqa: ANN401
            for key in node.attrs:
                found.extend(_values(f"/{name}", key, node.attrs[key]))
            if isinstance(node, h5py.Dataset) and _is_text(node):
                found.extend(_values(f"/{name}", name.rpartition("/")[2], node[()]))

        visit("", file)
        file.visititems(visit)
    yield from found


def _is_text(node: Any) -> bool:  # noqa: ANN401
    texts = h5py.check_string_dtype(node.dtype) is not None
    return texts and node.size is not None and node.size <= MOST_STRINGS


def _values(place: str, key: str, value: Any) -> Iterator[Told]:  # noqa: ANN401
    for item in np.ravel(np.asarray(value, dtype=object)):
        text = item.decode("utf-8", "replace") if isinstance(item, bytes) else item
        if not isinstance(text, str):
            continue
        if text.lstrip().startswith("<"):
            yield from _xml(place, text)
        elif text.startswith(("{", "[")):
            try:
                yield from _walk(json.loads(text), f"{place}.{key}")
            except ValueError:
                yield Told(place, key, text)
        else:
            yield Told(place, key, text)


def _xml(place: str, text: str) -> Iterator[Told]:
    for element in ET.fromstring(text).iter():  # noqa: S314 (ours, or refused on reading)
        if element.text and element.text.strip():
            yield Told(place, element.tag, element.text)


def _xdf(path: Path) -> Iterator[Told]:
    for match in _HEADER.finditer(path.read_bytes()):
        yield from _xml("header", match[0].decode("utf-8", "replace"))


def _mat(path: Path) -> Iterator[Told]:
    with path.open("rb") as file:
        yield Told("header", "", file.read(116).decode("latin-1"))
    if h5py.is_hdf5(path):
        yield from _matlab_chars(path)
        return
    from scipy.io import loadmat

    for name, value in loadmat(path).items():
        if not name.startswith("__"):
            yield from _matlab_value(name, value)


def _matlab_value(place: str, value: Any) -> Iterator[Told]:  # noqa: ANN401
    if not isinstance(value, np.ndarray):
        return
    if value.dtype.names:
        for name in value.dtype.names:
            yield Told(place, "", name)
            for item in value[name].ravel():
                yield from _matlab_value(f"{place}.{name}", item)
    elif value.dtype.kind == "U":
        for text in value.ravel():
            yield Told(place, place.rpartition(".")[2], str(text))


def _matlab_chars(path: Path) -> Iterator[Told]:
    with h5py.File(path, "r") as file:
        found: list[Told] = []

        def visit(name: str, node: Any) -> None:  # noqa: ANN401
            if name.startswith("#refs#"):
                return
            found.append(Told(f"/{name}", "", name.rpartition("/")[2]))
            if node.attrs.get("MATLAB_class", b"") == b"char":
                text = "".join(map(chr, np.ravel(node[()]).tolist()))
                found.append(Told(f"/{name}", name.rpartition("/")[2], text))

        file.visititems(visit)
    yield from found


def _c3d(path: Path) -> Iterator[Told]:
    parameters = ezc3d.c3d(str(path))["parameters"]
    for group, items in parameters.items():
        for name, item in items.items():
            values = item.get("value", []) if isinstance(item, dict) else []
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, str):
                    yield Told(f"{group}:{name}", f"{group}:{name}", value)


def _bdf(path: Path) -> Iterator[Told]:
    with path.open("rb") as file:
        head = file.read(256).decode("latin-1")
    patient = head[8:88].split()
    yield from (Told("header", "patient_name", word) for word in patient[3:4])
    yield from (Told("header", "patient_id", word) for word in patient[:1])
    yield from (Told("header", "dob", word) for word in patient[2:3])
    yield Told("header", "recording", head[88:168])
    day, month, year = head[168:176].split(".")
    century = "19" if int(year) >= 85 else "20"
    yield Told("header", "startdate", f"{century}{year}-{month}-{day}")


def _parquet(path: Path) -> Iterator[Told]:
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    for name, value in (schema.metadata or {}).items():
        yield from _values("metadata", name.decode(), value)
    yield from (Told("column", "", name) for name in schema.names)


READERS: Final[Mapping[str, Callable[[Path], Iterator[Told]]]] = {
    **dict.fromkeys((".json", ".jsonl"), _json),
    **dict.fromkeys((".yaml", ".yml"), _yaml),
    **dict.fromkeys((".tsv", ".csv"), _table),
    **dict.fromkeys((".html", ".md"), _plain),
    ".txt": _numbers,
    ".h5": _hdf5,
    ".mat": _mat,
    ".xdf": _xdf,
    ".c3d": _c3d,
    ".bdf": _bdf,
    ".parquet": _parquet,
}
