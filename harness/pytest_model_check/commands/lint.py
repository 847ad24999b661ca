"""`model-check lint`: whether baselines may be committed."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "lint",
        run,
        "whether baselines may be committed: well-formed, not edited, with reasons and their predictions' .dvc file",
        "exit code: 0 if all may, 2 if not\n\nexample:\n  model-check lint baselines/churn.json",
    )
    command.add_argument("files", nargs="*", type=Path, metavar="JSON", help="baselines (default: all)")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.baselines import history
    from pytest_model_check.baselines.lint import require_sound
    from pytest_model_check.errors import BaselineError
    from pytest_model_check.report.text import failure

    files = options.files or [options.baselines / f"{name}.json" for name in history.names(options.baselines)]
    wrong = []
    for path in files:
        try:
            require_sound(path)
        except BaselineError as error:
            wrong.append(failure(error.message, error.advice))
    lines = [*wrong, f"{len(files) - len(wrong)} of {len(files)} baselines may be committed"]
    return "\n".join(lines) + "\n", 2 if wrong else 0
