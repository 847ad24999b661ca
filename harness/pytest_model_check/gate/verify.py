"""Verify a branch's recording: make it once more, and hold it against what the branch claims."""

from __future__ import annotations

from functools import partial

from pytest_model_check.baselines import measure, store, successor
from pytest_model_check.checks.check import Check
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.gate.findings import Held, Settled, with_first
from pytest_model_check.pull_requests import claims
from pytest_model_check.pull_requests.approved import Approval
from pytest_model_check.scoring.metrics import score
from pytest_model_check.settings import Progress, Settings


def verify(
    check: Check, protocol: CrossValidation, approval: Approval, held: Held, settings: Settings, progress: Progress
) -> Settled:
    """Make the branch's recording once more, and see whether its baseline claims what comes out."""
    claimed, data = approval.claimed, protocol.dataset
    assert claimed is not None
    accepted = claims.brought(claimed, approval.baseline)
    given_up = {metric for one in accepted for metric in one.metrics} & set(successor.failing(held.metrics))
    measured, again, fits = measure.record(
        check,
        protocol,
        generation=claimed.generation,
        anchors={name: anchor for name, anchor in held.anchors.items() if name not in given_up},
        jobs=settings.jobs,
        progress=partial(progress, "verifying the branch's baseline"),
        rules=settings.rules,
    )
    stored = store.read_approved(settings.folder, claimed)
    scores = {}
    if stored.predictions.same_slots(again.predictions):
        scores = {metric.name: score(stored.predictions, metric, data.truth).score for metric in check.metrics}
    disputed = claims.disputed(
        claimed, stored, measured, again, scores, approval.baseline, held.metrics, held.message(check.name)
    )
    standing = tuple(one for one in accepted if one.closed is None)
    covered = claims.covers(accepted, held.metrics, held.weakened, broken=held.broken is not None)
    return Settled(
        metrics=with_first(held.metrics, measured, "new"),
        accepted=standing if held.failing and not disputed and covered else (),
        disputed=disputed,
        fits=fits,
    )
