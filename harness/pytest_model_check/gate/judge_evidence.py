"""One check, judged from its evidence alone: promise and baseline as approved, nothing of a branch imported or run."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pytest_model_check.baselines import measure, store
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.candidates.dummy import make_dummy
from pytest_model_check.checks.check import Check, Metric
from pytest_model_check.checks.make_check import known_metric
from pytest_model_check.data import splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.data.splits import CrossValidation, Split
from pytest_model_check.errors import (
    EvidenceError,
    IncomparableError,
    MissingBaselineError,
    ModelCheckError,
)
from pytest_model_check.evidence import bundle
from pytest_model_check.evidence.record import Answers, Evidence
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.engine import CheckEngine, InProcess
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate import judged_rows, sequential
from pytest_model_check.gate.compare import compare
from pytest_model_check.gate.conclude import conclude, failure
from pytest_model_check.gate.context import Context
from pytest_model_check.gate.findings import Comparison, Recording
from pytest_model_check.gate.needs_code import BY_PYTEST, NeedsCodeError
from pytest_model_check.gate.paired import PairedJudge
from pytest_model_check.gate.sealed_refit import Refit, Refitting
from pytest_model_check.gate.sequential import Judged
from pytest_model_check.gate.verify import confirm
from pytest_model_check.judgement.compared import Leak
from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.old_code import moved_data, scorers
from pytest_model_check.paths import show
from pytest_model_check.pull_requests import acceptances, approved, claims
from pytest_model_check.pull_requests.approved import Approval
from pytest_model_check.scoring.requirements import require_enough_rows, require_judgeable, require_weighable
from pytest_model_check.settings import Settings

COLUMNS = ("target", "groups", "time", "sample_weight")


def judge(evidence: Evidence, folder: Path, settings: Settings, refit: Refit | None = None) -> Verdict:
    """Judge a check by the predictions that its run has left.

    Parameters
    ----------
    evidence : Evidence
        The check's.
    folder : Path
        Where its predictions lie.
    settings : Settings
        Where data and baselines are, and which commit's baselines decide. The rules are the evidence's: weaker ones
        than were approved are a weaker promise.
    refit : Refit, optional
        Makes the fits that decide; without it, those of the run do.
    """
    name, nodeid = evidence.name, evidence.nodeid
    settings = replace(
        settings,
        rules=evidence.promise.protocol.rules,
        sealed=evidence.sealed,
        python=settings.python or sys.executable,
    )
    approval = None
    try:
        approval = approved.find(name, settings.folder, settings.revision)
        with _own_scorers(evidence, approval, settings) as own:
            return _judge(evidence, folder, approval, settings, own, refit)
    except NeedsCodeError as error:
        if approval is None or approval.baseline is not None:
            return failure(name, nodeid, error)
        unknown = f"what its first baseline claims is not confirmed: {error.message.removeprefix(f'{name}: ')}"
        return Verdict(name, nodeid, "new", True, f"{name}: new; {unknown}", error.advice)
    except ModelCheckError as error:
        return failure(name, nodeid, error)


def _judge(
    evidence: Evidence,
    folder: Path,
    approval: Approval,
    settings: Settings,
    own: Mapping[str, Any],
    refit: Refit | None,
) -> Verdict:
    started = time.perf_counter()
    reference = approval.baseline or approval.claimed
    if reference is None:
        raise MissingBaselineError(
            f"{evidence.name}: there is no baseline to hold the candidate against",
            f"{show(settings.folder)}/ holds none of this name: pytest --model-check --update-baselines records it.",
        )
    if evidence.promise.protocol.latency_margin is not None or reference.protocol.latency_margin is not None:
        raise NeedsCodeError(
            f"{evidence.name}: its latency is compared while both services run, and no evidence of that can be left",
            BY_PYTEST,
        )
    rebuilt = splits.from_words(evidence.promise.protocol.cv)
    check = replace(_check(evidence, reference, own), cv=rebuilt)
    _require_same_question(evidence, reference)
    check, data = judged_rows.read(check, evidence, reference, settings, is_new=approval.baseline is None)
    cv = _cross_validation(check, data, approval, evidence, settings)
    require_judgeable(check.metrics)
    if check.sample_weight is not None:
        require_weighable(check.metrics, cv.classes)
    require_enough_rows(check.metrics, crossval.slots(cv), data.truth)
    engine, prepared = CheckEngine(InProcess()), time.perf_counter()
    context = Context(check, cv, approval, settings, engine, lambda doing, done, total: None, None, started, prepared)
    found = bundle.answers(folder, evidence.name, cv.classes, store.classes_of(reference))
    refitting = None
    if refit is not None:
        if rebuilt is None:
            raise NeedsCodeError(
                f"{check.name}: its splits are made by code of the project, which sees the target", BY_PYTEST
            )
        refitting = Refitting(context, evidence, refit)
        found = refitting.answers(found, None if approval.claimed is None else _claimed_entropy(context))
    comparison = _compared(context, found, evidence, refitting)
    recording = _recorded(context, comparison, found, evidence, rebuilt=rebuilt is not None)
    verdict = conclude(context, comparison, recording)
    sealed = "run" if evidence.sealed else ""
    compared = replace(
        verdict.compared,
        candidate=evidence.candidate,
        protocol=evidence.promise.protocol.plain(),
        sealed="judge" if refit else sealed,
        leaks=_of_features(verdict.compared.leaks, evidence.promise.protocol.features),
    )
    made = found if refit else Answers()
    fits = sum(map(_fits, (made.candidate, made.on_old_data, made.recording, made.replicates)))
    return replace(verdict, compared=compared, cost=replace(verdict.cost, fits=verdict.cost.fits + fits))


def _fits(answers: Predictions | None) -> int:
    return 0 if answers is None else answers.seeds * (int(answers.split.max()) + 1)


def _of_features(leaks: Sequence[Leak], features: Sequence[str] | None) -> tuple[Leak, ...]:
    """Leave out what was found of columns that the branch's model does not look at."""
    if features is None:
        return tuple(leaks)
    seen = [
        replace(leak, columns=tuple(name for name in leak.columns if name in features))
        if leak.kind in ("feature", "scaled")
        else leak
        for leak in leaks
    ]
    return tuple(leak for leak in seen if leak.columns or leak.rows)


