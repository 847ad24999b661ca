"""A spot check -> tables for a terminal of 80 columns, and blocks of a document. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10

from pytest_model_check.judgement.numbers import between, duration, number
from pytest_model_check.report.document import Block, Bullets, Paragraph, Table
from pytest_model_check.report.text import failure, shortened, visible
from pytest_model_check.report.text_table import draw
from pytest_model_check.scoring.spot_check import MetricSpotCheck, Pair, SpotCheck

LONGEST = 16  # characters of a name in a pair, so that a row takes 80 columns
SCORES = ("left", "right", "right")
PAIRS = ("left", "right", "right", "left")
HEADERS = ("pair", "ahead by", "95% interval", "")


def render(found: SpotCheck, seconds: Mapping[str, float]) -> list[str]:
    """Return the lines: scores, then every pair, metric by metric; then what failed."""
    lines = []
    for by in found.metrics:
        first = by is found.metrics[0]  # the others need no other fits
        rows = [row if first else row[:2] for row in _scores(by, seconds)]
        headers = ("higher is better", by.metric, "seconds")[: len(rows[0])]
        lines += [*draw(headers, rows, SCORES[: len(headers)]), ""]
        if by.unjudged:
            lines += [visible(f"No pair can be judged: {by.unjudged}."), ""]
        else:
            lines += [*draw(HEADERS, _pairs(by), PAIRS), ""]
    for name, error in found.failed.items():
        lines += [*failure(f"{name} failed: {error.message}", error.advice).splitlines(), ""]
    return lines


def blocks(found: SpotCheck, seconds: Mapping[str, float]) -> tuple[Block, ...]:
    """Return the same for a document."""
    written: list[Block] = []
    for by in found.metrics:
        written += [Table(("candidate", by.metric, "seconds"), tuple(_scores(by, seconds)), SCORES)]
        if by.unjudged:
            written += [Paragraph(f"No pair can be judged: {by.unjudged}.")]
        else:
            written += [Table((*HEADERS[:3], "so"), tuple(_pairs(by)), PAIRS)]
    if found.failed:
        written += [Bullets(tuple(f"{name} failed: {error.message}" for name, error in found.failed.items()))]
    return tuple(written)


def _scores(by: MetricSpotCheck, seconds: Mapping[str, float]) -> list[tuple[str, str, str]]:
    places = _places(by)
    return [(visible(name), number(score, places), duration(seconds[name])) for name, score in by.scores.items()]


def _pairs(by: MetricSpotCheck) -> list[tuple[str, str, str, str]]:
    places = _places(by)
    return [
        (
            f"{_label(pair.first)} - {_label(pair.second)}",
            number(pair.delta, places, sign=True),
            between(pair.low, pair.high, places, sign=True),
            _words(pair),
        )
        for pair in by.pairs
    ]


def _words(pair: Pair) -> str:
    if pair.low == pair.high == 0:
        return "identical"
    return "better" if pair.differs else "can't tell"


def _label(name: str) -> str:
    return shortened(visible(name), LONGEST)


def _places(by: MetricSpotCheck) -> int:
    """Return the decimals that show two digits of the shortest half of an interval."""
    widths = [pair.high - pair.low for pair in by.pairs if pair.high > pair.low]
    sizes = widths or [abs(score) for score in by.scores.values() if score]
    return max(0, 1 - floor(log10(min(sizes) / 2))) if sizes else 3
