"""How the fits of a check come on: a line on a terminal, gone when it is done; in a log, a line now and then."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from pytest_model_check.judgement.numbers import duration

Step = Callable[[str, int, int], None]
INTERVAL = 30.0  # seconds between two lines of a log


@contextlib.contextmanager
def shown(config: pytest.Config, name: str) -> Iterator[Step]:
    """Return the function to call with what is going on, and how many fits of how many are done.

    Nothing is shown in pytest-xdist's workers, and with ``-q``.
    """
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput") or terminal is None or config.option.verbose < 0:
        yield lambda doing, done, total: None
    elif terminal.isatty:
        with _on_terminal(config, name) as step:
            yield step
    else:
        yield _in_log(config, name)


def _in_log(config: pytest.Config, name: str) -> Step:
    """Write a line now and then, so that whoever reads the log of a long run sees that it goes on."""
    clock, last = _Clock(), time.perf_counter()

    def step(doing: str, done: int, total: int) -> None:
        nonlocal last
        seconds = clock.since_first_fit(done)
        if time.perf_counter() - last < INTERVAL:
            return
        last = time.perf_counter()
        with _uncaptured(config):
            sys.stdout.write(f"\n{line(name, doing, done, total, seconds)}\n")
            sys.stdout.flush()

    return step


@contextlib.contextmanager
def _on_terminal(config: pytest.Config, name: str) -> Iterator[Step]:
    taken = config.get_terminal_writer().width_of_current_line
    on_screen, clock = 0, _Clock()

    def show(write: Callable[[int], str]) -> None:
        nonlocal on_screen
        with _uncaptured(config):
            width = shutil.get_terminal_size().columns  # only known while nothing is captured
            text = write(width - taken % width - 1)
            back = "\b" * on_screen  # not \r: what pytest wrote before on this line stays
            sys.stdout.write(f"{back}{' ' * on_screen}{back}{text}")
            sys.stdout.flush()
        on_screen = len(text)

    def step(doing: str, done: int, total: int) -> None:
        seconds = clock.since_first_fit(done)
        show(lambda room: line(name, doing, done, total, seconds, room))

    try:
        yield step
    finally:
        show(lambda room: "")


class _Clock:
    """Measures since the first of some fits has begun."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._done = 0

    def since_first_fit(self, done: int) -> float:
        if done < self._done:  # others have begun
            self._began = time.perf_counter()
        self._done = done
        return time.perf_counter() - self._began


def _uncaptured(config: pytest.Config) -> contextlib.AbstractContextManager[None]:
    capture = config.pluginmanager.get_plugin("capturemanager")
    uncaptured: contextlib.AbstractContextManager[None] = (
        capture.global_and_fixture_disabled() if capture else contextlib.nullcontext()
    )
    return uncaptured


def line(name: str, doing: str, done: int, total: int, seconds: float, room: int | None = None) -> str:
    """Write where the fits of a check stand, in as many words as there is room for.

    Parameters
    ----------
    done, total : int
        Fits.
    seconds : float
        Since the first fit began.
    room : int or None
        How many characters the line may have; where it is too narrow for anything, nothing is written. None: any.
    """
    count = f"{done}/{total}"
    left = f"{duration(seconds / done * (total - done))} left" if done else ""
    rate = f"{done / seconds:.2g} a second" if done and seconds else ""
    short = ", ".join(filter(None, (count, left)))
    choices = (
        f"{name}: {doing} {', '.join(filter(None, (count, rate, left)))}",
        f"{name}: {doing} {short}",
        f"{doing} {short}",
        short,
        count,
        "",
    )
    return next(text for text in choices if room is None or len(text) <= room or not text)
