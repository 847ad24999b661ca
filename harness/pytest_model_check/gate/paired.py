"""The candidate's predictions against the approved ones, paired by row, metric by metric. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pytest_model_check.baselines.record import Baseline, BaselineMetric
from pytest_model_check.baselines.store import Approved, classes_of
from pytest_model_check.checks.check import Check, Metric
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import IncomparableError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate.changed_rows import EXAMPLES
from pytest_model_check.judgement import own_scorers
from pytest_model_check.judgement.drift import Anchor, add_drift, defend
from pytest_model_check.judgement.judge import (
    difference_of_folds,
    identical,
    judge_difference,
    judge_metric,
)
from pytest_model_check.judgement.own_scorers import OwnScorer
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.verdicts import PASSING, Drift, MetricVerdict
from pytest_model_check.scoring import probes
from pytest_model_check.scoring.metrics import definition, score
from pytest_model_check.scoring.requirements import unjudgeable

START_ANEW = (
    "To start anew on what there is now, have it accepted with a reason: "
    'pytest --model-check --model-check-accept "reason" {nodeid}'
)


def require_same_rows(check: Check, baseline: Baseline, data: Dataset) -> None:
    """Refuse to compare where the same files give other rows.

    Raises
    ------
    IncomparableError
        If `load=`, `read=` or `target=` has changed.
    """
    if (baseline.rows, baseline.target_digest) != (data.rows, data.target_digest):
        raise IncomparableError(
            f"{check.name}: {_reader(check, baseline)} or target= give other rows than the baseline's "
            f"({data.rows:,}, not {baseline.rows:,})",
            f"The files are the same. {START_ANEW.format(nodeid=check.nodeid)}",
        )
    now = data.columns_digests
    other = [name for name, digest in baseline.columns.items() if now.get(name, digest) != digest]
    if other:
        raise IncomparableError(
            f"{check.name}: {_reader(check, baseline)} gives other values than the baseline's: {', '.join(other)}",
            f"The files are the same. {START_ANEW.format(nodeid=check.nodeid)}",
        )


def _reader(check: Check, baseline: Baseline) -> str:
    return "load=" if check.read == baseline.protocol.read else "read="


class PairedJudge:
    """Judges a candidate's predictions by the approved ones, as often as it takes.

    Parameters
    ----------
    check : Check
        The promise.
    cross_validation : CrossValidation
        Its data and splits.
    baseline : Baseline
        What is approved.
    approved : Approved or None
        Its predictions and anchors; None: they are not to be had, and fold scores have to do.
    """

    def __init__(
        self, check: Check, cross_validation: CrossValidation, baseline: Baseline, approved: Approved | None
    ) -> None:
        self._check, self._cv, self._truth = check, cross_validation, cross_validation.dataset.truth
        self._baseline, self._approved = baseline, approved
        self._old: dict[str, Scores] = {}

    def identical(self, candidate: Predictions) -> bool:
        """Whether all answers agree to rounding, seed for seed.

        Raises
        ------
        IncomparableError
            If the two do not predict the same rows in the same folds.
        """
        if self._approved is None:
            return False
        approved = self._approved.predictions
        if not approved.same_slots(candidate):
            raise IncomparableError(
                f"{self._check.name}: the baseline was recorded with other rows, folds or classes",
                f"It says cv={self._baseline.protocol.cv}. {START_ANEW.format(nodeid=self._check.nodeid)}",
            )
        return approved.first(candidate.seeds).agrees(candidate)

    def judge(
        self, candidate: Predictions, alpha_fraction: float = 1.0, earlier: Sequence[MetricVerdict] = ()
    ) -> tuple[MetricVerdict, ...]:
        """Judge a candidate's predictions, metric by metric.

        Both sets of metrics must be equal: one that only the baseline has, or only the check, is missing.

        Parameters
        ----------
        candidate : Predictions
            Of the same rows in the same folds.
        alpha_fraction : float
            The share of the chance to err that this look may spend.
        earlier : sequence of MetricVerdict
            What an earlier look found: only what it left inconclusive is looked at again.
        """
        same = self.identical(candidate)
        settled = {metric.metric: metric for metric in earlier if metric.verdict != "inconclusive"}
        promised = {metric.name: metric for metric in self._check.metrics}
        return tuple(
            settled.get(name) or self._judged(name, promised.get(name), candidate, same, alpha_fraction)
            for name in dict.fromkeys([*promised, *self._baseline.metrics])
        )

    def _judged(
        self, name: str, metric: Metric | None, candidate: Predictions, same: bool, alpha_fraction: float
    ) -> MetricVerdict:
        stored = self._baseline.metrics.get(name)
        if metric is None:
            reason = "the baseline has it, the check does not: a promise was dropped"
            return MetricVerdict(name, "missing", baseline=stored.score if stored else None, reason=reason)
        if stored is None:
            reason = "the baseline does not have it yet; pytest --model-check --update-baselines records it"
            return MetricVerdict(name, "missing", candidate=self._scores(candidate, metric).score, reason=reason)
        if stored.definition != (now := definition(candidate, metric, self._truth)):
            reason = f"the baseline's is the {stored.definition}, this one the {now}"
            return MetricVerdict(name, "incomparable", baseline=stored.score, reason=reason)
        if reason := self._another_scorer(metric, stored):
            return MetricVerdict(name, "incomparable", baseline=stored.score, reason=reason)
        if reason := unjudgeable(metric, candidate, self._truth):
            after, reason = self._scores(candidate, metric).score, f"it can't be judged: {reason}"
            return MetricVerdict(name, "reported", None, stored.score, after, after - stored.score, reason=reason)
        if same:
            return identical(name, stored.score, stored.folds, stored.noise_reference, metric.margin)
        new = self._scores(candidate, metric)
        if self._approved is None:
            return self._by_folds(stored, new, metric, alpha_fraction)
        old = self._of_baseline(metric)
        if abs(old.score - stored.score) > 1e-6 * stored.noise_reference.skill(stored.score):
            reason = f"the approved predictions score {old.score:.6g} now, the baseline says {stored.score:.6g}"
            return MetricVerdict(name, "incomparable", baseline=stored.score, reason=f"{reason}: another metric")
        verdict = judge_metric(
            name,
            old,
            new,
            stored.noise_reference,
            metric.margin,
            alpha_fraction=alpha_fraction,
            comparisons=self._baseline.reused + 1,
        )
        if stored.anchor is not None:
            sparse = new.as_sparse_as(old)  # nothing tells how many rows the anchor gave each label
            verdict = defend(verdict, self._anchor(metric, stored), sparse, alpha_fraction=alpha_fraction)
        # not where rows were left out together: then a row's value is that of several
        if verdict.verdict not in PASSING and (new.clusters is None or new.kind != "jackknife"):
            lost = new.psi.mean(axis=0) - old.psi.mean(axis=0)
            if new.row_weights is not None:
                lost[new.row_weights == 0] = 0.0  # they are no evidence
            rows = np.unique(candidate.row)[np.argsort(lost, kind="stable")[:EXAMPLES]]
            verdict = replace(verdict, losses=tuple(rows[np.sort(lost)[:EXAMPLES] < 0].tolist()))
        scorer = self._scorer(metric)
        if scorer and stored.scorer and scorer.code not in ("", stored.scorer.code):
            verdict = replace(verdict, reason="; ".join(filter(None, (verdict.reason, own_scorers.CHANGED))))
        return verdict

    def _scorer(self, metric: Metric) -> OwnScorer | None:
        return probes.own_scorer(metric, classes_of(self._baseline))

    def _another_scorer(self, metric: Metric, stored: BaselineMetric) -> str:
        """Describe why the check's scorer is not the baseline's; empty if it is."""
        known = probes.is_known(metric.name)
        return own_scorers.difference(stored.scorer, self._scorer(metric), is_known=known)

    def _by_folds(self, stored: BaselineMetric, new: Scores, metric: Metric, alpha_fraction: float) -> MetricVerdict:
        protocol = self._baseline.protocol
        before = (protocol.cv, protocol.groups, protocol.time)
        now = (self._cv.splitter, self._check.groups, self._check.time)
        if before != now or len(stored.folds) != len(self._cv.splits) or len(stored.folds) < 2:
            reason = f"its predictions can't be had, and its fold scores are those of {protocol.cv}: " + (
                "one fold alone says nothing" if len(stored.folds) < 2 else "other folds"
            )
            return MetricVerdict(metric.name, "incomparable", baseline=stored.score, reason=reason)
        difference = difference_of_folds(stored.folds, new, stored.noise_reference, self._cv.test_train_ratio)
        verdict = judge_difference(
            metric.name,
            difference,
            stored.score,
            stored.folds,
            new,
            stored.noise_reference,
            metric.margin,
            alpha_fraction=alpha_fraction,
        )
        if stored.anchor is not None:  # how far the two are apart was measured when this baseline was approved
            lead, anchor = stored.score - stored.anchor.score, stored.anchor
            low, high = difference.bounds(alpha_fraction)
            margin = anchor.noise_reference.margin(anchor.score, metric.margin)
            drift = Drift(anchor.since, anchor.score, difference.delta + lead, low + lead, high + lead, margin)
            verdict = add_drift(verdict, drift)
        weak = "judged by its fold scores alone (corrected resampled t-test), which see less than predictions do"
        return replace(verdict, reason="; ".join(filter(None, (verdict.reason, weak))))

    def anchors(self) -> dict[str, Anchor]:
        """Return what losses are added up from, by metric: the stored anchors, or else the baseline itself."""
        anchors = {}
        for metric in self._check.metrics:
            stored = self._baseline.metrics.get(metric.name)
            if stored is None or stored.margin is None or self._approved is None:
                continue
            same = stored.definition == definition(self._approved.predictions, metric, self._truth)
            if same and not self._another_scorer(metric, stored):
                anchors[metric.name] = self._anchor(metric, stored)
        return anchors

    def _anchor(self, metric: Metric, stored: BaselineMetric) -> Anchor:
        assert self._approved is not None
        if stored.anchor is None:
            psi, since = self._of_baseline(metric).psi.mean(axis=0), self._baseline.generation
            score, folds, noise_reference = stored.score, stored.folds, stored.noise_reference
        else:
            psi, since = self._approved.anchors[metric.name], stored.anchor.since
            score, folds, noise_reference = stored.anchor.score, stored.anchor.folds, stored.anchor.noise_reference
        margin = noise_reference.margin(score, metric.margin)
        return Anchor(psi, np.array(folds), noise_reference, margin, since)

    def _of_baseline(self, metric: Metric) -> Scores:
        assert self._approved is not None
        if metric.name not in self._old:
            self._old[metric.name] = self._scores(self._approved.predictions, metric)
        return self._old[metric.name]

    def _scores(self, predictions: Predictions, metric: Metric) -> Scores:
        return score(predictions, metric, self._truth)
