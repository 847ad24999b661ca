"""The candidate's predictions against the approved ones, paired by row: metrics and slices. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pytest_model_check.baselines.record import Baseline, BaselineMetric
from pytest_model_check.baselines.store import Approved
from pytest_model_check.checks.check import Check, Metric
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import IncomparableError, PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate.changed_rows import is_right
from pytest_model_check.gate.slices import SLICE_ROWS, values
from pytest_model_check.judgement.drift import Anchor, add_drift, defend
from pytest_model_check.judgement.judge import (
    difference_of_folds,
    identical,
    judge_difference,
    judge_metric,
    judge_slices,
    raise_alarms,
)
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.verdicts import PASSING, ChangedRows, Drift, MetricVerdict
from pytest_model_check.scoring.metrics import definition, judgeable, score

EXAMPLES = 5  # rows that a failure names

START_ANEW = (
    "To start anew on what there is now, have it accepted with a reason: "
    'pytest --model-check --model-check-accept "reason" {nodeid}'
)


def require_same_rows(check: Check, baseline: Baseline, data: Dataset) -> None:
    """Refuse to compare where the same files give other rows.

    Raises
    ------
    IncomparableError
        If `load=` or `target=` has changed.
    """
    if (baseline.rows, baseline.target_digest) != (data.rows, data.target_digest):
        raise IncomparableError(
            f"{check.name}: load= or target= give other rows than the baseline's "
            f"({data.rows:,}, not {baseline.rows:,})",
            f"The files are the same. {START_ANEW.format(nodeid=check.nodeid)}",
        )
    now = data.columns_digests
    other = [name for name, digest in baseline.columns.items() if now.get(name, digest) != digest]
    if other:
        raise IncomparableError(
            f"{check.name}: load= gives other values than the baseline's: {', '.join(other)}",
            f"The files are the same. {START_ANEW.format(nodeid=check.nodeid)}",
        )


class Comparison:
    """The approved predictions of a check, ready to be held against a candidate's, as often as it takes.

    Parameters
    ----------
    check : Check
        The promise.
    protocol : CrossValidation
        Its data and splits.
    baseline : Baseline
        What is approved.
    approved : Approved or None
        Its predictions and anchors; None: they are not to be had, and fold scores have to do.
    """

    def __init__(self, check: Check, protocol: CrossValidation, baseline: Baseline, approved: Approved | None) -> None:
        self._check, self._protocol, self._data = check, protocol, protocol.dataset
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
                f"It says cv={self._baseline.protocol.get('cv')}. {START_ANEW.format(nodeid=self._check.nodeid)}",
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
        settled = {one.metric: one for one in earlier if one.verdict != "inconclusive"}
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
            return MetricVerdict(name, "missing", candidate=self._new(candidate, metric).score, reason=reason)
        if stored.definition != (now := definition(candidate, metric, self._data.truth)):
            reason = f"the baseline's is the {stored.definition}, this one the {now}"
            return MetricVerdict(name, "incomparable", baseline=stored.score, reason=reason)
        if not judgeable(metric):
            after, reason = self._new(candidate, metric).score, "it hangs on a single row, and can't be judged"
            return MetricVerdict(name, "reported", None, stored.score, after, after - stored.score, reason=reason)
        if same:
            return identical(name, stored.score, stored.folds, stored.noise_reference, metric.margin)
        new = self._new(candidate, metric)
        if self._approved is None:
            return self._by_folds(stored, new, metric, alpha_fraction)
        old = self._of_baseline(metric)
        if abs(old.score - stored.score) > 1e-6 * abs(stored.score - stored.noise_reference.dummy):
            reason = f"the approved predictions score {old.score:.6g} now, the baseline says {stored.score:.6g}"
            return MetricVerdict(name, "incomparable", baseline=stored.score, reason=f"{reason}: another metric")
        found = judge_metric(
            name,
            old,
            new,
            stored.noise_reference,
            metric.margin,
            alpha_fraction=alpha_fraction,
            comparisons=self._baseline.reused + 1,
        )
        if stored.anchor is not None:
            found = defend(found, self._anchor(metric, stored), new, alpha_fraction=alpha_fraction)
        # not where rows were left out together: then a row's value is that of several
        if found.verdict not in PASSING and (new.clusters is None or new.kind != "jackknife"):
            lost = new.psi.mean(axis=0) - old.psi.mean(axis=0)
            rows = np.unique(candidate.row)[np.argsort(lost, kind="stable")[:EXAMPLES]]
            found = replace(found, losses=tuple(rows[np.sort(lost)[:EXAMPLES] < 0].tolist()))
        return found

    def _by_folds(self, stored: BaselineMetric, new: Scores, metric: Metric, alpha_fraction: float) -> MetricVerdict:
        before = [self._baseline.protocol.get(key) for key in ("cv", "groups", "time")]
        now = [self._protocol.splitter, self._check.groups, self._check.time]
        if before != now or len(stored.folds) != len(self._protocol.splits) or len(stored.folds) < 2:
            reason = f"its predictions can't be had, and its fold scores are those of {before[0]}: " + (
                "one fold alone says nothing" if len(stored.folds) < 2 else "other folds"
            )
            return MetricVerdict(metric.name, "incomparable", baseline=stored.score, reason=reason)
        ratio = float(np.mean([len(split.test) / len(split.train) for split in self._protocol.splits]))
        found = difference_of_folds(stored.folds, new, stored.noise_reference, ratio)
        verdict = judge_difference(
            metric.name,
            found,
            stored.score,
            stored.folds,
            new,
            stored.noise_reference,
            metric.margin,
            alpha_fraction=alpha_fraction,
        )
        if stored.anchor is not None:  # how far the two are apart was measured when this baseline was approved
            lead, anchor = stored.score - stored.anchor.score, stored.anchor
            low, high = found.bounds(alpha_fraction)
            margin = anchor.noise_reference.margin(anchor.score, metric.margin)
            drift = Drift(anchor.since, anchor.score, found.delta + lead, low + lead, high + lead, margin)
            verdict = add_drift(verdict, drift)
        weak = "judged by its fold scores alone (corrected resampled t-test), which see less than predictions do"
        return replace(verdict, reason="; ".join(filter(None, (verdict.reason, weak))))

    def anchors(self) -> dict[str, Anchor]:
        """Give what losses are added up from, by metric: the stored anchors, or else the baseline itself."""
        found = {}
        for metric in self._check.metrics:
            stored = self._baseline.metrics.get(metric.name)
            if stored is None or stored.margin is None or self._approved is None:
                continue
            if stored.definition == definition(self._approved.predictions, metric, self._data.truth):
                found[metric.name] = self._anchor(metric, stored)
        return found

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

    def slices(self, candidate: Predictions, found: Sequence[MetricVerdict]) -> tuple[MetricVerdict, ...]:
        """Judge every metric, where it was judged by its rows at all, on the rows of each slice."""
        if self._approved is None or not self._check.slices:
            return ()
        judged = {one.metric: one for one in found if one.resolution is not None}
        predicted = np.zeros(self._data.rows, dtype=bool)
        predicted[candidate.row] = True
        alarms: list[tuple[MetricVerdict, float]] = []
        for metric in (one for one in self._check.metrics if one.name in judged):
            scored = []
            for name, keep in values(self._check, self._data):
                if (keep & predicted).sum() < SLICE_ROWS:
                    continue
                try:
                    old, new = (
                        self._new(side.of_rows(keep), metric) for side in (self._approved.predictions, candidate)
                    )
                except PromiseError:  # one class only in a fold, say: what has no score here raises no alarm
                    continue
                scored.append((name, old, new))
            noise_reference = self._baseline.metrics[metric.name].noise_reference
            alarms += judge_slices(scored, judged[metric.name], noise_reference)
        return raise_alarms(alarms)

    def changed_rows(self, candidate: Predictions) -> ChangedRows | None:
        """Count the rows that are wrong now and were right, and those the other way round; name the first ones.

        A row is right where most of its answers are, over seeds and repeats. None for regression, and where the
        baseline's predictions are not to be had.
        """
        if self._approved is None or candidate.classes is None:
            return None
        approved = self._approved.predictions.first(candidate.seeds)  # as many, or ties would count as wrong
        before, after = (is_right(side, self._data.y) for side in (approved, candidate))
        lost = np.unique(candidate.row)[before & ~after]
        return ChangedRows(len(lost), int((after & ~before).sum()), tuple(lost[:EXAMPLES].tolist()))

    def _of_baseline(self, metric: Metric) -> Scores:
        assert self._approved is not None
        if metric.name not in self._old:
            self._old[metric.name] = self._new(self._approved.predictions, metric)
        return self._old[metric.name]

    def _new(self, predictions: Predictions, metric: Metric) -> Scores:
        return score(predictions, metric, self._data.truth)
