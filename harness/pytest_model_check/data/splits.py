"""The rows -> the splits of a cross-validation: stratified, grouped or forward in time."""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.checks.check import Check
from pytest_model_check.checks.declared import origin_of
from pytest_model_check.checks.describe import describe
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import DataError, ModelCheckError, PromiseError, one_line

REBUILT = (
    "GroupKFold", "GroupShuffleSplit", "KFold", "LeaveOneGroupOut", "RepeatedKFold", "RepeatedStratifiedKFold",
    "ShuffleSplit", "StratifiedGroupKFold", "StratifiedKFold", "StratifiedShuffleSplit", "TimeSeriesSplit",
)  # fmt: skip
MOST_SPLITS = 10_000  # of a splitter that is rebuilt from words


@dataclass(frozen=True)
class Split:
    """One fold of one repeat: positions of the rows to fit on, and of the rows held out."""

    repeat: int
    fold: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def words(self) -> str:
        """How a message names it, counted from 1 as people do."""
        return f"fold {self.fold + 1}" + (f" of repeat {self.repeat + 1}" if self.repeat else "")


@dataclass(frozen=True)
class CrossValidation:
    """How rows are predicted out of fold: the data, its splits, and where random states come from.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    classes : ndarray or None
        The labels; None for regression.
    splits : tuple of Split
        Every row that is judged is held out by one split of each repeat.
    splitter : str
        What made the splits, in words that a baseline keeps.
    """

    dataset: Dataset
    classes: NDArray[Any] | None
    splits: tuple[Split, ...]
    splitter: str

    @property
    def folds(self) -> tuple[int, ...]:
        """How many folds each repeat has."""
        return tuple(np.bincount([split.repeat for split in self.splits]).tolist())

    @property
    def test_train_ratio(self) -> float:
        """Rows of a test fold per row that it is trained with, the mean over the splits."""
        return float(np.mean([len(split.test) / len(split.train) for split in self.splits]))


def make_cross_validation(check: Check, dataset: Dataset) -> CrossValidation:
    """Lay down the splits of a check; they depend on the data and on `cv=`, `groups=`, `time=`, on nothing else.

    Raises
    ------
    DataError
        If the data can't be split so: a class with fewer rows than folds, too few groups or times.
    PromiseError
        If the splitter does not fit the check.
    """
    classes = _classes(check, dataset)
    if check.holdout is not None:
        split = _held_out(check, dataset)
        return CrossValidation(dataset, classes, (split,), check.holdout.words)
    splitter = _splitter(check, dataset, classes)
    words = describe(splitter)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "The groups parameter is ignored"
            )  # _require_honest finds out if it hurts
            if dataset.time is None:
                pairs = list(splitter.split(dataset.X, dataset.y, dataset.groups))
            else:
                pairs = list(_by_time(splitter, dataset.time, words))
    except ModelCheckError:
        raise
    except Exception as error:  # splitters may be the user's own
        raise DataError(
            f"{words} can't split {dataset.path}: {one_line(error)}",
            "Pass a splitter that suits the data, or a number of folds: cv=5.",
        ) from error
    splits = tuple(_repeats(pairs, dataset.rows))
    _require_honest(splits, dataset, words)
    return CrossValidation(dataset, classes, splits, words)


def _held_out(check: Check, dataset: Dataset) -> Split:
    """Return the one split of a holdout; the dummy is fitted on the other rows, or on the same if there are none."""
    assert check.holdout is not None
    assert dataset.holdout is not None
    test, rest = np.flatnonzero(dataset.holdout), np.flatnonzero(~dataset.holdout)
    if len(test) == 0:
        raise DataError(f"{check.holdout.words}: no row of {dataset.path} is such", "Name rows that are there.")
    split = Split(0, 0, rest if len(rest) else test, test)
    if origin_of(check.candidate) != "refitted":
        return split
    if len(rest) == 0:
        raise PromiseError(
            f"{check.holdout.words}: no row is left to fit the candidate on",
            "Hold out some of the rows; leave holdout= out to judge every row out of fold.",
        )
    if dataset.time is not None and dataset.time[rest].max() >= dataset.time[test].min():
        raise PromiseError(
            f"{check.holdout.words}: it is fitted on later rows than it predicts",
            f"time= needs a holdout that comes after the other rows: holdout=datetime.date(...) in {check.time!r}.",
        )
    _require_honest((split,), dataset, check.holdout.words)
    return split


