"""A process that fits: the child's side. It takes one task after another, and ends when its parent does."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import pickle
import select
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pytest_model_check.data.splits import Split
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.fitting import pickling, shared_data, surroundings
from pytest_model_check.fitting.fit import Fit, try_fit
from pytest_model_check.fitting.shared_data import LetGo
from pytest_model_check.fitting.surroundings import Surroundings

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

BEGUN = b""  # what a worker says when a task is all there; the next thing it says is the outcome


@dataclass(frozen=True)
class Job:
    """What the fits of a batch have in common.

    Parameters
    ----------
    candidate : bytes
        The candidate, the labels and the entropy, pickled.
    data : Path
        The file of features and target.
    surroundings : Surroundings
        What its fits find around them.
    """

    candidate: bytes
    data: Path
    surroundings: Surroundings


@dataclass(frozen=True)
class Task:
    """One fit.

    Parameters
    ----------
    fit : Fit
        Which one.
    split : Split
        Its rows.
    timeout : float or None
        After how many seconds to write where it is.
    job : Job or None
        The batch's; None: the last task's.
    """

    fit: Fit
    split: Split
    timeout: float | None
    job: Job | None


def serve(connection: Connection, outputs: Sequence[int], trace: Path, *, nested: bool) -> None:
    """Make fits until the connection ends.

    Parameters
    ----------
    connection : Connection
        Tasks come from it, pickled; for each, `BEGUN` and the pickled outcome go back.
    outputs : sequence of int
        The descriptors of the parent's output and errors, which pytest may have captured.
    trace : Path
        Where to write what was going on in a fit that crashes or takes too long.
    nested : bool
        Whether a candidate's own ``n_jobs`` is heeded: there are cores for it.
    """
    multiprocessing.current_process().daemon = False  # a candidate may start processes of its own
    for theirs, ours in zip(outputs, (1, 2), strict=False):
        os.dup2(theirs, ours)
        os.close(theirs)
    _end_with_parent()
    job, data = None, (None, None, None)
    let_go: LetGo = _nothing
    with trace.open("w", encoding="utf-8") as file:
        faulthandler.enable(file)
        while True:
            try:
                task: Task = pickle.loads(connection.recv_bytes())  # noqa: S301 - the parent's
            except (EOFError, OSError):
                return
            if task.job is not None:
                if job is None or job.data != task.job.data:
                    data, let_go = (None, None, None), _nothing  # not two at a time
                    data, let_go = shared_data.read(task.job.data)
                job, loaded = task.job, None
            assert job is not None
            surroundings.take_over(job.surroundings)
            try:
                loaded = loaded or pickle.loads(job.candidate)  # noqa: S301
            except Exception as error:  # noqa: BLE001 - whatever its modules raise
                outcome: Any = unreadable(error)
                connection.send_bytes(BEGUN)
            else:
                connection.send_bytes(BEGUN)
                with _watched(task.timeout, file), inner_parallelism(allowed=nested):
                    outcome = _fit(task, loaded, data, let_go)
            for stream in (sys.stdout, sys.stderr):
                stream.flush()  # what a fit prints is its test's
            connection.send_bytes(_reply(task, outcome))


def _nothing() -> None:
    pass


def _fit(task: Task, loaded: tuple[Any, Any, int], data: tuple[Any, Any, Any], let_go: LetGo) -> Any:
    (candidate, classes, entropy), (X, y, sample_weight) = loaded, data
    try:
        return try_fit(task.fit, task.split, candidate, X, y, classes, entropy, sample_weight, let_go)
    except SystemExit as error:
        return CandidateError(f"{task.split.words}: the candidate called sys.exit({error.code!r})")
    except BaseException as error:  # noqa: BLE001 - it is this fit's, and ends no process
        return CandidateError(f"{task.split.words}: the candidate raised {type(error).__name__}: {one_line(error)}")


def _reply(task: Task, outcome: Any) -> bytes:
    try:
        return pickling.dumps(outcome)
    except Exception as error:  # noqa: BLE001 - a label's own __reduce__ may raise anything
        return pickling.dumps(
            CandidateError(f"{task.split.words}: the candidate's answers can't be sent back: {one_line(error)}")
        )


def unreadable(error: Exception) -> CandidateError:
    """Describe why a candidate could not be unpickled where it is fitted."""
    return CandidateError(
        f"the candidate can't be rebuilt in the process that fits it: {type(error).__name__}: {one_line(error)}",
        "What its class needs must be importable there: in a module on the import path, or in the test's own module.",
    )


@contextlib.contextmanager
def _watched(timeout: float | None, file: TextIO) -> Iterator[None]:
    """Have the interpreter write where it is, when the time is over; a thread of C does it, whatever holds the GIL."""
    if timeout is None:
        yield
        return
    file.seek(0)
    file.truncate()
    faulthandler.dump_traceback_later(timeout, file=file)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def inner_parallelism(*, allowed: bool) -> Iterator[None]:
    """Keep ``n_jobs`` of a candidate from taking cores that other fits use."""
    if allowed:
        yield
        return
    from joblib import parallel_config

    with parallel_config(backend="sequential"):
        yield


def _end_with_parent() -> None:
    """Let the kernel end this process, and those that a fit has started, when the parent's end of a pipe closes.

    Ctrl-C in a terminal is the parent's business: it ends its children.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    if os.name == "posix":
        os.setsid()  # a group of its own
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":  # at once, even from a loop in C that never gives the GIL back; and no thread
        import fcntl

        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(parent.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, fcntl.fcntl(parent.sentinel, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([parent.sentinel], [], [], 0)[0]:  # too late to be told
            os._exit(1)
    else:
        threading.Thread(target=_wait_for_end, args=(parent,), daemon=True).start()


def _wait_for_end(parent: Any) -> None:
    parent.join()
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
