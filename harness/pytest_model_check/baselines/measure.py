"""Measure a baseline: the candidate with all its seeds, its dummy and its noise floor."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from pytest_model_check.baselines import promises
from pytest_model_check.baselines.environment import environment
from pytest_model_check.baselines.record import Baseline, BaselineMetric, StoredAnchor
from pytest_model_check.baselines.store import Approved
from pytest_model_check.candidates import estimator
from pytest_model_check.candidates.dummy import make_dummy
from pytest_model_check.checks.check import Check, Metric
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import CandidateError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.joblib_engine import Progress
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement import drift, noise, statistics
from pytest_model_check.judgement.drift import Anchor
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.scoring import metrics
from pytest_model_check.settings import STRICT, Rules


def record(
    check: Check,
    protocol: CrossValidation,
    *,
    generation: int,
    anchors: Mapping[str, Anchor],
    jobs: int,
    progress: Progress,
    rules: Rules = STRICT,
    entropy: int | None = None,
) -> tuple[Baseline, Approved, int]:
    """Measure the check's candidate as a baseline.

    A learner that draws random numbers is fitted with every seed; one that does not is fitted once, and then once per
    seed without 5% of the training rows, an A/A test of what a harmless change does.

    Parameters
    ----------
    check : Check
        The promise.
    protocol : CrossValidation
        Its data and splits.
    generation : int
        The how manyth recording this is: each draws fresh random states, so that a lucky run can't approve itself.
    anchors : mapping of str to Anchor
        What losses have been added up from so far, by metric.
    jobs : int
        How many processes.
    progress : callable
        Is told how many fits of how many are done.
    rules : Rules
        What the ini file says of evidence that falls short.
    entropy : int, optional
        Where the random states come from, where it is not the check's name and generation: a baseline that is made
        again draws those that it drew before.

    Returns
    -------
    tuple of (Baseline, Approved, int)
        The int is the number of fits.

    Raises
    ------
    CandidateError
        If a fit fails, or the candidate is no better than the dummy.
    """
    entropy = crossval.entropy_of(check.name, generation) if entropy is None else entropy
    dataset = protocol.dataset
    run = partial(crossval.predict, protocol=protocol, entropy=entropy, jobs=jobs)
    random, nondeterministic = crossval.is_random(check.candidate, protocol, entropy=entropy, jobs=jobs)
    replicates = None
    if random or nondeterministic:
        predictions = run(check.candidate, seeds=check.seeds, progress=progress)
    else:
        predictions = run(check.candidate, seeds=1, progress=progress)
        if check.seeds > 1:
            replicates = run(check.candidate, seeds=check.seeds, progress=progress, leave_out=True)
    dummy = _with_decision_function(run(make_dummy(check.task), seeds=1, jobs=1))

    def scores(of: Predictions, metric: Metric) -> Scores:
        return metrics.score(of, metric, dataset.truth)

    measured, kept = {}, {}
    for metric in check.metrics:
        found = scores(predictions, metric)
        one = _measure(
            metric,
            found,
            None if replicates is None else scores(replicates, metric),
            _quietly(partial(scores, dummy, metric)).score,
            dataset.rows,
            random=random or nondeterministic,
        )
        anchor = anchors.get(metric.name)
        if anchor is not None and not drift.surpasses(anchor, found):
            kept[metric.name] = anchor.psi
            stored = StoredAnchor(
                anchor.since, float(anchor.psi.mean()), tuple(anchor.folds.tolist()), anchor.noise_reference
            )
            one = dataclasses.replace(one, anchor=stored)
        measured[metric.name] = one
    baseline = Baseline(
        name=check.name,
        nodeid=check.nodeid,
        candidate=estimator.describe(check.candidate),
        learner="nondeterministic" if nondeterministic else "random" if random else "deterministic",
        data=dataset.files,
        rows=dataset.rows,
        target_digest=dataset.target_digest,
        columns=dataset.columns_digests,
        protocol=promises.protocol(check, protocol.splitter, rules) | promises.words(check),
        metrics=measured,
        seeds=predictions.seeds,
        entropy=entropy,
        generation=generation,
        classes=None if protocol.classes is None else tuple(protocol.classes.tolist()),
        predictions_md5="",
        environment=environment(),
    )
    fits = len(protocol.splits) * (predictions.seeds + (0 if replicates is None else replicates.seeds))
    return baseline, Approved(predictions, kept), fits


def _with_decision_function(dummy: Predictions) -> Predictions:
    """Let the dummy answer what its candidate may be scored by: who looks at no feature prefers no row to another."""
    if dummy.classes is None:
        return dummy
    shape = dummy.responses["predict_proba"].shape
    flat = np.zeros(shape[:2] if len(dummy.classes) == 2 else shape)
    return dataclasses.replace(dummy, responses={**dummy.responses, "decision_function": flat})


def _quietly(scores: Callable[[], Scores]) -> Scores:
    """Score the dummy, whose ill-defined precision is no concern of the user's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scores()


def _measure(
    metric: Metric, scores: Scores, replicates: Scores | None, dummy: float, rows: int, *, random: bool
) -> BaselineMetric:
    if scores.kind == "extreme":
        reason = "reported, not judged: it hangs on a single row"
        return _recorded(scores, None, reason, noise.measure(scores, replicates, dummy))
    if scores.score <= dummy:
        raise CandidateError(
            f"{metric.name} is {scores.score:.4g}, no better than a dummy that looks at no feature ({dummy:.4g})",
            "There is no skill to defend: improve the model, or leave this metric out.",
        )
    noise_reference = noise.measure(scores, replicates, dummy)
    if not random:  # with a single seed the scores do not tell
        noise_reference = dataclasses.replace(noise_reference, runs=None)
    share = noise.SKILL_SHARE * (scores.score - dummy)
    margin = noise_reference.margin(scores.score, metric.margin)
    if metric.margin is not None:
        reason = "named in the check"
    elif noise_reference.floor > share:
        reason = f"the noise floor of {rows:,} rows; 2% of the skill above a dummy would be {share:.4g}"
    else:
        reason = "2% of the skill above a dummy"
    if len((replicates or scores).psi) < 2:
        reason += "; seed noise not measured (one seed)"
    return _recorded(scores, margin, reason, noise_reference)


def _recorded(scores: Scores, margin: float | None, reason: str, noise_reference: NoiseReference) -> BaselineMetric:
    return BaselineMetric(
        score=scores.score,
        standard_error=statistics.standard_error(
            scores.psi.mean(axis=0), scores.clusters, is_time_series=scores.is_time_series
        ).se,
        folds=tuple(scores.folds.tolist()),
        definition=scores.definition,
        margin=margin,
        margin_reason=reason,
        noise_reference=noise_reference,
    )