def _claimed_entropy(context: Context) -> int:
    """Return where the random states of the branch's baseline must have come from."""
    claimed, cv = context.approval.claimed, context.cross_validation
    assert claimed is not None
    drawn = crossval.entropy_of(cv.dataset.target_digest, cv.splitter, claimed.generation)
    return claimed.entropy if claims.seeded_by_name(claimed) else drawn


def _own_scorers(
    evidence: Evidence, approval: Approval, settings: Settings
) -> AbstractContextManager[Mapping[str, Any]]:
    """Run the scorers that scikit-learn does not know by name: the base commit's, in a process of their own."""
    approved = approval.baseline
    assert settings.revision is not None
    if approved is None:
        return nullcontext({})
    own = any(metric.scorer for metric in approved.metrics.values())
    if not own and all(known_metric(name, None) for name in evidence.promise.margins):
        return nullcontext({})
    return scorers.running(approved, settings.revision, settings)


def _check(evidence: Evidence, reference: Baseline, own: Mapping[str, Any]) -> Check:
    """Write the promise down: columns as approved, the rest as the branch promises it, which may be no less."""
    protocol, terms = reference.protocol, evidence.promise.protocol
    return Check(
        name=evidence.name,
        nodeid=evidence.nodeid,
        candidate=make_dummy("regression" if reference.classes is None else "classification"),  # tells the task alone
        data=tuple(path for path, _ in evidence.data),
        target=protocol.target,
        metrics=tuple(_metric(evidence, own, *named) for named in evidence.promise.margins.items()),
        cv=None,
        features=None,
        groups=protocol.groups,
        time=protocol.time,
        slices=tuple(dict.fromkeys((*terms.slices, *protocol.slices))),
        seeds=terms.seeds or 1,
        load=None,
        season=terms.season,
        sample_weight=protocol.sample_weight,
        read=protocol.read,
    )


def _metric(evidence: Evidence, own: Mapping[str, Any], name: str, margin: float | None) -> Metric:
    """Return a metric; whose scorer the base's test names, is what it names."""
    metric = Metric(name, own[name], margin) if name in own else known_metric(name, margin)
    if metric is None:
        raise NeedsCodeError(
            f"{evidence.name}: {name} is no scorer of scikit-learn's, and the base commit has no check that names it",
            f"Code of the branch is not run here. {BY_PYTEST}",
        )
    return metric


def _require_same_question(evidence: Evidence, reference: Baseline) -> None:
    """Refuse answers to another question than the approved one: of another target, other groups or weights."""
    theirs, mine = evidence.promise.protocol, reference.protocol
    other = [column for column in COLUMNS if getattr(theirs, column) != getattr(mine, column)]
    if other:
        raise IncomparableError(
            f"{evidence.name}: the branch's check has another {', '.join(other)} than its baseline",
            f"No baseline answers that question. {BY_PYTEST}",
        )


