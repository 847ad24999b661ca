"""How the fits of a trial come on, shown where somebody watches: a line that is gone when they are done."""

from __future__ import annotations

from typing import TextIO

from pytest_model_check.report.text import visible
from pytest_model_check.start.trial import Progress


def on(stream: TextIO) -> Progress:
    """Return what shows it on a stream; nothing is shown where that is no terminal."""
    if not stream.isatty():
        return lambda name, done, total: None

    def show(name: str, done: int, total: int) -> None:
        line = visible(f"{name}: {done} of {total} fits") if done < total else ""
        stream.write(f"\r\x1b[K{line}")
        stream.flush()

    return show
