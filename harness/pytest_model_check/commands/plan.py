"""`model-check plan`: what a margin needs."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_model_check.commands.output import require_svg, save
from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "plan",
        run,
        "what a margin needs: rows, splits and seeds, by the noise of a baseline; nothing is fitted",
        "examples:\n  model-check plan churn --margin 0.005\n"
        "  model-check plan churn --metric roc_auc --margin 0.005 --svg power.svg",
    )
    command.add_argument("name", metavar="NAME", help="the baseline whose noise is taken")
    command.add_argument(
        "--margin", type=float, required=True, metavar="M", help="the harmless loss, in the metric's unit"
    )
    command.add_argument("--metric", metavar="METRIC", help="which one (default: the only one that is judged)")
    command.add_argument("--svg", type=Path, metavar="FILE", help="draw it too (needs pytest-model-check[report])")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.baselines import planned
    from pytest_model_check.report import plan_plot, plan_text

    require_svg(options.svg)
    baseline, metric = planned.read(options.baselines, options.name, options.metric, options.margin)
    text = plan_text.render(baseline, metric, options.margin)
    if options.svg:
        save(options.svg, plan_plot.draw(baseline, metric, options.margin))
        text += f"\nDrawn: {options.svg}\n"
    return text, 0
