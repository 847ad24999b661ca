"""Processes that tests start and look for."""

from __future__ import annotations

import time
from pathlib import Path


def wait_until_gone(pid: int, seconds: float = 10.0) -> None:
    """Wait until a process is gone, or has only to be reaped by the system's first one.

    Raises
    ------
    TimeoutError
        If it is still there.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.01)
    raise TimeoutError(f"process {pid} is still there")
