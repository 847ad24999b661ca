"""`model-check retire`: the baseline of a check that is given up is put aside."""

from __future__ import annotations

import argparse

from pytest_model_check.commands.output import to_commit
from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "retire",
        run,
        "put the baseline of a check that is given up aside, with the reason",
        'example:\n  model-check retire churn "the shop was closed"',
    )
    command.add_argument("name", metavar="NAME", help="the baseline")
    command.add_argument("reason", metavar="REASON", help="why nobody needs the check any more; every diff shows it")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.baselines import retire
    from pytest_model_check.baselines.record import RETIRED

    paths = retire.retire(options.baselines, options.name, options.reason)
    return (
        f"retired {options.name}: its record is {options.baselines / RETIRED / options.name}.json, with the reason\n"
        "Now delete the test. To approve:\n"
        f"{to_commit(paths, f'Retire the check {options.name}')}"
    ), 0
