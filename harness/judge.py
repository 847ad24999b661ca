"""Judge: the scores of both models and a margin -> verdict. Pure; in words: docs/statistics.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness import statistics

if TYPE_CHECKING:
    from harness.metrics import Scores
    from harness.statistics import Floats

Label = Literal["error", "missing", "incomparable", "worse", "inconclusive", "held", "better", "identical", "recorded"]
# A check is as good as its worst metric; what is only recorded has nothing to be worse than.
WORST_FIRST: tuple[Label, ...] = (
    "error", "missing", "incomparable", "worse", "inconclusive", "held", "better", "identical", "recorded",
)  # fmt: skip
PASSING: frozenset[Label] = frozenset(("held", "better", "identical", "recorded"))

CONFIDENCE = 0.95  # that a candidate which passes is no worse than the margin (one-sided)
ALARM = 0.9975  # that a candidate which is called worse is worse (one-sided)
SKILL_SHARE = 0.02  # of the skill above a dummy: the default margin, where rows and seeds can resolve it
ROUNDING = 1e-7  # of the skill: a smaller difference is none


@dataclass(frozen=True)
class Yardstick:
    """What a baseline knows of one metric beside its score, measured when it was recorded and fixed there.

    Parameters
    ----------
    dummy : float
        What the learner that looks at no feature scores in the same folds.
    noise : float
        Standard deviation of a single run; of learners without randomness: what leaving out 5% of the training rows
        does. In the metric's unit, 0 where it was not measured (one seed).
    dof : float
        Degrees of freedom of `noise`.
    runs : int or None
        With how many seeds the baseline was averaged; None: the learner draws no random numbers.
    floor : float
        The noise floor: the smallest margin that these rows and seeds can resolve.
    """

    dummy: float
    noise: float
    dof: float
    runs: int | None
    floor: float

    def noise_between(self, runs: int) -> float:
        """Give the standard deviation that chance alone puts between the baseline and a candidate of `runs` seeds."""
        return self.noise if self.runs is None else self.noise * sqrt(1 / self.runs + 1 / runs)

    def default_margin(self, score: float) -> float:
        """Give the margin where the owner names none."""
        return max(SKILL_SHARE * (score - self.dummy), self.floor)


@dataclass(frozen=True)
class MetricVerdict:
    """The verdict of one metric, on all rows or on one slice; numbers are in the metric's unit, None where missing.

    Parameters
    ----------
    low, high : float
        The bounds that decide: 95% sure that the candidate is above the first, 99.75% sure that it is below the second.
    resolution : float
        The smallest loss that this comparison can tell from none.
    folds : tuple of (float, float)
        Baseline's and candidate's score in each split.
    reason : str
        Why, where the numbers do not say it.
    """

    metric: str
    verdict: Label
    slice: str | None = None
    baseline: float | None = None
    candidate: float | None = None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    resolution: float | None = None
    dummy: float | None = None
    folds: tuple[tuple[float, float], ...] = ()
    reason: str = ""

    @property
    def decides(self) -> bool:
        """Whether the check's verdict depends on it: a slice only ever raises an alarm."""
        return self.slice is None or self.verdict == "worse"

    @property
    def label(self) -> str:
        """The metric's name, and the slice it is of."""
        return self.metric if self.slice is None else f"{self.metric} [{self.slice}]"


@dataclass(frozen=True)
class Verdict:
    """The verdict of one check: what the test returns, fails on, and every report shows.

    Parameters
    ----------
    message : str
        One line that stands alone.
    advice : str
        What to do next; may be empty, may have several lines.
    seconds : float
        Wall time from the data to the verdict.
    """

    name: str
    nodeid: str
    verdict: Label
    passed: bool
    message: str
    advice: str = ""
    metrics: tuple[MetricVerdict, ...] = ()
    data_path: str = ""
    data_md5: str = ""
    rows: int = 0
    fits: int = 0
    seconds: float = 0.0
    accepted: str | None = None


