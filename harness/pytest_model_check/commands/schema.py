"""`model-check schema`: the JSON Schema of a file that machines read."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_model_check.commands.parser import Commands

SCHEMAS = ("report", "baseline", "evidence", "evidence-check", "model-checks")  # the files in the folder schemas


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "schema",
        run,
        "the JSON Schema of a file that machines read",
        "example:\n  model-check schema report > report.schema.json",
        reads_baselines=False,
    )
    command.add_argument("name", choices=SCHEMAS, metavar="NAME", help=", ".join(SCHEMAS))


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    path = Path(__file__).parents[1] / "schemas" / f"{options.name}.json"
    return path.read_text(encoding="utf-8"), 0
