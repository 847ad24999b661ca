"""A diff of baselines -> text, Markdown or JSON. Pure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tabulate import tabulate

from pytest_model_check.baselines.diff import Diff, Row, Snapshot
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.numbers import MISSING, between, count, decimals, number
from pytest_model_check.judgement.verdict_json import acceptance_to_dict
from pytest_model_check.judgement.verdicts import MetricVerdict
from pytest_model_check.report import text_table
from pytest_model_check.report.markdown_text import escape
from pytest_model_check.report.text import inert, visible

SCHEMA = 1
HEADERS = ("check", "metric", "A", "B", "delta", "interval", "margin", "verdict", "why")
ALIGN = ("left", "left", "right", "right", "right", "right", "right", "left", "left")
UNKNOWN = ("other data", "incomparable", "inconclusive")  # what could hide a loss

FOOTNOTE = (
    "Nothing was fitted: the interval is by the scores of the folds (corrected resampled t-test), which see less than "
    "the predictions that pytest --model-check compares. It is 95% sure that B is above its lower end, and 99.75% sure "
    "that B is below its upper end. A loss of A's whole margin is called worse, however wide the interval."
)


def text(diff: Diff) -> str:
    """Write it for a terminal."""
    rows = [[visible(cell) for cell in row] for row in _cells(diff)]
    lines = [f"A: {visible(_side(diff.before))}", f"B: {visible(_side(diff.after))}", ""]
    lines += text_table.draw(HEADERS, rows, ALIGN)
    for title, sentences in _lists(diff):
        lines += ["", f"{title}:", *(f"  {visible(sentence)}" for sentence in sentences)]
    return "\n".join([*map(inert, lines), "", _conclusion(diff), *textwrap.wrap(FOOTNOTE, 110)]) + "\n"


def markdown(diff: Diff) -> str:
    """Write it as GitHub renders it."""
    rows = [[escape(cell) for cell in row] for row in _cells(diff)]
    parts = [
        f"## {escape(_conclusion(diff))}",
        f"A: {escape(_side(diff.before))}  \nB: {escape(_side(diff.after))}",
        tabulate(rows, HEADERS, "pipe", colalign=ALIGN, disable_numparse=True),
    ]
    for title, sentences in _lists(diff):
        parts.append("\n".join([f"{title}:", "", *(f"- {escape(sentence)}" for sentence in sentences)]))
    return "\n\n".join([*parts, f"<sub>{escape(FOOTNOTE)}</sub>"]) + "\n"


def as_json(diff: Diff) -> str:
    """Write it for machines; keys may be added, never changed."""
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "a": {"revision": diff.before.revision, "commit": diff.before.sha},
        "b": {"revision": diff.after.revision, "commit": diff.after.sha},
        "worse": diff.worse,
        "rows": [asdict(row) for row in diff.rows],
        "weakened": [{"check": check, "how": explain.weakening(weaker)} for check, weaker in diff.weakened],
        "accepted": [{"check": check, **acceptance_to_dict(accepted)} for check, accepted in diff.accepted],
    }
    return json.dumps(plain, indent=2, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[Diff], str]] = {"text": text, "markdown": markdown, "json": as_json}


def _side(side: Snapshot) -> str:
    return side.revision if side.sha is None else f"{side.revision} ({side.sha[:7]})"


def _cells(diff: Diff) -> list[list[str]]:
    return [_row(row) for row in diff.rows]


def _row(row: Row) -> list[str]:
    places = decimals(
        MetricVerdict(row.metric, "held", baseline=row.before, candidate=row.after, delta=row.delta, margin=row.margin)
    )
    bounds = MISSING
    if row.low is not None and row.high is not None:
        bounds = between(row.low, row.high, places, sign=True)
    return [
        row.check,
        row.metric,
        number(row.before, places),
        number(row.after, places),
        number(row.delta, places, sign=True),
        bounds,
        number(row.margin, places),
        row.verdict,
        row.reason,
    ]


def _lists(diff: Diff) -> list[tuple[str, list[str]]]:
    weakened = [f"{check}: {explain.weakening(weaker)}" for check, weaker in diff.weakened]
    accepted = [
        f"{check}, recording {acceptance.generation}: {acceptance.reason} ({explain.accepted(acceptance)})"
        + ("" if acceptance.closed is None else f", won back by recording {acceptance.closed}")
        for check, acceptance in diff.accepted
    ]
    lists = (("Weakened promises", weakened), ("Accepted", accepted))
    return [(title, sentences) for title, sentences in lists if sentences]


def _conclusion(diff: Diff) -> str:
    counts = {label: sum(row.verdict == label for row in diff.rows) for label in ("worse", "gone")}
    parts = [f"{rows} {label}" for label, rows in counts.items() if rows]
    parts += [f"{len(diff.weakened)} weakened"] if diff.weakened else []
    of = f"in {count(len({row.check for row in diff.rows}), 'check')}"
    if parts:
        return f"B is worse than A: {', '.join(parts)} {of}"
    unknown = {label: sum(row.verdict == label for row in diff.rows) for label in UNKNOWN}
    counted = ", ".join(f"{rows} {label}" for label, rows in unknown.items() if rows)
    return f"B is not known to be worse than A {of}{f' ({counted})' if counted else ''}"
