"""`model-check init`: from a table to a first approved model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_model_check.commands.parser import Commands

INIT = """\
Everything that will be written is shown first, and nothing is written over. If anything fails, nothing is left.

examples:
  model-check init customers.csv
  model-check init data/customers.csv --target churned --yes
"""


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "init",
        run,
        "from a table to a first approved model: look, try standard pipelines, write the check, record its baseline",
        INIT,
        reads_baselines=False,
    )
    command.add_argument("data", type=Path, metavar="DATA", help="the table: .csv or .parquet")
    command.add_argument("--target", default="", metavar="COLUMN", help="what is to be predicted (default: guessed)")
    command.add_argument("--task", default="", choices=("classification", "regression"), help="default: by the target")
    command.add_argument("--name", default="", metavar="NAME", help="of the check (default: the table's)")
    command.add_argument("--toml", action="store_true", help="write the check without code, into model_checks.toml")
    command.add_argument("--yes", action="store_true", help="ask nothing")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from joblib import cpu_count

    from pytest_model_check.start import init, trial_progress

    wishes = init.Wishes(options.data, options.target, options.task, options.name, options.toml, options.yes)
    ask = _asked if sys.stdin.isatty() and not options.yes else None
    init.init(wishes, _say, ask, cpu_count(), trial_progress.on(sys.stderr))
    return "", 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _asked(question: str, default: str) -> str:
    from pytest_model_check.report.text import visible

    try:
        return input(visible(f"{question} [{default}] ")).strip() or default
    except EOFError:
        return default
