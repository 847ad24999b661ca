"""The files of one baseline: held while they are changed, removed, and told to git."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.atomic import write_text
from pytest_model_check.baselines import store
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.data import dvc_files
from pytest_model_check.errors import BaselineError, DataError


def files_of(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Name the files of a baseline: its JSON, its `.dvc` file and its predictions."""
    return folder / f"{name}.json", folder / f"{name}.parquet.dvc", folder / f"{name}.parquet"


@contextlib.contextmanager
def locked(folder: Path, name: str) -> Iterator[Baseline | None]:
    """Read a baseline, and let no other run write one until the block ends; None where there is none.

    Raises
    ------
    BaselineError
        If it can't be read, or another run changed it before the lock was taken.
    """
    state = store.state(folder, name)
    baseline = store.read(folder, name)  # puts right what a killed run left, and takes the lock for it
    try:
        with dvc_files.writing(folder):
            if store.state(folder, name) != state:
                raise BaselineError(f"{name}.json was changed by another run meanwhile", "Run this command again.")
            yield baseline
    except DataError as error:
        raise BaselineError(f"{name} can't be moved: {error.message}", error.advice) from error


def remove(folder: Path, name: str) -> None:
    """Remove the files of a baseline, the JSON first: without it the rest is nobody's."""
    with reported_as(f"what was {name} could not be removed"):
        for path in files_of(folder, name):
            path.unlink(missing_ok=True)
        ignore(folder, name, ignored=False)


def ignore(folder: Path, name: str, *, ignored: bool = True) -> None:
    """Keep git's eyes off the predictions of a baseline, as DVC does, or no longer."""
    path, line, before = folder / ".gitignore", _ignore_line(name), _ignore_lines(folder)
    after = [known for known in before if known != line] + [line] * ignored
    if after and after != before:
        write_text(path, "\n".join(after) + "\n")
    elif before and not after:
        path.unlink()


def is_ignored(folder: Path, name: str) -> bool:
    """Whether git's eyes are kept off the predictions of a baseline."""
    return _ignore_line(name) in _ignore_lines(folder)


def _ignore_lines(folder: Path) -> list[str]:
    path = folder / ".gitignore"
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _ignore_line(name: str) -> str:
    return f"/{name}.parquet"


def to_commit(folder: Path, *paths: Path) -> tuple[Path, ...]:
    """Choose what git has to commit: what is there now, and what it knew; never the predictions."""
    files = [path for path in (*paths, folder / ".gitignore") if path.suffix != ".parquet"]
    return tuple(path for path in files if path.exists() or _is_tracked(path))


def _is_tracked(path: Path) -> bool:
    return git.toplevel(path.parent) is not None and git.succeeds(path.parent, "ls-files", "--error-unmatch", path.name)


@contextlib.contextmanager
def reported_as(what: str) -> Iterator[None]:
    """Turn what the operating system refuses into an error that says what could not be done.

    Raises
    ------
    BaselineError
        Where there is an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise BaselineError(f"{what}: {error}", "What is there is whole; run the same command again.") from error
