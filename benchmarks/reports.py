"""What the reports cost: 50 checks of 3 metrics with 5 slices each, and a comment that has to shorten itself.

Run from the repository root: ``python benchmarks/reports.py`` (a few seconds). Exits with 1 where all reports together
take longer than they may: 3 s.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from overhead import machine as this_machine
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.compared import ChangedRows, Compared, DataVersion, Differences, Moved, ScoreGrid
from pytest_model_check.judgement.verdicts import (
    Acceptance,
    Concessions,
    Cost,
    Loss,
    MetricVerdict,
    Run,
    Verdict,
    worst,
)
from pytest_model_check.report import annotations as github_annotations
from pytest_model_check.report import json_report, junit, markdown, openmetrics, terminal

CHECKS, SLICES, FOLDS = 50, 5, 10
METRICS = ("neg_log_loss", "roc_auc", "accuracy")
LOSS = Loss("roc_auc", "worse", delta=-0.01, low=-0.015, high=-0.008, margin=0.005)
REPEATS = 5
SECONDS = 3.0  # that all reports may take
RENDERERS: dict[str, Callable[[Run], object]] = {
    "markdown": markdown.render,
    "json": json_report.render,
    "openmetrics": openmetrics.render,
    "terminal, 80 columns": lambda run: terminal.summary(run.checks, 0, width=80),
    "terminal, -v": lambda run: terminal.summary(run.checks, 1),
    "annotations": lambda run: github_annotations.lines(run, {check.nodeid: ("t.py", 1) for check in run.checks}),
    "junit": lambda run: [junit.properties(check) for check in run.checks],
}


def run_of(checks: int) -> Run:
    """Make a run in which every third check fails."""
    made = tuple(_check(i) for i in range(checks))
    return Run(made, all(check.passed for check in made), against="merge base 3f2a1c9 with origin/main")


def _check(i: int) -> Verdict:
    name, fails, changed = f"model_number_{i:04d}", i % 3 == 0, ChangedRows(47, 5, (1, 2, 3, 4, 5))
    found = tuple(
        _metric(metric, part, fails)
        for metric in METRICS
        for part in (None, *(f"region={number}" for number in range(SLICES)))
    )
    return Verdict(
        name,
        f"tests/test_models.py::test_{name}",
        worst([one.verdict for one in found if one.decides]),
        not fails,
        explain.sentence(name, found),
        explain.advice(found, Compared(DataVersion(rows=10_000)), changed),
        found,
        Compared(
            DataVersion(f"data/model_{i}.parquet", "0123456789abcdef" * 2, 10_000),
            released="Pipeline(steps=[('scale', StandardScaler()), ('model', LogisticRegression(C=1))])",
            candidate="Pipeline(steps=[('scale', StandardScaler()), ('model', LogisticRegression(C=2))])",
            protocol={"cv": "StratifiedKFold(n_splits=10)"},
            recording=3,
            reused=2,
            environment=(("scikit-learn", "1.8.0", "1.9.1"), ("numpy", "2.3.1", "2.4.6")),
        ),
        Concessions(standing=(Acceptance(2, "half the latency", "loss", (LOSS,)),)),
        Differences(
            changed,
            Moved("one version", "another", "3f2a1c9", tuple(ScoreGrid(one, 0.9, 0.89, 0.9, 0.88) for one in METRICS)),
        ),
        Cost(30, 12.0),
    )


def _metric(name: str, part: str | None, fails: bool) -> MetricVerdict:
    delta = -0.03 if fails else -0.001
    folds = tuple((0.9 + fold / 1000, 0.9 + fold / 1000 + delta) for fold in range(FOLDS)) if part is None else ()
    return MetricVerdict(
        name,
        "worse" if fails else "held",
        part,
        baseline=0.9,
        candidate=0.9 + delta,
        delta=delta,
        low=delta - 0.005,
        high=delta + 0.005,
        margin=0.01,
        resolution=0.009,
        dummy=0.5,
        resolution_reused=0.012,
        floor=0.008,
        probability_inconclusive=0.03,
        seeds=1,
        folds=folds,
    )


def main() -> int:
    """Time every renderer; the first call, with what it imports, is not counted."""
    print(this_machine())
    run, total = run_of(CHECKS), 0.0
    print(f"{CHECKS} checks x {len(METRICS)} metrics x {SLICES} slices, median of {REPEATS}")
    for name, render in RENDERERS.items():
        render(run)
        seconds = statistics.median(_seconds(render, run) for _ in range(REPEATS))
        total += seconds
        print(f"{name:24} {seconds:7.3f} s")
    print(f"{'all':24} {total:7.3f} s, may take {SECONDS:g} s")
    for checks in (300, 3000):
        many = run_of(checks)
        print(f"markdown of {checks:4} checks  {_seconds(markdown.render, many):7.3f} s")
    return 0 if total <= SECONDS else 1


def _seconds(render: Callable[[Run], object], run: Run) -> float:
    started = time.perf_counter()
    render(run)
    return time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
