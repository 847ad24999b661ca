"""The progress line: what is being fitted, how far, how long still."""

from __future__ import annotations

from harness.report.words import duration


def line(name: str, doing: str, done: int, total: int, seconds: float, room: int) -> str:
    """Write where the fits of a check stand, in as many words as there is room for.

    Parameters
    ----------
    done, total : int
        Fits.
    seconds : float
        Since the first fit began.
    room : int
        How many characters the line may have; where it is too narrow for anything, nothing is written.
    """
    count = f"{done}/{total}"
    left = f"{count}, {duration(seconds / done * (total - done))} left" if done else count
    choices = (f"{name}: {doing} {left}", f"{doing} {left}", left, count, "")
    return next(text for text in choices if len(text) <= room or not text)
