"""Judge: the scores of both models and a margin -> verdict. Pure; in words: docs/statistics.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot, inf, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from pytest_model_check.judgement import statistics
from pytest_model_check.judgement.verdicts import MetricVerdict

if TYPE_CHECKING:
    from pytest_model_check.judgement.scores import Scores
    from pytest_model_check.judgement.statistics import Floats
from pytest_model_check.judgement.noise import NoiseReference

CONFIDENCE = 0.95  # that a candidate which passes is no worse than the margin (one-sided)
ALARM = 0.9975  # that a candidate which is called worse is worse (one-sided)
ROUNDING = 1e-7  # of the skill: a smaller difference is none


def identical(
    metric: str, score: float, folds: Sequence[float], noise_reference: NoiseReference, margin: float | None
) -> MetricVerdict:
    """Return the verdict where all predictions agree to rounding, seed for seed: no test is run.

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
        margin=noise_reference.margin(score, margin),
        dummy=noise_reference.dummy,
        folds=tuple((fold, fold) for fold in folds),
    )


def classify(
    low: float, high: float, margin: float, *, beats_dummy: bool = True, lost_margin: bool = False
) -> Literal["better", "held", "worse", "inconclusive"]:
    """Classify a difference by its bounds: the one place where better, held and worse are told apart.

    Parameters
    ----------
    low, high : float
        `CONFIDENCE` that the difference is above the first, `ALARM` that it is below the second.
    margin : float
        The harmless loss.
    beats_dummy : bool
        Whether the candidate has any skill: what has none is never held.
    lost_margin : bool
        Whether a loss of the whole margin counts as one, however wide the interval.
    """
    if low > 0:
        return "better"
    if lost_margin:
        return "worse"
    if low > -margin and beats_dummy:
        return "held"
    return "worse" if high < 0 else "inconclusive"


