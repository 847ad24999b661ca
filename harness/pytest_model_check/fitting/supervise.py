"""Fits in other processes, several at a time: those of most rows first, heard, and abandoned where one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import wait
from typing import Any, Protocol, TypeVar

from pytest_model_check.errors import CandidateError
from pytest_model_check.fitting.engine import HEARTBEAT, Batch, Outcome, Outcomes

LOADING = 120.0  # seconds for the modules of a candidate to be imported, before a fit's own time begins
WRITING = 0.3  # seconds for a fit that takes too long to write where it is


class Fitting(Protocol):
    """The parent's side of a process that fits."""

    deadline: float | None

    @property
    def handles(self) -> tuple[Any, ...]:
        """What is ready when it says something, or has died."""

    def hear(self) -> Outcome | None:
        """Take in what it says, or that it has died or takes too long; None: the fit goes on."""

    def kill(self) -> None:
        """End it now, with what its fit has started."""


F = TypeVar("F", bound=Fitting)


def supervise(batch: Batch, jobs: int, begin: Callable[[int], F], done: Callable[[F], object]) -> Outcomes:
    """Make the fits of a batch, those of most rows first; see `Engine.run`.

    Parameters
    ----------
    batch : Batch
        The fits.
    jobs : int
        How many at a time.
    begin : callable
        Begins the fit of that number.
    done : callable
        Is told whose fit is done.
    """
    rows = [len(batch.cv.splits[fit.split].train) for fit in batch.fits]
    todo = sorted(range(len(batch.fits)), key=lambda number: -rows[number])
    busy: dict[F, int] = {}
    try:
        while todo or busy:
            while todo and len(busy) < jobs:
                number = todo.pop(0)
                busy[begin(number)] = number
            said = _wait(busy)
            if not said:
                yield None
            for fitting in said:
                outcome = fitting.hear()
                if outcome is None:
                    continue
                number = busy.pop(fitting)
                done(fitting)
                if isinstance(outcome, CandidateError):
                    todo = [other for other in todo if other < number]
                yield number, outcome
    finally:
        for fitting in busy:
            fitting.kill()


def _wait(busy: Iterable[F]) -> list[F]:
    """Wait until some say something, die, or take too long; for no longer than a heartbeat."""
    handles = {handle: fitting for fitting in busy for handle in fitting.handles}
    deadlines = [fitting.deadline for fitting in busy if fitting.deadline is not None]
    heard = wait(handles, max(0.0, min([HEARTBEAT, *(deadline - time.monotonic() for deadline in deadlines)])))
    if heard:
        return list(dict.fromkeys(handles[handle] for handle in heard))
    now = time.monotonic()
    return [fitting for fitting in busy if fitting.deadline is not None and fitting.deadline <= now]
