"""What makes fits: the interface of the engines, and how their answers come back in order."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pytest_model_check.candidates.responses import Answers
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import CandidateError
from pytest_model_check.fitting.fit import Fit, try_fit
from pytest_model_check.judgement.verdicts import Times

FitProgress = Callable[[int, int], None]  # fits done, fits in all
Outcome = Answers | CandidateError
Outcomes = Generator[tuple[int, Outcome] | None, None, None]
HEARTBEAT = 1.0  # seconds after which an engine that has nothing to report says so


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

    def share(self, data: Dataset) -> Dataset:
        """Return the data set as it lies where this engine's processes can have it without another copy."""

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits of a batch.

        Yields
        ------
        tuple of (int, Answers or CandidateError), or None
            The number of a fit in the batch and what came of it, as soon as it is done, in any order; None now and
            then while nothing is. Once one has failed, those after it in the batch need not be made. Closing the
            generator abandons what is not done.
        """


class InProcess:
    """The engine for fits that are safe here, such as a dummy's: one after another, in this process."""

    def share(self, data: Dataset) -> Dataset:
        """Return the data set itself."""
        return data

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits in order, up to the first that fails."""
        cv, data = batch.cv, batch.cv.dataset
        for number, fit in enumerate(batch.fits):
            outcome = try_fit(
                fit,
                cv.splits[fit.split],
                batch.candidate,
                data.X,
                data.y,
                cv.classes,
                batch.entropy,
                data.sample_weight,
            )
            yield number, outcome
            if isinstance(outcome, CandidateError):
                return


class CheckEngine:
    """An engine for the fits of one check: within its limit of time, and with an account of what they take.

    Parameters
    ----------
    engine : Engine
        Makes them.
    timeout : float or None
        How many seconds each may take.
    """

    def __init__(self, engine: Engine, timeout: float | None = None) -> None:
        self._engine, self._timeout = engine, timeout
        self.waited = self.fit = self.predict = 0.0  # seconds: of this process; of those that fit, added up

    def share(self, data: Dataset) -> Dataset:
        """Share a data set; see `Engine`."""
        return self._engine.share(data)

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits; see `Engine`."""
        with self.waiting(), contextlib.closing(self._engine.run(replace(batch, timeout=self._timeout))) as outcomes:
            for done in outcomes:
                if done is not None and not isinstance(done[1], CandidateError):
                    fit, predict = done[1].seconds
                    self.fit, self.predict = self.fit + fit, self.predict + predict
                yield done

    def times(self, *, data: float, total: float) -> Times:
        """Return where the time of the check went, of which so much was for its data."""
        return Times(data, self.waited, max(0.0, total - data - self.waited), self.fit, self.predict)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count what is done meanwhile as waiting."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.waited += time.perf_counter() - began


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
        for done in outcomes:
            if done is not None:
                number, outcome = done
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
