"""What is there before something is written, so that it can be put back if the rest fails."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

from pytest_model_check.atomic import write_bytes


@contextlib.contextmanager
def all_or_nothing(paths: Iterable[Path]) -> Iterator[None]:
    """Put every path back as it was, if what is done meanwhile fails, or is told to end.

    Parameters
    ----------
    paths : iterable of Path
        Files that may be written, and folders that may be made; a folder that is there already is left alone.
    """
    before = {path: path.read_bytes() if path.is_file() else None for path in paths}
    absent = [path for path, content in before.items() if content is None and not path.exists()]
    with _ended_by_sigterm():
        try:
            yield
        except BaseException:
            for path in absent:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            for path, content in before.items():
                if content is not None and (not path.is_file() or path.read_bytes() != content):
                    write_bytes(path, content)
            raise


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the process as an exception does, which can be answered."""
    if threading.current_thread() is not threading.main_thread():  # only there Python hears signals
        yield
        return

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
