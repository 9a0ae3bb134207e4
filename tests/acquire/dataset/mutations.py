"""Corruptions of a dataset, one property each, and the code that must name it."""

import json
import shutil
from pathlib import Path
from typing import Any

import ezc3d
import numpy as np

from acquire.dataset.check import check_path
from acquire.dataset.checks.built import (
    flat_findings,
    sidecar_findings,
    stale_findings,
)
from acquire.dataset.checks.completeness import (
    participant_findings,
    protocol_findings,
)
from acquire.dataset.checks.physiology import physiology_findings
from acquire.dataset.checks.privacy import privacy_findings
from acquire.dataset.checks.recording import modality_findings
from acquire.dataset.checks.source import source_findings, source_tree_findings
from acquire.dataset.checks.tree import tree_findings
from acquire.dataset.checks.watch import Watch
from acquire.findings import Finding
from acquire.storage.derived_file import read_derived
from acquire.storage.layout import MANIFEST
from acquire.storage.trial_file import read_trial
from devices.stream import Counter
from tests.builders.dataset import key, verdict
from tests.builders.spoiling import (
    KEY,
    Mutation,
    attribute,
    cut,
    cycles,
    each,
    frames,
    h5,
    note,
    notes,
    recorded,
    rows,
    stream,
    table,
    text,
    values,
)

WATCH = Watch(names=("ada muster",), hosts=("labpc7",), users=("amuster",))
MAT, SIDECAR = "ProcessedData/P43.mat", "ProcessedData/P43.json"
FLAT = "ProcessedData/P43/Ideal/LG_0/S_1/Trial_1.h5"
C3D = "SourceData/Vicon/P43/Ideal/P43+Ideal+LG+0+1+1.c3d"
EMG = "SourceData/Noraxon/P43/Ideal-LG-0-1-1.mat"
ECHO = "SourceData/ELONXI/P43/Ideal/LG_0/US_Ch2_S_1_Trial_1.txt"
SESSION = f"raw/P43/{KEY.session}"
PROTOCOL = f"{SESSION}/protocol.yaml"
JOURNAL = f"{SESSION}/journal.jsonl"
TRIAL = "P43/OriginalData/Ideal/LG_0/S_1/Trial_1"
CYCLES = "P43/NormalizedData/Ideal/LG_0/S_1/Trial_1"
STEPS = "steps: [{type: trials, mode: LG_0, speed_mps: 1.0}]\n"
PLANNED = f"protocol: 1\nname: one\ntitle: One trial\n{STEPS}"


# ---- which check sees it -----------------------------------------------------------


def archive(root: Path) -> list[Finding]:
    return check_path(KEY.h5(root), WATCH)


def derived(root: Path) -> list[Finding]:
    return check_path(KEY.derived(root), WATCH)


def modalities(root: Path) -> list[Finding]:
    return [*modality_findings(read_trial(KEY.h5(root)))]


def tree(root: Path) -> list[Finding]:
    return [*tree_findings(root)]


def people(root: Path) -> list[Finding]:
    return [*participant_findings(root)]


def protocol(root: Path) -> list[Finding]:
    return [*protocol_findings(root, "P43")]


def body(root: Path) -> list[Finding]:
    return [*physiology_findings(root / MAT)]


def beside(root: Path) -> list[Finding]:
    return [*sidecar_findings(root / MAT), *stale_findings(root, root / MAT)]


def flat(root: Path) -> list[Finding]:
    return [*flat_findings(root / MAT)]


def sources(root: Path) -> list[Finding]:
    trial = read_trial(KEY.h5(root)), read_derived(KEY.derived(root))
    return [*source_tree_findings(root, "P43"), *source_findings(root, KEY, *trial)]


def private(name: str, raw: bool = False) -> Any:
    return lambda root: [*privacy_findings(root / name, name, WATCH, raw=raw)]


# ---- corruptions that need more than a line ------------------------------------


