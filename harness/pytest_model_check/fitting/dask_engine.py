"""The engine of a Dask cluster: a task for every fit, the data sent once."""

from __future__ import annotations

import pickle
import queue
import time
import weakref
from collections import Counter
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_model_check.errors import CandidateError, EngineError, one_line
from pytest_model_check.fitting import pickling
from pytest_model_check.fitting.dask_task import Job, make_fit, versions
from pytest_model_check.fitting.engine import HEARTBEAT, Batch, Outcome, Outcomes

if TYPE_CHECKING:
    from pytest_model_check.data.dataset import Dataset

PATIENCE = 300.0  # seconds without any worker
CONNECTING = 30.0  # seconds
TRIES = 10  # of a fit whose data went with a worker that died


class DaskEngine:
    """Fits on the workers of a cluster, which says how many at a time.

    Workers that die are survived: the scheduler makes their fits elsewhere, and data that was lost with them is sent
    again.

    Parameters
    ----------
    address : str or None
        The scheduler's, ``tcp://HOST:PORT``; None: a cluster on this machine, for this run.
    jobs : int
        How many workers a cluster on this machine has.
    project : Path
        The modules below this folder, outside environments, travel with the candidate.
    """

    def __init__(self, address: str | None, *, jobs: int, project: Path) -> None:
        self._address, self._jobs, self._project = address, jobs, project
        self._cluster: Any = None
        self._client: Any = None
        self._refused: EngineError | None = None
        self._sent: dict[int, Any] = {}
        self._alone_since: float | None = None

    def close(self) -> None:
        """Leave the cluster; end it, where it is this run's own."""
        self._sent.clear()
        for part in (self._client, self._cluster):
            if part is not None:
                part.close()
        self._client = self._cluster = None

    def share(self, data: Dataset) -> Dataset:
        """Return the data set itself: the workers are elsewhere."""
        return data

    def run(self, batch: Batch) -> Outcomes:
        """Make the fits, those of most rows first; see `Engine`."""
        from sklearn import get_config

        client = self._connected()
        job = Job(replace(batch.cv, dataset=None), self._pickled(batch), batch.entropy)  # type: ignore[arg-type]
        rows = [len(batch.cv.splits[fit.split].train) for fit in batch.fits]
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        running: dict[Any, int] = {}
        tries: Counter[int] = Counter()
        shared: list[Any] = []

        def submit(number: int) -> None:
            tries[number] += 1
            data = self._data(batch.cv.dataset)
            if not shared or _is_lost(shared[0]):
                shared[:] = [client.scatter(job, hash=False)]
            task = client.submit(
                make_fit,
                data,
                shared[0],
                batch.fits[number],
                batch.timeout,
                get_config(),
                dict(versions()),
                pure=False,
                key=f"fit-{id(done):x}-{number}-{tries[number]}-{time.monotonic_ns():x}",
            )
            running[task] = number
            task.add_done_callback(done.put)

        try:
            for number in sorted(range(len(batch.fits)), key=lambda number: -rows[number]):
                submit(number)
            while running:
                task = self._next(done)
                if task is None:
                    yield None
                if task not in running:
                    continue
                number = running.pop(task)
                outcome = None if _is_lost(task) else _outcome(task, batch.where(number))
                if outcome is None:
                    if tries[number] >= TRIES:
                        raise EngineError(f"{batch.where(number)}: the workers of the Dask cluster die again and again")
                    submit(number)
                    continue
                if isinstance(outcome, CandidateError):
                    later = [other for other, its in running.items() if its > number]
                    client.cancel(later)
                    for other in later:
                        del running[other]
                yield number, outcome
        finally:
            client.cancel(list(running))

    def _connected(self) -> Any:
        if self._refused is not None:
            raise self._refused
        if self._client is None:
            try:
                self._connect()
            except EngineError as error:
                self._refused = error
                raise
        return self._client

    def _connect(self) -> None:
        try:
            import distributed
        except ImportError as error:
            raise EngineError(
                f"--model-check-engine=dask needs Dask: {one_line(error)}", "pip install 'pytest-model-check[dask]'"
            ) from error
        try:
            if self._address is None:
                self._cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=self._jobs,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                    memory_limit=0,
                )
            self._client = distributed.Client(self._cluster or self._address, timeout=CONNECTING)  # type: ignore[no-untyped-call]
            self._client.wait_for_workers(1, timeout=CONNECTING)
        except (OSError, TimeoutError) as error:
            where = self._address or "on this machine"
            what = "has no workers" if self._client is not None else f"can't be reached: {one_line(error)}"
            self.close()
            raise EngineError(
                f"the Dask cluster {where} {what}",
                "Start it first: dask scheduler; dask worker tcp://HOST:8786 --nworkers auto",
            ) from error

    def _next(self, done: queue.SimpleQueue[Any]) -> Any:
        """Wait a heartbeat for a task to be done, as long as there is anybody to do it."""
        try:
            return done.get(timeout=HEARTBEAT)
        except queue.Empty:
            pass
        if self._client.ncores():
            self._alone_since = None
            return None
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > PATIENCE:
            raise EngineError(
                f"the Dask cluster {self._address or 'on this machine'} has had no worker for {PATIENCE:g} s",
                "Their logs say why they ended.",
            )
        return None

    def _data(self, data: Dataset) -> Any:
        """Send a data set once, and again where it went with the workers that had it."""
        key = id(data)
        if key not in self._sent or _is_lost(self._sent[key]):
            if key not in self._sent:
                weakref.finalize(data, self._sent.pop, key, None).atexit = False
            bare = replace(data, groups=None, time=None, slices=data.X.iloc[:, :0])
            self._sent[key] = self._client.scatter(bare, hash=False)
        return self._sent[key]

    def _pickled(self, batch: Batch) -> bytes:
        try:
            with pickling.project_by_value(self._project):
                return pickling.dumps(batch.candidate)
        except Exception as error:
            raise pickling.unsendable(error) from error


def _is_lost(task: Any) -> bool:
    return task.status in ("cancelled", "lost")


def _outcome(task: Any, where: str) -> Outcome | None:
    """Return what a task has answered; None where the answer went with the worker that had it."""
    from distributed import KilledWorker

    try:
        outcome: Outcome = pickle.loads(task.result())  # noqa: S301 - the cluster that the user named
    except EngineError:
        raise
    except CancelledError:
        return None
    except KilledWorker as error:
        return CandidateError(
            f"{where}: the Dask workers that took this fit died, one after another",
            f"Out of memory? {one_line(error)}",
        )
    except Exception as error:  # noqa: BLE001 - of Dask's own, or of unpickling there or here
        return CandidateError(
            f"{where}: the Dask worker could not make the fit: {type(error).__name__}: {one_line(error)}",
            f"Is pytest-model-check {versions()['pytest-model-check']} installed there?",
        )
    return outcome
