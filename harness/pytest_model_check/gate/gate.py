"""The gate: one check, from data to verdict. Read this first."""

from __future__ import annotations

import time

from pytest_model_check.baselines import successor
from pytest_model_check.baselines.store import Pending
from pytest_model_check.checks.check import Check
from pytest_model_check.data import dataset, splits
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import MissingBaselineError
from pytest_model_check.gate.compare import hold
from pytest_model_check.gate.conclude import conclude
from pytest_model_check.gate.findings import Held, Settled, without_new
from pytest_model_check.gate.record import record
from pytest_model_check.gate.verify import verify
from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.pull_requests import approved
from pytest_model_check.pull_requests.approved import Approval
from pytest_model_check.scoring.metrics import require_judgeable
from pytest_model_check.settings import Progress, Settings


def run(check: Check, settings: Settings, progress: Progress) -> tuple[Verdict, Pending | None]:
    """Judge a check; with `update`, measure the baseline that will be written when the run is over.

    Raises
    ------
    ModelCheckError
        If the check can't be judged; then nothing is pending.
    """
    started = time.perf_counter()
    require_judgeable(check.metrics)
    approval = approved.find(check.name, settings.folder, settings.revision)
    if approval.baseline is None and approval.claimed is None and not settings.update:
        raise MissingBaselineError(
            f"{check.name}: there is no baseline to hold the candidate against",
            "Record one from the model as it is now: pytest --model-check --update-baselines",
        )
    protocol = splits.make_cross_validation(check, dataset.read(check, settings.root))
    held = hold(check, protocol, approval, settings, progress)
    settled = settle(check, protocol, approval, held, settings, progress)
    verdict = conclude(check, protocol, approval, held, settled, settings, time.perf_counter() - started)
    return verdict, settled.pending


def settle(
    check: Check, protocol: CrossValidation, approval: Approval, held: Held, settings: Settings, progress: Progress
) -> Settled:
    """Record the candidate as the next baseline, or verify what the branch says of its own, or leave all as it is.

    Raises
    ------
    ModelCheckError
        If the candidate can't be measured; then nothing is pending.
    """
    if _records(approval, held, settings):
        return record(check, protocol, approval, held, settings, progress)
    if approval.claimed is not None:
        return verify(check, protocol, approval, held, settings, progress)
    return Settled(metrics=without_new(held.metrics) if settings.update else held.metrics)


def _records(approval: Approval, held: Held, settings: Settings) -> bool:
    if not settings.update or (held.failing and settings.accept is None):
        return False
    return (
        approval.baseline is None
        or held.failing
        or held.differences.moved is not None
        or successor.may_record(held.metrics)
    )
