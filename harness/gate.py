"""The gate: one check, from data to verdict. Read this first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness import baselines, comparison, crossval, dataset, looks, recording
from harness.baselinejson import Baseline
from harness.baselines import Approved, Pending
from harness.check import Check
from harness.comparison import Comparison
from harness.dataset import Dataset
from harness.errors import IncomparableError, MissingBaselineError, ModelCheckError, UnavailableError
from harness.looks import Judged
from harness.metrics import require_judgeable
from harness.report import words
from harness.verdicts import PASSING, Label, MetricVerdict, Verdict, worst

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
    jobs : int
        How many fits at a time.
    inconclusive_passes : bool
        What the data can't decide does not block.
    folds_suffice : bool
        Where the approved predictions can't be had, compare by fold scores.
    """

    root: Path
    folder: Path
    scratch: Path
    update: bool = False
    jobs: int = 1
    inconclusive_passes: bool = False
    folds_suffice: bool = False


def run(check: Check, settings: Settings, progress: Progress) -> tuple[Verdict, Pending | None]:
    """Judge a check; with `update`, measure the baseline that will be written when the run is over.

    Raises
    ------
    ModelCheckError
        If the check can't be judged; then nothing is pending.
    """
    started = time.perf_counter()
    require_judgeable(check.metrics)
    baseline = _approved(check, settings)
    data = dataset.read(check, settings.root)
    protocol = crossval.make_protocol(check, data)
    judged, pending = Judged(), None
    against: Comparison | None = None
    if baseline is not None:
        comparison.require_same_data(check, baseline, data)
        against = Comparison(check, protocol, baseline, _predictions(settings, baseline))
        judged = looks.look(
            check, protocol, baseline, against, jobs=settings.jobs, progress=partial(progress, "fitting")
        )
    found, fits = judged.metrics, judged.fits
    if settings.update and _may_record(found):
        measured, approved, refits = recording.record(
            check,
            protocol,
            generation=1 if baseline is None else baseline.generation + 1,
            anchors={} if against is None else against.anchors(),
            jobs=settings.jobs,
            progress=partial(progress, "measuring the baseline"),
        )
        fits += refits
        pending = baselines.prepare(measured, approved, settings.scratch)
        found, judged = _with_recorded(found, measured), Judged()
    elif settings.update:  # what is refused is not for want of a metric that this run would have recorded
        found = tuple(metric for metric in found if not metric.is_new) or found
    judged = replace(judged, metrics=found, fits=fits)
    return _verdict(check, settings, data, judged, time.perf_counter() - started), pending


def _predictions(settings: Settings, baseline: Baseline) -> Approved | None:
    """Read the approved predictions; None where they can't be had and the ini file says that fold scores will do."""
    try:
        return baselines.read_approved(settings.folder, baseline)
    except UnavailableError:
        if not settings.folds_suffice or settings.update:
            raise
        return None


def failure(name: str, nodeid: str, error: ModelCheckError) -> Verdict:
    """Give the verdict of a check that could not be judged."""
    label: Label = "error"
    if isinstance(error, MissingBaselineError):
        label = "missing"
    elif isinstance(error, IncomparableError):
        label = "incomparable"
    message = error.message if error.message.startswith(f"{name}:") else f"{name}: {error.message}"
    return Verdict(name, nodeid, label, False, message, error.advice)


def _approved(check: Check, settings: Settings) -> Baseline | None:
    baseline = baselines.read(settings.folder, check.name)
    if baseline is None and not settings.update:
        raise MissingBaselineError(
            f"{check.name}: there is no baseline to hold the candidate against",
            "Record one from the model as it is now: pytest --model-check --update-baselines",
        )
    return baseline


def _may_record(found: tuple[MetricVerdict, ...]) -> bool:
    """Whether the candidate meets or beats the baseline (if there is one) without being the same model.

    A metric that the baseline does not have yet is no obstacle; one that the check dropped is.
    """
    labels = {metric.verdict for metric in found if metric.decides and not metric.is_new}
    return labels <= PASSING and (labels != {"identical"} or any(metric.is_new for metric in found))


def _with_recorded(found: tuple[MetricVerdict, ...], baseline: Baseline) -> tuple[MetricVerdict, ...]:
    """Keep what was judged; show what is measured for the first time."""
    judged = tuple(metric for metric in found if not metric.is_new)
    known = {metric.metric for metric in judged}
    recorded = tuple(
        MetricVerdict(
            name,
            "recorded",
            candidate=metric.score,
            margin=metric.margin,
            dummy=metric.yardstick.dummy,
            reason=metric.margin_reason,
        )
        for name, metric in baseline.metrics.items()
        if name not in known
    )
    return judged + recorded


def _verdict(check: Check, settings: Settings, data: Dataset, judged: Judged, seconds: float) -> Verdict:
    found = judged.metrics
    label = worst([metric.verdict for metric in found if metric.decides])
    pointless = any(m.candidate is not None and m.dummy is not None and m.candidate <= m.dummy for m in found)
    return Verdict(
        name=check.name,
        nodeid=check.nodeid,
        verdict=label,
        passed=label in PASSING or (label == "inconclusive" and settings.inconclusive_passes and not pointless),
        message=words.sentence(check.name, found),
        advice=words.advice(found, data.rows, judged.flips, judged.flipped),
        metrics=found,
        data_path=data.path,
        data_md5=data.md5,
        rows=data.rows,
        fits=judged.fits,
        seconds=seconds,
        flips=judged.flips,
        flipped=judged.flipped,
    )