def _cross_validation(
    check: Check, data: Dataset, approval: Approval, evidence: Evidence, settings: Settings
) -> CrossValidation:
    """Lay down the splits: scikit-learn's anew; of a splitter of the project's, those of the approved predictions."""
    if check.cv is not None:
        return splits.make_cross_validation(check, data)
    words = evidence.promise.protocol.cv
    if approval.baseline is None or moved_data.has_moved(approval.baseline, data):
        raise NeedsCodeError(f"{check.name}: its splits are made by code of the project ({words})", BY_PYTEST)
    known = approval.predictions(settings.scratch).predictions
    made = []
    for split in range(int(known.split.max()) + 1):
        slots = np.flatnonzero(known.split == split)
        test = known.row[slots]
        train = np.setdiff1d(np.arange(data.rows), test)  # nothing is fitted on it
        made.append(Split(int(known.repeat[slots[0]]), int(known.fold[slots[0]]), train, test))
    return CrossValidation(data, known.classes, tuple(made), words)


def _compared(context: Context, found: Answers, evidence: Evidence, refitting: Refitting | None) -> Comparison:
    """Judge the candidate's predictions against the approved ones, and the promise against the approved one."""

    def on_old_data(there: Context, reference: Baseline, paired: PairedJudge) -> Judged:
        answers = found.on_old_data
        if answers is None:
            raise IncomparableError(f"{evidence.name}: the evidence holds no predictions there")
        _require_slots(there, answers, "predictions on the old data")
        if refitting is not None:
            answers = refitting.predictions(
                "predictions on the old data", there.cross_validation, answers, reference.entropy
            )
            assert answers is not None
        return sequential.replay(there, reference, paired, found=answers)

    baseline = context.approval.baseline
    if baseline is None:
        return Comparison()
    if found.candidate is None:
        raise EvidenceError(
            f"{evidence.name}: the evidence holds no predictions to compare with the approved ones",
            "Run the checks again against the same commit: pytest --model-check --model-check-against REV "
            "--model-check-evidence DIR",
        )
    _require_slots(context, found.candidate, "predictions")
    replay = partial(sequential.replay, found=found.candidate)
    return compare(context, replay, on_old_data, evidence.promise.protocol)


def _recorded(
    context: Context, comparison: Comparison, found: Answers, evidence: Evidence, *, rebuilt: bool
) -> Recording:
    """Hold what the branch's baseline claims against what its predictions say."""
    claimed, check, cv = context.approval.claimed, context.check, context.cross_validation
    if claimed is None:
        return Recording(metrics=comparison.metrics)
    wrong = _unmeasurable(check, found, evidence, rebuilt=rebuilt)
    if found.recording is None or wrong:
        return Recording(metrics=comparison.metrics, disputed=(f"it can't be confirmed: {wrong}",))
    _require_slots(context, found.recording, "recorded predictions")
    if found.replicates is not None:
        _require_slots(context, found.replicates, "replicates")
    entropy = _claimed_entropy(context)
    fitted = measure.Fitted(
        found.recording,
        found.replicates,
        measure.dummies(check, cv, entropy),
        "deterministic" if evidence.learner == "deterministic" else "random",
        entropy,
    )
    terms = evidence.promise.protocol  # in the branch's words, as its baseline has to have them
    promised = replace(check, features=terms.features, slices=terms.slices, read=terms.read)
    cv = replace(cv, dataset=replace(cv.dataset, slices=cv.dataset.slices[list(terms.slices)]))
    brought = acceptances.brought(claimed, context.approval.baseline)
    accepted = {name for acceptance in brought for name in acceptance.metrics} & {*comparison.failing_metrics}
    anchors = {name: anchor for name, anchor in comparison.anchors.items() if name not in accepted}
    measured = measure.assemble(
        promised, cv, fitted, generation=claimed.generation, anchors=anchors, rules=context.settings.rules
    )
    return confirm(context, comparison, measured)


def _unmeasurable(check: Check, found: Answers, evidence: Evidence, *, rebuilt: bool) -> str:
    """Describe why a recording can't be measured from the evidence; empty if it can."""
    if not rebuilt:
        return "its splits are made by code of the project"
    if found.recording is None:
        return "the evidence holds no predictions of it"
    random = evidence.learner != "deterministic"
    seeds = 0 if found.replicates is None else found.replicates.seeds
    expected = 0 if random or check.seeds == 1 else measure.REFITS * check.seeds
    if (found.recording.seeds, seeds) != (check.seeds if random else 1, expected):
        return f"the evidence holds predictions of {found.recording.seeds} seeds and {seeds} replicates"
    return ""


def _require_slots(context: Context, predictions: Predictions, what: str) -> None:
    if not crossval.slots(context.cross_validation).same_slots(predictions):
        raise EvidenceError(
            f"{context.check.name}: the {what} in the evidence are of other rows, folds or classes than the data and "
            f"{context.cross_validation.splitter} give",
            "They must be of the data as it is here, split as the check says. Run the checks again.",
        )
