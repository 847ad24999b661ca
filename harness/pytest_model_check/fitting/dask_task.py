"""One fit on a worker of a Dask cluster, in a child of that worker: what a fit does to its process is its own error."""

from __future__ import annotations

import functools
import multiprocessing
import pickle
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import EngineError
from pytest_model_check.fitting import pickling
from pytest_model_check.fitting.engine import Batch
from pytest_model_check.fitting.fit import Fit
from pytest_model_check.fitting.local_engine import LocalEngine, start_early

PACKAGES = ("pytest-model-check", "numpy", "pandas", "scikit-learn", "scipy", "cloudpickle")

_OF_THREAD = threading.local()


@dataclass(frozen=True)
class Pickled:
    """A candidate that is unpickled in the process that fits it, and not in the worker: only there its modules are.

    Parameters
    ----------
    payload : bytes
        As `pickling.dumps` makes it.
    """

    payload: bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self.payload,)


@dataclass(frozen=True)
class Job:
    """What the fits of a batch have in common, beside the data.

    Parameters
    ----------
    cv : CrossValidation
        The splits; the data set comes by itself.
    candidate : bytes
        What is fitted, as `pickling.dumps` makes it: unread on its way, or it would forget the names of its files.
    entropy : int
        Where the random states come from.
    """

    cv: CrossValidation
    candidate: bytes
    entropy: int


@functools.cache
def versions() -> Mapping[str, str]:
    """Return what must be the same on both sides: another version may learn or count otherwise."""
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def make_fit(
    data: Any,
    job: Job,
    fit: Fit,
    timeout: float | None,
    configuration: Mapping[str, Any],
    expected: Mapping[str, str],
) -> bytes:
    """Make a fit.

    Parameters
    ----------
    data : Dataset
        Features and target.
    job : Job
        Its batch's.
    fit : Fit
        Which one.
    timeout : float or None
        Seconds.
    configuration : mapping
        scikit-learn's, where the fit was asked for.
    expected : mapping of str to str
        The versions there.

    Raises
    ------
    EngineError
        If this worker has other versions.
    """
    from sklearn import config_context

    here = versions()
    differences = [
        f"{name} {here.get(name)}, not {there}" for name, there in expected.items() if here.get(name) != there
    ]
    if differences:
        raise EngineError(
            f"a worker of the Dask cluster has other versions than this machine: {'; '.join(differences)}",
            "What is fitted there must be what would be fitted here: install the same on both sides.",
        )
    batch = Batch((fit,), Pickled(job.candidate), replace(job.cv, dataset=data), job.entropy, timeout)
    with config_context(**configuration):
        ((_, outcome),) = (done for done in _engine().run(batch) if done is not None)
    return pickling.dumps(outcome)


def _engine() -> LocalEngine:
    """Return this thread's: a worker with several makes as many fits at a time."""
    if not hasattr(_OF_THREAD, "engine"):
        multiprocessing.current_process().daemon = False  # Dask's nanny makes it one, which may have no children
        start_early()
        _OF_THREAD.engine = LocalEngine(1)
    engine: LocalEngine = _OF_THREAD.engine
    return engine
