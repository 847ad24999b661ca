"""What makes fits: the interface of the engines, and how their answers come back in order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pytest_model_check.candidates.responses import Answers
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import CandidateError
from pytest_model_check.fitting.fit import Fit, try_fit

FitProgress = Callable[[int, int], None]  # fits done, fits in all
Outcome = Answers | CandidateError
Outcomes = Generator[tuple[int, Outcome], None, None]


@dataclass(frozen=True)
class Batch:
    """Fits of one candidate on one data set.

    Parameters
    ----------
    fits : tuple of Fit
        What is to be fitted, in the order in which errors count: the first one is raised.
    candidate : estimator
        Left as it is.
    cv : CrossValidation
        Data and splits.
    entropy : int
        Where the random states come from.
    timeout : float or None
        How many seconds a fit may take.
    """

    fits: tuple[Fit, ...]
    candidate: Any
    cv: CrossValidation
    entropy: int
    timeout: float | None = None

    def where(self, number: int) -> str:
        """How a message names a fit of which nothing but its end is known."""
        fit = self.fits[number]
        return f"{self.cv.splits[fit.split].words}, seed {fit.seed}"


class Engine(Protocol):
    """Makes fits somewhere, several at a time."""

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits of a batch.

        Yields
        ------
        tuple of (int, Answers or CandidateError)
            The number of a fit in the batch and what came of it, as soon as it is done, in any order. Once one has
            failed, those after it in the batch need not be made. Closing the generator abandons what is not done.
        """


class InProcess:
    """The engine for fits that are safe here, such as a dummy's: one after another, in this process."""

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits in order, up to the first that fails."""
        cv = batch.cv
        for number, fit in enumerate(batch.fits):
            outcome = try_fit(
                fit, cv.splits[fit.split], batch.candidate, cv.dataset.X, cv.dataset.y, cv.classes, batch.entropy
            )
            yield number, outcome
            if isinstance(outcome, CandidateError):
                return


@dataclass(frozen=True)
class Limited:
    """An engine whose fits may take so many seconds each.

    Parameters
    ----------
    engine : Engine
        Makes them.
    timeout : float or None
        Seconds per fit.
    """

    engine: Engine
    timeout: float | None

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits, each within the limit."""
        return self.engine.run(replace(batch, timeout=self.timeout))


def run_fits(engine: Engine, batch: Batch, progress: FitProgress = lambda done, total: None) -> list[Answers]:
    """Make the fits, and bring their answers into the order of the batch.

    Raises
    ------
    CandidateError
        Of the first fit in the batch that fails, whichever was the first in time: on any number of processes it is
        the same.
    """
    answers: dict[int, Answers] = {}
    errors: dict[int, CandidateError] = {}
    total = len(batch.fits)
    progress(0, total)
    with contextlib.closing(engine.run(batch)) as outcomes:
        for number, outcome in outcomes:
            if isinstance(outcome, CandidateError):
                errors[number] = outcome
            else:
                answers[number] = outcome
            if errors and all(n in answers for n in range(min(errors))):
                break
            progress(len(answers), total)
    if errors:
        raise errors[min(errors)]
    return [answers[number] for number in range(total)]
