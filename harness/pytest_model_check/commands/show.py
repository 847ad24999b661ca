"""`model-check show`: what is promised of each model."""

from __future__ import annotations

import argparse

from pytest_model_check.commands.output import width
from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add("show", run, "what is promised: score, margin and dummy of each baseline")
    command.add_argument("names", nargs="*", metavar="NAME", help="baselines to show (default: all)")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.baselines import history, store
    from pytest_model_check.report import promise_table

    names = history.names(options.baselines, options.names)
    baselines = [baseline for name in names if (baseline := store.read(options.baselines, name)) is not None]
    return promise_table.render(baselines, width()), 0