@dataclass(frozen=True)
class Difference:
    """How far a candidate is from what it is held against, and how sure that is; no margin has been looked at yet.

    Parameters
    ----------
    delta : float
        Candidate less baseline, in the metric's unit, as everything here.
    se, rows_dof : float
        Standard error over rows, and its degrees of freedom.
    noise, dof : float
        Standard deviation that seeds put between the two beyond what rows show, and its degrees of freedom.
    discordant_pairs : tuple of (int, int, int) or None
        Of two single 0/1 runs whose noise was not measured: rows won, rows lost, all rows. They have an interval of
        their own.
    """

    delta: float
    se: float
    rows_dof: float
    noise: float
    dof: float
    discordant_pairs: tuple[int, int, int] | None = None

    def half_width(self, level: float) -> float:
        """Return the one-sided half-width of the interval, where it has one for both sides."""
        return statistics.half_width(level, self.se, self.noise, self.dof, rows_dof=self.rows_dof)

    def bounds(self, alpha_fraction: float = 1.0) -> tuple[float, float]:
        """Return L and U, of a look that may spend so much of the chance to err."""
        return self._lower(1 - alpha_fraction * (1 - CONFIDENCE)), self._upper(1 - alpha_fraction * (1 - ALARM))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the two-sided interval, which errs as often on either side."""
        level = (1 + confidence) / 2
        return self._lower(level), self._upper(level)

    def _lower(self, level: float) -> float:
        if self.discordant_pairs is None:
            return self.delta - self.half_width(level)
        won, lost, rows = self.discordant_pairs
        if won + lost == 0:
            return -statistics.unchanged_bound(rows, level)
        return statistics.tango_interval(won, lost, rows, 2 * level - 1)[0]

    def _upper(self, level: float) -> float:
        if self.discordant_pairs is None:
            return self.delta + self.half_width(level)
        won, lost, rows = self.discordant_pairs
        if won + lost == 0:
            return statistics.unchanged_bound(rows, level)
        return statistics.tango_interval(won, lost, rows, 2 * level - 1)[1]

    def resolution(self, comparisons: int = 1) -> float:
        """Return the smallest loss that so many comparisons of two such models can tell from none."""
        return statistics.resolution(self.se, self.noise, self.dof, rows_dof=self.rows_dof, comparisons=comparisons)

    def blocked(self, margin: float, alpha_fraction: float = 1.0) -> float:
        """Return the chance that an equally good candidate would not pass."""
        se = self.half_width(CONFIDENCE) / statistics.half_width(CONFIDENCE, 1.0)
        return statistics.inconclusive_probability(margin, se, 1 - alpha_fraction * (1 - CONFIDENCE))

    @property
    def p_value(self) -> float:
        """Of no loss."""
        return statistics.loss_p_value(self.delta, self.se, self.noise, self.dof, rows_dof=self.rows_dof)


def difference(baseline: Floats, folds: Floats, candidate: Scores, noise_reference: NoiseReference) -> Difference:
    """Compare the same rows in the same folds.

    Parameters
    ----------
    baseline : ndarray of shape (n_rows,)
        The baseline's influence values, averaged over its seeds.
    folds : ndarray of shape (n_splits,)
        The baseline's score in each split.
    candidate : Scores
        Under the same definition.
    noise_reference : NoiseReference
        The baseline's.

    References
    ----------
    .. [1] Bayle, Bayle, Janson, Mackey, "Cross-validation confidence intervals for test error", NeurIPS 2020.
    """
    rows: Floats = candidate.psi.mean(axis=0) - baseline
    score = float(baseline.mean())
    delta, skill = candidate.score - score, noise_reference.skill(score)
    if abs(delta) <= ROUNDING * skill:
        delta = 0.0
    error = candidate.standard_error(rows, candidate.folds - folds)
    se = max(error.se, candidate.min_standard_error)
    if se <= ROUNDING * abs(delta):  # every row moved by the same, and that is no certainty
        se = abs(delta) or skill / candidate.effective_rows  # so its own size has to do, or one row's worth
    noise, dof = _noise(candidate, noise_reference)
    discordant_pairs = None
    measured = (
        noise_reference.floor > 0
    )  # replicates tell what changes by chance; where there are none, so few rows must
    plain = candidate.kind == "zero_one" and candidate.clusters is None and candidate.row_weights is None
    if plain and not measured and np.isin(rows, (-1, 0, 1)).all():
        discordant_pairs = (int((rows > 0).sum()), int((rows < 0).sum()), len(rows))
    found = Difference(delta, se, error.dof, noise, dof, discordant_pairs)
    random = noise_reference.runs is not None or len(candidate.psi) > 1
    # where the folds tell how sure it is, they have told already
    return _guarded(found, folds, candidate) if random and len(folds) > 1 and not candidate.by_folds else found


def _guarded(found: Difference, folds: Floats, candidate: Scores) -> Difference:
    """Believe the folds, where they differ by more than rows and the baseline's seeds explain.

    A single run does not tell how noisy its seeds are, but every fold has a seed of its own: a candidate that draws
    more noise than the baseline shows it in the spread of its folds.
    """
    spread = statistics.fold_standard_error(candidate.folds - folds, candidate.weights)
    expected = statistics.combine(found.se, found.noise, found.dof, rows_dof=found.rows_dof)
    if not statistics.exceeds(spread, expected):
        return found
    return replace(found, se=spread.se, rows_dof=spread.dof, noise=0.0, dof=inf)


def _noise(candidate: Scores, noise_reference: NoiseReference) -> tuple[float, float]:
    """Return what chance alone puts between the two, and its degrees of freedom."""
    runs = len(candidate.psi)
    noise = noise_reference.noise_between(runs)
    if noise_reference.runs is not None or runs < 2:
        return noise, noise_reference.dof
    # the baseline's learner draws no random numbers, the candidate's does, and brings its own noise
    own = candidate.noise
    return hypot(noise, own.beyond_rows / sqrt(runs)), min(noise_reference.dof, own.dof)


def difference_of_folds(
    baseline: Sequence[float], candidate: Scores, noise_reference: NoiseReference, test_train_ratio: float
) -> Difference:
    """Compare by fold scores alone, where the baseline's predictions are not to be had.

    It works, but it sees little: a fold's score has one number where its predictions have one per row.

    Parameters
    ----------
    baseline : sequence of float
        The score in each split.
    candidate : Scores
        In the same splits.
    noise_reference : NoiseReference
        The baseline's.
    test_train_ratio : float
        Rows of a test fold per row it was trained with.

    References
    ----------
    .. [1] Nadeau, Bengio, "Inference for the generalization error", Machine Learning 52 (2003) 239.
    """
    old = np.asarray(baseline)
    differences = candidate.folds - old
    delta = float(differences @ candidate.weights)
    # each as far from delta as it counts: their mean is that of the rows, and unequal folds alone make no spread
    differences = delta + (differences - delta) * candidate.weights * len(old)
    skill = noise_reference.skill(float(old @ candidate.weights))
    size = abs(delta) or skill / candidate.effective_rows
    if np.ptp(differences) <= ROUNDING * size:  # every fold moved by the same, and that is no certainty
        return Difference(delta, size, len(differences) - 1, 0.0, inf)
    test = statistics.corrected_resampled_t(differences, test_train_ratio)
    return Difference(test.mean, test.se, test.dof, 0.0, inf)  # what seeds do to folds is in it already


def judge_metric(
    metric: str,
    baseline: Scores,
    candidate: Scores,
    noise_reference: NoiseReference,
    margin: float | None,
    *,
    alpha_fraction: float = 1.0,
    comparisons: int = 1,
) -> MetricVerdict:
    """Judge one metric on all rows.

    Parameters
    ----------
    metric : str
        Its name.
    baseline, candidate : Scores
        Of the same rows in the same folds, under the same definition.
    noise_reference : NoiseReference
        The baseline's.
    margin : float or None
        The harmless loss that the owner named; None: the default.
    alpha_fraction : float
        The share of the chance to err that this look may spend (`looks`).
    comparisons : int
        How many comparisons have been made on this version of the data, this one included.

    Returns
    -------
    MetricVerdict
        better if L > 0; held if L > -margin; worse if U < 0 and not held; else inconclusive; with
        L = delta - h(.95) and U = delta + h(.9975). What does not beat the dummy is never held.
    """
    candidate = candidate.as_sparse_as(baseline)
    found = difference(baseline.psi.mean(axis=0), baseline.folds, candidate, noise_reference)
    return judge_difference(
        metric,
        found,
        baseline.score,
        baseline.folds.tolist(),
        candidate,
        noise_reference,
        margin,
        alpha_fraction=alpha_fraction,
        comparisons=comparisons,
    )


def judge_difference(
    metric: str,
    found: Difference,
    score: float,
    folds: Sequence[float],
    candidate: Scores,
    noise_reference: NoiseReference,
    margin: float | None,
    *,
    alpha_fraction: float = 1.0,
    comparisons: int = 1,
) -> MetricVerdict:
    """Judge a difference on all rows, as `judge_metric` does; `score` and `folds` are the baseline's."""
    margin = noise_reference.margin(score, margin)
    low, high = found.bounds(alpha_fraction)
    beats_dummy = noise_reference.is_beaten_by(candidate.score)
    return MetricVerdict(
        metric,
        classify(low, high, margin, beats_dummy=beats_dummy),
        baseline=score,
        candidate=candidate.score,
        delta=found.delta,
        low=low,
        high=high,
        margin=margin,
        resolution=found.resolution(),
        resolution_reused=found.resolution(comparisons) if comparisons > 1 else None,
        dummy=noise_reference.dummy,
        floor=noise_reference.floor,
        probability_inconclusive=found.blocked(margin, alpha_fraction) if margin > 0 else None,
        seeds=len(candidate.psi),
        folds=tuple(zip(folds, candidate.folds.tolist(), strict=True)),
        reason="" if beats_dummy else "it is no better than a dummy that looks at no feature",
    )


