"""`model-check export`: a report to other tools."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_model_check.commands.output import save
from pytest_model_check.commands.parser import Commands


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "export",
        run,
        "a JSON report to MLflow, DVCLive or the Hugging Face Hub's .eval_results",
        "examples:\n  model-check export report.json --to mlflow      # MLFLOW_TRACKING_URI says where\n"
        "  model-check export report.json --to dvclive     # dvc metrics show dvclive/metrics.json\n"
        "  model-check export report.json --to hf --dataset OWNER/NAME",
        reads_baselines=False,
    )
    command.add_argument("report", type=Path, metavar="JSON", help="what --model-check-report FILE.json wrote")
    command.add_argument("names", nargs="*", metavar="NAME", help="checks to export (default: all)")
    command.add_argument("--to", choices=("mlflow", "dvclive", "hf"), required=True, help="for whom")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="the folder (default: dvclive, .eval_results); not of mlflow"
    )
    command.add_argument("--dataset", metavar="OWNER/NAME", help="hf: the benchmark's dataset on the Hub")
    command.add_argument("--task", metavar="ID", help="hf: which of its tasks (default: the check's name)")
    command.add_argument("--metric", metavar="METRIC", help="hf: whose score (default: the only one that is judged)")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from dataclasses import replace

    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.exports import eval_results, trackers
    from pytest_model_check.report.json_report import read_report

    run, of_hub = read_report(options.report), ("dataset", "task", "metric")
    if unknown := set(options.names) - {check.name for check in run.checks}:
        known = ", ".join(check.name for check in run.checks) or "none"
        raise ModelCheckError(f"{options.report} has no check {min(unknown)}", f"It has: {known}.")
    if options.names:
        run = replace(run, checks=tuple(check for check in run.checks if check.name in options.names))
    meant_for = {"mlflow": (), "dvclive": ("out",), "hf": ("out", *of_hub)}[options.to]
    if idle := [name for name in ("out", *of_hub) if getattr(options, name) is not None and name not in meant_for]:
        raise ModelCheckError(f"--{idle[0]} says nothing to {options.to}", "Leave it out.")
    if options.to == "mlflow":
        return f"{trackers.to_mlflow(run, options.report)}\n", 0
    if options.to == "dvclive":
        return f"{trackers.to_dvclive(run, options.out or Path('dvclive'))}\n", 0
    if options.dataset is None:
        raise ModelCheckError("the Hub shows a result beside its benchmark's dataset", "Name it: --dataset OWNER/NAME")
    files = eval_results.render(run, options.dataset, options.task, options.metric)
    folder = options.out or Path(".eval_results")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelCheckError(f"{folder} can't be made: {error.strerror}", "Name another: --out DIR") from error
    for name, content in files.items():
        save(folder / name, content.encode())
    return "".join(f"written: {folder / name}\n" for name in files), 0
