"""The engine of sealed fits: each in a sandbox of its own, of which nothing is left; its answers are checked."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import pickle
import pickletools
import shutil
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

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
from pytest_model_check.sealing.fit import Rows, Task
from pytest_model_check.sealing.view import HOME, View
from pytest_model_check.sealing.warden import End, Order

if TYPE_CHECKING:
    from pytest_model_check.candidates.candidate import Fold
    from pytest_model_check.data.dataset import Dataset

ZYGOTE = "import sys; sys.path.append(sys.argv[1]); from pytest_model_check.sealing import zygote; zygote.main()"
NEEDED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
LONGEST_END = 20_000_000  # bytes
MOST_IDLE = 16  # processes that wait for fits on the rows that they have
MOST_BYTES = 256_000_000  # of these rows
SEALED = (
    "The fit was sealed: it sees the code that git knows, its Python environment and its rows; "
    "no data, no baselines, no network."
)

Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Job:
    """What the fits of a batch have in common."""

    candidate: bytes
    surroundings: Surroundings
    command: tuple[str, ...]
    modules: tuple[str, ...]
    nested: bool


class SealedEngine:
    """Fits in sandboxes: each has the rows of one split, and never gets others.

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
    apart : bool
        Whoever fits is trusted with nothing of this process: its environment is not handed on, but for what `NEEDED`
        names, and what it prints is lost.
    """

    def __init__(
        self,
        jobs: int,
        root: Path,
        folder: Path | None = None,
        *,
        hidden: Iterable[Path] = (),
        nested: bool = False,
        apart: bool = False,
    ) -> None:
        self._apart = apart
        self._jobs, self._root, self._hidden, self._nested = jobs, root, tuple(hidden), nested
        self._folder = Path(tempfile.mkdtemp(prefix="sealed-", dir=folder))
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._numbers = itertools.count()
        self._view: View | None = None
        self._zygote: _Zygote | None = None
        self._idle: list[_Cell] = []

    def __enter__(self) -> SealedEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process that fits are forked from, and remove the copy of the code."""
        while self._idle:
            self._idle.pop().kill()
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
        around = replace(here, environ={**self._environ(), "HOME": HOME, "TMPDIR": HOME})
        command = self._project().command(around.path, around.folder)
        job = _Job(candidate, around, command, tuple(_installed(candidate)), self._nested)
        return supervise(batch, self._jobs, lambda number: self._begin(batch, number, job), self._keep)

    def _begin(self, batch: Batch, number: int, job: _Job) -> _Cell:
        """Have a fit made where no other rows have ever been."""
        cv, fit, data = batch.cv, batch.fits[number], batch.cv.dataset
        split = cv.splits[fit.split]
        fold = fold_of(fit, split, data.X, data.y, cv.classes, batch.entropy, data.sample_weight)
        rows = Rows(fold.train(), fold.test(), fold.classes, fold.sample_weight)
        path = self._folder / f"rows-{next(self._numbers)}"
        try:
            shared_data.write(path, rows)
            with path.open("rb") as file:
                path.unlink()  # it is gone with its last reader
                key = (hashlib.file_digest(file, "sha256").hexdigest(), job.command)
                cell = self._idle_cell(key) or self._forks().cell(key, os.fstat(file.fileno()).st_size, job, file)
        except OSError as error:
            raise EngineError(f"a fit can't be sealed: {one_line(error)}") from error
        cell.begin(batch, number, job, fold)
        return cell

    def _idle_cell(self, key: Key) -> _Cell | None:
        """Return one with these very rows, if there is one: its process can learn nothing that it does not know."""
        for cell in [cell for cell in self._idle if cell.key == key]:
            self._idle.remove(cell)
            if cell.is_idle():
                return cell
            cell.kill()
        return None

    def _keep(self, cell: _Cell) -> None:
        """Let a process wait for fits on the same rows, of other seeds or checks; those that waited longest end."""
        if cell.is_alive:
            self._idle.append(cell)
        while len(self._idle) > MOST_IDLE or sum(cell.size for cell in self._idle) > MOST_BYTES:
            self._idle.pop(0).kill()

    def _environ(self) -> dict[str, str]:
        """Return what fits may know of the environment; /proc tells them what their sandbox was made with, too."""
        return {name: text for name, text in os.environ.items() if not self._apart or name in NEEDED}

    def _project(self) -> View:
        if self._view is None:
            self._view = view.make(self._root, self._folder / "project", self._hidden, tracked=self._apart)
        return self._view

    def _forks(self) -> _Zygote:
        if self._zygote is None:
            self._zygote = _Zygote(self._environ(), quiet=self._apart)
        return self._zygote


