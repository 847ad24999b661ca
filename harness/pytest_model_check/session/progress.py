"""The progress line on a terminal: shown while a check fits, gone without a trace when it is done."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from pytest_model_check.judgement.numbers import duration


@contextlib.contextmanager
def shown(config: pytest.Config, name: str) -> Iterator[Callable[[str, int, int], None]]:
    """Return the function to call with what is going on, and how many fits of how many are done.

    Nothing is shown where nobody watches: in files, in pytest-xdist's workers, with ``-q``.
    """
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput") or terminal is None or not terminal.isatty or config.option.verbose < 0:
        yield lambda doing, done, total: None
        return

    capture = config.pluginmanager.get_plugin("capturemanager")
    taken = config.get_terminal_writer().width_of_current_line
    on_screen, began = 0, time.perf_counter()

    def show(write: Callable[[int], str]) -> None:
        nonlocal on_screen
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            width = shutil.get_terminal_size().columns  # only known while nothing is captured
            text = write(width - taken % width - 1)
            back = "\b" * on_screen  # not \r: what pytest wrote before on this line stays
            sys.stdout.write(f"{back}{' ' * on_screen}{back}{text}")
            sys.stdout.flush()
        on_screen = len(text)

    def step(doing: str, done: int, total: int) -> None:
        nonlocal began
        if done == 0:
            began = time.perf_counter()
        seconds = time.perf_counter() - began
        show(lambda room: line(name, doing, done, total, seconds, room))

    try:
        yield step
    finally:
        show(lambda room: "")


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
