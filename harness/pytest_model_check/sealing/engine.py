"""The engine of sealed fits: each in a sandbox of its own, of which nothing is left; its answers are checked."""

from __future__ import annotations

import itertools
import json
import os
import pickletools
import shutil
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_model_check.checks.declared import origin_of
from pytest_model_check.checks.describe import describe
from pytest_model_check.errors import CandidateError, EngineError, one_line
from pytest_model_check.fitting import endings, pickling, shared_data, surroundings
from pytest_model_check.fitting.engine import Batch, Outcome, Outcomes
from pytest_model_check.fitting.fit import fold_of, of_split
from pytest_model_check.fitting.installed import OURS, is_installed
from pytest_model_check.fitting.supervise import LOADING, supervise
from pytest_model_check.fitting.surroundings import Surroundings
from pytest_model_check.sealing import reply, view
from pytest_model_check.sealing.fit import Task
from pytest_model_check.sealing.view import HOME, View
from pytest_model_check.sealing.warden import End, Order

if TYPE_CHECKING:
    from pytest_model_check.data.dataset import Dataset

ZYGOTE = "import sys; sys.path.append(sys.argv[1]); from pytest_model_check.sealing import zygote; zygote.main()"
LONGEST_END = 20_000_000  # bytes
SEALED = (
    "The fit was sealed (--model-check-sealed): it sees the code that git knows, its Python environment and its rows; "
    "no data, no baselines, no network."
)


class SealedEngine:
    """Fits in sandboxes, a new one for each.

    Parameters
    ----------
    jobs : int
        How many at a time.
    root : Path
        pytest's rootdir.
    folder : Path, optional
        For temporary files.
    hidden : iterable of Path
        Files and folders that no fit may see: baselines, reports, caches.
    nested : bool
        Whether a candidate's own ``n_jobs`` is heeded: there are cores for it.
    """

    def __init__(
        self, jobs: int, root: Path, folder: Path | None = None, *, hidden: Iterable[Path] = (), nested: bool = False
    ) -> None:
        self._jobs, self._root, self._hidden, self._nested = jobs, root, tuple(hidden), nested
        self._folder = Path(tempfile.mkdtemp(prefix="sealed-", dir=folder))
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._numbers = itertools.count()
        self._view: View | None = None
        self._zygote: _Zygote | None = None

    def __enter__(self) -> SealedEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process that fits are forked from, and remove the copy of the code."""
        if self._zygote is not None:
            self._zygote.close()
        self._remove()

    def share(self, data: Dataset) -> Dataset:
        """Return the data set itself, and let no fit see its files."""
        self._project().hide(self._root / path for path, _ in data.files)
        return data

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits, those of most rows first; see `Engine`."""
        if origin_of(batch.candidate) != "refitted":
            raise CandidateError(
                f"{describe(batch.candidate)} can't be sealed: it was fitted elsewhere, on rows that nobody knows",
                "Judge it without --model-check-sealed; a reviewer has to go by whoever fitted it.",
            )
        try:
            candidate = pickling.dumps(batch.candidate)
        except Exception as error:  # a candidate's own __reduce__ may raise anything
            raise pickling.unsendable(error) from error
        here = surroundings.current()
        around = replace(here, environ={**here.environ, "HOME": HOME, "TMPDIR": HOME})
        command = self._project().command(around.path, around.folder)
        modules = tuple(_installed(candidate))
        return supervise(
            batch,
            self._jobs,
            lambda number: self._begin(batch, number, candidate, around, command, modules),
            lambda fitting: fitting.kill(),
        )

    def _begin(
        self,
        batch: Batch,
        number: int,
        candidate: bytes,
        around: Surroundings,
        command: tuple[str, ...],
        modules: tuple[str, ...],
    ) -> _Sealed:
        cv, fit, data = batch.cv, batch.fits[number], batch.cv.dataset
        split = cv.splits[fit.split]
        fold = fold_of(fit, split, data.X, data.y, cv.classes, batch.entropy, data.sample_weight)
        classes = 0 if cv.classes is None else len(cv.classes)
        order = Order(command, LOADING, batch.timeout, reply.limit(len(split.test), classes), modules)
        path = self._folder / f"task-{next(self._numbers)}"
        try:
            shared_data.write(path, Task(candidate, fold, around, batch.timeout, self._nested))
            with path.open("rb") as task:
                path.unlink()  # it is gone with its last reader
                return _Sealed(batch, number, self._forks().order(order, task.fileno()), order)
        except OSError as error:
            raise EngineError(f"a fit can't be sealed: {one_line(error)}") from error

    def _project(self) -> View:
        if self._view is None:
            self._view = view.make(self._root, self._folder / "project", self._hidden)
        return self._view

    def _forks(self) -> _Zygote:
        if self._zygote is None:
            self._zygote = _Zygote()
        return self._zygote


