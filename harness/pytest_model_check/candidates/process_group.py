"""A program run to its end, or to its time limit, with everything that it started; nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

LARGEST_LOG = 200 * 10**6  # bytes
TICK = 0.5  # seconds


class LoggedTooMuchError(Exception):
    """The program has printed more than anybody will read, and would fill the disk."""


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    stdin: Path,
    log: Path,
    timeout: float,
) -> int | None:
    """Run a command in a process group of its own, and end what is left of the group.

    Parameters
    ----------
    command : sequence of str
        No shell reads it.
    cwd : Path
        Where it runs.
    environment : mapping of str to str
        All of its environment.
    stdin, log : Path
        The file that it reads, and the file that takes what it prints. The log's folder is temporary: where this
        process is killed, it goes too.
    timeout : float
        Seconds.

    Returns
    -------
    int or None
        Its exit code, negative for a signal; None: it was not done in time.

    Raises
    ------
    OSError
        If it can't be started.
    LoggedTooMuchError
        If it prints without end.
    """
    with stdin.open("rb") as given, log.open("wb") as said, _watched_group(log.parent) as group:
        process = subprocess.Popen(  # noqa: S603 - its arguments are a list, no shell
            list(command),
            cwd=cwd,
            env=dict(environment),
            stdin=given,
            stdout=said,
            stderr=subprocess.STDOUT,
            process_group=group,
        )
        try:
            return _wait(process, log, timeout)
        finally:  # a Ctrl-C comes this way too
            _end(process, group)


def _wait(process: subprocess.Popen[bytes], log: Path, timeout: float) -> int | None:
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(min(left, TICK))
        if log.stat().st_size > LARGEST_LOG:
            raise LoggedTooMuchError
    return None


@contextmanager
def _watched_group(folder: Path) -> Iterator[int | None]:
    """Yield a process group that ends itself where this process is killed: its watchman reads a pipe that closes then.

    The watchman is there first, so that no moment is left in which nobody watches; it removes the folder too.
    """
    if os.name != "posix":
        yield None
        return
    watchman = subprocess.Popen(  # noqa: S603 - as above
        ["/bin/sh", "-c", 'read _; rm -rf -- "$1"; kill -9 0', "sh", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    assert watchman.stdin is not None
    try:
        yield watchman.pid
    finally:
        watchman.stdin.close()
        watchman.wait()


def _end(process: subprocess.Popen[bytes], group: int | None) -> None:
    """End a program and all that is left of its group, the watchman with it."""
    if group is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()
