"""The baseline and the metric that a plan is made from, or why there is none."""

from __future__ import annotations

from math import inf
from pathlib import Path

from pytest_model_check.baselines import history, store
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.errors import ModelCheckError


def read(folder: Path, name: str, metric: str | None, margin: float) -> tuple[Baseline, str]:
    """Read the baseline, and name the metric: the one that was asked for, or the only one that is judged.

    Raises
    ------
    ModelCheckError
        If the margin is none, there is no such baseline or metric, or nothing is known of its noise.
    """
    if not 0 < margin < inf:
        raise ModelCheckError(f"--margin {margin:g}: a margin is a number above 0", "Name the harmless loss.")
    baseline = store.read(folder, name)
    if baseline is None:
        missing = history.unknown(folder, name)
        raise ModelCheckError(
            missing.message,
            "A plan takes the noise that a baseline has measured. Record a pilot from the rows you have, "
            "with few seeds and folds to be quick (seeds=3, cv=5), and plan again:\n"
            f"  pytest --model-check --update-baselines -k {name}",
        )
    judged = [each for each, stored in baseline.metrics.items() if stored.margin is not None]
    chosen = judged[0] if metric is None and len(judged) == 1 else metric
    if chosen is None or chosen not in judged:
        wrong = f"{name}: which metric?" if chosen is None else f"{name} judges no metric {chosen}"
        raise ModelCheckError(wrong, "Name one: " + ", ".join(f"--metric {each}" for each in judged))
    stored = baseline.metrics[chosen]
    if stored.standard_error == 0 and stored.noise_reference.floor == 0:
        raise ModelCheckError(
            f"{name}: nothing is known of the noise of {chosen}: every row scores the same",
            "Name another metric, or record a baseline with more rows.",
        )
    return baseline, chosen
