"""One fit of a candidate: which rows it gets, and which random state. `candidates/` makes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates.candidate import Fold, as_candidate
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.data.splits import Split
from pytest_model_check.errors import CandidateError
from pytest_model_check.fitting import shared_data, watch

if TYPE_CHECKING:
    import pandas as pd

watch.install()  # here: a process that fits imports this before it gets a candidate

LEAVE_OUTS = 20  # parts of a training fold, each of which an A/A replicate of a learner without randomness lacks


@dataclass(frozen=True)
class Fit:
    """One fit to be made: which split, with which seed, and whether a twentieth of the training rows is left out."""

    seed: int
    split: int
    leave_out: bool = False


def try_fit(
    fit: Fit,
    split: Split,
    candidate: Any,
    X: pd.DataFrame,
    y: NDArray[Any],
    classes: NDArray[Any] | None,
    entropy: int,
    sample_weight: NDArray[np.float64] | None = None,
    let_go: shared_data.LetGo = lambda: None,
) -> Answers | CandidateError:
    """Make a fit; an error of the candidate's is returned, for the caller to raise in the order of the fits."""
    fold = fold_of(fit, split, X, y, classes, entropy, sample_weight, let_go)
    try:
        with watch.fitting():
            answers = as_candidate(candidate).answer(fold)
        return replace(answers, notes=watch.notes())
    except CandidateError as error:
        return of_split(split, error)


def of_split(split: Split, error: CandidateError) -> CandidateError:
    """Name the split that a candidate's error is of."""
    named = CandidateError(f"{split.words}: {error.message}", error.advice)
    named.__cause__ = error
    return named


def fold_of(
    fit: Fit,
    split: Split,
    X: pd.DataFrame,
    y: NDArray[Any],
    classes: NDArray[Any] | None,
    entropy: int,
    sample_weight: NDArray[np.float64] | None = None,
    let_go: shared_data.LetGo = lambda: None,
) -> Fold:
    """Return what a candidate gets of a fit: the rows to fit on, and those held out without their target."""
    key = np.random.SeedSequence(entropy, spawn_key=(fit.seed, fit.split))
    train = split.train
    if fit.leave_out:
        key = key.spawn(2)[1]
        train = np.delete(train, _left_out(fit, len(train), entropy))
    return Fold(
        lambda: (shared_data.take(X, train, let_go), y[train]),
        lambda: shared_data.take(X, split.test, let_go),
        classes,
        key,
        None if sample_weight is None else sample_weight[train],
        seed=fit.seed,
        repeat=split.repeat,
        fold=split.fold,
    )


def _left_out(fit: Fit, rows: int, entropy: int) -> NDArray[np.int64]:
    """Choose the training rows to leave out: another part with each seed, so that twenty seeds leave out each row once.

    Parts drawn anew would miss the rows that matter in one baseline, and hit them twice in the next.
    """
    part = fit.seed % LEAVE_OUTS
    shuffle = np.random.SeedSequence(entropy, spawn_key=(fit.seed - part, fit.split, 0))
    return np.random.default_rng(shuffle).permutation(rows)[part % rows :: LEAVE_OUTS]
