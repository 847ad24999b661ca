"""Judge in sequence: with more seeds while the verdict is inconclusive, as declared beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.checks.declared import runs_of
from pytest_model_check.errors import EvidenceError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate.context import Context
from pytest_model_check.gate.paired import PairedJudge
from pytest_model_check.judgement.verdicts import MetricVerdict, worst

SEEDS_OF_A_CANDIDATE = (1, 3, 5)  # while it is inconclusive


@dataclass(frozen=True)
class Judged:
    """What the looks at a candidate found.

    Parameters
    ----------
    metrics : tuple of MetricVerdict
        On all rows.
    predictions : Predictions
        What was looked at: the candidate's, of all seeds that it took.
    fits : int
        Made for it.
    """

    metrics: tuple[MetricVerdict, ...]
    predictions: Predictions
    fits: int = 0


Judge = Callable[[Context, Baseline, PairedJudge], Judged]  # has a candidate's predictions, and judges them


def judge(context: Context, baseline: Baseline, paired: PairedJudge) -> Judged:
    """Fit the check's candidate and judge it, with more seeds while it is inconclusive.

    Parameters
    ----------
    context : Context
        Holds the candidate, its data and splits.
    baseline : Baseline
        Knows the seeds.
    paired : PairedJudge
        Compares predictions with the approved ones.

    Raises
    ------
    CandidateError
        If a fit fails.
    IncomparableError
        If the baseline is of other rows, folds or classes.
    """
    check, cv, entropy = context.check, context.cross_validation, baseline.entropy
    fit = partial(
        crossval.predict,
        check.candidate,
        cv,
        entropy=entropy,
        engine=context.engine,
        progress=context.progress_of("fitting"),
    )
    runs = runs_of(check.candidate)
    random = baseline.learner != "deterministic"
    declared = looks(baseline.seeds if random else None) if runs is None else (Look(runs, 1.0),)
    predictions = fit(seeds=declared[0].seeds)
    varies = 0
    if runs is None and not random and check.seeds > 1 and not paired.identical(predictions):
        # What the baseline says of noise is not true of a learner that draws random numbers: it brings its own.
        varies = 1
        if crossval.varies(check.candidate, cv, predictions, entropy=entropy, engine=context.engine):
            declared = (Look(min(SEEDS_OF_A_CANDIDATE[-1], check.seeds), 1.0),)
    judged = _look_by_look(
        declared, predictions, paired, lambda known, more: known.and_seeds(fit(seeds=more, after=known.seeds))
    )
    return replace(judged, fits=judged.predictions.seeds * len(cv.splits) + varies)


def replay(context: Context, baseline: Baseline, paired: PairedJudge, *, found: Predictions) -> Judged:
    """Judge the predictions that another process has made, in the looks that were declared.

    Parameters
    ----------
    context, baseline, paired : Context, Baseline, PairedJudge
        As in `judge`.
    found : Predictions
        The candidate's, of as many seeds as were looked at.

    Raises
    ------
    EvidenceError
        If they are of another number of seeds than the first look has.
    IncomparableError
        If the baseline is of other rows, folds or classes.
    """
    random = baseline.learner != "deterministic"
    declared = looks(baseline.seeds if random else None)
    if not random and found.seeds > 1:  # whoever made them found that the learner draws random numbers
        declared = (Look(min(SEEDS_OF_A_CANDIDATE[-1], context.check.seeds), 1.0),)
        if found.seeds != declared[0].seeds:
            raise EvidenceError(f"the evidence holds predictions of {found.seeds} seeds, not of {declared[0].seeds}")
    return _look_by_look(
        declared,
        found.first(declared[0].seeds),
        paired,
        lambda known, more: found.first(known.seeds + more) if found.seeds >= known.seeds + more else None,
    )


def _look_by_look(
    declared: Sequence[Look],
    predictions: Predictions,
    paired: PairedJudge,
    extended: Callable[[Predictions, int], Predictions | None],
) -> Judged:
    """Look at predictions, with more seeds while they are inconclusive and as long as there are more."""
    metrics: tuple[MetricVerdict, ...] = ()
    for look in declared:
        if more := look.seeds - predictions.seeds:
            longer = extended(predictions, more)
            if longer is None:
                break
            predictions = longer
        metrics = paired.judge(predictions, look.alpha_fraction, metrics)
        if worst([metric.verdict for metric in metrics if metric.decides and not metric.is_new]) != "inconclusive":
            break
    return Judged(metrics, predictions)


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
