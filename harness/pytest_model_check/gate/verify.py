"""Verify a branch's recording: make it once more, and compare it with what the branch claims."""

from __future__ import annotations

from pytest_model_check.baselines import store
from pytest_model_check.baselines.measure import Measured
from pytest_model_check.baselines.quality import quality
from pytest_model_check.gate.context import Context
from pytest_model_check.gate.findings import Comparison, Recording, with_first
from pytest_model_check.gate.record import measure_candidate
from pytest_model_check.pull_requests import acceptances, claims
from pytest_model_check.scoring.metrics import score


def verify(context: Context, comparison: Comparison) -> Recording:
    """Make the branch's recording once more, and see whether its baseline claims what comes out."""
    claimed = context.approval.claimed
    assert claimed is not None
    accepted = acceptances.brought(claimed, context.approval.baseline)
    measured = measure_candidate(
        context,
        comparison,
        claimed.generation,
        given_up={name for acceptance in accepted for name in acceptance.metrics} & {*comparison.failing_metrics},
        doing="verifying the branch's baseline",
        entropy=claimed.entropy if claims.seeded_by_name(claimed) else None,
    )
    return confirm(context, comparison, measured)


def confirm(context: Context, comparison: Comparison, measured: Measured) -> Recording:
    """Hold what the branch's baseline claims against what was measured for it."""
    check, data, approval = context.check, context.data, context.approval
    claimed = approval.claimed
    assert claimed is not None
    accepted = acceptances.brought(claimed, approval.baseline)
    stored = store.read_approved(context.settings.folder, claimed)
    scores = {}
    if stored.predictions.same_slots(measured.approved.predictions):
        scores = {metric.name: score(stored.predictions, metric, data.truth).score for metric in check.metrics}
    disputed = claims.disputed(
        claimed,
        stored,
        measured.baseline,
        measured.approved,
        scores,
        approval.baseline,
        comparison.metrics,
    )
    standing = tuple(acceptance for acceptance in accepted if acceptance.closed is None)
    covered = acceptances.covers(
        accepted, comparison.metrics, comparison.weakened, incomparable=comparison.incomparable is not None
    )
    return Recording(
        metrics=with_first(comparison.metrics, measured.baseline, "new"),
        accepted=standing if comparison.failing and not disputed and covered else (),
        disputed=disputed,
        fits=measured.fits,
        quality=quality(measured.baseline, measured.alternatives),
        measured=measured,
        wider=() if disputed else claims.wider(claimed, measured.baseline),
    )
