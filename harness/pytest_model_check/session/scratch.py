"""The temporary folder of a run: it goes when the run is over, or with a later run if this one is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: what a killed run has left stays
    fcntl = None  # type: ignore[assignment]

PREFIX = "model-check-"
LOCK = "running"  # the file that a run holds locked: the kernel lets go of it when the process dies, however that is


class Scratch:
    """A new temporary folder; those of runs that were killed are removed first."""

    def __init__(self) -> None:
        _remove_abandoned()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        new = self.path / f"{LOCK}.new"
        new.touch()
        self._lock = _lock(new)
        if self._lock is not None:
            new.rename(self.path / LOCK)  # locked before anybody looks for it

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)


def _remove_abandoned() -> None:
    if fcntl is None:
        return
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError):
            if path.parent.lstat().st_uid != os.geteuid():
                continue
            lock = _lock(path)
            if lock is not None:
                shutil.rmtree(path.parent, ignore_errors=True)
                os.close(lock)


def _lock(path: Path) -> int | None:
    """Lock a file; None where another process has, or where that can't be done."""
    if fcntl is None:
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
