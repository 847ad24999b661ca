"""`model-check history`: every recording of a baseline."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_model_check.commands.output import save, width
from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "history",
        run,
        "every recording of a baseline, with the commit that brought it",
        "examples:\n  model-check history churn\n  model-check history --plot skill.svg",
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="baselines to show (default: all)")
    command.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw it too: .png or .svg (needs pytest-model-check[report])"
    )


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.baselines import history
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.report import history_plot, history_table

    form = options.plot.suffix.lower().removeprefix(".") if options.plot else ""
    if options.plot and form not in history_plot.FORMATS:
        raise ModelCheckError(f"--plot {options.plot}: can't draw {form or 'that'}", "Name a .png or .svg file.")
    histories = [history.read(options.baselines, name) for name in options.names or history.names(options.baselines)]
    text = history_table.render(histories, width())
    if options.plot:
        drawable = [each for each in histories if each.recordings]
        if not drawable:
            raise ModelCheckError("--plot: there is no recording to draw", text)
        save(options.plot, history_plot.draw(drawable, form))
        text += f"\nDrawn: {options.plot}\n"
    return text, 0
