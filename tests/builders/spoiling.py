"""Ways to spoil one property of a small dataset, and nothing else."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5s, h5t

from acquire.findings import Finding
from acquire.storage.layout import MANIFEST, TrialKey
from acquire.storage.provenance import sha256
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.trial_file import read_trial, write_trial
from devices.stream import Channel, StreamSpec
from tests.builders.dataset import key
from tests.builders.recordings import header

Change = Callable[[Path], object]
Check = Callable[[Path], Iterable[Finding]]
KEY: TrialKey = key()


@dataclasses.dataclass(frozen=True)
class Mutation:
    """A corruption of a dataset, the check that sees it, and the code it must give."""

    code: str
    change: Change
    check: Check

    def __str__(self) -> str:
        return self.code


def each(check: Check, **changes: Change) -> list[Mutation]:
    """Make mutations seen by one check; keywords are codes, ``_`` for ``-``."""
    return [Mutation(k.replace("_", "-"), v, check) for k, v in changes.items()]


# ---- recordings ----------------------------------------------------------------


def recorded(change: Callable[[Recording], Recording]) -> Change:
    """Write the trial's archive anew, with another content."""

    def apply(root: Path) -> None:
        path = KEY.h5(root)
        before = read_trial(path)
        path.unlink()
        write_trial(dataclasses.replace(change(before), path=Path("none")), path)

    return apply


def stream(name: str, change: Callable[[RecordedStream], dict[str, Any]]) -> Change:
    """Change one stream of the trial's archive."""

    def apply(recording: Recording) -> Recording:
        streams = [
            dataclasses.replace(s, **change(s)) if s.name == name else s
            for s in recording.streams
        ]
        return dataclasses.replace(recording, streams=tuple(streams))

    return recorded(apply)


def rows(select: Callable[[int], Any]) -> Callable[[RecordedStream], dict[str, Any]]:
    """Take rows of a stream; `select` gets their number."""

    def change(one: RecordedStream) -> dict[str, Any]:
        at = select(len(one.data))
        return {"data": one.data[at], "t_lsl": one.t_lsl[at]}

    return change


def notes(*events: dict[str, Any]) -> Change:
    """Add the recorder's own stream with these events, the first at its start."""
    told = [{"event": "start", "t_lsl": 1.0}, *events]
    spec = StreamSpec(
        "kinemuse-recorder", "Markers", 0.0, (Channel("json", "", "json"),), "string"
    )
    text = np.array([[json.dumps(one)] for one in told], dtype=object)
    at = np.array([one["t_lsl"] for one in told], dtype=float)
    one = RecordedStream(
        spec.name, spec.type, "kinemuse:recorder", "u", 0.0, "string", spec.channels,
        text, at, np.empty((0, 3)), header(spec), simulated=True,
    )  # fmt: skip
    return recorded(lambda r: dataclasses.replace(r, streams=(*r.streams, one)))


def note(event: str, t: float = 3.0, **more: Any) -> dict[str, Any]:
    return {"event": event, "t_lsl": t, **more}


# ---- HDF5 ----------------------------------------------------------------------


def h5(path: Callable[[Path], Path], change: Callable[[Any], object]) -> Change:
    """Edit an HDF5 file in place."""

    def apply(root: Path) -> None:
        with h5py.File(path(root), "r+") as file:
            change(file)

    return apply


def attribute(place: str, name: str, value: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        if value is None:
            del file[place].attrs[name]
        else:
            file[place].attrs[name] = value

    return change


def values(place: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Change the numbers of an array; its shape in MATLAB's order."""

    def apply(file: Any) -> None:
        file[place][...] = np.asarray(change(file[place][()].T)).T

    return apply


def cycles(place: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Change all strides of a variable, and what follows from them."""

    def apply(file: Any) -> None:
        node = file[place]
        made = np.asarray(change(node["rsGaitData"][()].T))
        stacked = made.reshape(*made.shape[:2], -1)
        node["rsGaitData"][...] = made.T
        node["MeanValues"][...] = stacked.mean(axis=2).T
        if stacked.shape[2] > 1:
            node["StdValues"][...] = stacked.std(axis=2, ddof=1).T

    return apply


def replaced(place: str, data: Any, kind: bytes = b"double") -> Callable[[Any], None]:
    """Put another array in the place of one, of a MATLAB class."""

    def apply(file: Any) -> None:
        del file[place]
        made = file.create_dataset(place, data=data)
        text = h5t.C_S1.copy()
        text.set_size(len(kind))
        text.set_strpad(h5t.STR_NULLTERM)
        scalar = h5s.create(h5s.SCALAR)
        named = h5a.create(made.id, b"MATLAB_class", text, scalar)
        named.write(np.array(kind), mtype=text)

    return apply


def frames(place: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Change every ultrasound frame (4, 1000) of a cell."""

    def apply(file: Any) -> None:
        for k, reference in enumerate(file[place][()].ravel()):
            node = file[reference]
            node[...] = np.asarray(change(k, node[()].T)).T

    return apply


# ---- files ---------------------------------------------------------------------


def text(name: str, change: Callable[[str], str]) -> Change:
    """Edit a text file, or make it."""

    def apply(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        path.write_text(change(before), encoding="utf-8")

    return apply


def table(**cells: str) -> Change:
    """Change cells of the participants' only line; new columns are added."""

    def apply(root: Path) -> None:
        path = root / "participants.tsv"
        names, line, *_ = (
            row.split("\t") for row in path.read_text(encoding="utf-8").splitlines()
        )
        facts = dict(zip(names, line, strict=True)) | cells
        lines = ["\t".join(facts), "\t".join(facts.values())]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    return apply


def cut(path: Callable[[Path], Path], n_bytes: int) -> Change:
    """Leave only the beginning of a file."""
    return lambda root: path(root).write_bytes(path(root).read_bytes()[:n_bytes])


def listed(change: Change) -> Change:
    """Change files and list them anew, as if that had been meant."""

    def apply(root: Path) -> None:
        change(root)
        lines = (root / MANIFEST).read_text(encoding="utf-8").splitlines()
        names = list(dict.fromkeys(line.partition("  ")[2] for line in lines))
        there = [name for name in names if (root / name).is_file()]
        made = [f"{sha256(root / name)}  {name}\n" for name in there]
        (root / MANIFEST).write_text("".join(made), encoding="utf-8")

    return apply
