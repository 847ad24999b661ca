"""What the terminal shows when a run of model checks is over."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

import pytest

from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.report import terminal, text
from pytest_model_check.session.command_line import test_as_typed


def lines(
    config: pytest.Config,
    run: Run,
    notes: Sequence[str],
    *,
    updating: bool,
    locations: Mapping[str, tuple[str, int | None, str]],
) -> list[str]:
    """Return the lines of the summary section: the table, what was written, what is wrong, what to type next.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    run : Run
        What was found.
    notes : sequence of str
        What was written, and what else is to be known.
    updating : bool
        Whether this run records baselines.
    locations : mapping of str to (file, line, name)
        Where each test stands, as pytest reports it.
    """
    writer, verbosity = config.get_terminal_writer(), config.option.verbose
    # a file or a log has no width: only a terminal, or somebody who names it, does
    width = writer.fullwidth if sys.stdout.isatty() or "COLUMNS" in os.environ else None
    table = terminal.summary(run.checks, verbosity, width=width, paint=writer.markup) if run.checks else []
    shown = [*table, *map(text.visible_lines, (*notes, *run.retired, *run.problems))]
    command = terminal.next_command(run.checks, updating, lambda nodeid: test_as_typed(config, nodeid))
    if command and verbosity >= 0:
        shown.append(text.visible_lines(f"next: {command}"))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from pytest_model_check.session import outputs  # with all the reports, which few runs write

        shown += outputs.annotations_of(run, config.rootpath, locations)
    return [text.encodable(line, sys.stdout.encoding) for line in shown]
