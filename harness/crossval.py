"""Folds x seeds -> Predictions, in parallel, the same whatever the number of jobs."""

from __future__ import annotations

import copy
import hashlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.candidates import Answers, answer
from harness.check import Check
from harness.dataset import Dataset, one_line
from harness.errors import CandidateError, DataError, ModelCheckError, PromiseError
from harness.predictions import Predictions

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]  # fits done, fits in all
LEFT_OUT = 0.05  # of every training fold, in the A/A replicates of learners without randomness


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
class Fit:
    """One fit to be made: which split, with which seed, and whether some training rows are left out."""

    seed: int
    split: int
    leave_out: bool = False


@dataclass(frozen=True)
class Protocol:
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


def make_protocol(check: Check, dataset: Dataset) -> Protocol:
    """Lay down the splits of a check; they depend on the data and on `cv=`, `groups=`, `time=`, on nothing else.

    Raises
    ------
    DataError
        If the data can't be split so: a class with fewer rows than folds, too few groups or times.
    PromiseError
        If the splitter does not fit the check.
    """
    classes = _classes(check, dataset)
    splitter = _splitter(check, dataset, classes)
    words = " ".join(repr(splitter).split())
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
    return Protocol(dataset, classes, splits, words)


def predict(
    candidate: Any,
    protocol: Protocol,
    *,
    seeds: int,
    entropy: int,
    jobs: int,
    progress: Progress = lambda done, total: None,
    leave_out: bool = False,
    after: int = 0,
) -> Predictions:
    """Fit a clone of the candidate for every seed in every split, and predict the rows held out.

    Parameters
    ----------
    candidate : estimator
        Left as it is.
    protocol : Protocol
        Data and splits.
    seeds : int
        How many seeds: 0, 1, ..., so that the first of many are the same as the first of few.
    entropy : int
        Where the random states come from: each seed of each split has its own
        (`numpy.random.SeedSequence` with the seed and the split as its key).
    jobs : int
        How many processes.
    progress : callable
        Is told how many fits of how many are done.
    leave_out : bool
        Leave a random 5% of the training rows out of each fit.
    after : int
        How many seeds have been used before: these are the next ones.

    Raises
    ------
    CandidateError
        Naming the first fold in which a fit fails.
    """
    used = range(after, after + seeds)
    fits = [Fit(seed, k, leave_out) for seed in used for k in range(len(protocol.splits))]
    found = _run(fits, candidate, protocol, entropy, jobs, progress)
    warned = Counter(warning for _, answers in found for warning in answers.warned)
    for (category, text), count in warned.items():  # once, and here: the same whichever process made the fit
        warnings.warn(f"{text} (in {count} of {len(fits)} fits)", category, stacklevel=2)
    return _gather(protocol, found, used)


def is_random(candidate: Any, protocol: Protocol, *, entropy: int, jobs: int) -> tuple[bool, bool]:
    """Find out by trying, not by its parameters, whether the learner draws random numbers.

    Returns
    -------
    tuple of (bool, bool)
        Whether another seed gives other answers, and whether even the same seed does (threads, GPUs).
    """
    first = replace(protocol, splits=protocol.splits[:1])
    tried = _run([Fit(seed, 0) for seed in (0, 0, 1)], candidate, first, entropy, jobs)
    once, again, other = (_gather(first, [(Fit(0, 0), answers)], range(1)) for _, answers in tried)
    return not once.agrees(other), not once.agrees(again)


def varies(candidate: Any, protocol: Protocol, predictions: Predictions, *, entropy: int) -> bool:
    """Whether the learner, fitted once more in the first fold, answers otherwise than its `predictions` by seed 0."""
    first = replace(protocol, splits=protocol.splits[:1])
    with warnings.catch_warnings():  # the fits that count have warned
        warnings.simplefilter("ignore")
        other = predict(candidate, first, seeds=1, after=1, entropy=entropy, jobs=1)
    return not predictions.head(len(first.splits[0].test)).agrees(other)


