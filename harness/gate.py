"""The gate: one check, from data to verdict. Read this first."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness import (
    approvals,
    baselines,
    candidates,
    claims,
    comparison,
    crossval,
    dataset,
    looks,
    moving,
    promise,
    recording,
)
from harness import updating as updates
from harness.approvals import Approval
from harness.baselinejson import Baseline
from harness.baselines import Approved, Pending
from harness.check import Check
from harness.comparison import Comparison
from harness.crossval import Protocol
from harness.dvctrackers import quoted
from harness.errors import IncomparableError, MissingBaselineError, ModelCheckError, UnavailableError
from harness.judge import Anchor
from harness.metrics import require_judgeable, score
from harness.report import words
from harness.verdicts import PASSING, Acceptance, Label, MetricVerdict, Moved, Verdict, worst

Progress = Callable[[str, int, int], None]  # what is going on, fits done, fits in all


@dataclass(frozen=True)
class Settings:
    """What the command line and the ini file decide.

    Parameters
    ----------
    root : Path
        Where the paths of `data=` start: pytest's rootdir.
    folder : Path
        Where the baselines live.
    scratch : Path
        For files that wait until the run is over.
    update : bool
        Record missing baselines, and replace those that the candidate meets or beats.
    accept : str or None
        The reason with which to record what is worse, can't be decided or compared, or promises less.
    revision : str or None
        The commit whose baselines decide; None: the working tree's do.
    python : str
        What runs the code of the approved baseline, where the data has moved.
    jobs : int
        How many fits at a time.
    inconclusive_passes : bool
        What the data can't decide does not block.
    folds_suffice : bool
        Where the approved predictions can't be had, compare by fold scores.
    charts : bool
        Gather what the page draws.
    """

    root: Path
    folder: Path
    scratch: Path
    update: bool = False
    accept: str | None = None
    revision: str | None = None
    python: str = ""
    jobs: int = 1
    inconclusive_passes: bool = False
    folds_suffice: bool = False
    charts: bool = False


@dataclass(frozen=True)
class Held:
    """How a candidate compares with what is approved.

    Parameters
    ----------
    metrics : tuple of MetricVerdict
        Empty where there is nothing to compare with, or no comparison can be made.
    broken : IncomparableError or None
        Why no comparison can be made.
    weakened : tuple of str
        How less is promised than was approved.
    anchors : mapping of str to Anchor
        What losses are added up from, by metric.
    fits, flips, flipped, moved, charts
        See `harness.verdicts.Verdict`.
    """

    metrics: tuple[MetricVerdict, ...] = ()
    broken: IncomparableError | None = None
    weakened: tuple[str, ...] = ()
    anchors: Mapping[str, Anchor] = field(default_factory=dict)
    fits: int = 0
    flips: tuple[int, int] | None = None
    flipped: tuple[int, ...] = ()
    moved: Moved | None = None
    charts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failing(self) -> bool:
        """Whether there is something that only an acceptance lets pass."""
        return bool(self.broken or self.weakened or updates.failing(self.metrics))


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


def run(check: Check, settings: Settings, progress: Progress) -> tuple[Verdict, Pending | None]:
    """Judge a check; with `update`, measure the baseline that will be written when the run is over.

    Raises
    ------
    ModelCheckError
        If the check can't be judged; then nothing is pending.
    """
    started = time.perf_counter()
    require_judgeable(check.metrics)
    approval = approvals.find(check.name, settings.folder, settings.revision)
    if approval.baseline is None and approval.claimed is None and not settings.update:
        raise MissingBaselineError(
            f"{check.name}: there is no baseline to hold the candidate against",
            "Record one from the model as it is now: pytest --model-check --update-baselines",
        )
    protocol = crossval.make_protocol(check, dataset.read(check, settings.root))
    held = _hold(check, protocol, approval, settings, progress)
    if _records(approval, held, settings):
        settled = _record(check, protocol, approval, held, settings, progress)
    elif approval.claimed is not None:
        settled = _verify(check, protocol, approval, held, settings, progress)
    else:
        settled = Settled(metrics=_without_new(held.metrics) if settings.update else held.metrics)
    return _verdict(check, protocol, approval, held, settled, settings, time.perf_counter() - started), settled.pending


def failure(name: str, nodeid: str, error: ModelCheckError) -> Verdict:
    """Give the verdict of a check that could not be judged."""
    label: Label = "error"
    if isinstance(error, MissingBaselineError):
        label = "missing"
    elif isinstance(error, IncomparableError):
        label = "incomparable"
    return Verdict(name, nodeid, label, False, _named(name, error.message), error.advice)


def _hold(check: Check, protocol: Protocol, approval: Approval, settings: Settings, progress: Progress) -> Held:
    """Hold the candidate against what is approved; where the data has moved, against that model on the new data."""
    old, data, moved = approval.baseline, protocol.dataset, None
    if old is None:
        return Held()
    weakened = promise.weakened(check, old, inconclusive_passes=settings.inconclusive_passes)
    if approval.deleted:
        weakened += (f"its baseline {approval.file}.json was deleted",)
    try:
        if moving.has_moved(old, data):
            progress("running the approved code on the new data", 0, 0)
            carried = moving.carry(
                check, protocol, approval, root=settings.root, scratch=settings.scratch, python=settings.python,
                jobs=settings.jobs,
            )  # fmt: skip
            against = Comparison(check, protocol, carried.baseline, carried.approved)
            judged = looks.look(
                check, protocol, carried.baseline, against, jobs=settings.jobs, progress=partial(progress, "fitting")
            )
            moved = moving.table(check, old, carried, data, judged.metrics, settings.jobs)
        else:
            comparison.require_same_rows(check, old, data)
            against = Comparison(check, protocol, old, _predictions(approval, settings))
            judged = looks.look(
                check, protocol, old, against, jobs=settings.jobs, progress=partial(progress, "fitting")
            )
    except IncomparableError as error:
        before = old.protocol.get("cv")
        other = () if before == protocol.splitter else (f"cv= is {protocol.splitter}, was {before}",)
        return Held(broken=error, weakened=weakened + other)
    return Held(
        judged.metrics,
        weakened=weakened,
        anchors=against.anchors() if settings.update or approval.claimed else {},
        fits=judged.fits,
        flips=judged.flips,
        flipped=judged.flipped,
        moved=moved,
    )


def _predictions(approval: Approval, settings: Settings) -> Approved | None:
    """Read the approved predictions; None where they can't be had and the ini file says that fold scores will do."""
    try:
        return approval.predictions(settings.scratch)
    except UnavailableError:
        if not settings.folds_suffice or settings.update:
            raise
        return None


