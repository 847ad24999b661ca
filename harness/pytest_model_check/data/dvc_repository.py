"""The repository, opened by DVC itself: silent, locked, and what goes wrong in words.

DVC takes 0.5 s to import, so this is for what nothing less will do.
"""

from __future__ import annotations

import gc
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_model_check.data import dvc_yaml
from pytest_model_check.data.dvc_failures import failed
from pytest_model_check.paths import show

if TYPE_CHECKING:
    from dvc.repo import Repo

T = TypeVar("T")
LOCK_PATIENCE = 600.0  # seconds for which another DVC process may hold the repository's lock
STAGES = (".dvc", "dvc.yaml", "dvc.lock")
READ = (*STAGES, ".dvcignore", ".gitignore", ".yaml", ".yml", ".json", ".toml", ".py")  # the last: parameters


@contextmanager
def opened(
    root: Path, subject: str, remote: str | None = None, *, collects: bool = False
) -> Iterator[tuple[Repo, list[logging.LogRecord]]]:
    """Open the DVC repository, silenced; yields it with the log of what went wrong in it.

    Parameters
    ----------
    root : Path
        The repository's.
    subject : str
        What DVC's errors, which leave as DataErrors, are about.
    remote : str, optional
        The remote that is asked, if it is not the default.
    collects : bool
        Whether DVC will read what is tracked in the whole repository.

    Raises
    ------
    DataError
        If DVC fails, or would read without end.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")  # or DVC starts a process that calls home
    _require_bounded(root, collects=collects)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # DVC and its plugins use deprecated calls of their libraries
        from dvc.exceptions import DvcException
        from dvc.repo import Repo
        from dvc_objects.errors import ObjectDBError, ObjectFormatError

        with hushed() as records:
            try:
                with Repo(str(root)) as repo:
                    name = remote or repo.config["core"].get("remote")
                    if name in repo.config["remote"]:
                        repo.config["remote"][name]["verify"] = True
                    yield repo, records
            except (DvcException, ObjectDBError, ObjectFormatError, ImportError, OSError) as error:
                raise failed(subject, error) from error
            except RecursionError:
                for file in _files(root, STAGES):
                    dvc_yaml.read(file)  # says which of them it was
                raise
            finally:
                gc.collect()  # DVC leaves databases open, and from Python 3.13 on these warn when they are collected


def _require_bounded(root: Path, *, collects: bool) -> None:
    """Refuse what DVC would read without end: it opens pipes and devices, and parses whatever it finds."""
    settings = [root / ".dvc" / "config", root / ".dvc" / "config.local", root / ".dvcignore"]
    for file in [*settings, *(_files(root, READ) if collects else ())]:
        if file.exists() and not file.is_file():
            raise dvc_yaml.unreadable(file, "it is no regular file")
        if collects and file.name.endswith(STAGES) and file.is_file():
            dvc_yaml.bounded_text(file)


def _files(root: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Yield what DVC may read when it collects what is tracked."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".dvc", ".hg")]
        yield from (Path(folder, name) for name in names if name.endswith(endings))


class _Kept(logging.Handler):
    """Keeps the log records that tell why something failed."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or "corrupted" in str(record.msg):
            self.records.append(record)


@contextmanager
def hushed() -> Iterator[list[logging.LogRecord]]:
    """Keep DVC's logs and progress bars off the terminal; yields the records that tell why something failed."""
    records: list[logging.LogRecord] = []
    handler = _Kept(records)
    quiet = [logging.getLogger(name) for name in ("dvc", "dvc_data", "dvc_objects")]
    # Progress bars ask these loggers' level whether to show; the HTTP client complains when it is collected, later.
    mute = [logging.getLogger(name) for name in ("dvc.progress", "dvc_data.callbacks")]
    logging.getLogger("aiohttp_retry").setLevel(logging.CRITICAL)
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in (*quiet, *mute)]
    for logger in quiet:
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.DEBUG)
    for logger in mute:
        logger.setLevel(logging.CRITICAL)
    try:
        yield records
    finally:
        for logger, handlers, propagate, level in before:
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)


@contextmanager
def locked(root: Path, name: str = "model-check.lock") -> Iterator[None]:
    """Let one process at a time pull or add; the system frees the lock of a process that dies."""
    from filelock import FileLock

    folder = root / ".dvc" / "tmp"
    try:
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / name)
        lock.acquire()
    except OSError as error:
        raise failed(show(folder), error) from error
    try:
        yield
    finally:
        lock.release()


def patiently(action: Callable[[], T]) -> T:
    """Call into DVC; wait for the lock of another DVC process, but not for ever."""
    from dvc.lock import LockError

    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            return action()
        except LockError:  # DVC itself has waited for 3 s
            if time.monotonic() > deadline:
                raise


def not_ignored(root: Path, files: Iterable[Path]) -> list[Path]:
    """Drop what `.dvcignore` excludes from a folder's version."""
    with opened(root, show(root / ".dvcignore")) as (repo, _):
        return [file for file in files if not repo.dvcignore.is_ignored_file(str(file))]
