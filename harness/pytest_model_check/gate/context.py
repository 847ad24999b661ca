"""The context of one check: what is promised, on which rows, against what is approved, and how it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pytest_model_check.baselines import promises
from pytest_model_check.candidates import sample_weights
from pytest_model_check.checks.check import Check
from pytest_model_check.data import dataset, splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import MissingBaselineError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.cache import CachedEngine, FitCache
from pytest_model_check.fitting.engine import CheckEngine, Engine, FitProgress
from pytest_model_check.judgement.verdicts import Cost
from pytest_model_check.paths import quoted, show
from pytest_model_check.pull_requests import approved
from pytest_model_check.pull_requests.approved import Approval
from pytest_model_check.scoring.requirements import require_enough_rows, require_judgeable, require_weighable
from pytest_model_check.settings import Progress, Settings


@dataclass(frozen=True)
class Context:
    """What every step of the gate needs to know of a check; nothing in it changes on the way.

    Parameters
    ----------
    check : Check
        What is promised.
    cross_validation : CrossValidation
        The data, and how its rows are predicted out of fold.
    approval : Approval
        What the candidate is compared with, and what a branch says instead.
    settings : Settings
        What the command line and the ini file decide.
    engine : CheckEngine
        Makes the fits.
    progress : callable
        Is told what is going on, and how many fits of how many are done.
    cache : FitCache or None
        The fits of earlier runs; None: each is made.
    started, prepared : float
        When the check began, and when its data were there, by `time.perf_counter`.
    """

    check: Check
    cross_validation: CrossValidation
    approval: Approval
    settings: Settings
    engine: CheckEngine
    progress: Progress
    cache: FitCache | None
    started: float
    prepared: float

    @property
    def data(self) -> Dataset:
        """The rows."""
        return self.cross_validation.dataset

    def progress_of(self, doing: str) -> FitProgress:
        """Return what is told how many fits of how many are done, while this is going on."""
        return partial(self.progress, doing)

    def cost(self, fits: int) -> Cost:
        """Return what the check has cost so far, with so many fits."""
        seconds = time.perf_counter() - self.started
        times = self.engine.times(data=self.prepared - self.started, total=seconds)
        if self.cache is None:
            return Cost(fits, seconds, times)
        return Cost(fits, seconds, times, self.cache.served, self.cache.reason)

    def close(self) -> None:
        """Leave the cache within its bounds."""
        if self.cache is not None:
            self.cache.close()


def _of_another(check: Check, approval: Approval) -> Approval:
    """Return what a challenger is held against; a baseline that is new in a branch is verified by its own check."""
    if approval.baseline is None and approval.claimed is None:
        raise MissingBaselineError(
            f"{check.name}: there is no baseline {check.baseline} to hold the candidate against",
            "Record it first, by its own check: pytest --model-check --update-baselines",
        )
    return approval if approval.baseline else replace(approval, baseline=approval.claimed, claimed=None)


def prepare(check: Check, settings: Settings, engine: Engine, progress: Progress) -> Context:
    """Find what is approved, read the data and split it.

    Raises
    ------
    ModelCheckError
        If there is nothing to judge, nothing to compare with, or the data can't be read or split.
    """
    started = time.perf_counter()
    require_judgeable(check.metrics)
    approval = approved.find(check.baseline or check.name, settings.folder, settings.revision)
    if check.baseline is not None:
        approval = _of_another(check, approval)
    if approval.baseline is None and approval.claimed is None and not settings.update:
        raise MissingBaselineError(
            f"{check.name}: there is no baseline to hold the candidate against",
            _elsewhere(check.name, settings.folder)
            or f"{show(settings.folder)}/ holds none of this name. Record one from the model as it is now: "
            "pytest --model-check --update-baselines",
        )
    check = promises.with_earlier_default(check, approval.baseline or approval.claimed)
    data = engine.share(dataset.read(check, settings.root) if check.data else dataset.of_items(check))
    cross_validation = splits.make_cross_validation(check, data)
    if check.sample_weight is not None:
        require_weighable(check.metrics, cross_validation.classes)
        sample_weights.require_weighable(check.candidate)
    require_enough_rows(check.metrics, crossval.slots(cross_validation), data.truth)
    timeout = settings.timeout if check.timeout is None else check.timeout
    cache = _cache(check, approval, settings)
    limited = CheckEngine(engine if cache is None else CachedEngine(engine, cache), timeout)
    prepared = time.perf_counter()
    return Context(check, cross_validation, approval, settings, limited, progress, cache, started, prepared)


def _cache(check: Check, approval: Approval, settings: Settings) -> FitCache | None:
    """Return where earlier fits lie; what is recorded, claimed or accepted is fitted, and what is nondeterministic."""
    if settings.cache is None or (approval.baseline and approval.baseline.learner == "nondeterministic"):
        return None
    reads = settings.cache.reads and not settings.update and approval.claimed is None
    return FitCache(replace(settings.cache, reads=reads), check.candidate)


def _elsewhere(name: str, folder: Path) -> str:
    """Describe where a baseline of this name lies, if not where it was looked for; empty if it lies nowhere."""
    found = approved.elsewhere(name, folder)
    if not found:
        return ""
    places = ", ".join(show(path) for path in found)
    project = found[0].parent.parent
    return (
        f"{show(folder)}/ holds none of this name, but there is {places}. Was it recorded with another "
        f"rootdir? Run pytest there (cd {quoted(project)}), or let the ini key model_check_baselines name its folder."
    )
