"""A BIDS dataset of accepted trials: folders, tables of people and runs, sidecars.

Days are hidden: every run bears the same stamp, in 1900, which also says that the
files of a run begin at one instant. Ultrasound has no place in BIDS yet.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from acquire.dataset.arrays import TrialArrays
from acquire.dataset.participants import Participant
from acquire.dataset.trial_source import load
from acquire.exports.bids.emg import emg_files
from acquire.exports.bids.motion import SYSTEM, motion_files
from acquire.exports.bids.names import MISSING, Run, sidecar, table
from acquire.exports.bids.settings import BidsSettings
from acquire.exports.trials import ExportResult, accepted_trials, new_folder
from acquire.storage.durable import write_atomically
from acquire.storage.layout import dataset_kind
from acquire.storage.provenance import code_version

VERSION: Final = "1.11.1"
HIDDEN_DAY: Final = "1900-01-01T00:00:00"
OLDEST_TOLD_Y: Final = 89  #: older people could be known by their age
PEOPLE: Final = {
    "participant_id": "pseudonym",
    "sex": "as stated by the participant",
    "age": f"age at the first session; {OLDEST_TOLD_Y} stands for older too",
    "height": "standing height",
    "weight": "body mass with shoes and instruments",
    "cohort": "young or older",
}
UNITS: Final = {"age": "year", "height": "cm", "weight": "kg"}
NO_PLACE: Final = "ultrasound has no place in BIDS yet: it is left out"


def export_bids(
    dataset: Path,
    participants: Sequence[str],
    out: Path,
    progress: Callable[[str], None] = lambda _: None,
    *,
    settings: BidsSettings | None = None,
) -> ExportResult:
    """Write the accepted trials as a BIDS dataset into the new folder `out`."""
    settings = settings or BidsSettings()
    new_folder(out)
    result = ExportResult(remarks=[NO_PLACE])
    people: dict[str, Participant] = {}
    runs: dict[str, list[Run]] = {}
    sessions: dict[tuple[str, str], int] = {}
    virtual = dataset_kind(dataset) == "virtual"
    for accepted in accepted_trials(dataset, participants):
        progress(accepted.name)
        key = accepted.key
        earlier = [k for k in sessions if k[0] == key.participant]
        number = sessions.setdefault((key.participant, key.session), len(earlier) + 1)
        run = Run(key, number)
        trial, _ = load(accepted.archive, accepted.session)
        for name, content in _run_files(run, trial, settings):
            _put(out, name, content, result)
        people[key.participant] = accepted.person
        runs.setdefault(str(run.folder), []).append(run)
        if not trial.model:
            result.remarks.append(f"{accepted.name}: no joint angles")
    for folder, own in runs.items():
        name = f"{folder}/{folder.replace('/', '_')}_scans.tsv"
        _put(out, name, _scans(out, own), result)
    for name, content in _top(people, settings, virtual=virtual):
        _put(out, name, content, result)
    return result


def _run_files(
    run: Run, trial: TrialArrays, settings: BidsSettings
) -> Iterator[tuple[str, bytes]]:
    events = table(
        ("onset", "duration", "trial_type"),
        [
            (event.time_s, 0.0, f"{event.side}_foot_{event.kind}")
            for event in trial.events
            if 0 <= event.time_s < trial.duration_s
        ],
    )
    for kind, made in (
        ("emg", list(emg_files(run, trial, settings))),
        ("motion", list(motion_files(run, trial, settings))),
    ):
        yield from made
        if made:
            yield str(run.file(kind, "events.tsv")), events


def _scans(out: Path, runs: Sequence[Run]) -> bytes:
    files = [
        (str(name.relative_to(run.folder)), HIDDEN_DAY)
        for run in runs
        for name in (
            run.file("emg", "emg.bdf"),
            run.file("motion", "motion.tsv", system=SYSTEM),
        )
        if (out / name).is_file()
    ]
    return table(("filename", "acq_time"), files)


def _top(
    people: dict[str, Participant], settings: BidsSettings, *, virtual: bool
) -> Iterator[tuple[str, bytes]]:
    described: dict[str, Any] = {
        "Name": f"SIMULATED: {settings.name}" if virtual else settings.name,
        "BIDSVersion": VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "kinemuse", "Version": code_version()}],
    }
    described |= {"License": settings.license} if settings.license else {}
    described |= {"Authors": list(settings.authors)} if settings.authors else {}
    if settings.acknowledgements:
        described["Acknowledgements"] = settings.acknowledgements
    yield "dataset_description.json", sidecar(described)
    yield "README", _readme(described["Name"]).encode()
    rows = [
        (
            f"sub-{person.participant_id}",
            person.sex if person.sex in ("M", "F", "O") else MISSING,
            min(person.age_y, OLDEST_TOLD_Y),
            person.height_mm / 10,
            person.mass_kg,
            person.cohort,
        )
        for person in people.values()
    ]
    yield "participants.tsv", table(list(PEOPLE), rows)
    columns = {
        name: {"Description": text, **({"Units": UNITS[name]} if name in UNITS else {})}
        for name, text in PEOPLE.items()
        if name != "participant_id"
    }
    yield "participants.json", sidecar(columns)


def _readme(name: str) -> str:
    return (
        f"# {name}\n\n"
        "Walking on an instrumented treadmill: surface EMG (emg/) and marker "
        "positions, joint angles and ground reaction (motion/), on one clock. Time 0 "
        "of a run is the first motion frame at or after the rise of the trigger line; "
        "all files of a run begin there. EMG was resampled from the amplifier's own "
        "clock. Samples that were lost are n/a in tables; in BDF files they are 0 and "
        "annotated.\n\n"
        "The task label joins condition, ambulation mode (LG level, AS up, DS down, "
        "degrees) and speed (m/s, x for the point); run is the trial. Days are hidden: "
        "acq_time is the same for all runs.\n\n"
        "A-mode ultrasound was recorded too; BIDS has no place for it yet.\n"
    )


def _put(out: Path, name: str, content: bytes, result: ExportResult) -> None:
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    result.files.append(path)
