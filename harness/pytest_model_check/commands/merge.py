"""`model-check merge`: one verdict from the reports of shards."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_model_check.commands.output import require_formats, write_reports
from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "merge",
        run,
        "one verdict from the reports of shards: CI that splits the checks over several jobs",
        "exit code: 0 if all may ship, 1 if not, 2 if a report can't be read\n\nexample:\n"
        "  model-check merge report-*.json --report report.md --report report.html",
    )
    command.add_argument("reports", nargs="+", type=Path, metavar="JSON", help="what each shard wrote")
    command.add_argument(
        "--report",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="write the report of all, repeatable: .md, .html, .json or .txt",
    )
    command.add_argument("--shards", type=int, metavar="N", help="how many there are: with fewer reports it fails")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.report import json_report, sentences, shards, terminal, text

    require_formats(options.report)
    runs = {path.as_posix(): json_report.read_report(path) for path in options.reports}
    merged = shards.merge(runs, options.shards)
    write_reports(merged, options.report, options.baselines)
    lines = [*terminal.summary(merged.checks, 0), *map(text.visible_lines, (*merged.retired, *merged.problems))]
    return "\n".join([*lines, sentences.headline(merged), ""]), int(not merged.passed)
