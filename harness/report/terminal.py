"""Verdicts -> the terminal's summary."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate

from harness.judge import Verdict
from harness.report import table
from harness.report.words import duration


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
            table.rows(shown), table.HEADERS, "simple", colalign=table.ALIGN, disable_numparse=True
        ).splitlines()
    for verdict in table.ordered(verdicts):
        if not verdict.metrics:
            lines.append(verdict.message)
    if verbosity > 0:
        for verdict in table.ordered(verdicts):
            lines += _folds(verdict)
    return [*lines, _totals(verdicts)]


def next_command(verdicts: Sequence[Verdict], updating: bool) -> str | None:
    """Give the command that most likely comes next; None where there is nothing to do."""
    failing = table.ordered([verdict for verdict in verdicts if not verdict.passed])
    labels = {verdict.verdict for verdict in failing}
    if labels == {"missing"} and not updating:
        return "pytest --model-check --update-baselines"
    if failing:
        return f"pytest --model-check -v -k {failing[0].name}"
    if any(verdict.verdict == "better" for verdict in verdicts) and not updating:
        return "pytest --model-check --update-baselines  # make the improvement the new baseline"
    return None


def _folds(verdict: Verdict) -> list[str]:
    judged = [metric for metric in verdict.metrics if metric.folds]
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
    return f"{len(verdicts)} model check{'s' * (len(verdicts) != 1)}: {counts}; {fits} fits in {duration(seconds)}"
