"""The history of baselines -> tables for a terminal: what was recorded, by whom, on which data, and why it may lose."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from pytest_model_check.baselines.history import History, Recording
from pytest_model_check.baselines.record import Baseline, BaselineMetric
from pytest_model_check.judgement.numbers import MISSING, between, decimals, number
from pytest_model_check.judgement.verdicts import MetricVerdict
from pytest_model_check.report import text_table
from pytest_model_check.report.text import inert, visible

HEADERS = (
    "recording", "date", "commit", "author", "data", "metric", "score", "95% interval", "margin", "drift",
    "accepted loss",
)  # fmt: skip

MADE = 5  # of these columns say how a recording was made
ALIGN = ("right", "left", "left", "left", "left", "left", "right", "right", "right", "right", "left")

LEGEND = (
    "95% interval: score ± 1.96 standard errors over rows. data: md5; * marks where it moved, and scores on either "
    "side of it can't be compared. drift: from the anchor, which losses are added up from."
)

Z = 1.959963984540054  # of a two-sided 95% interval


def render(histories: Sequence[History], width: int | None = None) -> str:
    """Return a table for each baseline, what it has drifted below it, and what is missing from it.

    Parameters
    ----------
    histories : sequence of History
        Of the baselines.
    width : int or None
        How many columns a line may have; None: as many as it takes.
    """
    parts = ["\n".join(map(inert, _one(history, width))) for history in histories]
    return "\n\n".join([*parts, textwrap.fill(LEGEND, min(width or 110, 110))]) + "\n"


def ends(metric: BaselineMetric) -> tuple[float, float]:
    """Return the two ends of the 95% interval of a score."""
    return metric.score - Z * metric.standard_error, metric.score + Z * metric.standard_error


def places_of(metric: BaselineMetric) -> int:
    """How many decimals this metric's numbers need."""
    return decimals(MetricVerdict("", "recorded", candidate=metric.score, margin=metric.margin))


def moved(recordings: Sequence[Recording]) -> list[bool]:
    """Whether, for each recording, the data is another version than that of the one before."""
    return [i > 0 and recording.data != recordings[i - 1].data for i, recording in enumerate(recordings)]


def drifts(baseline: Baseline) -> list[str]:
    """Return for each judged metric what its anchor is, and how far it is from it."""
    lines = []
    for name, metric in baseline.metrics.items():
        if metric.margin is None:
            continue
        anchor, places = metric.anchor, places_of(metric)
        if anchor is None:
            lines.append(f"{name}: recording {baseline.generation} is its own anchor, no loss has been added up")
            continue
        named = metric.margin if metric.margin_kind == "named" else None
        allowed = anchor.noise_reference.margin(anchor.score, named)
        lines.append(
            f"{name}: {number(metric.score - anchor.score, places, sign=True)} since recording {anchor.since} scored "
            f"{number(anchor.score, places)}, the anchor; harmless in all is {number(allowed, places)}"
        )
    return lines


def _one(history: History, width: int | None) -> list[str]:
    recordings = history.recordings
    former = recordings[-1].baseline.formerly if recordings else ()
    title = history.name + (f" (formerly {', '.join(former)})" if former else "")
    versions = zip(recordings, moved(recordings), strict=True)
    body = [row for recording, fresh in versions for row in _rows(recording, moved=fresh)]
    lines = [visible(title), ""]
    if body:
        drawn = text_table.draw(HEADERS, body, ALIGN)
        lines += drawn if text_table.fits(drawn, width) else _narrow(body, width or 0)
        lines += ["", *(line for drift in drifts(recordings[-1].baseline) for line in _folded(visible(drift), width))]
    return lines + [f"Note: {visible(remark)}" for remark in history.remarks]


def _narrow(body: Sequence[Sequence[str]], width: int) -> list[str]:
    """Draw the numbers as a table, and who recorded them, when and on what as a line above them."""
    drawn = text_table.draw(HEADERS[MADE:-1], [row[MADE:-1] for row in body], ALIGN[MADE:-1])
    lines = drawn[:2]
    for row, line in zip(body, drawn[2:], strict=True):
        if row[0]:
            generation, date, commit, author, data = row[:MADE]
            about = f"recording {generation}: {date}, {commit}{f' by {author}' if author else ''}, data {data}"
            lines += ["", *_folded(about, width), *(_folded(f"accepted loss: {row[-1]}", width) if row[-1] else [])]
        lines.append(line)
    return lines


def _folded(line: str, width: int | None) -> list[str]:
    return [line] if width is None else textwrap.wrap(line, width, subsequent_indent="  ", break_on_hyphens=False)


def _rows(recording: Recording, *, moved: bool) -> list[list[str]]:
    commit = recording.commit
    first = [
        str(recording.baseline.generation),
        visible(commit.date[:10]) if commit else "not yet",
        commit.sha[:7] if commit else "committed",
        visible(commit.author) if commit else "",
        visible(recording.data[:8]) + " *" * moved,
    ]
    rows: list[list[str]] = []
    for name, metric in recording.baseline.metrics.items():
        places = places_of(metric)
        low, high = ends(metric)
        anchor = metric.anchor
        rows.append(
            [
                *(first if not rows else [""] * len(first)),
                visible(name),
                number(metric.score, places),
                between(low, high, places),
                number(metric.margin, places),
                MISSING if anchor is None else number(metric.score - anchor.score, places, sign=True),
                visible("; ".join(recording.reasons)) if not rows else "",
            ]
        )
    return rows
