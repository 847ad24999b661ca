"""A run -> MLflow, or DVCLive: what the report says, logged with the tracker's own package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_model_check.errors import ModelCheckError, one_line
from pytest_model_check.exports import flat
from pytest_model_check.judgement.verdicts import Run


def to_mlflow(run: Run, report: Path) -> str:
    """Log a run as one of MLflow's, the report with it; where to, MLflow's own variables say. Returns what was done.

    Raises
    ------
    ModelCheckError
        If MLflow is not installed, or does not take it.
    """
    params, metrics = flat.params(run), flat.metrics(run)
    with _package("mlflow"):
        import mlflow

        with mlflow.start_run() as started:
            mlflow.log_params(params)
            mlflow.log_metrics(metrics)
            mlflow.log_artifact(str(report))
        return f"logged to MLflow at {mlflow.get_tracking_uri()}: run {started.info.run_id}, {len(metrics)} metrics"


def to_dvclive(run: Run, folder: Path) -> str:
    """Log a run into a folder of DVCLive's, which `dvc metrics` reads; no experiment is saved. Returns what was done.

    Raises
    ------
    ModelCheckError
        If DVCLive is not installed, or does not take it.
    """
    params, metrics = flat.params(run), flat.metrics(run)
    with _package("dvclive"):
        from dvclive.live import Live

        with Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None) as live:
            live.log_params(params)
            for name, value in metrics.items():
                live.log_metric(name, value, plot=False)
    return f"logged by DVCLive: {folder}/metrics.json, {folder}/params.yaml"


@contextmanager
def _package(name: str) -> Iterator[None]:
    """Say in words what a tracker's package says by exceptions, of whatever kind."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name:
            raise ModelCheckError(f"{name} can't be used: {one_line(error)}", "Mend its installation.") from error
        raise ModelCheckError(f"{name} is not installed", f"Install it: python -m pip install {name}") from error
    except Exception as error:  # a server may refuse in any way
        raise ModelCheckError(f"{name} does not take the report: {one_line(error)}") from error