def mixed(recording: Any) -> Any:
    import dataclasses

    one, other, *rest = (
        dataclasses.replace(s, source_id=f"kinemuse:{s.name}")
        for s in recording.streams
    )
    streams = (one, dataclasses.replace(other, simulated=False), *rest)
    return dataclasses.replace(recording, streams=streams)


def subject_named(one: Any) -> dict[str, Any]:
    import dataclasses

    return {
        "channels": tuple(
            dataclasses.replace(c, label=f"Ada:{c.label}")
            if c.label.endswith(("_X", "_Y", "_Z"))
            else c
            for c in one.channels
        )
    }


def with_protocol(change: str, to: str) -> Any:
    return text(PROTOCOL, lambda _: PLANNED.replace(change, to))


def c3d(change: Any) -> Any:
    def apply(root: Path) -> None:
        file = ezc3d.c3d(str(root / C3D))
        change(file)
        del file["data"]["meta_points"]
        file.write(str(root / C3D))

    return apply


def markers_moved(file: Any) -> None:
    file["data"]["points"][0, 0, 3] += 5.0


def event_moved(file: Any) -> None:
    times = file["parameters"]["EVENT"]["TIMES"]["value"]
    times[1, 0] += 0.1


def number_changed(line: str) -> str:
    first, rest = line.split("\t", 1)
    return f"{int(first) + 1}\t{rest}"


def emg_changed(root: Path) -> None:
    from scipy.io import loadmat, savemat

    told = {k: v for k, v in loadmat(root / EMG).items() if not k.startswith("__")}
    (record,) = told.values()
    signals = record[0, 0]["movements"][0, 0]["sources"][0, 0]["signals"][0, 0]
    signals["signal_1"][0, 0]["data"][7] += 1.0
    savemat(root / EMG, told, long_field_names=True)


def rejected(root: Path) -> None:
    verdict(root, KEY, accepted=False)


def off_the_manifest(root: Path) -> None:
    lines = (root / MANIFEST).read_text().splitlines(keepends=True)
    (root / MANIFEST).write_text("".join(x for x in lines if SIDECAR not in x))


def json_with(**facts: Any) -> Any:
    return text(SIDECAR, lambda told: json.dumps({**json.loads(told), **facts}))


def repeated_frames() -> Any:
    kept: dict[int, Any] = {}

    def change(k: int, frame: Any) -> Any:
        if k == 10:
            kept[0] = frame.copy()
        return kept[0] if 10 <= k <= 14 else frame

    return change


def dead_probe(_: int, frame: Any) -> Any:
    frame[2] = np.random.default_rng(1).normal(0, 1, frame.shape[1])
    return frame


def scaled(factor: float) -> Any:
    return lambda rows_: rows_ * factor


def column(k: int, change: Any) -> Any:
    def apply(samples: Any) -> Any:
        samples[:, k] = change(samples[:, k])
        return samples

    return apply


def in_swing(strides: Any) -> Any:
    strides[150:190, 2] += 2.0
    strides[:60, 2] -= 40 * 2.0 / 60  # the mean stays
    return strides


def clock(name: str, value: Any, place: str = "clock/semg") -> Any:
    return h5(KEY.derived, attribute(place, name, value))


def mat(change: Any) -> Any:
    return h5(lambda root: root / MAT, change)


def both_sides(name: str, change: Any) -> Any:
    def apply(file: Any) -> None:
        for side in "LR":
            cycles(f"{CYCLES}/{name.format(side)}", change)(file)

    return apply


# ---- the table ------------------------------------------------------------

