"""Drift: small losses of many releases, added up from an anchor. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_model_check.judgement.verdicts import Drift, MetricVerdict

if TYPE_CHECKING:
    from pytest_model_check.judgement.scores import Scores
    from pytest_model_check.judgement.statistics import Floats
from pytest_model_check.judgement.judge import classify, difference
from pytest_model_check.judgement.noise import NoiseReference


@dataclass(frozen=True)
class Anchor:
    """The baseline that losses are added up from: the first one, or the last that was better than its anchor.

    Parameters
    ----------
    psi : ndarray of shape (n_rows,)
        Its influence values, averaged over its seeds.
    folds : ndarray of shape (n_splits,)
        Its score in each split.
    noise_reference : NoiseReference
        The anchor's.
    margin : float
        The loss that is harmless in all.
    since : int
        Which recording of the baseline it is, counted from 1.
    """

    psi: Floats
    folds: Floats
    noise_reference: NoiseReference
    margin: float
    since: int = 1


def defend(verdict: MetricVerdict, anchor: Anchor, candidate: Scores, *, alpha_fraction: float = 1.0) -> MetricVerdict:
    """Hold a candidate against the anchor too: what passes step by step must not lose more than the margin in all."""
    found = difference(anchor.psi, anchor.folds, candidate, anchor.noise_reference)
    low, high = found.bounds(alpha_fraction)
    return add_drift(verdict, Drift(anchor.since, float(anchor.psi.mean()), found.delta, low, high, anchor.margin))


def add_drift(verdict: MetricVerdict, drift: Drift) -> MetricVerdict:
    """Add a drift; what held is worse (or inconclusive) where more than the anchor's margin may be lost."""
    if drift.low > -drift.margin or verdict.verdict != "held":  # what is better than the last one leads upwards
        return replace(verdict, drift=drift)
    return replace(verdict, drift=drift, verdict=classify(drift.low, drift.high, drift.margin))


def surpasses(anchor: Anchor, scores: Scores) -> bool:
    """Whether a newly measured baseline is better than the anchor, and takes its place.

    Better than its predecessor is not enough: -0.6, +0.3, -0.6, ... of a margin would go down for ever.
    """
    return difference(anchor.psi, anchor.folds, scores, anchor.noise_reference).bounds()[0] > 0
