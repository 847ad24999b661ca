"""One sealed fit: the side of the process that is shut in. It makes the fit, writes the reply, and ends."""

from __future__ import annotations

import faulthandler
import os
import pickle
import sys
import tempfile
from dataclasses import dataclass
from typing import NoReturn

from pytest_model_check.candidates.candidate import Fold, as_candidate
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.fitting import shared_data, surroundings
from pytest_model_check.fitting.surroundings import Surroundings
from pytest_model_check.fitting.worker import inner_parallelism, unreadable
from pytest_model_check.sealing import reply

BEGUN = b"B"  # it has all that it needs: its time begins
FRAME = 8  # bytes, for the length of what follows


@dataclass(frozen=True)
class Task:
    """What a sealed fit is given, and all that it is given.

    Parameters
    ----------
    candidate : bytes
        Pickled.
    fold : Fold
        The rows to fit on, and those held out without their target.
    surroundings : Surroundings
        What it finds around it.
    timeout : float or None
        After how many seconds to write where it is.
    nested : bool
        Whether a candidate's own ``n_jobs`` is heeded: there are cores for it.
    """

    candidate: bytes
    fold: Fold
    surroundings: Surroundings
    timeout: float | None
    nested: bool


def serve(data: int, replies: int, trace: int) -> NoReturn:
    """Make the fit that a file describes, and end this process.

    Parameters
    ----------
    data, replies, trace : int
        Descriptors: the `Task` as `shared_data.write` writes it; where the reply goes; where to write what was going
        on when it crashed, or its time was over.
    """
    task: Task = shared_data.read(data)
    faulthandler.enable(trace)
    tempfile.tempdir = None  # the server's
    surroundings.take_over(task.surroundings)
    message = reply.dumps(_outcome(task, replies, trace))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what a fit prints is its test's
    _write(replies, len(message).to_bytes(FRAME, "little") + message)
    os._exit(0)


def _outcome(task: Task, replies: int, trace: int) -> Answers | CandidateError:
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
            answers = as_candidate(candidate).answer(task.fold)
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
