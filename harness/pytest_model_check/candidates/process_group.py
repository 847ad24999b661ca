"""A program run to its end, or to its time limit, with everything that it started; nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


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
        The file that it reads, and the file that takes what it prints.
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
    """
    with stdin.open("rb") as given, log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - its arguments are a list, no shell
            list(command),
            cwd=cwd,
            env=dict(environment),
            stdin=given,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:  # a Ctrl-C comes this way too
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()
