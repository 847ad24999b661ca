"""The accuracy diff table: its rows, in the order a reader needs them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.words import MISSING, decimals, interval, number
from harness.verdicts import WORST_FIRST, MetricVerdict, Verdict

HEADERS = ("check", "metric", "baseline", "candidate", "delta", "interval", "margin", "resolution", "dummy", "verdict")
ALIGN = ("left", "left", "right", "right", "right", "right", "right", "right", "right", "left")


def ordered(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Put failing checks first, the worst on top; otherwise keep the order of the tests."""
    return sorted(verdicts, key=lambda verdict: (verdict.passed, WORST_FIRST.index(verdict.verdict)))


def rows(verdicts: Sequence[Verdict], *, slices: bool) -> list[list[str]]:
    """Give one row per metric, and one for a check that could not be judged.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of all checks.
    slices : bool
        Whether to give slices that raised no alarm, too.
    """
    table = []
    for verdict in ordered(verdicts):
        if not verdict.metrics:
            table.append([verdict.name, *[MISSING] * 8, verdict.verdict])
        table += [
            _row(verdict.name, metric)
            for metric in sorted(verdict.metrics, key=lambda m: (not m.decides, WORST_FIRST.index(m.verdict)))
            if slices or metric.decides
        ]
    return table


def _row(name: str, metric: MetricVerdict) -> list[str]:
    places = decimals(metric)
    loss = metric.verdict == "held" and metric.high is not None and metric.high < 0
    return [
        name,
        metric.label,
        number(metric.baseline, places),
        number(metric.candidate, places),
        number(metric.delta, places, sign=True),
        MISSING if metric.verdict == "identical" else interval(metric),
        number(metric.margin, places),
        number(metric.resolution, places),
        number(metric.dummy, places),
        f"{metric.verdict} with loss" if loss else metric.verdict,
    ]
