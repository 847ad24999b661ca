"""The progress line: what is being fitted, how far, how long still."""

from __future__ import annotations

from harness.report.words import duration


def line(name: str, doing: str, done: int, total: int, seconds: float) -> str:
    """Write where the fits of a check stand.

    Parameters
    ----------
    done, total : int
        Fits.
    seconds : float
        Since the first fit began.
    """
    left = f", {duration(seconds / done * (total - done))} left" if done else ""
    return f"{name}: {doing} {done}/{total}{left}"