class _Zygote:
    """The parent's side of the process that fits are forked from."""

    def __init__(self, environ: Mapping[str, str], *, quiet: bool) -> None:
        self._silence = os.open(os.devnull, os.O_WRONLY) if quiet else None
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(  # noqa: S603 - its arguments are a list, no shell
            [sys.executable, "-E", "-P", "-c", ZYGOTE, str(Path(OURS).parent)],
            stdin=theirs.fileno(),
            env={**environ, "OPENBLAS_NUM_THREADS": "1"},  # a fork would not survive threads
            cwd="/",
            start_new_session=True,
        )
        theirs.close()

    def cell(self, key: Key, size: int, job: _Job, rows: BinaryIO) -> _Cell:
        """Have a sandbox made for some rows."""
        ours, theirs = socket.socketpair()
        with theirs:
            message = json.dumps({"command": job.command, "modules": job.modules}).encode()
            outputs = (1, 2) if self._silence is None else (self._silence, self._silence)
            socket.send_fds(self._socket, [message], [theirs.fileno(), rows.fileno(), *outputs])
        return _Cell(key, size, Connection(ours.detach()))

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait()
        if self._silence is not None:
            os.close(self._silence)


class _Cell:
    """The parent's side of a sandbox with some rows.

    Parameters
    ----------
    key : tuple
        The digest of the rows, and how the sandbox was made.
    size : int
        Of the rows, in bytes.
    connection : Connection
        To its warden.
    """

    deadline: float | None = None  # its warden keeps the time

    def __init__(self, key: Key, size: int, connection: Connection) -> None:
        self.key, self.size, self.is_alive = key, size, True
        self._connection = connection

    def is_idle(self) -> bool:
        """Whether it waits for a fit, as it should."""
        return not self._connection.poll()  # what it says unasked is that it has ended

    def begin(self, batch: Batch, number: int, job: _Job, fold: Fold) -> None:
        """Hand it a fit."""
        self._split, self._classes = batch.cv.splits[batch.fits[number].split], batch.cv.classes
        self._where, self._timeout = batch.where(number), batch.timeout
        self._limit = reply.limit(len(self._split.test), 0 if self._classes is None else len(self._classes))
        task = Task(
            job.candidate,
            fold.random_state,
            fold.seed,
            fold.repeat,
            fold.fold,
            job.surroundings,
            batch.timeout,
            job.nested,
        )
        with contextlib.suppress(OSError):  # it has ended, and is heard of next
            self._connection.send_bytes(json.dumps(asdict(Order(LOADING, batch.timeout, self._limit))).encode())
            self._connection.send_bytes(pickle.dumps(task))

    @property
    def handles(self) -> tuple[Any, ...]:
        """What is ready when the fit is done."""
        return (self._connection,)

    def hear(self) -> Outcome:
        """Take in how the fit ended."""
        try:
            end = End(**json.loads(self._connection.recv_bytes(LONGEST_END)))
            said = self._connection.recv_bytes(self._limit) if end.replied else b""
        except (EOFError, OSError, TypeError, ValueError) as error:
            self.kill()
            raise EngineError(f"{self._where}: the sandbox of the fit was lost: {one_line(error)}") from error
        if not end.replied:
            self.kill()
        if end.unmade:
            raise EngineError(
                f"{self._where}: the sandbox of the fit can't be made: {one_line(OSError(end.unmade))}",
                "Nothing was fitted unsealed.",
            )
        outcome = self._outcome(end, said)
        if isinstance(outcome, CandidateError):
            self.kill()  # who knows what it has left there
            return CandidateError(outcome.message, f"{outcome.advice}\n{SEALED}".lstrip())
        return outcome

    def kill(self) -> None:
        """Leave it: its warden ends it."""
        self.is_alive = False
        self._connection.close()

    def _outcome(self, end: End, said: bytes) -> Outcome:
        if end.late:
            assert self._timeout is not None
            return endings.late(self._where, self._timeout, end.trace)
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
