"""Verdicts -> the terminal's summary."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

from harness.report import table, words
from harness.report.words import MISSING, decimals, duration, number
from harness.verdicts import MetricVerdict, Verdict

if TYPE_CHECKING:
    from harness.baselinejson import Baseline


def summary(verdicts: Sequence[Verdict], verbosity: int) -> list[str]:
    """Give the lines of the summary section.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of all checks.
    verbosity : int
        pytest's: below 0 only what fails is shown, above 0 the folds too.
    """
    shown = [verdict for verdict in verdicts if verbosity >= 0 or not verdict.passed]
    lines = []
    if shown:
        lines += tabulate(
            table.rows(shown, slices=verbosity > 0),
            table.HEADERS,
            "simple",
            colalign=table.ALIGN,
            disable_numparse=True,
        ).splitlines()
    lines += [verdict.message for verdict in table.ordered(verdicts) if not verdict.metrics]
    lines += [line for verdict in table.ordered(shown) for line in words.drifts(verdict)]
    if verbosity > 0:
        for verdict in table.ordered(verdicts):
            lines += [*_folds(verdict), *words.explanation(verdict)]
    return [*lines, _totals(verdicts)]


def promises(baselines: Sequence[Baseline]) -> list[str]:
    """Give the lines that show what each baseline promises; ± is a standard error over rows, drift from the anchor."""
    body = []
    for baseline in baselines:
        seeds = f"{baseline.seeds} seeds" if baseline.learner != "deterministic" else "no randomness"
        for name, metric in baseline.metrics.items():
            places = decimals(MetricVerdict(name, "recorded", candidate=metric.score, margin=metric.margin))
            anchor = metric.anchor
            body.append(
                [
                    baseline.name,
                    name,
                    f"{number(metric.score, places)} ± {number(metric.standard_error, places)}",
                    number(metric.margin, places),
                    metric.margin_reason,
                    number(metric.yardstick.dummy, places),
                    MISSING if anchor is None else number(metric.score - anchor.score, places, sign=True),
                    f"{baseline.rows:,}",
                    seeds,
                ]
            )
    headers = ("check", "metric", "score", "margin", "because it is", "dummy", "drift", "rows", "learner")
    align = ("left", "left", "right", "right", "left", "right", "right", "right", "left")
    return tabulate(body, headers, "simple", colalign=align, disable_numparse=True).splitlines()


def next_command(
    verdicts: Sequence[Verdict], updating: bool, typed: Callable[[str], str] = lambda nodeid: nodeid
) -> str | None:
    """Give the command that most likely comes next; None where there is nothing to do.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of all checks.
    updating : bool
        Whether this run records baselines.
    typed : callable
        Gives a node id as it has to be typed where the user is.
    """
    failing = table.ordered([verdict for verdict in verdicts if not verdict.passed])
    labels = {verdict.verdict for verdict in failing}
    if labels == {"missing"} and not updating:
        return "pytest --model-check --update-baselines"
    if failing:
        return f"pytest --model-check -v {shlex.quote(typed(failing[0].nodeid))}"
    if any(verdict.verdict == "better" for verdict in verdicts) and not updating:
        return "pytest --model-check --update-baselines  # make the improvement the new baseline"
    return None


def _folds(verdict: Verdict) -> list[str]:
    judged = [metric for metric in verdict.metrics if metric.folds and metric.slice is None]
    if not judged:
        return []
    headers = ["fold", *(f"{metric.metric}: {side}" for metric in judged for side in ("baseline", "candidate"))]
    body = [
        [number, *(score for metric in judged for score in metric.folds[number - 1])]
        for number in range(1, len(judged[0].folds) + 1)
    ]
    return ["", f"{verdict.name}, fold by fold", *tabulate(body, headers, "simple", floatfmt=".4g").splitlines()]


def _totals(verdicts: Sequence[Verdict]) -> str:
    passed = sum(verdict.passed for verdict in verdicts)
    fits = sum(verdict.fits for verdict in verdicts)
    seconds = sum(verdict.seconds for verdict in verdicts)
    failed = len(verdicts) - passed
    counts = ", ".join(part for part in (f"{failed} failed" * bool(failed), f"{passed} passed" * bool(passed)) if part)
    return f"{_count(len(verdicts), 'model check')}: {counts}; {_count(fits, 'fit')} in {duration(seconds)}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
