"""Stands in for operator and participant in the virtual lab."""

from collections import Counter

from devices.sim.lab import LabClient
from protocols.runner import Runner
from protocols.states import Question, Snapshot, State

MOST_REPEATS = 2  #: so often a failing trial is tried again
TIRING_PER_SQUAT = 0.004  #: how much of the simulated person's fatigue a squat adds


class Participant:
    """The simulated person does what the operator is asked to see to."""

    def __init__(self, lab_address: str | None) -> None:
        self._lab = LabClient(lab_address) if lab_address else None
        self._fatigue = 0.0

    def follow(self, snapshot: Snapshot) -> None:
        """Turn round where the run wants another facing."""
        turns = snapshot.state is State.CONFIRMING_FACING
        if self._lab and snapshot.trial and turns:
            reversed_facing = snapshot.trial.reversed_facing
            self._lab.append("facing", {"reversed": reversed_facing})

    def tire(self, n_squats: float) -> None:
        """Do squats: the muscles' spectra fall."""
        self._fatigue = min(1.0, self._fatigue + TIRING_PER_SQUAT * n_squats)
        if self._lab:
            self._lab.append("fatigue", {"level": self._fatigue})

    def close(self) -> None:
        if self._lab:
            self._lab.close()


class Autopilot:
    """Gives every question the answer that goes on."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._repeats: Counter[str] = Counter()

    def answer(self, question: Question) -> None:
        """Answer; a trial that was repeated often enough is rejected."""
        answer = question.default
        if answer == "repeat":
            trial = self._runner.snapshot().trial
            name = trial.name if trial else ""
            self._repeats[name] += 1
            if self._repeats[name] > MOST_REPEATS:
                answer = "reject"
        self._runner.answer(question.id, answer)
