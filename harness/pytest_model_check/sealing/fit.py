"""Sealed fits of one split: the side of the process that is shut in. It has one set of rows, and never gets others."""

from __future__ import annotations

import faulthandler
import os
import pickle
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates.candidate import Fold, as_candidate
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.fitting import shared_data, surroundings
from pytest_model_check.fitting.surroundings import Surroundings
from pytest_model_check.fitting.worker import inner_parallelism, unreadable
from pytest_model_check.sealing import reply

if TYPE_CHECKING:
    import pandas as pd

BEGUN = b"B"  # it has all that it needs: its time begins
FRAME = 8  # bytes, for the length of what follows


@dataclass(frozen=True)
class Rows:
    """The rows of a split: see `Fold`."""

    train: tuple[pd.DataFrame, NDArray[Any]]
    test: pd.DataFrame
    classes: NDArray[Any] | None
    sample_weight: NDArray[np.float64] | None


@dataclass(frozen=True)
class Task:
    """One fit on these rows.

    Parameters
    ----------
    candidate : bytes
        Pickled.
    random_state : numpy.random.SeedSequence
        Where its random numbers come from.
    seed, repeat, fold : int
        See `Fold`.
    surroundings : Surroundings
        What it finds around it.
    timeout : float or None
        After how many seconds to write where it is.
    nested : bool
        Whether a candidate's own ``n_jobs`` is heeded: there are cores for it.
    """

    candidate: bytes
    random_state: np.random.SeedSequence
    seed: int
    repeat: int
    fold: int
    surroundings: Surroundings
    timeout: float | None
    nested: bool


def serve(data: int, tasks: int, replies: int, trace: int) -> NoReturn:
    """Make fits on the rows of a file, until no more are asked for.

    Parameters
    ----------
    data, tasks, replies, trace : int
        Descriptors: the `Rows`, as `shared_data.write` writes them; where pickled `Task`s come from, and their replies
        go, each after its length; where to write what was going on when it crashed, or its time was over.
    """
    faulthandler.enable(trace)
    tempfile.tempdir = None  # that of the process it is forked from
    rows: Rows
    rows, _ = shared_data.read(data)
    with open(tasks, "rb") as stream:
        while head := stream.read(FRAME):
            task: Task = pickle.loads(stream.read(int.from_bytes(head, "little")))  # noqa: S301 - the engine's
            surroundings.take_over(task.surroundings)
            message = reply.dumps(try_fit(task, rows, replies, trace))
            for output in (sys.stdout, sys.stderr):
                output.flush()  # what a fit prints is its test's
            _write(replies, len(message).to_bytes(FRAME, "little") + message)
    os._exit(0)


def try_fit(task: Task, rows: Rows, replies: int, trace: int) -> Answers | CandidateError:
    """Make a fit; whatever it raises is its error. `endings` looks for this name in the trace of one that hangs."""
    fold = Fold(
        lambda: rows.train,
        lambda: rows.test,
        rows.classes,
        task.random_state,
        rows.sample_weight,
        seed=task.seed,
        repeat=task.repeat,
        fold=task.fold,
    )
    try:
        candidate = pickle.loads(task.candidate)  # noqa: S301 - here it can do no more than in its fit
    except Exception as error:  # noqa: BLE001 - whatever its modules raise
        _write(replies, BEGUN)
        return unreadable(error)
    _write(replies, BEGUN)
    if task.timeout is not None:
        faulthandler.dump_traceback_later(task.timeout, file=trace)
    try:
        with inner_parallelism(allowed=task.nested):
            answers = as_candidate(candidate).answer(fold)
        reply.dumps(answers)  # of labels that can't be sent, it is the fit that fails
        return answers
    except CandidateError as error:
        return error
    except SystemExit as error:
        return CandidateError(f"the candidate called sys.exit({error.code!r})")
    except BaseException as error:  # noqa: BLE001 - it is this fit's
        return CandidateError(f"the candidate raised {type(error).__name__}: {one_line(error)}")
    finally:
        faulthandler.cancel_dump_traceback_later()


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
