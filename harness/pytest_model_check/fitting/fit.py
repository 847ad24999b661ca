"""One fit of a candidate: which rows it gets, and which random state. `candidates/` makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates.estimator import answer
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.data.splits import Split
from pytest_model_check.errors import CandidateError

if TYPE_CHECKING:
    import pandas as pd

LEFT_OUT = 0.05  # of every training fold, in the A/A replicates of learners without randomness


@dataclass(frozen=True)
class Fit:
    """One fit to be made: which split, with which seed, and whether some training rows are left out."""

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
) -> tuple[Fit, Answers | CandidateError]:
    """Make a fit; an error of the candidate's is returned, for the caller to raise in the order of the fits."""
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
