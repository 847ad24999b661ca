"""Spot check: predictions of several candidates in the same folds -> every pair with its interval. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import inf

from pytest_model_check.checks.check import Metric
from pytest_model_check.data.dataset import Truth
from pytest_model_check.errors import ModelCheckError, PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.judge import classify, difference
from pytest_model_check.judgement.noise import SKILL_SHARE, NoiseReference
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.scoring import metrics
from pytest_model_check.scoring.requirements import unjudgeable

CONFIDENCE = 0.95  # that all intervals of a metric hold, together


@dataclass(frozen=True)
class Pair:
    """How far one candidate is ahead of another.

    Parameters
    ----------
    first, second : str
        Names of candidates; the first has the better score.
    delta, low, high : float
        The first's score less the second's, with the interval that all pairs of the metric have together.
    """

    first: str
    second: str
    delta: float
    low: float
    high: float

    @property
    def differs(self) -> bool:
        """Whether it is sure that the first is better."""
        return self.low > 0


@dataclass(frozen=True)
class MetricSpotCheck:
    """The candidates by one metric.

    Parameters
    ----------
    metric : str
        Its name.
    scores : mapping of str to float
        By candidate, the best first.
    folds : mapping of str to tuple of float
        The scores in each split.
    pairs : tuple of Pair
        Every two candidates; none where the metric can't be judged.
    unjudged : str
        Why it can't be.
    """

    metric: str
    scores: Mapping[str, float]
    folds: Mapping[str, tuple[float, ...]]
    pairs: tuple[Pair, ...]
    unjudged: str = ""

    @property
    def best(self) -> str:
        """The candidate with the best score."""
        return next(iter(self.scores))

    def pair(self, first: str, second: str) -> Pair:
        """Return how far the better of two is ahead of the other."""
        return next(pair for pair in self.pairs if {pair.first, pair.second} == {first, second})

    def not_worse(self, dummy: str) -> list[str]:
        """Return the candidates that are not worse than the best, and know more than the dummy.

        Not worse is what the gate would not call worse: the loss is no sure one, or surely within the default margin,
        a share of the best one's skill above the dummy.
        """
        margin = SKILL_SHARE * (self.scores[self.best] - self.scores[dummy])
        found = []
        for name, score in self.scores.items():
            if name == dummy or score <= self.scores[dummy]:
                continue
            pair = None if name == self.best else self.pair(self.best, name)
            if pair is None or classify(-pair.high, -pair.low, margin) != "worse":
                found.append(name)
        return found


@dataclass(frozen=True)
class SpotCheck:
    """What a spot check found.

    Parameters
    ----------
    metrics : tuple of MetricSpotCheck
        The first one decides.
    failed : mapping of str to ModelCheckError
        The candidates that could not be fitted or scored.
    """

    metrics: tuple[MetricSpotCheck, ...]
    failed: Mapping[str, ModelCheckError] = field(default_factory=dict)


def spot_check(candidates: Mapping[str, Predictions], promised: Sequence[Metric], truth: Truth) -> SpotCheck:
    """Compare several candidates, every one with every other.

    Parameters
    ----------
    candidates : mapping of str to Predictions
        Of the same rows in the same folds, by name.
    promised : sequence of Metric
        By which they are compared.
    truth : Truth
        What they should have predicted.

    Raises
    ------
    PromiseError
        If the predictions are of other rows or folds.
    """
    slots = next(iter(candidates.values()))
    for name, predictions in candidates.items():
        if not slots.same_slots(predictions):
            raise PromiseError(f"{name} does not predict the same rows in the same folds as the other candidates")
    scored: dict[str, list[Scores]] = {}
    failed: dict[str, ModelCheckError] = {}
    for name, predictions in candidates.items():
        try:
            scored[name] = [metrics.score(predictions, metric, truth) for metric in promised]
        except ModelCheckError as error:
            failed[name] = error
    kept = {name: candidates[name] for name in scored}
    found = (
        _by_metric(metric, kept, {name: scores[k] for name, scores in scored.items()}, truth)
        for k, metric in enumerate(promised)
    )
    return SpotCheck(tuple(found) if kept else (), failed)


def _by_metric(
    metric: Metric, candidates: Mapping[str, Predictions], scored: Mapping[str, Scores], truth: Truth
) -> MetricSpotCheck:
    order = sorted(scored, key=lambda name: -scored[name].score)
    scores = {name: scored[name].score for name in order}
    folds = {name: tuple(scored[name].folds.tolist()) for name in order}
    why_not = next(filter(None, (unjudgeable(metric, candidates[name], truth) for name in order)), "")
    if len({each.definition for each in scored.values()}) > 1:
        why_not = "it is not the same metric for all: some answer probabilities, and some do not"
    if why_not:
        return MetricSpotCheck(metric.name, scores, folds, (), why_not)
    together = 1 - (1 - CONFIDENCE) / max(1, len(order) * (len(order) - 1) // 2)  # Bonferroni: all pairs are looked at
    pairs = (
        Pair(one, other, 0.0, 0.0, 0.0)
        if candidates[one].agrees(candidates[other])
        else _pair(one, other, scored, together, worst=scores[order[-1]])
        for one, other in combinations(order, 2)
    )
    return MetricSpotCheck(metric.name, scores, folds, tuple(pairs))


def _pair(one: str, other: str, scored: Mapping[str, Scores], confidence: float, worst: float) -> Pair:
    """Compare as the gate does where a single run is known of either: by rows, and by folds if these say more."""
    held_against, candidate = scored[other], scored[one]
    single_run = NoiseReference(dummy=worst, noise=0.0, dof=inf, runs=1, floor=0.0)
    found = difference(
        held_against.psi.mean(axis=0), held_against.folds, candidate.as_sparse_as(held_against), single_run
    )
    low, high = found.interval(confidence)
    return Pair(one, other, found.delta, low, high)