def from_words(words: str) -> Any | None:
    """Rebuild one of scikit-learn's splitters from its description; None where it is none of them, or has no end.

    Parameters
    ----------
    words : str
        As `describe` prints it: values alone are read, and nothing is run.
    """
    from sklearn import model_selection

    try:
        call = ast.parse(words, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return None
        values = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        if call.func.id not in REBUILT or values.get("n_splits", 1) * values.get("n_repeats", 1) > MOST_SPLITS:
            return None
        splitter = getattr(model_selection, call.func.id)(**values)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    return splitter if describe(splitter) == words else None


def _classes(check: Check, dataset: Dataset) -> NDArray[Any] | None:
    if check.task == "regression":
        return None
    try:
        classes = np.unique(dataset.y)
    except TypeError as error:
        raise DataError(f"{dataset.path}: the target {check.target!r} mixes kinds of labels: {error}") from error
    if dataset.y.dtype.kind == "f" and not np.array_equal(classes, np.round(classes)):
        raise DataError(
            f"{dataset.path}: the target {check.target!r} holds {len(classes)} fractional numbers, "
            "and the candidate is a classifier",
            "Use a regressor, or name another target.",
        )
    return np.asarray(classes)


def _splitter(check: Check, dataset: Dataset, classes: NDArray[Any] | None) -> Any:
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

    cv = check.cv
    if not isinstance(cv, int):
        splitter = copy.deepcopy(cv)
        shuffles = getattr(splitter, "shuffle", True)  # ShuffleSplit and the Repeated... ones always do
        if shuffles and getattr(splitter, "random_state", 0) is None:
            splitter.random_state = 0
        return splitter
    if dataset.time is not None:
        _require_enough(len(np.unique(dataset.time)), f"different times in {check.time!r}", cv + 1, check, dataset)
        return TimeSeriesSplit(n_splits=cv)
    if dataset.groups is not None:
        _require_enough(len(set(dataset.groups.tolist())), f"groups in {check.groups!r}", cv, check, dataset)
    elif classes is None:
        _require_enough(dataset.rows, "rows", cv, check, dataset)
    else:
        labels, counts = np.unique(dataset.y, return_counts=True)
        rarest = f"rows of the class {labels[counts.argmin()]!s} of {check.target!r}"
        _require_enough(int(counts.min()), rarest, cv, check, dataset)
    if classes is not None and dataset.groups is None:
        return StratifiedKFold(n_splits=cv, shuffle=True, random_state=0)
    if classes is not None:
        return StratifiedGroupKFold(n_splits=cv, shuffle=True, random_state=0)
    if dataset.groups is not None:
        return GroupKFold(n_splits=cv)
    return KFold(n_splits=cv, shuffle=True, random_state=0)


def _require_enough(have: int, what: str, need: int, check: Check, dataset: Dataset) -> None:
    if have < need:
        fewer = check.cv - (need - have)
        raise DataError(
            f"{dataset.path} has too few {what} for {check.cv} folds: {have}",
            f"They need {need}. "
            + (f"Use fewer folds: cv={fewer}." if fewer >= 2 else "Get more data, or use another target."),
        )


def _by_time(splitter: Any, time: NDArray[Any], words: str) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Split the distinct times, so that a split never cuts a timestamp, and yield the rows of each part."""
    moments, code = np.unique(time, return_inverse=True)
    for fold, (past, future) in enumerate(splitter.split(moments), start=1):
        if past.max() >= future.min():
            raise PromiseError(
                f"{words}, fold {fold}: it is fitted on later rows than it predicts",
                "time= needs splits that go forward in time, as TimeSeriesSplit's do; leave cv= out to have them.",
            )
        yield np.flatnonzero(np.isin(code, past)), np.flatnonzero(np.isin(code, future))


def _repeats(pairs: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]], rows: int) -> Iterator[Split]:
    """Yield each split with its repeat and fold: a repeat ends where a row would be held out a second time."""
    repeat, fold, seen = 0, 0, np.zeros(rows, dtype=bool)
    for train, test in pairs:
        if seen[test].any():
            repeat, fold, seen = repeat + 1, 0, np.zeros(rows, dtype=bool)
        seen[test] = True
        yield Split(repeat, fold, np.asarray(train, dtype=np.int64), np.asarray(test, dtype=np.int64))
        fold += 1


def _require_honest(splits: tuple[Split, ...], dataset: Dataset, words: str) -> None:
    for split in splits:
        where = f"{words}, {split.words}"
        if len(split.test) == 0 or len(split.train) == 0:
            raise DataError(
                f"{where}: no rows to {'predict' if len(split.train) else 'fit on'}", "Use fewer folds, or more data."
            )
        for rows, what in ((split.train, "fit on"), (split.test, "predict")):
            if dataset.sample_weight is not None and not dataset.sample_weight[rows].any():
                raise DataError(
                    f"{where}: all rows to {what} have the sample weight 0",
                    "Use fewer folds, or drop rows that never count.",
                )
        held_out = np.zeros(dataset.rows, dtype=bool)
        held_out[split.test] = True
        if held_out[split.train].any():
            raise PromiseError(
                f"{where}: rows that are predicted are fitted on too", "Use a splitter that holds out what it predicts."
            )
        if dataset.groups is not None:
            shared = set(dataset.groups[split.train].tolist()) & set(dataset.groups[split.test].tolist())
            if shared:
                raise PromiseError(
                    f"{where}: {len(shared)} of the groups are both fitted on and predicted",
                    "groups= needs a splitter that keeps groups whole, as GroupKFold does; leave cv= out to have one."
                    if dataset.time is None
                    else "No fold that goes forward in time keeps a group whole that goes on: leave groups= out (days "
                    "are kept together all the same), or leave time= out.",
                )