def measure(scores: Scores, replicates: Scores | None, dummy: float) -> Yardstick:
    """Measure a baseline: its seed noise and its noise floor.

    Parameters
    ----------
    scores : Scores
        The baseline's, over all its seeds; a learner without randomness has one.
    replicates : Scores or None
        Of a learner without randomness: refits that lacked 5% of the training rows (an A/A test of what a harmless
        change does). None: the learner is random, and its seeds are the replicates.
    dummy : float
        The dummy's score.

    Returns
    -------
    Yardstick
        With zero noise and floor where there is a single seed and no replicate: not measured.
    """
    psi = (replicates or scores).independent
    runs = len(scores.psi) if replicates is None else None
    if len(psi) < 2:
        return Yardstick(dummy, 0.0, inf, runs, 0.0)
    noise = statistics.seed_noise((replicates or scores).splits, scores.weights)
    s, dof, bias = noise.s, noise.dof, 0.0
    if replicates is not None:
        changes = replicates.psi.mean(axis=1) - scores.score
        bias = max(0.0, -float(changes.mean()))
        spread = float(np.sqrt(np.mean(changes**2)))
        if spread > s:
            s, dof = spread, float(len(changes))
    floor = statistics.noise_floor(psi, s, dof, zero_one=scores.kind == "zero_one" and scores.units is None, bias=bias)
    return Yardstick(dummy, s, dof, runs, floor)


def identical(
    metric: str, score: float, folds: Sequence[float], yardstick: Yardstick, margin: float | None
) -> MetricVerdict:
    """Give the verdict where all predictions agree to rounding, seed for seed: no test is run.

    What the baseline scores over all its seeds, the candidate scores too, for it is the same model.
    """
    return MetricVerdict(
        metric,
        "identical",
        baseline=score,
        candidate=score,
        delta=0.0,
        low=0.0,
        high=0.0,
        margin=yardstick.default_margin(score) if margin is None else margin,
        dummy=yardstick.dummy,
        folds=tuple((fold, fold) for fold in folds),
    )


def judge_metric(
    metric: str, baseline: Scores, candidate: Scores, yardstick: Yardstick, margin: float | None
) -> MetricVerdict:
    """Judge one metric on all rows.

    Parameters
    ----------
    metric : str
        Its name.
    baseline, candidate : Scores
        Of the same rows in the same folds, under the same definition.
    yardstick : Yardstick
        The baseline's.
    margin : float or None
        The harmless loss that the owner named; None: the default.

    Returns
    -------
    MetricVerdict
        better if L > 0; held if L > -margin; worse if U < 0 and not held; else inconclusive; with
        L = delta - h(.95) and U = delta + h(.9975). What does not beat the dummy is never held.

    References
    ----------
    .. [1] Bayle, Bayle, Janson, Mackey, "Cross-validation confidence intervals for test error", NeurIPS 2020.
    """
    margin = yardstick.default_margin(baseline.score) if margin is None else margin
    low, high, resolution = _interval(candidate, yardstick, *_difference(baseline, candidate, yardstick))
    delta = candidate.score - baseline.score
    label: Label
    reason = ""
    if low > 0:
        label = "better"
    elif low > -margin and candidate.score > yardstick.dummy:
        label = "held"
    elif high < 0:
        label = "worse"
    else:
        label = "inconclusive"
    if candidate.score <= yardstick.dummy:
        reason = "it is no better than a dummy that looks at no feature"
    return MetricVerdict(
        metric,
        label,
        baseline=baseline.score,
        candidate=candidate.score,
        delta=delta,
        low=low,
        high=high,
        margin=margin,
        resolution=resolution,
        dummy=yardstick.dummy,
        folds=tuple(zip(baseline.folds.tolist(), candidate.folds.tolist(), strict=True)),
        reason=reason,
    )


