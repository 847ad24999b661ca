"""Judge in sequence: with more seeds while the verdict is inconclusive, as declared beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.checks.check import Check
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.joblib_engine import Progress
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate.paired import Comparison
from pytest_model_check.judgement.verdicts import PASSING, ChangedRows, MetricVerdict, worst

if TYPE_CHECKING:
    pass


SEEDS_OF_A_CANDIDATE = (1, 3, 5)  # while it is inconclusive


@dataclass(frozen=True)
class Judged:
    """What the looks at a candidate found.

    Parameters
    ----------
    metrics : tuple of MetricVerdict
        Metrics and slices.
    fits : int
        Made for it.
    candidate : Predictions or None
        What was looked at.
    changed_rows : ChangedRows or None
        None where it passes.
    """

    metrics: tuple[MetricVerdict, ...] = ()
    fits: int = 0
    candidate: Predictions | None = None
    changed_rows: ChangedRows | None = None


def look(
    check: Check, protocol: CrossValidation, baseline: Baseline, against: Comparison, *, jobs: int, progress: Progress
) -> Judged:
    """Judge the check's candidate.

    Parameters
    ----------
    check : Check
        The promise.
    protocol : CrossValidation
        Its data and splits.
    baseline : Baseline
        Gives the seeds.
    against : Comparison
        Holds what is approved.
    jobs : int
        How many processes.
    progress : callable
        Is told how many fits of how many are done.

    Raises
    ------
    CandidateError
        If a fit fails.
    IncomparableError
        If the baseline is of other rows, folds or classes.
    """
    fit = partial(crossval.predict, check.candidate, protocol, entropy=baseline.entropy, jobs=jobs, progress=progress)
    random = baseline.learner != "deterministic"
    declared_looks = looks(baseline.seeds if random else None)
    candidate = fit(seeds=declared_looks[0].seeds)
    fits = candidate.seeds * len(protocol.splits)
    if not random and check.seeds > 1 and not against.identical(candidate):
        # What the baseline says of noise is not true of a learner that draws random numbers: it brings its own.
        fits += 1
        if crossval.varies(check.candidate, protocol, candidate, entropy=baseline.entropy):
            declared_looks = (Look(min(SEEDS_OF_A_CANDIDATE[-1], check.seeds), 1.0),)
    found: tuple[MetricVerdict, ...] = ()
    for declared in declared_looks:
        more = declared.seeds - candidate.seeds
        if more:
            candidate = candidate.and_seeds(fit(seeds=more, after=candidate.seeds))
            fits += more * len(protocol.splits)
        found = against.judge(candidate, declared.alpha_fraction, found)
        if worst([metric.verdict for metric in found if metric.decides and not metric.is_new]) != "inconclusive":
            break
    found += against.slices(candidate, found)
    passing = all(metric.verdict in PASSING for metric in found if metric.decides)
    return Judged(found, fits, candidate, None if passing else against.changed_rows(candidate))


@dataclass(frozen=True)
class Look:
    """One look at a candidate: with how many seeds, and which share of the chance to err it may spend."""

    seeds: int
    alpha_fraction: float


def looks(runs: int | None) -> tuple[Look, ...]:
    """Declare, before anything is seen, how often a candidate may be looked at while it is inconclusive.

    Parameters
    ----------
    runs : int or None
        With how many seeds the baseline was averaged; None: the learner draws no random numbers.

    Returns
    -------
    tuple of Look
        One look for a learner without randomness; else up to three. The shares sum to 1, so that all looks together
        err no more often than a single one would (Bonferroni: it holds however the looks depend on each other).
    """
    seeds = (1,) if runs is None else tuple(seeds for seeds in SEEDS_OF_A_CANDIDATE if seeds <= runs)
    shares = {1: (1.0,), 2: (0.6, 0.4), 3: (0.6, 0.2, 0.2)}[len(seeds)]
    return tuple(map(Look, seeds, shares))