def _records(approval: Approval, held: Held, settings: Settings) -> bool:
    if not settings.update or (held.failing and settings.accept is None):
        return False
    return approval.baseline is None or held.failing or held.moved is not None or updates.may_record(held.metrics)


def _record(
    check: Check, protocol: Protocol, approval: Approval, held: Held, settings: Settings, progress: Progress
) -> Settled:
    """Measure the candidate as the next baseline, with fresh seeds."""
    old, lost = approval.baseline, updates.failing(held.metrics)
    measured, approved, fits = recording.record(
        check,
        protocol,
        generation=1 if old is None else old.generation + 1,
        anchors={name: anchor for name, anchor in held.anchors.items() if name not in lost},  # it moves with a loss
        jobs=settings.jobs,
        progress=partial(progress, "measuring the baseline"),
        inconclusive_passes=settings.inconclusive_passes,
    )
    accepted = None
    if held.failing:
        assert settings.accept is not None
        accepted = Acceptance(measured.generation, settings.accept, _message(check, held), lost, held.weakened)
    pending = baselines.prepare(updates.succeed(measured, old, held.metrics, accepted), approved, settings.scratch)
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
    given_up = {metric for one in accepted for metric in one.metrics}
    measured, again, fits = recording.record(
        check,
        protocol,
        generation=claimed.generation,
        anchors={name: anchor for name, anchor in held.anchors.items() if name not in given_up},
        jobs=settings.jobs,
        progress=partial(progress, "verifying the branch's baseline"),
        inconclusive_passes=settings.inconclusive_passes,
    )
    stored = baselines.read_approved(settings.folder, claimed)
    scores = {}
    if stored.predictions.same_slots(again.predictions):
        scores = {
            metric.name: score(stored.predictions, data.y, metric, data.units, serial=data.serial).score
            for metric in check.metrics
        }
    disputed = claims.disputed(claimed, stored, measured, again, scores, approval.baseline, held.metrics)
    covered = claims.covers(accepted, held.metrics, held.weakened)
    return Settled(
        metrics=_with_first(held.metrics, measured, "new"),
        accepted=accepted if held.failing and not disputed and covered else (),
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


def _verdict(
    check: Check,
    protocol: Protocol,
    approval: Approval,
    held: Held,
    settled: Settled,
    settings: Settings,
    seconds: float,
) -> Verdict:
    found, data = settled.metrics, protocol.dataset
    label: Label = "incomparable"
    if not settled.disputed and not held.broken:
        label = worst([metric.verdict for metric in found if metric.decides])
    pointless = any(m.candidate is not None and m.dummy is not None and m.candidate <= m.dummy for m in found)
    unproven = label == "inconclusive" and settings.inconclusive_passes and not pointless
    passed = bool(settled.accepted) or (not held.weakened and (label in PASSING or unproven))
    message, advice = _message(check, held, found), _advice(check, approval, held, found, data.rows)
    if settled.disputed:
        more = f" (and {len(settled.disputed) - 1} more)" if len(settled.disputed) > 1 else ""
        message, advice = f"{check.name}: {settled.disputed[0]}{more}", _disputed(approval, settled)
    elif settled.accepted:
        message += f"; accepted: {'; '.join(one.reason for one in settled.accepted)}"
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
        candidate=candidates.describe(check.candidate),
        protocol=promise.protocol(check, protocol.splitter, inconclusive_passes=settings.inconclusive_passes),
        recording=approval.baseline.generation if approval.baseline else 0,
        reused=approval.baseline.reused if approval.baseline and held.moved is None else 0,
        charts=held.charts,
    )


def _message(check: Check, held: Held, found: tuple[MetricVerdict, ...] = ()) -> str:
    if held.broken:
        return _named(check.name, held.broken.message)
    if held.weakened and not updates.failing(held.metrics):
        return f"{check.name}: the promise was weakened: {'; '.join(held.weakened)}"
    return words.sentence(check.name, found or held.metrics)


def _advice(check: Check, approval: Approval, held: Held, found: tuple[MetricVerdict, ...], rows: int) -> str:
    lines = []
    if held.weakened and (held.broken or updates.failing(held.metrics)):
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
        lines.append(words.advice(found, rows, held.flips, held.flipped))
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
    now = recording.environment()
    then = now if baseline is None else baseline.environment
    return tuple(
        (key, then.get(key, "-"), now.get(key, "-")) for key in {**then, **now} if then.get(key) != now.get(key)
    )


def _named(name: str, message: str) -> str:
    return message if message.startswith(f"{name}:") else f"{name}: {message}"
