"""Settling: a new recording, or a branch's recording made once more to see whether it is what the branch says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from harness import baselines, claims, recording, updating
from harness.approvals import Approval
from harness.baselinejson import Baseline
from harness.baselines import Pending
from harness.check import Check
from harness.crossval import Protocol
from harness.holding import Held
from harness.metrics import score
from harness.settings import Progress, Settings
from harness.verdicts import Acceptance, Label, MetricVerdict


@dataclass(frozen=True)
class Settled:
    """What comes of it: a recording, or a branch's claims confirmed or disputed.

    Parameters
    ----------
    pending : Pending or None
        The baseline to be written when the run is over.
    metrics : tuple of MetricVerdict
        As they are shown.
    accepted : tuple of Acceptance
        What this run, or this branch, accepts.
    disputed : tuple of str
        What a branch claims and this run can't confirm.
    fits : int
        Made for it.
    """

    pending: Pending | None = None
    metrics: tuple[MetricVerdict, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    disputed: tuple[str, ...] = ()
    fits: int = 0


def settle(
    check: Check, protocol: Protocol, approval: Approval, held: Held, settings: Settings, progress: Progress
) -> Settled:
    """Record the candidate as the next baseline, or verify what the branch says of its own, or leave all as it is.

    Raises
    ------
    ModelCheckError
        If the candidate can't be measured; then nothing is pending.
    """
    if _records(approval, held, settings):
        return _record(check, protocol, approval, held, settings, progress)
    if approval.claimed is not None:
        return _verify(check, protocol, approval, held, settings, progress)
    return Settled(metrics=_without_new(held.metrics) if settings.update else held.metrics)


def _records(approval: Approval, held: Held, settings: Settings) -> bool:
    if not settings.update or (held.failing and settings.accept is None):
        return False
    return approval.baseline is None or held.failing or held.moved is not None or updating.may_record(held.metrics)


def _record(
    check: Check, protocol: Protocol, approval: Approval, held: Held, settings: Settings, progress: Progress
) -> Settled:
    """Measure the candidate as the next baseline, with fresh seeds."""
    old, lost = approval.baseline, updating.failing(held.metrics)
    measured, approved, fits = recording.record(
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
    pending = baselines.prepare(updating.succeed(measured, old, held.metrics, accepted), approved, settings.scratch)
    return Settled(
        replace(pending, replaces=approval.state),
        _with_first(held.metrics, measured, "recorded"),
        () if accepted is None else (accepted,),
        fits=fits,
    )


def _verify(
    check: Check, protocol: Protocol, approval: Approval, held: Held, settings: Settings, progress: Progress
) -> Settled:
    """Make the branch's recording once more, and see whether its baseline claims what comes out."""
    claimed, data = approval.claimed, protocol.dataset
    assert claimed is not None
    accepted = claims.brought(claimed, approval.baseline)
    given_up = {metric for one in accepted for metric in one.metrics} & set(updating.failing(held.metrics))
    measured, again, fits = recording.record(
        check,
        protocol,
        generation=claimed.generation,
        anchors={name: anchor for name, anchor in held.anchors.items() if name not in given_up},
        jobs=settings.jobs,
        progress=partial(progress, "verifying the branch's baseline"),
        rules=settings.rules,
    )
    stored = baselines.read_approved(settings.folder, claimed)
    scores = {}
    if stored.predictions.same_slots(again.predictions):
        scores = {
            metric.name: score(stored.predictions, data.y, metric, data.units, serial=data.serial).score
            for metric in check.metrics
        }
    disputed = claims.disputed(
        claimed, stored, measured, again, scores, approval.baseline, held.metrics, held.message(check.name)
    )
    standing = tuple(one for one in accepted if one.closed is None)
    covered = claims.covers(accepted, held.metrics, held.weakened, broken=held.broken is not None)
    return Settled(
        metrics=_with_first(held.metrics, measured, "new"),
        accepted=standing if held.failing and not disputed and covered else (),
        disputed=disputed,
        fits=fits,
    )


def _without_new(found: tuple[MetricVerdict, ...]) -> tuple[MetricVerdict, ...]:
    """Leave out what this run would have recorded: what is refused is not for want of it."""
    return tuple(metric for metric in found if not metric.is_new) or found


def _with_first(found: tuple[MetricVerdict, ...], measured: Baseline, label: Label) -> tuple[MetricVerdict, ...]:
    """Keep what was judged; show what is measured for the first time."""
    judged = tuple(metric for metric in found if not metric.is_new)
    known = {metric.metric for metric in judged}
    first = tuple(
        MetricVerdict(
            name,
            label,
            candidate=metric.score,
            margin=metric.margin,
            dummy=metric.yardstick.dummy,
            reason=metric.margin_reason,
        )
        for name, metric in measured.metrics.items()
        if name not in known
    )
    return judged + first
