"""Record the candidate as the next baseline, measured with fresh seeds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pytest_model_check.baselines import measure, store, successor
from pytest_model_check.checks.check import Check
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.gate.findings import Held, Settled, with_first
from pytest_model_check.judgement.verdicts import Acceptance
from pytest_model_check.pull_requests.approved import Approval
from pytest_model_check.settings import Progress, Settings


def record(
    check: Check, protocol: CrossValidation, approval: Approval, held: Held, settings: Settings, progress: Progress
) -> Settled:
    """Measure the candidate as the next baseline, with fresh seeds."""
    old, lost = approval.baseline, successor.failing(held.metrics)
    measured, approved, fits = measure.record(
        check,
        protocol,
        generation=1 if old is None else old.generation + 1,
        anchors={name: anchor for name, anchor in held.anchors.items() if name not in lost},  # it moves with a loss
        jobs=settings.jobs,
        progress=partial(progress, "measuring the baseline"),
        rules=settings.rules,
    )
    accepted = None
    if held.failing:
        assert settings.accept is not None
        accepted = Acceptance(measured.generation, settings.accept, held.message(check.name), lost, held.weakened)
    pending = store.prepare(successor.succeed(measured, old, held.metrics, accepted), approved, settings.scratch)
    return Settled(
        replace(pending, replaces=approval.state),
        with_first(held.metrics, measured, "recorded"),
        () if accepted is None else (accepted,),
        fits=fits,
    )
