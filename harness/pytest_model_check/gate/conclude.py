"""Everything that was found of a check -> its verdict, with what to say and what to do next."""

from __future__ import annotations

import shlex

from pytest_model_check.baselines import environment, promises
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.checks.declared import origin_of, provenance_of
from pytest_model_check.checks.describe import describe
from pytest_model_check.data import repeated_rows
from pytest_model_check.data.leaks import leaks
from pytest_model_check.errors import IncomparableError, MissingBaselineError, ModelCheckError
from pytest_model_check.gate.context import Context
from pytest_model_check.gate.findings import Comparison, Recording, named
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.compared import Compared, DataVersion
from pytest_model_check.judgement.latency import QUANTILES
from pytest_model_check.judgement.verdicts import (
    PASSING,
    Concessions,
    Label,
    MetricVerdict,
    Verdict,
    worst,
)
from pytest_model_check.paths import quoted, show
from pytest_model_check.pull_requests.approved import Approval


def conclude(context: Context, comparison: Comparison, recording: Recording) -> Verdict:
    """Return the verdict: what was accepted passes, what is disputed or promises less does not."""
    check, approval, rules = context.check, context.approval, context.settings.rules
    metrics = recording.metrics
    label: Label = "incomparable"
    if not recording.disputed and not comparison.incomparable:
        label = worst([metric.verdict for metric in metrics if metric.decides])
    pointless = any(m.candidate is not None and m.dummy is not None and m.candidate <= m.dummy for m in metrics)
    unproven = label == "inconclusive" and rules.inconclusive_passes and not pointless
    passed = bool(recording.accepted) or (not comparison.weakened and (label in PASSING or unproven))
    baseline = recording.pending.baseline if recording.pending else approval.claimed or approval.baseline
    compared = _compared(context, comparison, baseline)
    message, advice = comparison.message(check.name, metrics), _advice(context, comparison, metrics, compared)
    if recording.disputed:
        more = f" (and {len(recording.disputed) - 1} more)" if len(recording.disputed) > 1 else ""
        claim = f"{recording.disputed[0]}{more}"
        if comparison.failing_metrics:  # that comes first
            claim = f"{message.removeprefix(f'{check.name}: ')}; and its new baseline is disputed: {claim}"
        message, advice = f"{check.name}: {claim}", _disputed(approval, recording)
    return Verdict(
        name=check.name,
        nodeid=check.nodeid,
        verdict=label,
        passed=passed and not recording.disputed,
        message=message,
        advice=advice,
        metrics=metrics,
        compared=compared,
        concessions=Concessions(
            "; ".join(acceptance.reason for acceptance in recording.accepted) or None,
            tuple(map(explain.weakening, comparison.weakened)),
            tuple(old for old in (baseline.standing if baseline else ()) if old not in recording.accepted),
            recording.wider,
        ),
        differences=comparison.differences,
        cost=context.cost(comparison.fits + recording.fits),
        quality=recording.quality,
    )


def failure(name: str, nodeid: str, error: ModelCheckError) -> Verdict:
    """Return the verdict of a check that could not be judged."""
    label: Label = "error"
    if isinstance(error, MissingBaselineError):
        label = "missing"
    elif isinstance(error, IncomparableError):
        label = "incomparable"
    return Verdict(name, nodeid, label, False, named(name, error.message), error.advice)


def _compared(context: Context, comparison: Comparison, latest: Baseline | None) -> Compared:
    check, data, approval, baseline = context.check, context.data, context.approval, context.approval.baseline
    known = latest or baseline
    repeated = _repeated(context)
    return Compared(
        DataVersion(data.path, data.md5, data.rows, data.effective_rows, repeated),
        released=baseline.candidate if baseline else "",
        candidate=describe(check.candidate),
        protocol=promises.protocol_of(check, context.cross_validation.splitter, context.settings.rules).plain(),
        released_features=baseline.protocol.features if baseline else None,
        recording=baseline.generation if baseline else 0,
        reused=baseline.reused if baseline and comparison.differences.moved is None else 0,
        environment=_changes(approval.claimed or baseline),
        learner=known.learner if known else "",
        folds=context.cross_validation.folds,
        origin=origin_of(check.candidate),
        provenance=provenance_of(check.candidate),
        sealed="run" if context.settings.sealed else "",
        leaks=leaks(check, context.cross_validation, repeated) if origin_of(check.candidate) == "refitted" else (),
    )


def _repeated(context: Context) -> int:
    """Count the rows that a fit of this run predicts and has seen."""
    return repeated_rows.count(context.cross_validation) if origin_of(context.check.candidate) == "refitted" else 0


def _advice(context: Context, comparison: Comparison, metrics: tuple[MetricVerdict, ...], compared: Compared) -> str:
    lines = []
    if comparison.weakened and (comparison.incomparable or comparison.failing_metrics):
        lines.append(f"The promise was weakened: {'; '.join(map(explain.weakening, comparison.weakened))}.")
    if comparison.incomparable:
        lines.append(comparison.incomparable.advice)
    if comparison.weakened and context.approval.deleted:
        lines.append(f"Bring the baseline back: {_checkout(context.approval)}")
    elif comparison.weakened and not comparison.incomparable:
        lines.append(
            "Promise as much as before, or have it accepted with a reason: "
            f'pytest --model-check --model-check-accept "reason" {shlex.quote(context.check.nodeid)}'
        )
    if any(metric.metric in QUANTILES and metric.verdict == "incomparable" for metric in metrics):
        lines.append(
            "Latency is compared with the approved service, in the same run: let it serve at an address of its own, "
            "beside the candidate. Or have this one accepted as a new start: "
            f'pytest --model-check --model-check-accept "reason" {shlex.quote(context.check.nodeid)}'
        )
    if not comparison.incomparable:
        lines.append(explain.advice(metrics, compared, comparison.differences.changed_rows))
    return "\n".join(line for line in lines if line)


def _disputed(approval: Approval, recording: Recording) -> str:
    others = [f"Also: {claim}." for claim in recording.disputed[1:]]
    back = f"{_checkout(approval)}; then: " if approval.baseline else ""
    if approval.returns and approval.claimed is not None:  # without it, what was retired is what there is
        back = f"delete {show(approval.folder / approval.claimed.name)}.json; then: "
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
    """Return what computes other versions than when the baseline was recorded: package, then, now."""
    now = environment.environment()
    then = now if baseline is None else baseline.environment
    return tuple(
        (key, then.get(key, "-"), now.get(key, "-")) for key in {**then, **now} if then.get(key) != now.get(key)
    )
