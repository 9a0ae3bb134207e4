"""Runs the monitor over live streams on a thread of its own, twice a second."""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from acquire.live import LiveStreams
from acquire.quality.metric import WALKING_MPS, Window
from acquire.quality.monitor import Monitor, StreamVerdict
from acquire.repeating import Repeating

logger = logging.getLogger("kinemuse.acquire.quality")

PERIOD_S = 0.5
WINDOW_S = 10.0
BELT_ROWS = 1024  #: of the treadmill's status; more than a window at any rate


def live_window(
    live: LiveStreams, name: str, context: Mapping[str, float]
) -> tuple[str, Window] | None:
    """Return the type and the last ten seconds of a stream; None before it is seen."""
    facts, rows = live.facts(name), live.latest(name, WINDOW_S)
    stats = live.stats().get(name)
    if facts is None or rows is None or stats is None:
        return None
    trigger = facts.trigger.channel if facts.trigger else ""
    helpers = frozenset({facts.counter.channel, trigger} - {""})
    window = Window(
        stream=name,
        rate_hz=facts.rate_hz,
        labels=facts.labels,
        samples=rows.samples,
        stamps=rows.stamps,
        stats=stats,
        counter=facts.counter.channel,
        counter_modulus=facts.counter.modulus,
        helpers=helpers,
        context=context,
    )
    return facts.type, window


def belt_context(live: LiveStreams) -> dict[str, float]:
    """Belt speed, and how long it has been above walking speed, from the treadmill."""
    facts, rows = live.facts("treadmill"), live.latest("treadmill", BELT_ROWS)
    if facts is None or rows is None or not len(rows.stamps):
        return {}
    columns = [
        column
        for column, label in enumerate(facts.labels)
        if label.endswith("_mps") and "accel" not in label and "_set_" not in label
    ]
    if not columns:
        return {}
    speed_mps = np.nan_to_num(np.abs(rows.samples[:, columns])).max(axis=1)
    slow = np.flatnonzero(speed_mps <= WALKING_MPS)
    since_s = rows.stamps[slow[-1]] if slow.size else -np.inf
    return {
        "belt_mps": float(speed_mps[-1]),
        "walking_s": float(rows.stamps[-1] - since_s),
    }


class QualityService:
    """Keeps the newest verdicts; a slow evaluation skips turns, it never queues."""

    def __init__(
        self,
        live: LiveStreams,
        monitor: Monitor,
        *,
        context: Callable[[], Mapping[str, float]] = dict,
        publish: Callable[[Mapping[str, StreamVerdict]], None] | None = None,
        period_s: float = PERIOD_S,
    ) -> None:
        self._live, self._monitor = live, monitor
        self._context, self._publish = context, publish
        self._verdicts: Mapping[str, StreamVerdict] = MappingProxyType({})
        failed = "quality could not be evaluated"
        self._evaluating = Repeating(
            "quality", self._turn, lambda: period_s, failed, logger
        )

    @property
    def verdicts(self) -> Mapping[str, StreamVerdict]:
        """Newest verdict of every stream."""
        return self._verdicts

    def start(self) -> "QualityService":
        """Begin to evaluate."""
        self._evaluating.start()
        return self

    def close(self) -> None:
        """Stop; waits for an evaluation under way."""
        self._evaluating.close()

    def evaluate(self) -> Mapping[str, StreamVerdict]:
        """Judge every stream once."""
        context = {**belt_context(self._live), **self._context()}
        windows = [
            window
            for name in self._live.names()
            if (window := live_window(self._live, name, context)) is not None
        ]
        verdicts = self._monitor.evaluate(windows)
        self._verdicts = MappingProxyType({each.stream: each for each in verdicts})
        return self._verdicts

    def _turn(self) -> None:
        verdicts = self.evaluate()
        if self._publish is not None:
            self._publish(verdicts)