def judge_slices(
    slices: Sequence[tuple[str, Scores, Scores]], whole: MetricVerdict, noise_reference: NoiseReference
) -> tuple[tuple[MetricVerdict, float], ...]:
    """Hold one metric's slices against the margin of the whole; `raise_alarms` has the last word.

    Parameters
    ----------
    slices : sequence of (name, baseline's Scores, candidate's Scores)
        On the rows of the slice.
    whole : MetricVerdict
        The metric on all rows.
    noise_reference : NoiseReference
        The metric's: what seeds do beyond the rows is taken to be the same in a slice.

    Returns
    -------
    tuple of (MetricVerdict, float)
        Each with the p-value of a loss.
    """
    judged = []
    for name, baseline, candidate in slices:
        found = difference(baseline.psi.mean(axis=0), baseline.folds, candidate.as_sparse_as(baseline), noise_reference)
        low, high = found.bounds()
        assert whole.margin is not None
        verdict = MetricVerdict(
            whole.metric,
            classify(low, inf, whole.margin),  # whether it is worse, all slices decide together
            name,
            baseline=baseline.score,
            candidate=candidate.score,
            delta=found.delta,
            low=low,
            high=high,
            margin=whole.margin,
            resolution=found.resolution(),
            seeds=len(candidate.psi),
            folds=tuple(zip(baseline.folds.tolist(), candidate.folds.tolist(), strict=True)),
        )
        judged.append((verdict, found.p_value))
    return tuple(judged)


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
