"""What chance alone does to a metric, measured with a baseline, and the margin that follows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from pytest_model_check.judgement import recombination, statistics

if TYPE_CHECKING:
    from pytest_model_check.judgement.scores import Scores


SKILL_SHARE = 0.02  # of the skill above a dummy: the default margin, where rows and seeds can resolve it
HARMLESS = 0.999  # of recombined refits must hold the noise floor
SKEWED = 2.1  # times what normal noise would ask: more than this, chance makes of the few refits there are


@dataclass(frozen=True)
class NoiseReference:
    """What a baseline knows of one metric beside its score, measured when it was recorded and fixed there.

    Parameters
    ----------
    dummy : float or None
        What the learner that looks at no feature scores in the same folds; None: it scores what perfect answers do, as
        recall does where most rows are positive, and there is nothing to beat.
    noise : float
        Standard deviation of a single run beyond what its rows show; of learners without randomness: what leaving out
        5% of the training rows does, its mean loss included. In the metric's unit, 0 where it was not measured (one
        seed).
    dof : float
        Degrees of freedom of `noise`.
    runs : int or None
        With how many seeds the baseline was averaged; None: the learner draws no random numbers.
    floor : float
        The noise floor: the smallest margin that these rows and seeds can resolve.
    """

    dummy: float | None
    noise: float
    dof: float
    runs: int | None
    floor: float

    def noise_between(self, runs: int) -> float:
        """Return the standard deviation that chance alone puts between the baseline and a candidate of `runs` seeds."""
        return self.noise if self.runs is None else self.noise * sqrt(1 / self.runs + 1 / runs)

    def margin(self, score: float, named: float | None = None) -> float:
        """Return the margin that the owner named, or else the default one of a baseline with this score."""
        if named is not None:
            return named
        return self.floor if self.dummy is None else max(SKILL_SHARE * (score - self.dummy), self.floor)

    def skill(self, score: float) -> float:
        """Return how far a score is from the dummy, which tells what rounding is; its size where there is no dummy."""
        return (abs(score) or 1.0) if self.dummy is None else abs(score - self.dummy)

    def is_beaten_by(self, score: float) -> bool:
        """Whether a score shows any skill: more than the dummy's, where there is one to beat."""
        return self.dummy is None or score > self.dummy


def measure(scores: Scores, replicates: Scores | None, dummy: float | None) -> NoiseReference:
    """Measure a baseline: its seed noise and its noise floor.

    Parameters
    ----------
    scores : Scores
        The baseline's, over all its seeds; a learner without randomness has one.
    replicates : Scores or None
        Of a learner without randomness: refits that lacked 5% of the training rows (an A/A test of what a harmless
        change does). None: the learner is random, and its seeds are the replicates.
    dummy : float or None
        The dummy's score; None: there is no dummy to beat.

    Returns
    -------
    NoiseReference
        With zero noise and floor where there is a single seed and no replicate: not measured.
    """
    repeated = (replicates or scores).as_sparse_as(scores)
    runs = len(scores.psi) if replicates is None else None
    if len(repeated.psi) < 2:
        return NoiseReference(dummy, 0.0, inf, runs, 0.0)
    if replicates is not None:
        return _of_refits(scores, repeated, dummy)
    one_more, seeds = 1 + 1 / len(scores.psi), scores.noise
    rows = scores.error_between_seeds
    floor = statistics.noise_floor(
        replace(rows, se=rows.se * sqrt(one_more / 2)),
        seeds.beyond_rows * sqrt(one_more),
        seeds.dof,
        smallest=_one_row(scores),
    )
    return NoiseReference(dummy, seeds.beyond_rows, seeds.dof, runs, floor)


def _of_refits(scores: Scores, refits: Scores, dummy: float | None) -> NoiseReference:
    """Measure a learner without randomness by its refits, which are held against the baseline as a candidate would be.

    Their noise is skewed where few rows make the metric, and how much, recombined refits tell. But their outermost
    quantile hangs on which influential rows happen to be left out together: it is believed up to `SKEWED`. Where rows
    depend on each other, or the folds have to tell, bounds do not fall apart by split: there the noise is doubled.
    """
    changes, of_splits, spread = refits.psi - scores.psi[0], refits.splits - scores.splits[0], refits.noise
    bias = max(0.0, -float(changes.mean()))
    noise = hypot(spread.beyond_rows, bias)
    rows = refits.pooled_standard_error(changes, of_splits)
    if refits.clusters is not None or refits.by_folds or scores.split_of_row is None:
        rows = replace(rows, se=rows.se * sqrt(2))
        floor = statistics.noise_floor(rows, spread.beyond_rows * sqrt(2), spread.dof, bias=bias)
        return NoiseReference(dummy, noise, spread.dof, None, floor)
    if refits.carriers is not None:
        pairs = zip(changes, of_splits, strict=True)
        changes = np.stack([refits.carriers.spread(change, of_folds) for change, of_folds in pairs])
    bounds = recombination.lower_bounds(
        changes,
        scores.split_of_row,
        noise,
        spread.dof,
        min_standard_error=scores.min_standard_error,
        effective_rows=scores.effective_rows,
    )
    floor = statistics.noise_floor(rows, spread.beyond_rows, spread.dof, smallest=_one_row(scores), bias=bias)
    asked = min(-float(np.quantile(bounds, 1 - HARMLESS)), SKEWED * floor)
    return NoiseReference(dummy, noise, spread.dof, None, max(floor, asked))


def _one_row(scores: Scores) -> float:
    """Return the smallest change that there is of hits."""
    return 1 / scores.effective_rows if scores.kind == "zero_one" and scores.clusters is None else 0.0