MUTATIONS: list[Mutation] = [
    Mutation("path-missing", lambda _: None, lambda root: check_path(root / "no")),
    *each(
        archive,
        recording_format=cut(KEY.h5, 5000),
        recording_damage=recorded(
            lambda r: type(r)(r.path, r.streams, r.complete, r.attributes, ("a page",))
        ),
        recording_incomplete=recorded(
            lambda r: type(r)(r.path, r.streams, False, r.attributes)
        ),
        recording_empty=recorded(lambda r: type(r)(r.path, (), True, r.attributes)),
        recording_mixed=recorded(mixed),
        recording_overridden=notes(note("start", overridden=["x is missing"])),
        recording_disk=notes(note("disk_short")),
        recording_disk_slow=notes(note("disk_slow")),
        stream_empty=stream("amode", rows(lambda _: slice(0, 0))),
        stream_gap=stream("amode", rows(lambda n: np.r_[0:60, 62:n])),
        stream_repeat=stream("semg", rows(lambda n: np.r_[0:1001, 1000:n])),
        stream_stamps=stream(
            "semg",
            lambda s: {
                "t_lsl": np.where(np.arange(len(s.t_lsl)) == 5, np.nan, s.t_lsl)
            },
        ),
        stream_uncounted=stream("semg", lambda _: {"counter": Counter("none")}),
        stream_offsets=stream("semg", lambda _: {"offsets": np.empty((0, 3))}),
        stream_interrupted=notes(
            note("stream_stalled", stream="semg", silent_s=0.5),
            note("stream_back", 4.0, stream="semg"),
        ),
        stream_restarted=notes(note("stream_restarted", stream="semg")),
        stream_lost=notes(note("stream_lost", stream="semg")),
        stream_late=notes(note("stream_joined", stream="semg")),
        clock_failed=clock("status", "failed"),
        clock_ambiguous=clock("status", "ambiguous"),
        clock_degraded=clock("status", "degraded"),
        clock_residual=clock("residual_median_ms", 9.0),
        clock_drift=clock("skew_ppm", 2000.0),
        clock_reference=clock("reasons", "no rise of the line", "/"),
        archive_attribute=h5(KEY.h5, attribute("/", "facing", None)),
        archive_place=h5(KEY.h5, attribute("/", "take", 2)),
        archive_axis=h5(
            KEY.h5,
            lambda f: (
                f["streams/semg/data"].dims[0].detach_scale(f["streams/semg/t_lsl"])
            ),
        ),
        archive_index=h5(
            KEY.h5, lambda f: f["streams/semg/index"].__setitem__(5, 99.0)
        ),
        archive_recording=lambda root: KEY.xdf(root).write_bytes(b"XDF:else"),
        privacy_subject=stream("vicon-markers", subject_named),
    ),
    Mutation(
        "trial-modality",
        recorded(
            lambda r: type(r)(
                r.path,
                tuple(s for s in r.streams if s.name != "amode"),
                True,
                r.attributes,
            )
        ),
        modalities,
    ),
    *each(
        derived,
        derived_format=cut(KEY.derived, 3000),
        derived_orphan=lambda root: KEY.h5(root).unlink(),
        derived_stale=h5(KEY.h5, attribute("/", "note", "x")),
    ),
    *each(
        tree,
        archive_format=h5(KEY.h5, attribute("/", "simulated", None)),
        dataset_kind=lambda root: [
            path.unlink()
            for path in (root / "dataset.json", root / SESSION / "session.json")
        ],
        dataset_mixed=h5(KEY.h5, attribute("/", "simulated", False)),
        dataset_name=lambda root: (KEY.folder(root) / "Trial_one.xdf").write_bytes(b""),
        dataset_stray=lambda root: (root / "notes.docx").write_bytes(b""),
        dataset_unarchived=lambda root: key(9).xdf(root).write_bytes(b"XDF:"),
        dataset_manifest=lambda root: (root / MANIFEST).unlink(),
        manifest_missing=lambda root: (root / FLAT).unlink(),
        manifest_digest=text(SIDECAR, lambda told: told + " "),
        manifest_unlisted=off_the_manifest,
        trial_unjudged=lambda root: (root / JOURNAL).unlink(),
    ),
    *each(
        protocol,
        protocol_unreadable=with_protocol("protocol: 1", "protocol: 77"),
        protocol_missing=with_protocol("1.0}]", "1.0, repeat: 2}]"),
        protocol_extra=with_protocol(STEPS, "steps: [{type: rest, duration_s: 5}]\n"),
    ),
    *each(
        people,
        participant_table=text("participants.tsv", lambda t: t.replace("P43", "Ada")),
        participant_unlisted=text(
            "participants.tsv", lambda t: t.replace("P43", "P44")
        ),
        participant_range=table(height_mm="176"),
        participant_word=table(sex="yes"),
        participant_sides=table(leg_length_left_mm="700"),
        participant_missing=table(knee_width_left_mm="n/a"),
    ),
    *each(
        body,
        force_body_weight=mat(both_sides("Forces/{}GroundReactionForce", scaled(1.3))),
        force_swing=mat(cycles(f"{CYCLES}/Forces/LGroundReactionForce", in_swing)),
        gait_stance=mat(
            values(f"{TRIAL}/Events/EventTime/Left_Foot_Off", lambda t: t - 0.35)
        ),
        angle_range=mat(cycles(f"{CYCLES}/Angles/LKneeAngles", scaled(-1.0))),
        moment_range=mat(cycles(f"{CYCLES}/Moments/LKneeMoment", scaled(1000.0))),
        power_range=mat(cycles(f"{CYCLES}/Powers/LKneePower", scaled(1000.0))),
        emg_flat=mat(values(f"{TRIAL}/EMGData", column(2, scaled(0.0)))),
        emg_clipped=mat(
            values(f"{TRIAL}/EMGData", column(2, lambda x: np.clip(5 * x, -200, 200)))
        ),
        emg_mains=mat(
            values(
                f"{TRIAL}/EMGData",
                column(2, lambda x: x + 400 * np.sin(np.arange(x.size) * np.pi / 20)),
            )
        ),
        us_dead=mat(frames(f"{TRIAL}/USData", dead_probe)),
        us_frozen=mat(frames(f"{TRIAL}/USData", repeated_frames())),
    ),
    *each(
        beside,
        subject_sidecar=text(SIDECAR, lambda _: "no JSON"),
        subject_kind=json_with(simulated="perhaps"),
        subject_stale=h5(KEY.h5, attribute("/", "note", "x")),
    ),
    *each(
        flat,
        trial_h5_format=cut(lambda root: root / FLAT, 2000),
        trial_h5_missing=lambda root: (root / FLAT).unlink(),
        trial_h5_stray=lambda root: shutil.copy(
            root / FLAT, (root / FLAT).with_name("Trial_9.h5")
        ),
        trial_h5_differs=h5(
            lambda root: root / FLAT, lambda f: f["emg"].__setitem__((5, 3), 777.0)
        ),
    ),
    *each(
        sources,
        source_missing=lambda root: (root / ECHO).unlink(),
        source_stray=lambda root: (root / EMG).with_name("Ideal-LG-0-1-9.mat").touch(),
        source_format=lambda root: (root / C3D).write_bytes(b"no C3D"),
        source_c3d_differs=c3d(markers_moved),
        source_events_differ=c3d(event_moved),
        source_emg_differs=emg_changed,
        source_us_differs=text(ECHO, number_changed),
    ),
    *each(
        private(SIDECAR),
        privacy_name=json_with(remark="as Ada Muster said"),
        privacy_birth_date=json_with(date_of_birth="1999-01-02"),
        privacy_contact=json_with(remark="ask ada@example.org"),
        privacy_date=json_with(remark="on 2026-11-22"),
        privacy_host=json_with(remark="written on LABPC7"),
        privacy_user=json_with(remark="by amuster"),
        privacy_path=json_with(remark=r"C:\Users\x\trial.c3d"),
    ),
    Mutation(
        "privacy-raw",
        text(f"{SESSION}/rig.yaml", lambda t: t + "\ncomputer: vicon-pc\n"),
        private(f"{SESSION}/rig.yaml", raw=True),
    ),
]
