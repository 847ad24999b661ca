"""The gate: one check, from data to verdict. Read this first."""

from __future__ import annotations

from contextlib import closing

from pytest_model_check.baselines.store import Pending
from pytest_model_check.checks.check import Check
from pytest_model_check.fitting.engine import Engine
from pytest_model_check.gate import evidence
from pytest_model_check.gate.compare import compare
from pytest_model_check.gate.conclude import conclude
from pytest_model_check.gate.context import Context, prepare
from pytest_model_check.gate.findings import Comparison, Recording, without_new
from pytest_model_check.gate.record import may_record, record
from pytest_model_check.gate.verify import verify
from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.settings import Progress, Settings


def run(check: Check, settings: Settings, engine: Engine, progress: Progress) -> tuple[Verdict, Pending | None]:
    """Judge a check; with `update`, measure the baseline that will be written when the run is over.

    Raises
    ------
    ModelCheckError
        If the check can't be judged; then nothing is pending.
    """
    with closing(prepare(check, settings, engine, progress)) as context:  # data, splits, and the approved baseline
        comparison = compare(context)  # the candidate's predictions out of fold, judged against the baseline's
        recording = record_or_verify(context, comparison)  # a new baseline, measured; or a branch's, measured again
        evidence.leave(context, comparison, recording)  # for whoever judges it again in another process
    return conclude(context, comparison, recording), recording.pending


def record_or_verify(context: Context, comparison: Comparison) -> Recording:
    """Record the candidate as the next baseline, or verify what the branch recorded, or do neither.

    Raises
    ------
    ModelCheckError
        If the candidate can't be measured; then nothing is pending.
    """
    if context.check.baseline is not None:  # a challenger is only compared
        return Recording(metrics=comparison.metrics)
    if may_record(context, comparison):
        return record(context, comparison)
    if context.approval.claimed is not None:
        return verify(context, comparison)
    return Recording(metrics=without_new(comparison.metrics) if context.settings.update else comparison.metrics)
