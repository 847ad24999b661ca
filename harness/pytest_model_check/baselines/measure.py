"""Measure a baseline: the candidate with all its seeds, its dummy and its noise floor."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import inf, isclose
from typing import Literal

import numpy as np

from pytest_model_check.baselines import promises
from pytest_model_check.baselines.environment import environment
from pytest_model_check.baselines.quality import metrics_quality
from pytest_model_check.baselines.record import Baseline, BaselineMetric, StoredAnchor
from pytest_model_check.baselines.store import Approved
from pytest_model_check.candidates.dummy import make_dummy
from pytest_model_check.checks.check import Check, Metric
from pytest_model_check.checks.declared import address_of, origin_of, runs_of
from pytest_model_check.checks.describe import describe
from pytest_model_check.checks.make_check import common_metrics
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import CandidateError, PromiseError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.engine import Engine, FitProgress, InProcess
from pytest_model_check.fitting.naive_forecasts import naive_forecasts
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement import drift, noise
from pytest_model_check.judgement.drift import Anchor
from pytest_model_check.judgement.margins import FEW_ROWS, SINGLE_ROW, Margin, margin_of
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.scoring import metrics
from pytest_model_check.scoring.perfect_answers import perfect_answers
from pytest_model_check.scoring.probes import own_scorer
from pytest_model_check.scoring.requirements import unjudgeable
from pytest_model_check.settings import STRICT, Rules

Learner = Literal["random", "deterministic", "nondeterministic"]
REFITS = 2  # of a learner without randomness, per seed: those are quick to fit, and noise is known the better


@dataclass(frozen=True)
class Fitted:
    """The predictions that a baseline is measured by.

    Parameters
    ----------
    predictions : Predictions
        The candidate's: with every seed, or with one if the learner draws no random numbers.
    replicates : Predictions or None
        Of a learner without randomness, twice per seed without 5% of the training rows: an A/A test of what a harmless
        change does. Other rows each time, so that by default every row is left out once; and once more, in other
        parts, where a default margin hangs on them. None where the seeds themselves tell, or there is only one, or
        nothing is fitted here.
    dummies : tuple of Predictions
        Of models that look at no feature; the best of them is the one to beat. None where scores are finished.
    learner : {'random', 'deterministic', 'nondeterministic'}
        Whether other seeds, or even the same seed, gave other predictions.
    entropy : int
        Where the random states came from.
    """

    predictions: Predictions
    replicates: Predictions | None
    dummies: tuple[Predictions, ...]
    learner: Learner
    entropy: int

    @property
    def seeds(self) -> int:
        """How often the candidate was fitted in every split."""
        return self.predictions.seeds + (0 if self.replicates is None else self.replicates.seeds)


@dataclass(frozen=True)
class Measured:
    """A baseline as it was measured.

    Parameters
    ----------
    baseline : Baseline
        Its record, without a history.
    approved : Approved
        Its predictions and anchors.
    fits : int
        Made for it.
    alternatives : mapping of str to BaselineMetric
        Common metrics that the check does not have, where one of its own can hardly fail.
    replicates : Predictions or None
        As in `Fitted`.
    """

    baseline: Baseline
    approved: Approved
    fits: int
    alternatives: Mapping[str, BaselineMetric]
    replicates: Predictions | None = None


def fit(
    check: Check,
    cv: CrossValidation,
    *,
    entropy: int,
    engine: Engine,
    progress: FitProgress = lambda done, total: None,
) -> Fitted:
    """Fit the check's candidate as a baseline is measured, and its dummy.

    Parameters
    ----------
    check : Check
        The promise.
    cv : CrossValidation
        Its data and splits.
    entropy : int
        Where the random states come from: `crossval.entropy_of` the data, the splits and the recording's number, so
        that a lucky run can't approve itself; a baseline that is made again draws those that it drew before.
    engine : Engine
        Makes the candidate's fits.
    progress : callable
        Is told how many fits of how many are done.

    Raises
    ------
    CandidateError
        If a fit fails.
    """
    predict = partial(crossval.predict, cv=cv, entropy=entropy, engine=engine, progress=progress)
    runs, to_beat = runs_of(check.candidate), dummies(check, cv, entropy)
    if runs is not None:
        predictions = predict(check.candidate, seeds=runs)
        return Fitted(predictions, None, to_beat, "random" if runs > 1 else "deterministic", entropy)
    random, nondeterministic = crossval.is_random(check.candidate, cv, entropy=entropy, engine=engine)
    if random or nondeterministic:
        predictions = predict(check.candidate, seeds=check.seeds)
        return Fitted(predictions, None, to_beat, "nondeterministic" if nondeterministic else "random", entropy)
    fitted = Fitted(predict(check.candidate, seeds=1), None, to_beat, "deterministic", entropy)
    if check.seeds == 1 or origin_of(check.candidate) != "refitted":
        return fitted
    refit = partial(predict, check.candidate, seeds=REFITS * check.seeds, leave_out=True)
    replicates = refit()
    fitted = dataclasses.replace(fitted, replicates=replicates)
    if any(_is_noise(metric, cv.dataset, fitted) for metric in check.metrics):
        replicates = replicates.and_seeds(refit(after=REFITS * check.seeds))
    return dataclasses.replace(fitted, replicates=replicates)


def _is_noise(metric: Metric, data: Dataset, fitted: Fitted) -> bool:
    """Whether a margin is what the refits say, and not a share of the skill: then it is worth knowing better."""
    try:
        return _score(metric, data, fitted, None).margin_kind == "noise_floor"
    except (PromiseError, CandidateError):
        return False  # and `assemble` says so


def assemble(
    check: Check,
    cv: CrossValidation,
    fitted: Fitted,
    *,
    generation: int,
    anchors: Mapping[str, Anchor],
    rules: Rules = STRICT,
) -> Measured:
    """Score the predictions, and put the baseline together.

    Parameters
    ----------
    check : Check
        The promise.
    cv : CrossValidation
        Its data and splits.
    fitted : Fitted
        What `fit` returned.
    generation : int
        1-based recording number.
    anchors : mapping of str to Anchor
        What losses have been added up from so far, by metric.
    rules : Rules
        What the ini file says of evidence that falls short.

    Raises
    ------
    CandidateError
        If the candidate is no better than the dummy, or no metric has a dummy to beat.
    """
    data = cv.dataset
    scored = {
        metric.name: dataclasses.replace(
            _score(metric, data, fitted, anchors.get(metric.name)), scorer=own_scorer(metric, cv.classes)
        )
        for metric in check.metrics
    }
    if fitted.dummies:
        _require_dummy(scored)
    baseline = Baseline(
        name=check.name,
        nodeid=check.nodeid,
        candidate=describe(check.candidate),
        learner=fitted.learner,
        data=data.files,
        rows=data.rows,
        effective_rows=data.effective_rows and float(f"{data.effective_rows:.10g}"),
        target_digest=data.target_digest,
        columns=data.columns_digests,
        protocol=promises.protocol_of(check, cv.splitter, rules),
        test_train_ratio=float(f"{cv.test_train_ratio:.10g}"),  # as JSON keeps it
        description=check.description,
        caveats=check.caveats,
        metrics=scored,
        seeds=fitted.predictions.seeds,
        entropy=fitted.entropy,
        generation=generation,
        classes=None if cv.classes is None else tuple(cv.classes.tolist()),
        predictions_md5="",
        environment=environment(),
        folds=cv.folds if len(cv.folds) > 1 else (),
        origin=origin_of(check.candidate),
        service=address_of(check.candidate),
    )
    kept = {name: anchors[name].psi for name, metric in scored.items() if metric.anchor is not None}
    return Measured(
        baseline,
        Approved(fitted.predictions, kept),
        fits=len(cv.splits) * fitted.seeds,
        alternatives=_alternatives(check, data, fitted, scored),
        replicates=fitted.replicates,
    )


def _alternatives(
    check: Check, data: Dataset, fitted: Fitted, scored: Mapping[str, BaselineMetric]
) -> dict[str, BaselineMetric]:
    if not fitted.dummies or not any(metric.is_blunt for metric in metrics_quality(scored, data.rows)):
        return {}
    found = {}
    for metric in common_metrics(check.task):
        if metric.name not in scored:
            # what this candidate's answers can't be scored by, or shows no skill by, is no alternative
            with contextlib.suppress(PromiseError, CandidateError):
                found[metric.name] = _score(metric, data, fitted, None)
    return found


def dummies(check: Check, cv: CrossValidation, entropy: int) -> tuple[Predictions, ...]:
    """Predict as models that look at no feature do."""
    if not check.target:
        return ()
    dummy = crossval.predict(make_dummy(check.task), cv, seeds=1, entropy=entropy, engine=InProcess())
    if check.task == "classification" or check.time is None:
        return (_with_decision_function(dummy),)
    forecasts = naive_forecasts(cv, check.season)
    return (dummy, *(dataclasses.replace(dummy, responses={"predict": forecast[None]}) for forecast in forecasts))


def _with_decision_function(dummy: Predictions) -> Predictions:
    """Let the dummy answer what its candidate may be scored by: who looks at no feature prefers no row to another."""
    if dummy.classes is None:
        return dummy
    shape = dummy.responses["predict_proba"].shape
    flat = np.zeros(shape[:2] if len(dummy.classes) == 2 else shape)
    return dataclasses.replace(dummy, responses={**dummy.responses, "decision_function": flat})


def _score(metric: Metric, data: Dataset, fitted: Fitted, anchor: Anchor | None) -> BaselineMetric:
    scores = metrics.score(fitted.predictions, metric, data.truth)
    replicates = None if fitted.replicates is None else metrics.score(fitted.replicates, metric, data.truth)
    if not fitted.dummies:
        return _anchored(
            _measure(metric, scores, replicates, None, random=fitted.learner != "deterministic"), scores, anchor
        )
    with warnings.catch_warnings():  # the dummy's ill-defined precision is no concern of the user's
        warnings.simplefilter("ignore")
        dummy = max(metrics.score(dummy, metric, data.truth).score for dummy in fitted.dummies)
        if unjudgeable(metric, fitted.predictions, data.truth):
            noise_reference = NoiseReference(dummy, 0.0, inf, len(scores.psi) if replicates is None else None, 0.0)
            return _recorded(scores, SINGLE_ROW if scores.kind == "extreme" else FEW_ROWS, noise_reference)
        to_beat = _to_beat(metric, data, fitted, scores.score, dummy)
    return _anchored(
        _measure(metric, scores, replicates, to_beat, random=fitted.learner != "deterministic"), scores, anchor
    )


def _anchored(measured: BaselineMetric, scores: Scores, anchor: Anchor | None) -> BaselineMetric:
    if anchor is None or drift.surpasses(anchor, scores):
        return measured
    stored = StoredAnchor(anchor.since, float(anchor.psi.mean()), tuple(anchor.folds.tolist()), anchor.noise_reference)
    return dataclasses.replace(measured, anchor=stored)


def _to_beat(metric: Metric, data: Dataset, fitted: Fitted, score: float, dummy: float) -> float | None:
    """Return the dummy's score; None where perfect answers score no more, as recall does if most rows are positive.

    Raises
    ------
    CandidateError
        If a model could beat the dummy, and the candidate does not.
    """
    if score > dummy:
        return dummy
    perfect = metrics.score(perfect_answers(fitted.dummies[0], data.y), metric, data.truth).score
    if isclose(perfect, dummy, rel_tol=1e-9, abs_tol=1e-12):
        return None
    if perfect < dummy:
        raise CandidateError(
            f"{metric.name}: perfect answers score {perfect:.4g}, less than a dummy that looks at no feature "
            f"({dummy:.4g})",
            "Higher must be better: make_scorer(..., greater_is_better=False) turns the sign of an error.",
        )
    raise CandidateError(
        f"{metric.name} is {score:.4g}, no better than a dummy that looks at no feature ({dummy:.4g})",
        "There is no skill to defend: improve the model, or leave this metric out.",
    )


def _require_dummy(scored: Mapping[str, BaselineMetric]) -> None:
    """Refuse a check that a model without any skill could pass."""
    judged = {name: metric for name, metric in scored.items() if metric.margin is not None}
    if judged and all(metric.noise_reference.dummy is None for metric in judged.values()):
        raise CandidateError(
            f"no metric has a dummy to beat: a dummy that looks at no feature is perfect by {', '.join(judged)}",
            "Add a metric that sees skill: neg_brier_score, roc_auc or balanced_accuracy.",
        )


def _measure(
    metric: Metric, scores: Scores, replicates: Scores | None, dummy: float | None, *, random: bool
) -> BaselineMetric:
    noise_reference = noise.measure(scores, replicates, dummy)
    if not random:  # with a single seed the scores do not tell
        noise_reference = dataclasses.replace(noise_reference, runs=None)
    margin = margin_of(noise_reference, scores.score, metric.margin)
    if metric.margin is None and dummy is None and margin.value == 0:
        raise CandidateError(
            f"{metric.name} has no default margin: there is no dummy to beat, and no noise was found",
            f'Name the harmless loss: metrics={{"{metric.name}": ...}}. Noise is measured with seeds=2 or more.',
        )
    return _recorded(scores, margin, noise_reference)


def _recorded(scores: Scores, margin: Margin, noise_reference: NoiseReference) -> BaselineMetric:
    return BaselineMetric(
        score=scores.score,
        # of a metric that is only reported it may not be known
        standard_error=scores.standard_error(scores.psi.mean(axis=0), scores.folds).se
        if scores.has_folds or not scores.by_folds
        else 0.0,
        folds=tuple(scores.folds.tolist()),
        definition=scores.definition,
        margin=margin.value,
        margin_kind=margin.kind,
        noise_reference=noise_reference,
    )
