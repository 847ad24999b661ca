"""A DVC repository, set up where there is none, with a remote inside it; what is tracked is pushed."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterable
from pathlib import Path

from pytest_model_check.atomic import write_text
from pytest_model_check.data import dvc_repository
from pytest_model_check.data.dvc_failures import failed
from pytest_model_check.data.dvc_repository import locked, patiently
from pytest_model_check.paths import show

REMOTE = ".dvc/remote"
ATTRIBUTES = f"{REMOTE}/** -text -diff\n"  # bytes: another system's line ends would break their hashes
CONFIG = "[core]\n    analytics = false\n{core}{remote}"


def set_up(top: Path, *, remote: bool) -> None:
    """Make a git repository's top folder a DVC repository, as ``dvc init`` does.

    Parameters
    ----------
    top : Path
        The repository's top.
    remote : bool
        Whether it gets a remote of its own, inside it, so that a clone has everything.

    Raises
    ------
    DataError
        If DVC can't.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        try:
            with dvc_repository.hushed():  # it says what it has done
                Repo.init(str(top)).close()
        except (DvcException, OSError) as error:
            raise failed(show(top), error) from error
        finally:
            gc.collect()
    core, inside = ("    remote = local\n", "['remote \"local\"']\n    url = remote\n") if remote else ("", "")
    write_text(top / ".dvc" / "config", CONFIG.format(core=core, remote=inside))


def push(root: Path, files: Iterable[Path]) -> None:
    """Bring tracked files to the remote.

    Raises
    ------
    DataError
        If it can't be reached.
    """
    names = [str(file) for file in files]
    with locked(root), dvc_repository.opened(root, ", ".join(names), collects=True) as (repo, _):
        patiently(lambda: repo.push(targets=names))
