"""`model-check write-up`: an account of a model to keep."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_model_check.commands.output import save
from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "write-up",
        run,
        "an account of a model to keep: problem, data, protocol, skill, history, caveats, how to reproduce it",
        "examples:\n  model-check write-up churn\n  model-check write-up churn --out churn.html --author 'Ada Byron'",
    )
    command.add_argument("name", metavar="NAME", help="the baseline")
    command.add_argument("--out", type=Path, metavar="FILE", help=".md or .html (default: Markdown, to the terminal)")
    command.add_argument("--author", default="", help="who signs it")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.baselines import history
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.report import document, drawing, history_plot
    from pytest_model_check.report.writeup import write_up

    form = options.out.suffix.lower() if options.out else ".md"
    if form not in (".md", ".html"):
        raise ModelCheckError(f"--out {options.out}: can't write {form or 'that'}", "Name a .md or .html file.")
    past = history.read(options.baselines, options.name)
    if not past.recordings:
        raise ModelCheckError(f"{options.name}: no recording of it can be read", "\n".join(past.remarks))
    plot, note = None, ""
    if form == ".html":
        try:
            plot = history_plot.inline(past)
        except drawing.NoMatplotlibError as error:  # the table says the same
            note = f"Without the plot: {error}\n"
    account = write_up(past, options.baselines.as_posix(), author=options.author, plot=plot)
    if options.out is None:
        return document.markdown(account), 0
    save(options.out, (document.html if form == ".html" else document.markdown)(account).encode())
    return f"written: {options.out}\n{note}", 0
