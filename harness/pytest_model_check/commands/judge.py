"""`model-check judge`: a run is judged again, by the evidence that it left."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_model_check.commands.output import require_formats, width, write_reports
from pytest_model_check.commands.parser import Commands

if TYPE_CHECKING:
    from pytest_model_check.gate.sealed_refit import Refit

JUDGE = """\
Baselines and promises come from the merge base, data from what git and DVC name, predictions from the evidence; scores
and verdicts are computed anew. Run it where pytest is run, in a fresh checkout of the branch, with a Python in which
nothing of the branch is installed. Scorers of the project's, its load=, and the approved model where the data moved are
the merge base's, and run in processes of their own. What only the branch's code could tell (a new load=) is refused in
words, and fails.

exit code: 0, 1 if a check fails, is absent, or the run said otherwise, 2 if nothing can be judged

example:
  model-check judge evidence --against origin/main --report report.md
  model-check judge shards/one shards/two  # of checks that are split over jobs
"""


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "judge",
        run,
        "judge a run by the evidence it left, in a process that imports and runs nothing of the branch",
        JUDGE,
    )
    command.add_argument(
        "evidence",
        nargs="+",
        type=Path,
        metavar="EVIDENCE",
        help="what --model-check-evidence wrote; of checks that are split over jobs, the folder of each",
    )
    command.add_argument(
        "--against",
        metavar="REV",
        help="take promises and baselines from the merge base of HEAD and REV (default: of a pull request's target, in "
        "CI)",
    )
    command.add_argument(
        "--report",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="write the report to FILE, repeatable; by its ending .md, .html, .json or .txt",
    )
    command.add_argument(
        "--python",
        default="",
        metavar="PATH",
        help="a Python, or a virtual environment, that runs the merge base's code where needed (default: this one)",
    )
    command.add_argument(
        "--sealed-refit",
        action="store_true",
        help="make the fits that decide here, in sandboxes that see code and rows, but no answers (Linux, bubblewrap)",
    )


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    import os
    import tempfile
    from dataclasses import replace

    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.gate import judge_run
    from pytest_model_check.pull_requests import merge_base
    from pytest_model_check.report import terminal, text
    from pytest_model_check.settings import Settings

    require_formats(options.report)
    root = Path.cwd()
    folder = root / options.baselines
    against = merge_base.find(root, options.against, os.environ, (root, folder))
    if against is None:
        raise ModelCheckError("nothing says what to judge against", "Name the target branch: --against origin/main")
    if options.against is not None:
        against = replace(against, source="--against")
    with tempfile.TemporaryDirectory(prefix="model-check-") as scratch:
        charts = any(path.suffix == ".html" for path in options.report)
        settings = Settings(root, folder, Path(scratch), revision=against.sha, charts=charts, python=options.python)
        with _refit(root, folder, options.evidence, Path(scratch)) if options.sealed_refit else nullcontext() as refit:
            found = judge_run.judge(options.evidence, against, settings, str(options.baselines), refit)
    write_reports(found, options.report, folder)
    table = terminal.summary(found.checks, 0, width=width()) if found.checks else []
    words = [text.failure(check.message, check.advice) for check in found.checks if not check.passed]
    lines = [
        *map(text.visible_lines, (*found.problems, *found.retired)),
        *table,
        *words,
        text.visible(str(found.against)),
    ]
    return "\n".join(lines) + "\n", 0 if found.passed else 1


@contextmanager
def _refit(root: Path, baselines: Path, evidence: Sequence[Path], scratch: Path) -> Iterator[Refit]:
    """Yield what makes the fits of a judge."""
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.gate.sealed_refit import Refit
    from pytest_model_check.sealing import view
    from pytest_model_check.sealing.engine import SealedEngine
    from pytest_model_check.session import engines
    from pytest_model_check.session.refit import FromTest

    if problem := view.problem():
        raise ModelCheckError(f"--sealed-refit: {problem}")
    hidden = (baselines, *(root / path for path in evidence))
    with SealedEngine(engines.cores(), root, scratch, hidden=hidden, apart=True) as engine:
        yield Refit(engine, lambda found, target: FromTest(found.name, found.nodeid, root, target, found.candidate))