def judge_slices(
    slices: Sequence[tuple[str, Scores, Scores]], whole: MetricVerdict, yardstick: Yardstick, rows: int
) -> tuple[tuple[MetricVerdict, float], ...]:
    """Hold one metric's slices against the margin of the whole; `raise_alarms` has the last word.

    Parameters
    ----------
    slices : sequence of (name, baseline's Scores, candidate's Scores)
        On the rows of the slice.
    whole : MetricVerdict
        The metric on all rows.
    yardstick : Yardstick
        The metric's; the seed noise of a slice is taken to grow as that of fewer independent rows does.
    rows : int
        How many rows the whole has.

    Returns
    -------
    tuple of (MetricVerdict, float)
        Each with the p-value of a loss.
    """
    found = []
    for name, baseline, candidate in slices:
        scale = sqrt(rows / candidate.psi.shape[1])
        own = replace(yardstick, noise=yardstick.noise * scale)
        difference, delta, se, noise = _difference(baseline, candidate, own)
        low, high, resolution = _interval(candidate, own, difference, delta, se, noise)
        assert whole.margin is not None
        label: Label = "better" if low > 0 else "held" if low > -whole.margin else "inconclusive"
        folds = tuple(zip(baseline.folds.tolist(), candidate.folds.tolist(), strict=True))
        verdict = MetricVerdict(
            whole.metric,
            label,
            name,
            baseline=baseline.score,
            candidate=candidate.score,
            delta=delta,
            low=low,
            high=high,
            margin=whole.margin,
            resolution=resolution,
            folds=folds,
        )
        found.append((verdict, statistics.loss_p_value(delta, se, noise, own.dof)))
    return tuple(found)


def raise_alarms(slices: Sequence[tuple[MetricVerdict, float]]) -> tuple[MetricVerdict, ...]:
    """Call the slices worse whose loss is sure, the more there are the surer, and may exceed the margin.

    References
    ----------
    .. [1] Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979) 65.
    """
    if not slices:
        return ()
    adjusted = statistics.holm([p for _, p in slices])
    return tuple(
        replace(verdict, verdict="worse") if verdict.verdict == "inconclusive" and p < 1 - ALARM else verdict
        for (verdict, _), p in zip(slices, adjusted, strict=True)
    )


def worst(labels: Sequence[Label]) -> Label:
    """Give the label that decides for the check."""
    return min(labels, key=WORST_FIRST.index)


def _interval(
    candidate: Scores, yardstick: Yardstick, difference: Floats, delta: float, se: float, noise: float
) -> tuple[float, float, float]:
    """Give L, U and the resolution, of what `_difference` gives."""
    rows = len(difference)
    resolution = statistics.resolution(se, noise, yardstick.dof)
    if candidate.kind == "zero_one" and noise == 0 and np.isin(difference, (-1, 0, 1)).all():
        won, lost = int((difference > 0).sum()), int((difference < 0).sum())
        if won + lost == 0:
            bound = statistics.unchanged_bound
            return -bound(rows, CONFIDENCE), bound(rows, ALARM), resolution
        low, _ = statistics.tango_interval(won, lost, rows, 2 * CONFIDENCE - 1)
        _, high = statistics.tango_interval(won, lost, rows, 2 * ALARM - 1)
        return low, high, resolution
    low = delta - statistics.half_width(CONFIDENCE, se, noise, yardstick.dof)
    high = delta + statistics.half_width(ALARM, se, noise, yardstick.dof)
    return low, high, resolution


def _difference(baseline: Scores, candidate: Scores, yardstick: Yardstick) -> tuple[Floats, float, float, float]:
    """Give the difference unit by unit, its mean, its standard error over units, and the noise of the seeds."""
    difference: Floats = candidate.independent.mean(axis=0) - baseline.independent.mean(axis=0)
    delta, skill = candidate.score - baseline.score, abs(baseline.score - yardstick.dummy)
    if abs(delta) <= ROUNDING * skill:
        delta = 0.0
    se = max(statistics.standard_error(difference), candidate.grain)
    if se <= ROUNDING * abs(delta):  # every row moved by the same, and that is no certainty
        se = abs(delta) or skill / len(difference)  # so its own size has to do, or one row's worth
    return difference, delta, se, yardstick.noise_between(len(candidate.psi))
