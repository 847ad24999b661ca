"""Baselines -> the table of what each promises, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_model_check.baselines.promises import margin_reason
from pytest_model_check.baselines.quality import quality
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.judgement import explain_quality
from pytest_model_check.judgement.numbers import MISSING, number
from pytest_model_check.report import text_table
from pytest_model_check.report.history_table import places_of
from pytest_model_check.report.text import inert, titled, visible, wrapped

HEADERS = ("check", "metric", "score", "margin", "because it is", "dummy", "drift", "rows", "learner")
ALIGN = ("left", "left", "right", "right", "left", "right", "right", "right", "left")
LEAST_FIRST = ("learner", "rows", "because it is", "drift", "dummy")  # columns that go where there is no room


def render(baselines: Sequence[Baseline], width: int | None = None) -> str:
    """Return a table with a row for each metric; ± is a standard error over rows, drift is from the anchor.

    Above the table stands which can hardly be failed, below it how good a yardstick each is.

    Parameters
    ----------
    baselines : sequence of Baseline
        What is promised.
    width : int or None
        How many columns a line may have; None: as many as it takes.
    """
    qualities = {baseline.name: quality(baseline) for baseline in baselines}
    blunt = [f"{name}: {line}" for name, each in qualities.items() for line in explain_quality.notices(each)]
    above = [line for notice in blunt for line in wrapped(f"Hardly fails: {notice}")]
    below = [
        line
        for name, each in qualities.items()
        for line in titled(f"{name} as a yardstick", explain_quality.sentences(each))
    ]
    timed = [line for baseline in baselines for line in _latency(baseline)]
    return "\n".join(map(inert, [*above, *[""] * bool(above), *_table(baselines, width), *timed, *below])) + "\n"


def _latency(baseline: Baseline) -> list[str]:
    margin, service = baseline.protocol.latency_margin, baseline.service
    if margin is None or service is None:
        return []
    promise = f"latency, median and 95th percentile, no more than {margin:.0%} above that of {service.url}"
    return ["", *wrapped(f"{baseline.name}: {promise}")]


def _table(baselines: Sequence[Baseline], width: int | None) -> list[str]:
    body = []
    for baseline in baselines:
        seeds = f"{baseline.seeds} seeds" if baseline.learner != "deterministic" else "no randomness"
        for name, metric in baseline.metrics.items():
            places, anchor = places_of(metric), metric.anchor
            body.append(
                [
                    visible(baseline.name),
                    visible(name),
                    f"{number(metric.score, places)} ± {number(metric.standard_error, places)}",
                    number(metric.margin, places),
                    visible(margin_reason(baseline, name)),
                    number(metric.noise_reference.dummy, places),
                    MISSING if anchor is None else number(metric.score - anchor.score, places, sign=True),
                    f"{baseline.rows:,}",
                    seeds,
                ]
            )
    for dropped in range(len(LEAST_FIRST) + 1):
        kept = [i for i, header in enumerate(HEADERS) if header not in LEAST_FIRST[:dropped]]
        rows, align = [[row[i] for i in kept] for row in body], [ALIGN[i] for i in kept]
        headers = [HEADERS[i] for i in kept]
        lines = text_table.draw(headers, rows, align)
        if text_table.fits(lines, width):
            break
    return lines
