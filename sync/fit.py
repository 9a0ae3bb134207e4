"""Fit a device's clock to the reference by the edges both have seen."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sync.acquisition import acquire_offset
from sync.clock_fit import ClockFit, Run, Status, Step, worst
from sync.edges import Edges
from sync.matching import (
    Chain,
    ambiguity,
    first_lost,
    last_before_jump,
    longest_outage,
    match_edges,
    pair_in_order,
)
from sync.runs import (
    blurred_at_begin,
    blurred_at_end,
    fit_runs,
    step_between,
)
from sync.skews import with_shared_skew

Array = NDArray[np.float64]
_AMBIGUOUS = 0.6
_FEWEST = 0.5  #: share of the edges that must match where the offset jumps
_GOES_ON = 0.6  #: share of later edges that match where a poor stretch was chance
_MOST_PPM, _SURELY_PPM = 303.0, 250.0
_DEGRADED_MISSED, _FAILED_MISSED = 0.12, 0.45
_FAILED_SHARE = 0.35
_DEGRADED_EXTRA, _FAILED_EXTRA = 0.12, 0.40


def fit_clock(
    device: Edges,
    reference: Edges,
    *,
    rate_hz: float,
    prior_offset_s: float | Sequence[float | None] | None = None,
    prior_half_width_s: float = 0.25,
    breaks: Sequence[float] = (),
    losses: Sequence[float] = (),
) -> ClockFit:
    """Return the clock of a device from its edges and those of the reference.

    `device.index` counts samples at nominally `rate_hz`; `reference.index` is in
    seconds. `breaks` are device indices at which the clock may have been reset;
    segments lie between them. `prior_offset_s`, one for all or one per segment, says
    t_ref ≈ index / rate_hz + prior within ± `prior_half_width_s` at the segment's
    first edge; without it the whole trains are searched. `losses` are those of the
    breaks at which the clock ran on and only samples went missing: the segments on
    either side share one skew. The skew is taken to be within ± 300 ppm. Steps that no
    break announces are found, and make runs of their own.
    """
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise ValueError(f"rate_hz must be positive, not {rate_hz}")
    seen, known = device.cleaned(), reference.cleaned()
    borders = [-np.inf, *sorted(float(b) for b in breaks), np.inf]
    priors = _priors(prior_offset_s, len(borders) - 1)
    if len(known) == 0 or len(seen) == 0:
        whose = "device" if len(known) else "reference"
        return ClockFit(
            rate_hz,
            "failed",
            (f"the {whose} has no edges",),
            n_device=len(seen),
            n_reference=len(known),
        )
    nominal = Edges(seen.index / rate_hz, seen.rising, seen.half_width / rate_hz)
    results = []
    for first, last, prior in zip(borders[:-1], borders[1:], priors, strict=True):
        inside = (seen.index >= first) & (seen.index < last)
        results.append(
            _Segment(nominal.select(inside), known, rate_hz, first, last).fit(
                prior, prior_half_width_s
            )
        )
    fit = _join(results, rate_hz, len(seen), len(known))
    return replace(fit, runs=tuple(with_shared_skew(fit.runs, losses)))


class _Segment:
    """The fit of one segment: match, split at steps, fit, judge."""

    def __init__(
        self, device: Edges, reference: Edges, rate_hz: float, first: float, last: float
    ) -> None:
        self._device, self._reference = device, reference
        self._rate_hz, self._first, self._last = rate_hz, first, last
        self.runs: list[Run] = []
        self.steps: list[Step] = []
        self.status: Status = "ok"
        self.reasons: list[str] = []
        self.ambiguity = 0.0

    @property
    def where(self) -> str:
        if np.isinf(self._first) and np.isinf(self._last):
            return ""
        return f" (samples {self._first:.0f} to {self._last:.0f})"

    def fit(self, prior: float | None, half_width: float) -> "_Segment":
        if len(self._device) == 0:
            return self._fail("failed", "no edges")
        at = float(self._device.index[0])
        searched = prior is None
        if prior is None:
            prior, at, half_width = acquire_offset(self._device, self._reference)
            half_width += 0.05
        inside = (prior, half_width, at)
        whole = pair_in_order(self._device, self._reference, *inside)
        chain = whole or match_edges(self._device, self._reference, *inside)
        if len(chain) == 0:
            return self._fail("failed", "no edge of the device has a partner")
        reach = 2.0 * half_width if not searched else np.inf
        self.ambiguity = ambiguity(self._device, self._reference, chain, reach)
        if self.ambiguity > _AMBIGUOUS and len(chain) > 1:
            return self._fail(
                "ambiguous",
                f"another offset pairs {self.ambiguity:.0%} as many edges",
            )
        lost = None if whole else first_lost(len(self._device), chain)
        if lost is not None and len(self._reference) > len(chain):
            behind = len(self._device) - lost
            n_matched = int(np.count_nonzero(chain.device >= lost))
            if n_matched < _GOES_ON * behind or lost == 0:
                return self._fit_parts(chain, lost)
        self._fit_chain(chain, complete=whole is not None)
        return self

    def _fit_parts(self, chain: Chain, lost: int) -> "_Segment":
        """Keep the pairs before edge `lost`; search for the rest from scratch."""
        pairs = int(np.searchsorted(chain.device, lost))
        if pairs == 0:
            return self._fail("failed", "the edges do not match the reference's")
        pairs = last_before_jump(self._device, self._reference, chain, pairs)
        lost = int(chain.device[pairs - 1]) + 1
        x, rows = self._device.index, np.arange(len(self._device))
        border = float(0.5 * (x[lost - 1] + x[lost])) * self._rate_hz
        seen = int(chain.reference[pairs - 1]) + 1
        later = self._reference.select(np.arange(seen, len(self._reference)))
        head = _Segment(
            self._device.select(rows[:lost]),
            self._reference,
            self._rate_hz,
            self._first,
            border,
        )
        head._fit_chain(
            Chain(chain.device[:pairs], chain.reference[:pairs]), complete=False
        )
        tail = _Segment(
            self._device.select(rows[lost:]), later, self._rate_hz, border, self._last
        )
        if len(later):
            tail.fit(None, 0.0)
        if tail.runs and head.runs:
            last, first = head.runs[-1], tail.runs[0]
            between = step_between(last, first, x[[lost - 1, lost]], self._rate_hz)
            head.runs[-1] = blurred_at_end(last, between)
            tail.runs[0] = blurred_at_begin(first, between)
            self.steps = [*head.steps, between, *tail.steps]
        self.runs = [*head.runs, *tail.runs]
        self.ambiguity = max(self.ambiguity, tail.ambiguity)
        self.status = worst(head.status, "degraded")
        self.reasons = [
            f"edges behind sample {border:.0f} follow another offset",
            *head.reasons,
            *tail.reasons,
        ]
        if sum(run.n_matched for run in self.runs) < _FEWEST * len(self._device):
            return self._fail("failed", "the edges do not match the reference's")
        return self

    def _fit_chain(self, chain: Chain, *, complete: bool) -> None:
        runs = fit_runs(
            self._device, self._reference, chain, self._rate_hz, complete=complete
        )
        self.runs = runs.placed(self._first, self._last)
        self.steps = runs.steps
        for step in self.steps:
            self._note(
                "degraded",
                f"the clock steps by {step.size_s * 1e3:+.2f} ms between samples "
                f"{step.after:.0f} and {step.before:.0f}",
            )
        if runs.inflated_s > 0.1 * float(np.median(self._device.half_width)):
            self._note(
                "degraded",
                "edges scatter more than their half-widths allow: widened by "
                f"{runs.inflated_s * 1e3:.3f} ms",
            )
        self._judge(chain)

    def _judge(self, chain: Chain) -> None:
        n_matched = sum(run.n_matched for run in self.runs)
        n_extra = sum(run.n_extra for run in self.runs)
        n_away = longest_outage(chain)
        n_missed = max(0, sum(run.n_missed for run in self.runs) - n_away)
        due = n_matched + n_missed
        shared = self._n_shared(chain)
        if n_matched < _FAILED_SHARE * shared:
            self._fail("failed", f"only {n_matched} of {shared} edges match")
            return
        if n_away:
            self._note("degraded", f"{n_away} edges in a row are missing")
        if n_missed > _FAILED_MISSED * due + 2 or n_extra > _FAILED_EXTRA * due + 2:
            self._fail(
                "failed",
                f"only {n_matched} of {due} edges match, {n_extra} match nothing",
            )
            return
        if n_missed > _DEGRADED_MISSED * due:
            self._note("degraded", f"{n_missed} of {due} edges are missing")
        if n_extra > _DEGRADED_EXTRA * due:
            self._note("degraded", f"{n_extra} edges match nothing")
        if n_matched == 1:
            self._note("degraded", "a single edge: the skew is unknown")
        if all(_at_limit(run) for run in self.runs):
            self._note("degraded", "the skew is at the limit of 300 ppm")

    def _n_shared(self, chain: Chain) -> int:
        """Edges that both should have seen, by the span that both have edges in."""
        device, seen = self._device.index, self._reference.index
        offset = np.median(seen[chain.reference] - device[chain.device])
        first = max(device[0] + offset, seen[0]) - 0.1
        last = min(device[-1] + offset, seen[-1]) + 0.1
        n_device = np.count_nonzero(
            (device + offset >= first) & (device + offset <= last)
        )
        n_seen = np.count_nonzero((seen >= first) & (seen <= last))
        return int(min(n_device, n_seen))

    def _note(self, status: Status, reason: str) -> None:
        self.status = worst(self.status, status)
        self.reasons.append(reason + self.where)

    def _fail(self, status: Status, reason: str) -> "_Segment":
        self.reasons = []
        self._note(status, reason)
        self.runs, self.steps = [], []
        return self


def _at_limit(run: Run) -> bool:
    """Whether the skew is as large as is thought possible, and not just uncertain."""
    least_ppm = abs(run.skew_ppm) - run.skew_half_width_ppm
    return abs(run.skew_ppm) > _MOST_PPM and least_ppm > _SURELY_PPM


def _priors(
    prior: float | Sequence[float | None] | None, n_segments: int
) -> list[float | None]:
    if prior is None or isinstance(prior, int | float | np.floating):
        value = None if prior is None or not np.isfinite(prior) else float(prior)
        return [value] * n_segments
    given = list(prior)
    if len(given) != n_segments:
        raise ValueError(
            f"{n_segments} segments between the breaks, but {len(given)} priors"
        )
    return [None if p is None or not np.isfinite(p) else float(p) for p in given]


def _join(
    parts: list[_Segment], rate_hz: float, n_device: int, n_reference: int
) -> ClockFit:
    runs = tuple(run for part in parts for run in part.runs)
    reasons = tuple(reason for part in parts for reason in part.reasons)
    status = worst(*(part.status for part in parts))
    if runs and status in ("failed", "ambiguous"):
        status = "degraded"  # some segments do have a clock
    return ClockFit(
        rate_hz,
        status,
        reasons,
        runs=runs,
        steps=tuple(step for part in parts for step in part.steps),
        ambiguity=max(part.ambiguity for part in parts),
        n_device=n_device,
        n_reference=n_reference,
    )
