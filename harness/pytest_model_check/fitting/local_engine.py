"""The engine of this machine: fits in child processes, one pool for a whole session."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from multiprocessing import reduction, util
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_model_check.errors import CandidateError, DataError, one_line
from pytest_model_check.fitting import endings, pickling, shared_data, surroundings
from pytest_model_check.fitting.engine import Batch, Outcome, Outcomes
from pytest_model_check.fitting.shared_data import LetGo
from pytest_model_check.fitting.supervise import LOADING, WRITING, supervise
from pytest_model_check.fitting.worker import BEGUN, Job, Task, serve

if TYPE_CHECKING:
    from pytest_model_check.data.dataset import Dataset

LONGEST_FOLDER = 70  # bytes: a socket may have 104 to 108, and its name below the folder 33
LEAVING = 2.0  # seconds for idle processes to end by themselves


class LocalEngine:
    """Fits in children of this process: what crashes, hangs or exits there is that fit's error, and nobody else's.

    Parameters
    ----------
    jobs : int
        How many at a time.
    folder : Path, optional
        Where to put the data that they share.
    nested : bool
        Whether a candidate's own ``n_jobs`` is heeded: there are cores for it.
    """

    def __init__(self, jobs: int, folder: Path | None = None, *, nested: bool = False) -> None:
        self._jobs, self._nested = jobs, nested
        self._folder = Path(tempfile.mkdtemp(prefix="fits-", dir=folder))
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._numbers = itertools.count()
        self._idle: list[_Worker] = []
        self._files: dict[int, tuple[Path, LetGo]] = {}

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, and remove the data that they shared."""
        deadline = time.monotonic() + LEAVING
        for worker in self._idle:
            worker.connection.close()  # which it notices
        for worker in self._idle:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            worker.kill()
        self._idle = []
        self._remove()

    def share(self, data: Dataset) -> Dataset:
        """Put a data set into the file that the children map, and map it here: the frame that was read can go."""
        path = self._write(data)
        (X, y, sample_weight), let_go = shared_data.read(path)
        shared = {"X": X, "y": y, "sample_weight": sample_weight}
        mapped = dataclasses.replace(data, **shared, slices=data.slices.copy())  # a view would keep the whole
        self._keep(mapped, path, let_go)
        return mapped

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits, those of most rows first; see `Engine`."""
        job = self._job(batch)
        return supervise(batch, self._jobs, lambda number: self._begin(batch, number, job), self._take_back)

    def _begin(self, batch: Batch, number: int, job: Job) -> _Worker:
        worker = self._free_worker(job)
        worker.begin(batch, number, job)
        return worker

    def _take_back(self, worker: _Worker) -> None:
        if worker.is_alive:
            self._idle.append(worker)

    def _free_worker(self, job: Job) -> _Worker:
        """Return one that has the job if there is one, or any other, or a new one."""
        self._idle.sort(key=lambda worker: worker.job is job)
        while self._idle:
            worker = self._idle.pop()
            if worker.process.is_alive():
                return worker
            worker.kill()  # somebody else has ended it
        return _Worker(self._folder / f"trace-{next(self._numbers)}.txt", nested=self._nested)

    def _job(self, batch: Batch) -> Job:
        try:
            candidate = pickling.dumps((batch.candidate, batch.cv.classes, batch.entropy))
        except Exception as error:  # a candidate's own __reduce__ may raise anything
            raise pickling.unsendable(error) from error
        return Job(candidate, self._file(batch.cv.dataset), surroundings.current())

    def _file(self, data: Dataset) -> Path:
        if id(data) not in self._files:
            self._keep(data, self._write(data), lambda: None)
        path, let_go = self._files[id(data)]
        let_go()  # it is not needed here while others fit
        return path

    def _write(self, data: Dataset) -> Path:
        path = self._folder / f"data-{next(self._numbers)}"
        try:
            shared_data.write(path, (data.X, data.y, data.sample_weight))
        except OSError as error:
            raise DataError(
                f"{data.path} can't be handed to the processes that fit: {one_line(error)}",
                f"They share a file below {self._folder.parent}; TMPDIR names another place.",
            ) from error
        return path

    def _keep(self, data: Dataset, path: Path, let_go: LetGo) -> None:
        """Remember where a data set lies, for as long as somebody has it."""
        self._files[id(data)] = path, let_go
        weakref.finalize(data, self._forget, id(data)).atexit = False

    def _forget(self, key: int) -> None:
        self._files.pop(key)[0].unlink(missing_ok=True)


class _Worker:
    """The parent's side of a process that fits.

    Parameters
    ----------
    trace : Path
        Where it writes what was going on when it crashed, or its time was over.
    nested : bool
        Whether a candidate's own ``n_jobs`` is heeded.
    """

    def __init__(self, trace: Path, *, nested: bool) -> None:
        self.job: Job | None = None
        self.deadline: float | None = None
        self.is_alive = True
        self._where = ""
        self._timeout: float | None = None
        self._trace = trace
        context: Any = _context()
        self.connection, theirs = context.Pipe()
        # a daemon is ended when this process ends; to itself it is none
        outputs = () if _METHOD == "spawn" else (_Descriptor(1), _Descriptor(2))
        self.process = context.Process(
            target=serve, args=(theirs, outputs, trace), kwargs={"nested": nested}, daemon=True
        )
        with _without_main():
            self.process.start()
        theirs.close()

    def begin(self, batch: Batch, number: int, job: Job) -> None:
        """Hand it a fit."""
        fit = batch.fits[number]
        task = Task(fit, batch.cv.splits[fit.split], batch.timeout, None if self.job is job else job)
        self.job, self._where, self._timeout = job, batch.where(number), batch.timeout
        self.deadline = None if batch.timeout is None else time.monotonic() + LOADING + batch.timeout
        with contextlib.suppress(OSError):  # it has died, and is heard of next
            self.connection.send_bytes(pickle.dumps(task))

    @property
    def handles(self) -> tuple[Any, ...]:
        """What is ready when it says something, or has died."""
        return self.connection, self.process.sentinel

    def hear(self) -> Outcome | None:
        """Take in what it says, or that it has died or takes too long; None: the fit goes on."""
        where, timeout = self._where, self._timeout
        with contextlib.suppress(EOFError, OSError):
            if self.connection.poll():
                message = self.connection.recv_bytes()
                if message != BEGUN:
                    return _loaded(message, where)
                if timeout is not None:
                    self.deadline = time.monotonic() + timeout + WRITING
                return None
            if self.process.is_alive():
                assert timeout is not None
                return endings.late(where, timeout, self._end())
        self.process.join(LEAVING)
        code = self.process.exitcode
        return endings.died(where, code, self._end())

    def kill(self) -> None:
        """End it now, with what its fit has started."""
        self.is_alive = False
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        self.connection.close()
        self._trace.unlink(missing_ok=True)

    def _end(self) -> str:
        """End it; return what it has written."""
        try:
            trace = self._trace.read_text(encoding="utf-8", errors="replace")
        except OSError:
            trace = ""
        self.kill()
        return trace


class _Descriptor:
    """A descriptor of this process that a new one gets a copy of; there it is a number.

    Else it would have those that the process had that it is forked from, when that began.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (reduction.DupFd(self._number),)


