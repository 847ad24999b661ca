"""Compare the candidate with what is approved: fit it, judge it, and see what is promised less."""

from __future__ import annotations

from dataclasses import replace

from pytest_model_check.baselines import promises
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.store import Approved
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.data import repeated_rows
from pytest_model_check.errors import IncomparableError, UnavailableError
from pytest_model_check.gate import changed_rows, latency, old_data, sequential, slices
from pytest_model_check.gate.context import Context
from pytest_model_check.gate.findings import Comparison
from pytest_model_check.gate.old_data import OnOldData
from pytest_model_check.gate.paired import PairedJudge, require_same_rows
from pytest_model_check.gate.sequential import Judge
from pytest_model_check.judgement.compared import Differences
from pytest_model_check.judgement.verdicts import PASSING, Weakening
from pytest_model_check.old_code import moved_data
from pytest_model_check.old_code.moved_data import CarriedOver
from pytest_model_check.scoring.charts import charts


def compare(
    context: Context,
    judge: Judge = sequential.judge,
    judge_on_old_data: Judge = sequential.judge,
    protocol: Protocol | None = None,
) -> Comparison:
    """Compare the candidate with what is approved; where the data has moved, with that model on the new data.

    Parameters
    ----------
    context : Context
        What is compared, and with what.
    judge : callable
        Has the candidate's predictions, and judges them: fits it, or reads what another process has left.
    judge_on_old_data : callable
        Likewise, on the data that was approved, where it has moved.
    protocol : Protocol or None
        As it is promised; None: as the check says.

    Raises
    ------
    ModelCheckError
        If the candidate can't be fitted, or the approved predictions can't be had.
    """
    check, approval, baseline = context.check, context.approval, context.approval.baseline
    if baseline is None:
        return Comparison()
    if protocol is None:
        protocol = promises.protocol_of(check, context.cross_validation.splitter, context.settings.rules)
    terms = promises.terms_of_check(check, protocol, baseline)
    weakened = promises.weakened(promises.terms_of_baseline(baseline), terms)
    if approval.deleted:
        weakened += (Weakening("deleted", approval.file),)
    try:
        comparison = _compare(context, baseline, judge, judge_on_old_data)
    except IncomparableError as error:
        return Comparison(incomparable=error, weakened=weakened)
    comparison = replace(comparison, metrics=comparison.metrics + latency.judge(context, comparison.metrics))
    # whatever the splitter is called now: the folds are the same, or nothing could have been compared
    return replace(comparison, weakened=tuple(weaker for weaker in weakened if weaker.term != "cv"))


def _compare(context: Context, baseline: Baseline, judge: Judge, judge_on_old_data: Judge) -> Comparison:
    check, data, settings = context.check, context.data, context.settings
    carried = _carried_over(context, baseline)
    reference, approved = (carried.baseline, carried.approved) if carried else (baseline, _predictions(context))
    paired = PairedJudge(check, context.cross_validation, reference, approved)
    judged = judge(context, reference, paired)
    if approved is None:
        return Comparison(judged.metrics, fits=judged.fits, predictions=judged.predictions)
    both = approved.predictions, judged.predictions
    metrics = judged.metrics + slices.judge(check, data, reference, *both, judged.metrics)
    passing = all(metric.verdict in PASSING for metric in metrics if metric.decides)
    before = old_data.judge(context, baseline, carried, judge_on_old_data) if carried else OnOldData()
    moved = None
    if carried:
        repeated = before.repeated, repeated_rows.count(context.cross_validation)
        moved = moved_data.table(baseline, carried, before.metrics, data, metrics, repeated, before.reason)
        metrics = old_data.both(metrics, before)
    return Comparison(
        metrics,
        anchors=paired.anchors() if settings.update or context.approval.claimed else {},
        fits=judged.fits + before.fits,
        differences=Differences(
            changed_rows=None if passing else changed_rows.count(*both, data.y, data.sample_weight),
            moved=moved,
            charts=charts(data.y, *both, data.sample_weight) if settings.charts else {},
        ),
        predictions=judged.predictions,
        on_old_data=before.predictions,
    )


def _carried_over(context: Context, baseline: Baseline) -> CarriedOver | None:
    """Measure the approved model on the new data, where the data has moved."""
    check, data = context.check, context.data
    if not moved_data.has_moved(baseline, data):
        require_same_rows(check, baseline, data)
        return None
    progress = context.progress_of("fitting the approved code on the new data")
    with context.engine.waiting():
        return moved_data.carry_over(check, data, context.approval, context.settings, progress)


def _predictions(context: Context) -> Approved | None:
    """Read the approved predictions; None where they can't be had and the ini file says that fold scores will do."""
    settings = context.settings
    try:
        return context.approval.predictions(settings.scratch)
    except UnavailableError:
        if not settings.rules.folds_suffice or settings.update:
            raise
        return None
