"""Candidate: the protocol of everything that can be judged, whatever fits it, holds it or has evaluated it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates import estimator
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.checks.declared import Declared

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fold:
    """One fold, as a candidate is asked about it. Its rows are taken when they are asked for: each time a copy.

    Parameters
    ----------
    train : callable
        Returns the features and the target of the rows to fit on: a DataFrame and an array.
    test : callable
        Returns the rows held out, without their target. Where the candidate knows rows by an id, that is the index.
    classes : ndarray or None
        All labels of the data; None for regression.
    random_state : numpy.random.SeedSequence
        Where its random numbers come from.
    sample_weight : ndarray or None
        How much each row to fit on counts; None: all count the same.
    seed, repeat, fold : int
        Which run of the candidate it is, and which fold of which repeat, counted from 0.
    """

    train: Callable[[], tuple[pd.DataFrame, NDArray[Any]]]
    test: Callable[[], pd.DataFrame]
    classes: NDArray[Any] | None
    random_state: np.random.SeedSequence
    sample_weight: NDArray[np.float64] | None = None
    seed: int = 0
    repeat: int = 0
    fold: int = 0


class Candidate(Protocol):
    """What can be judged: it answers for the rows that a fold holds out."""

    def answer(self, fold: Fold) -> Answers:
        """Answer about the rows held out, fitted on the others where it is fitted at all.

        Raises
        ------
        CandidateError
            If there is no answer, or none that a scorer could take.
        """


@dataclass(frozen=True)
class Estimator:
    """An estimator with scikit-learn's interface: every fold fits a clone."""

    estimator: Any

    def answer(self, fold: Fold) -> Answers:
        """Fit a clone, and ask it."""
        return estimator.answer(
            self.estimator, fold.train(), fold.test, fold.random_state, fold.classes, fold.sample_weight
        )


def as_candidate(given: Any) -> Candidate:
    """Return what answers for a check's candidate: itself, or a wrapper of the estimator that it is."""
    if isinstance(given, Declared):
        return cast(Candidate, given)
    return Estimator(given)