def _arrived(descriptor: Any) -> int:
    return int(descriptor.detach())


def _loaded(message: bytes, where: str) -> Outcome:
    try:
        outcome: Outcome = pickle.loads(message)  # noqa: S301 - this run's own process
    except Exception as error:  # noqa: BLE001 - whatever the modules raise that it names
        return CandidateError(f"{where}: the candidate's answers can't be read: {one_line(error)}")
    return outcome


def start_early() -> None:
    """Have the process that others are forked from begin with its imports, while this one begins with its own."""
    if _METHOD == "forkserver":
        from multiprocessing import forkserver

        _context()
        # no module of the current folder's comes before a library; no threads, which a fork would not survive
        with _without_main(), _environment(PYTHONSAFEPATH="1", OPENBLAS_NUM_THREADS="1"):
            forkserver.ensure_running()


# Forking this process itself would be quicker, and deadlock where a library has begun threads.
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


_STARTING = threading.Lock()  # one process at a time


def _context() -> multiprocessing.context.BaseContext:
    _require_short_folder()
    context = multiprocessing.get_context(_METHOD)
    context.set_forkserver_preload(["pytest_model_check.fitting.preload"])
    return context


def _require_short_folder() -> None:
    """Have multiprocessing put its socket into /tmp, where the name of TMPDIR is too long for a socket's."""
    if os.name == "posix" and len(os.fsencode(tempfile.gettempdir())) > LONGEST_FOLDER:
        chosen, tempfile.tempdir = tempfile.tempdir, "/tmp"  # noqa: S108 - a folder of its own is made in it
        try:
            util.get_temp_dir()  # once for this process
        finally:
            tempfile.tempdir = chosen


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep a child from importing what runs here as ``__main__``: pytest, or a script that would run it again."""
    with _STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
