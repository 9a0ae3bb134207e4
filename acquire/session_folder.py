"""The folder of a session: a new one, or that of a session that was cut off."""

import datetime as dt
import json
from pathlib import Path

from acquire.rig import RigConfig
from acquire.session_plan import SessionError, SessionPlan
from acquire.storage.journal import read_journal
from acquire.storage.layout import TrialKey, next_session, session_folder
from protocols.replay import TAKE_KEYS, replay
from protocols.states import State


class SessionFolder:
    """Names a session's folder and writes the files it begins with.

    A session of this participant that was cut off in the same protocol goes on in its
    own folder, with the rig of today; so does one that was aborted or failed, if the
    plan wants it.
    """

    def __init__(self, plan: SessionPlan, protocol_name: str) -> None:
        self._plan, self._protocol_name = plan, protocol_name
        interrupted = interrupted_session(
            plan.dataset,
            plan.participant,
            plan.protocol_text,
            although_ended=plan.resume,
        )
        if plan.resume and interrupted is None:
            raise SessionError(
                f"there is no session of {plan.participant} in this protocol, with "
                "these values, that could go on"
            )
        self.resumes = interrupted is not None
        today = dt.datetime.now(tz=dt.UTC).astimezone().date()
        self.name = interrupted or next_session(plan.dataset, plan.participant, today)
        self.path = session_folder(plan.dataset, plan.participant, self.name)

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def rig_file(self) -> Path:
        return self.path / "rig.yaml"

    def write(self) -> None:
        """Make a new session's folder; renew the rig of one that goes on."""
        rig = self._plan.rig
        if self.resumes:
            self._renew_rig_file(rig)
            return
        self.path.mkdir(parents=True)
        facts = {
            "participant": self._plan.participant,
            "session": self.name,
            "protocol": self._protocol_name,
            "rig": rig.name,
            "simulated": rig.simulated,
        }
        for name, text in (
            ("session.json", json.dumps(facts, indent=1)),
            ("rig.yaml", rig.to_yaml()),
            ("protocol.yaml", self._plan.protocol_text),
        ):
            (self.path / name).write_text(text, encoding="utf-8")

    def _renew_rig_file(self, rig: RigConfig) -> None:
        """Have the devices use the rig of today; keep the interrupted run's beside."""
        current, text = self.rig_file, rig.to_yaml()
        if current.read_text(encoding="utf-8") == text:
            return
        n_kept = len(list(self.path.glob("rig_before_resume_*.yaml")))
        current.rename(self.path / f"rig_before_resume_{n_kept + 1}.yaml")
        current.write_text(text, encoding="utf-8")


def interrupted_session(
    dataset: Path,
    participant: str,
    protocol_text: str,
    *,
    although_ended: bool = False,
) -> str | None:
    """Name the participant's newest session if it was cut off in this protocol.

    A session that ended, well or badly, has said so in its journal; `although_ended`
    takes one that did not finish all the same.
    """
    folders = list((dataset / "raw" / participant).glob("*_*"))
    if not folders:
        return None
    newest = max(folders, key=lambda folder: _order(folder.name))
    protocol, journal = newest / "protocol.yaml", newest / "journal.jsonl"
    if not protocol.is_file() or protocol.read_text("utf-8") != protocol_text:
        return None
    ended = None
    lines = read_journal(journal)
    for line in lines:  # what trails behind the end changes nothing
        if line.get("event") in ("session_start", "session_resume"):
            ended = False
        elif line.get("event") == "session_end":
            ended = True
    finished = replay(lines).state is State.FINISHED
    goes_on = ended is False or (although_ended and ended is True and not finished)
    return newest.name if goes_on else None


def verified_takes(journal: Path) -> dict[TrialKey, str]:
    """Return the takes that were recorded to their end, and how people faced in each.

    A session that was cut off may have recorded takes that it had no time to archive.
    """
    facing: dict[TrialKey, str] = {}
    found: dict[TrialKey, str] = {}
    for line in read_journal(journal):
        if line.get("event") not in ("trial_armed", "trial_done"):
            continue
        key = TrialKey(**{name: line[name] for name in TAKE_KEYS})
        if line["event"] == "trial_armed":
            facing[key] = str(line.get("facing", "forward"))
        elif line.get("state") == "verified":
            found[key] = facing.get(key, "forward")
    return found


def _order(session: str) -> tuple[str, int]:
    day, _, number = session.partition("_")
    return day, int(number) if number.isdigit() else 0
