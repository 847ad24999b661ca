"""What it costs to judge stored predictions: ratios of one run, so that they mean the same on every machine.

(a) Judging big data (`scoring.metrics.score` twice, `judgement.judge`) by log loss, accuracy and ROC AUC, against
    scoring both sides once with scikit-learn's functions, fold by fold, as cross_validate does: time.
(b) The same judging: memory at its peak beside the predictions themselves, in arrays of one float64 per row.
(c) A metric that is judged by the jackknife: how many rows are scored, in scorings of all rows of one side.

Run from the repository root, on a machine that does nothing else: ``python benchmarks/judging.py`` (about two minutes
and 4 GB; ``--rows 100000 --memory-rows 100000`` takes seconds).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
from overhead import machine
from pytest_model_check.checks.check import Metric
from pytest_model_check.data.dataset import Truth
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.judge import judge_metric
from pytest_model_check.judgement.noise import measure
from pytest_model_check.judgement.verdicts import MetricVerdict
from pytest_model_check.scoring.metrics import score
from sklearn import metrics as sk

FOLDS = 10
FUNCTIONS = {
    "neg_log_loss": (sk.log_loss, "predict_proba"),
    "accuracy": (sk.accuracy_score, "predict"),
    "roc_auc": (sk.roc_auc_score, "decision_function"),
}


def main() -> None:
    """Measure and print the table that docs/speed.md shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of (a)")
    parser.add_argument("--memory-rows", type=int, default=10_000_000, help="of (b)")
    parser.add_argument("--runs", type=int, default=5, help="how many pairs of runs for (a)")
    options = parser.parse_args()
    judging, scoring = speed(options.rows, options.runs)
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scikit-learn", "pytest-model-check")}
    print(f"{machine()}; {', '.join(f'{name} {version}' for name, version in versions.items())}\n")
    print("| | measured | target |\n|---|---:|---:|")
    ratio = f"{judging / scoring:.1f} x ({judging:.2f} s / {scoring:.2f} s)"
    print(f"| (a) {options.rows:,} rows by {', '.join(FUNCTIONS)}: judged / scored | {ratio} | 5 x |")
    print(f"| (b) the same of {options.memory_rows:,} rows: arrays | {memory(options.memory_rows):.1f} | 12 |")
    for name, times in scorings().items():
        print(f"| (c) {name}: scorings | {times:.0f} | 150 |")


def models(rows: int, classes: int = 2, repeats: int = 1) -> tuple[np.ndarray, Predictions, Predictions]:
    """Simulate the truth and the answers of two models that are about as good."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, rows)
    row = np.concatenate([rng.permutation(rows) for _ in range(repeats)])
    repeat, fold = np.repeat(np.arange(repeats), rows), np.tile(np.arange(rows) * FOLDS // rows, repeats)
    shared = rng.normal(0, 1, (rows, classes)) + (y[:, None] == np.arange(classes))
    sides = []
    for _ in range(2):
        merit = (shared + rng.normal(0, 0.3, shared.shape))[row]
        p = np.exp(merit)
        p /= p.sum(axis=1, keepdims=True)
        decision = merit[:, 1] - merit[:, 0] if classes == 2 else merit
        answers = {"predict": merit.argmax(axis=1)[None], "predict_proba": p[None], "decision_function": decision[None]}
        sides.append(Predictions(row, repeat, fold, answers, np.arange(classes)))
    return y, sides[0], sides[1]


def judged(y: np.ndarray, old: Predictions, new: Predictions) -> list[MetricVerdict]:
    """Judge one side against the other, as `gate.paired` does: the baseline's scores are kept."""
    kept, found = {}, []
    for name in FUNCTIONS:
        metric = Metric(name, sk.get_scorer(name), None)
        kept[name] = score(old, metric, Truth(y))
        noise_reference = measure(kept[name], None, -inf)
        found.append(judge_metric(name, kept[name], score(new, metric, Truth(y)), noise_reference, 0.01))
    return found


def scored(y: np.ndarray, old: Predictions, new: Predictions) -> list[float]:
    """Score both sides with scikit-learn, fold by fold."""
    found = []
    for side in (old, new):
        for k in range(FOLDS):
            inside = slice(*np.searchsorted(side.fold, [k, k + 1]))
            truth = y[side.row[inside]]
            found += [function(truth, side.responses[name][0, inside]) for function, name in FUNCTIONS.values()]
    return found


def speed(rows: int, runs: int) -> tuple[float, float]:
    """Judge and score in turn; give the median seconds of each."""
    y, old, new = models(rows)
    times: dict[Callable[..., Any], list[float]] = {judged: [], scored: []}
    for _ in range(runs):
        for function, kept in times.items():
            sides = replace(old), replace(new)  # nothing is remembered from the run before
            began = time.perf_counter()
            function(y, *sides)
            kept.append(time.perf_counter() - began)
    return statistics.median(times[judged]), statistics.median(times[scored])


def memory(rows: int) -> float:
    """Return the peak of what judging allocates, in float64 arrays of so many rows."""
    y, old, new = models(rows)
    tracemalloc.start()
    judged(y, old, new)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / (8 * rows)


def scorings() -> dict[str, float]:
    """Count how often one side is scored, by the rows that a scorer is given."""
    cases: dict[str, tuple[Any, int, int]] = {
        "average precision": (sk.get_scorer("average_precision"), 2, 1),
        "average precision, ten repeats": (sk.get_scorer("average_precision"), 2, 10),
        "F1 of two classes": (sk.get_scorer("f1"), 2, 1),
        "macro F1 of ten classes": (sk.get_scorer("f1_macro"), 10, 1),
    }
    found = {}
    for name, (scorer, classes, repeats) in cases.items():
        y, side, _ = models(5_000, classes, repeats)
        rows: list[int] = []
        counting = sk.make_scorer(
            lambda truth, answers, rows=rows, **_: rows.append(len(truth)) or np.mean(truth == answers),
            response_method=scorer._response_method,
        )
        score(side, Metric(name, counting, None), Truth(y))
        found[name] = sum(rows) / len(side.row)
    return found


if __name__ == "__main__":
    main()