class _Zygote:
    """The parent's side of the process that fits are forked from."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(  # noqa: S603 - its arguments are a list, no shell
            [sys.executable, "-E", "-P", "-c", ZYGOTE, str(Path(OURS).parent)],
            stdin=theirs.fileno(),
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a fork would not survive threads
            cwd="/",
            start_new_session=True,
        )
        theirs.close()

    def order(self, order: Order, task: int) -> Connection:
        """Have a fit made; return where its end is heard."""
        ours, theirs = socket.socketpair()
        with theirs:
            message = json.dumps(asdict(order)).encode()
            socket.send_fds(self._socket, [message], [theirs.fileno(), task, 1, 2])
        return Connection(ours.detach())

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait()


class _Sealed:
    """The parent's side of a sealed fit."""

    deadline: float | None = None  # its warden keeps the time

    def __init__(self, batch: Batch, number: int, connection: Connection, order: Order) -> None:
        self._split = batch.cv.splits[batch.fits[number].split]
        self._classes, self._where = batch.cv.classes, batch.where(number)
        self._connection, self._order = connection, order

    @property
    def handles(self) -> tuple[Any, ...]:
        """What is ready when it is done."""
        return (self._connection,)

    def hear(self) -> Outcome:
        """Take in how it ended."""
        try:
            end = End(**json.loads(self._connection.recv_bytes(LONGEST_END)))
            said = self._connection.recv_bytes(self._order.limit) if end.replied else b""
        except (EOFError, OSError, TypeError, ValueError) as error:
            raise EngineError(f"{self._where}: a sealed fit was lost: {one_line(error)}") from error
        if end.unmade:
            raise EngineError(
                f"{self._where}: the sandbox of the fit can't be made: {one_line(OSError(end.unmade))}",
                "Nothing was fitted unsealed.",
            )
        outcome = self._outcome(end, said)
        if isinstance(outcome, CandidateError):
            return CandidateError(outcome.message, f"{outcome.advice}\n{SEALED}".lstrip())
        return outcome

    def kill(self) -> None:
        """Abandon it: its warden ends it."""
        self._connection.close()

    def _outcome(self, end: End, said: bytes) -> Outcome:
        if end.late:
            assert self._order.timeout is not None
            return endings.late(self._where, self._order.timeout, end.trace)
        if end.long:
            return CandidateError(f"{self._where}: the candidate's answers are longer than its rows call for")
        if not end.replied:
            return endings.died(self._where, end.code, end.trace)
        outcome = reply.loads(said, len(self._split.test), self._classes)
        return of_split(self._split, outcome) if isinstance(outcome, CandidateError) else outcome


def _installed(candidate: bytes) -> Iterable[str]:
    """Yield the installed libraries that a pickled candidate names: their import need not be paid by each fit."""
    names = {argument for _, argument, _ in pickletools.genops(candidate) if isinstance(argument, str)}
    for name in sorted(names):
        file = getattr(sys.modules.get(name), "__file__", None)
        if isinstance(file, str) and is_installed(file):
            yield name
