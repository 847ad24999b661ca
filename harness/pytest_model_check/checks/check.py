"""Check: what is promised of one model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_model_check.checks.declared import Declared
from pytest_model_check.checks.holdout import Holdout

Load = Callable[[list[Path]], Any]
DEFAULT_SEEDS = 10
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Metric:
    """One promised metric.

    Parameters
    ----------
    name : str
        The scorer's name in scikit-learn, or the name of the scored function.
    scorer : callable
        A scikit-learn scorer: ``scorer(estimator, X, y) -> float``, higher is better.
    margin : float or None
        The loss, in the metric's unit, that the owner calls harmless; None: the default margin.
    """

    name: str
    scorer: Any
    margin: float | None


@dataclass(frozen=True)
class Check:
    """What is promised of one model: data, target, protocol, metrics with margins, slices.

    Build it with `make_check`, which validates and fills in the defaults.

    Parameters
    ----------
    name : str
        The baseline's name: ``baselines/<name>.json``.
    nodeid : str
        pytest's node id of the test that makes the promise.
    candidate : estimator or Declared
        Any scikit-learn-compatible estimator, or what says itself what it is.
    data : tuple of str
        Paths from pytest's rootdir, with ``/``.
    target : str
        The column to predict.
    metrics : tuple of Metric
        All of them must pass.
    cv : int or splitter
        Folds of the default splitter, or a scikit-learn splitter.
    features, groups, time, slices : column names
        Columns with a part to play; features None: every other column.
    sample_weight : str or None
        The column of each row's weight: in fits, in scores and in how sure they are. It is no feature.
    season : int or None
        How many distinct times of `time` a season has: one of the dummies to beat repeats the last season.
    seeds : int
        With how many seeds a baseline is measured.
    load : callable or None
        ``load(paths) -> DataFrame`` for joins and other formats.
    read : mapping or None
        How the files are read: options of pandas' readers, as JSON has them.
    description : str
        The problem, in the author's words: the write-up begins with it.
    caveats : tuple of str
        What the author wants a reader of the write-up to bear in mind.
    timeout : float or None
        How many seconds a fit may take; None: as the ini file says.
    holdout : Holdout or None
        The rows that are judged, once; None: every row is held out by a fold of `cv`.
    baseline : str or None
        The name of another check's baseline, which the candidate is held against; None: the check has its own.
    default_metric : bool
        Whether no metric was named.
    """

    name: str
    nodeid: str
    candidate: Any
    data: tuple[str, ...]
    target: str
    metrics: tuple[Metric, ...]
    cv: Any
    features: tuple[str, ...] | None
    groups: str | None
    time: str | None
    slices: tuple[str, ...]
    seeds: int
    load: Load | None
    season: int | None = None
    sample_weight: str | None = None
    description: str = ""
    caveats: tuple[str, ...] = ()
    timeout: float | None = None
    holdout: Holdout | None = None
    baseline: str | None = None
    default_metric: bool = False
    read: Mapping[str, Any] | None = None

    @property
    def id(self) -> str | None:
        """The column that rows are known by, where the candidate knows them so."""
        return self.candidate.id if isinstance(self.candidate, Declared) else None

    @property
    def task(self) -> str:
        """'classification' or 'regression', as the candidate says."""
        return task_of(self.candidate)


def file_name(text: str) -> str:
    """Make a name that every file system takes, the same for the same text.

    ``test_`` prefixes are for the caller to strip; pytest's parameters keep their place:
    ``churn[a-b]`` becomes ``churn-a-b``.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-. ") or "check"
    if _RESERVED.match(name):
        name += "_"
    if len(name) > 100:  # room for endings and temporary names within the usual limit of 255 bytes
        name = f"{name[:91]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return name


def task_of(candidate: Any) -> str:
    """'classification' or 'regression': what the estimator says it is, else whether it gives probabilities."""
    from sklearn.base import is_classifier, is_regressor

    if isinstance(candidate, Declared):
        return candidate.task
    if is_classifier(candidate) or (not is_regressor(candidate) and hasattr(candidate, "predict_proba")):
        return "classification"
    return "regression"
