"""`model-check rename`: a baseline gets the new name of its check."""

from __future__ import annotations

import argparse

from pytest_model_check.commands.output import to_commit
from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "rename",
        run,
        "give a baseline the new name of its check, and keep its history",
        'example:\n  model-check rename churn attrition    # then rename the test, or pass name="attrition"',
    )
    command.add_argument("old", metavar="OLD", help="as the baseline is called now")
    command.add_argument("new", metavar="NEW", help="letters, digits, . _ -")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.baselines import rename

    folder, old, new = options.baselines, options.old, options.new
    paths = rename.rename(folder, old, new)
    return (
        f"renamed {folder / old}.json to {folder / new}.json; its history comes with it\n"
        f'Now rename the test to test_{new}, or pass name="{new}" to model_check. To approve:\n'
        f"{to_commit(paths, f'Rename the baseline {old} to {new}')}"
        "DVC keeps the same predictions: there is nothing to push.\n"
    ), 0
