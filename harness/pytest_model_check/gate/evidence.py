"""What the gate found of a check -> the evidence that another process can judge."""

from __future__ import annotations

from pytest_model_check.baselines import promises
from pytest_model_check.checks.describe import describe
from pytest_model_check.evidence import bundle
from pytest_model_check.evidence.record import Answers, Evidence, Promise
from pytest_model_check.gate.context import Context
from pytest_model_check.gate.findings import Comparison, Recording


def leave(context: Context, comparison: Comparison, recording: Recording) -> None:
    """Write the evidence of a check, where it was asked for.

    Raises
    ------
    EvidenceError
        If it can't be written.
    """
    check, cv, settings = context.check, context.cross_validation, context.settings
    if settings.evidence is None:
        return
    baseline, measured = context.approval.baseline, recording.measured
    evidence = Evidence(
        check.name,
        check.nodeid,
        describe(check.candidate),
        Promise(
            promises.protocol_of(check, cv.splitter, settings.rules),
            {metric.name: metric.margin for metric in check.metrics},
            loads=check.load is not None,
        ),
        cv.dataset.files,
        entropy=None if baseline is None else baseline.entropy,
        recording_entropy=None if measured is None else measured.baseline.entropy,
        sealed=settings.sealed,
        learner="" if measured is None else measured.baseline.learner,
    )
    answers = Answers(
        comparison.predictions,
        comparison.on_old_data,
        None if measured is None else measured.approved.predictions,
        None if measured is None else measured.replicates,
    )
    bundle.leave(settings.evidence, evidence, answers)