def _run(
    fits: Sequence[Fit],
    candidate: Any,
    protocol: Protocol,
    entropy: int,
    jobs: int,
    progress: Progress = lambda done, total: None,
) -> list[tuple[Fit, Answers]]:
    """Make the fits, in parallel; they come back in order."""
    from joblib import Parallel, delayed

    X, y, classes = protocol.dataset.X, protocol.dataset.y, protocol.classes
    # Each with its own split only: what a task holds is sent to its process.
    tasks = (delayed(_tried)(fit, protocol.splits[fit.split], candidate, X, y, classes, entropy) for fit in fits)
    # In order, and errors as values: the fold that a message names does not depend on which process was first.
    answered = Parallel(n_jobs=min(jobs, len(fits)), return_as="generator")(tasks)
    found = []
    progress(0, len(fits))
    try:
        for fit, answers in answered:
            if isinstance(answers, CandidateError):
                raise answers
            found.append((fit, answers))
            progress(len(found), len(fits))
    except PicklingError as error:
        why = str(error.__cause__ or error).strip('"\n ').splitlines()[-1]  # the cause is a traceback in one string
        raise CandidateError(
            f"the candidate can't be sent to the processes that fit it: {one_line(error, why)}",
            "Make it picklable, or let pytest's own process fit it: --model-check-jobs=1",
        ) from error
    except BrokenExecutor as error:
        raise CandidateError(
            f"a process that fits the candidate died: {one_line(error)}",
            "Out of memory? Fewer at a time need less: --model-check-jobs=1",
        ) from error
    finally:
        with warnings.catch_warnings():  # joblib warns of fits that nobody waits for any more
            warnings.simplefilter("ignore")
            answered.close()
    return found


def _gather(protocol: Protocol, answers: Iterable[tuple[Fit, Answers]], seeds: range) -> Predictions:
    """Put the answers in order: seed by seed, split by split."""
    found = {(fit.seed, fit.split): answer.responses for fit, answer in answers}
    names, numbers = found[seeds[0], 0].keys(), range(len(protocol.splits))
    for (_, k), responses in found.items():
        if responses.keys() != names:
            raise CandidateError(
                f"{protocol.splits[k].words}: the candidate has {', '.join(responses)}, elsewhere {', '.join(names)}"
            )
    sizes = [len(split.test) for split in protocol.splits]
    return Predictions(
        row=np.concatenate([split.test for split in protocol.splits]),
        repeat=np.repeat([split.repeat for split in protocol.splits], sizes).astype(np.int64),
        fold=np.repeat([split.fold for split in protocol.splits], sizes).astype(np.int64),
        responses={
            name: np.stack([np.concatenate([found[seed, k][name] for k in numbers]) for seed in seeds])
            for name in names
        },
        classes=protocol.classes,
    )


def entropy_of(name: str, generation: int) -> int:
    """Where the random states of a baseline's nth recording come from: its name and number, never the clock."""
    return int.from_bytes(hashlib.sha256(f"{name} {generation}".encode()).digest()[:6])


def _tried(
    fit: Fit,
    split: Split,
    candidate: Any,
    X: pd.DataFrame,
    y: NDArray[Any],
    classes: NDArray[Any] | None,
    entropy: int,
) -> tuple[Fit, Answers | CandidateError]:
    key = np.random.SeedSequence(entropy, spawn_key=(fit.seed, fit.split))
    train = split.train
    if fit.leave_out:
        left_out, key = key.spawn(2)
        keep = np.random.default_rng(left_out).permutation(len(train))[round(LEFT_OUT * len(train)) :]
        train = train[np.sort(keep)]
    try:
        return fit, answer(candidate, (X.iloc[train], y[train]), X.iloc[split.test], key, classes)
    except CandidateError as error:
        named = CandidateError(f"{split.words}: {error.message}", error.advice)
        named.__cause__ = error
        return fit, named


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
    """Split the distinct times, so that a split never cuts a timestamp, and give the rows of each part."""
    moments, code = np.unique(time, return_inverse=True)
    for fold, (past, future) in enumerate(splitter.split(moments), start=1):
        if past.max() >= future.min():
            raise PromiseError(
                f"{words}, fold {fold}: it is fitted on later rows than it predicts",
                "time= needs splits that go forward in time, as TimeSeriesSplit's do; leave cv= out to have them.",
            )
        yield np.flatnonzero(np.isin(code, past)), np.flatnonzero(np.isin(code, future))


def _repeats(pairs: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]], rows: int) -> Iterator[Split]:
    """Give each split its repeat and fold: a repeat ends where a split would hold out a row for the second time."""
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
