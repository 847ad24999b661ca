"""Everything that was found of a check -> its verdict, with what to say and what to do next."""

from __future__ import annotations

import shlex

from pytest_model_check.baselines import environment, promises, successor
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.candidates import estimator
from pytest_model_check.checks.check import Check
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import IncomparableError, MissingBaselineError, ModelCheckError
from pytest_model_check.gate.findings import Held, Settled, named
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.verdicts import PASSING, Label, MetricVerdict, Verdict, worst
from pytest_model_check.paths import quoted
from pytest_model_check.pull_requests.approved import Approval
from pytest_model_check.settings import Settings


def conclude(
    check: Check,
    protocol: CrossValidation,
    approval: Approval,
    held: Held,
    settled: Settled,
    settings: Settings,
    seconds: float,
) -> Verdict:
    """Give the verdict: what was accepted passes, what is disputed or promises less does not."""
    found, data = settled.metrics, protocol.dataset
    label: Label = "incomparable"
    if not settled.disputed and not held.broken:
        label = worst([metric.verdict for metric in found if metric.decides])
    pointless = any(m.candidate is not None and m.dummy is not None and m.candidate <= m.dummy for m in found)
    unproven = label == "inconclusive" and settings.rules.inconclusive_passes and not pointless
    passed = bool(settled.accepted) or (not held.weakened and (label in PASSING or unproven))
    message, advice = held.message(check.name, found), _advice(check, approval, held, found, data.rows)
    if settled.disputed:
        more = f" (and {len(settled.disputed) - 1} more)" if len(settled.disputed) > 1 else ""
        claim = f"{settled.disputed[0]}{more}"
        if successor.failing(held.metrics):  # that comes first
            claim = f"{message.removeprefix(f'{check.name}: ')}; and its new baseline is disputed: {claim}"
        message, advice = f"{check.name}: {claim}", _disputed(approval, settled)
    told = settled.pending.baseline if settled.pending else approval.claimed or approval.baseline
    return Verdict(
        name=check.name,
        nodeid=check.nodeid,
        verdict=label,
        passed=passed and not settled.disputed,
        message=message,
        advice=advice,
        metrics=found,
        data_path=data.path,
        data_md5=data.md5,
        rows=data.rows,
        fits=held.fits + settled.fits,
        seconds=seconds,
        accepted="; ".join(one.reason for one in settled.accepted) or None,
        weakened=held.weakened,
        standing=tuple(one for one in (told.standing if told else ()) if one not in settled.accepted),
        moved=held.moved,
        flips=held.flips,
        flipped=held.flipped,
        environment=_changes(approval.claimed or approval.baseline),
        released=approval.baseline.candidate if approval.baseline else "",
        candidate=estimator.describe(check.candidate),
        protocol=promises.protocol(check, protocol.splitter, settings.rules),
        recording=approval.baseline.generation if approval.baseline else 0,
        reused=approval.baseline.reused if approval.baseline and held.moved is None else 0,
        charts=held.charts,
    )


def failure(name: str, nodeid: str, error: ModelCheckError) -> Verdict:
    """Give the verdict of a check that could not be judged."""
    label: Label = "error"
    if isinstance(error, MissingBaselineError):
        label = "missing"
    elif isinstance(error, IncomparableError):
        label = "incomparable"
    return Verdict(name, nodeid, label, False, named(name, error.message), error.advice)


def _advice(check: Check, approval: Approval, held: Held, found: tuple[MetricVerdict, ...], rows: int) -> str:
    lines = []
    if held.weakened and (held.broken or successor.failing(held.metrics)):
        lines.append(f"The promise was weakened: {'; '.join(held.weakened)}.")
    if held.broken:
        lines.append(held.broken.advice)
    if held.weakened and approval.deleted:
        lines.append(f"Bring the baseline back: {_checkout(approval)}")
    elif held.weakened and not held.broken:
        lines.append(
            "Promise as much as before, or have it accepted with a reason: "
            f'pytest --model-check --model-check-accept "reason" {shlex.quote(check.nodeid)}'
        )
    if not held.broken:
        lines.append(explain.advice(found, rows, held.flips, held.flipped))
    return "\n".join(line for line in lines if line)


def _disputed(approval: Approval, settled: Settled) -> str:
    others = [f"Also: {one}." for one in settled.disputed[1:]]
    back = f"{_checkout(approval)}; then: " if approval.baseline else ""
    return "\n".join(
        [
            *others,
            "What this branch says of its baseline must be what this run computes, with the same seeds.",
            f"Record it anew: {back}pytest --model-check --update-baselines",
        ]
    )


def _checkout(approval: Approval) -> str:
    files = [approval.folder / f"{approval.file}{ending}" for ending in (".json", ".parquet.dvc")]
    return f"git checkout {(approval.revision or 'HEAD')[:10]} -- {' '.join(map(quoted, files))}"


def _changes(baseline: Baseline | None) -> tuple[tuple[str, str, str], ...]:
    """Say what computes other versions than when the baseline was recorded."""
    now = environment.environment()
    then = now if baseline is None else baseline.environment
    return tuple(
        (key, then.get(key, "-"), now.get(key, "-")) for key in {**then, **now} if then.get(key) != now.get(key)
    )
