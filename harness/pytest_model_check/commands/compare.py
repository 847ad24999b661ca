"""`model-check compare`: candidates of one check, side by side."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_model_check.commands.output import require_svg, save
from pytest_model_check.commands.parser import Commands

COMPARE = """\
Standard pipelines: dummy, logistic (classes) or ridge (numbers), neighbors, forest, boosting. Others are named as
package.module:name, of an estimator, its class, or a function that returns one.
Each is fitted once in every fold. The intervals of a metric hold together, at 95%, however many pairs there are.

example:
  model-check compare tests/test_models.py::test_churn --with logistic,forest,boosting
"""


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "compare",
        run,
        "candidates of one check side by side, in the same folds; every pair with its interval, nothing recorded",
        COMPARE,
        reads_baselines=False,
    )
    command.add_argument("test", metavar="TEST", help="the test that makes the check: FILE::NAME")
    command.add_argument(
        "--with", dest="others", required=True, metavar="NAMES", help="what its candidate is compared with: A,B,..."
    )
    command.add_argument("--svg", type=Path, metavar="FILE", help="draw it too (needs pytest-model-check[report])")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.report import spot_check_plot, spot_check_text
    from pytest_model_check.report.text import visible
    from pytest_model_check.session import spot_check_session

    require_svg(options.svg)
    names = [name.strip() for name in options.others.split(",") if name.strip()]
    trial = spot_check_session.compare(options.test, names)
    head = [f"{trial.check.name}: {trial.rows:,} rows, the same {trial.folds} folds for all", trial.splitter]
    lines = [*map(visible, head), "", *spot_check_text.render(trial.found, trial.seconds), "Nothing was recorded."]
    if options.svg:
        save(options.svg, spot_check_plot.draw(trial.found))
        lines.append(f"Drawn: {options.svg}")
    return "\n".join(lines) + "\n", 0
