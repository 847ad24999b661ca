"""What makes the fits of a run, as the options choose it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_model_check import git
from pytest_model_check.session import origin
from pytest_model_check.session.options import Options

if TYPE_CHECKING:
    from pytest_model_check.fitting.dask_engine import DaskEngine
    from pytest_model_check.fitting.local_engine import LocalEngine
    from pytest_model_check.sealing.engine import SealedEngine


def open_engine(config: pytest.Config, options: Options, folder: Path) -> LocalEngine | DaskEngine | SealedEngine:
    """Return the engine of a run, which is to be closed when the run is over.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    options : Options
        How the run was asked for.
    folder : Path
        For temporary files.
    """
    jobs = parallel_fits(config, options)
    if options.engine != "local":
        from pytest_model_check.fitting.dask_engine import DaskEngine

        address = None if options.engine == "dask" else options.engine
        return DaskEngine(address, jobs=jobs, project=git.toplevel(config.rootpath) or config.rootpath)
    nested = jobs == 1 and not hasattr(config, "workerinput")
    if options.sealed:
        from pytest_model_check.sealing.engine import SealedEngine

        kept = origin.folder_of(config, options)
        named = (options.folder, *options.reports, *filter(None, (options.evidence, kept)))
        return SealedEngine(jobs, config.rootpath, folder, hidden=named, nested=nested)
    from pytest_model_check.fitting.local_engine import LocalEngine

    return LocalEngine(jobs, folder, nested=nested)


def parallel_fits(config: pytest.Config, options: Options) -> int:
    """Return how many fits to make at a time: by default on every core, which pytest-xdist's workers share."""
    return options.jobs or (1 if hasattr(config, "workerinput") else cores())


def cores() -> int:
    """Return how many cores this process may use."""
    from joblib import cpu_count

    return int(cpu_count())


def tidy(config: pytest.Config, options: Options) -> None:
    """Let the oldest fits of the cache go, where there are too many."""
    folder = origin.folder_of(config, options)
    if folder is not None:
        from pytest_model_check.fitting import cache

        cache.prune(folder)


def warm_up(config: pytest.Config, options: Options) -> None:
    """Let what the fits need be imported while pytest collects; not where no fit is made, or perhaps none."""
    distributes = not hasattr(config, "workerinput") and getattr(config.option, "dist", "no") != "no"
    idle = distributes or config.option.collectonly or origin.has_fits(config, options)
    if options.engine == "local" and not idle and not options.sealed:
        from pytest_model_check.fitting.local_engine import start_early

        start_early()
