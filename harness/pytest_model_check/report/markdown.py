"""A run -> the accuracy diff table in Markdown, as GitHub renders it: a pull request's comment, or a job's summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_model_check.judgement.numbers import count
from pytest_model_check.judgement.verdicts import Run, Verdict
from pytest_model_check.report import sentences, table
from pytest_model_check.report.markdown_folds import FOLDS, Fold
from pytest_model_check.report.markdown_text import COLUMNS, NAME, TEXT, cells, draw_table, escape, joined, name_of
from pytest_model_check.report.table import Row, State
from pytest_model_check.report.text import visible

MARKER = "<!-- model-check -->"  # the first line: by it, the one comment that is renewed is found again
SIGNS: dict[State, str] = {"failed": "❌", "accepted": "⚠️", "passed": "✅"}
LIMIT = 65_000  # bytes; GitHub takes 65,536 characters
ESSENTIAL = LIMIT - 700  # leaves room for saying what was left out


def render(run: Run) -> str:
    """Write headline, table, reasons and, folded, everything else.

    What is too long for GitHub is shortened: first the folded parts go, the least important ones first; then the rows
    that pass; then the reasons get shorter; then the failing rows do, down to the names of some ten thousand checks.
    """
    essential = next(text for text in _shapes(run) if _size(text) <= ESSENTIAL)
    folded, left_out = [], []
    room = ESSENTIAL - _size(essential)
    for name, fold in FOLDS:
        for text, lost in _lengths(name, fold, run.checks):
            if not text:
                break
            if _size(part := _folded(name, text)) + 2 <= room:
                folded.append(part)
                room -= _size(part) + 2
                left_out += [lost] if lost else []
                break
        else:
            left_out.append(name)
    if left_out:
        gone = ", ".join(left_out)
        folded.append(f"Left out, because GitHub takes no more: {gone}. `--model-check-report report.json` has it all.")
    return "\n\n".join([essential, *folded]) + "\n"


def _lengths(name: str, fold: Fold, checks: Sequence[Verdict]) -> Iterator[tuple[str, str]]:
    """Yield a folded part, shorter each time, with what is lost by that; no text where it has nothing to say."""
    whole = fold(checks)
    yield whole, ""
    yield _slim(whole), ""
    if failing := fold([check for check in checks if not check.passed]):
        yield _slim(failing), f"{name} (of what passed)"


@dataclass(frozen=True)
class _Shape:
    """How much is said: the rows that pass, the advice, characters of a reason (0: none) and of a name."""

    passing: bool
    advice: bool
    text: int
    name: int = NAME
    merged: bool = False


_FULL = _Shape(passing=True, advice=True, text=TEXT)

_SHAPES = (
    _FULL,
    _Shape(passing=False, advice=True, text=TEXT),
    _Shape(passing=False, advice=False, text=200),
    _Shape(passing=False, advice=False, text=80),
    _Shape(passing=False, advice=False, text=0),
    _Shape(passing=False, advice=False, text=0, name=24),
    _Shape(passing=False, advice=False, text=0, name=24, merged=True),
)


def _shapes(run: Run) -> Iterator[str]:
    """Yield everything but the folded parts, shorter each time."""
    rows = table.rows(run.checks, slices=lambda check: False)
    for shape in _SHAPES:
        text = _essential(run, rows, shape)
        if text is not None:
            yield text
            yield _slim(text)
    yield _list(run)


def _essential(run: Run, rows: Sequence[Row], shape: _Shape) -> str | None:
    """Return headline, what was accepted, table and reasons; None where so many rows can't fit."""
    shown = [row for row in rows if shape.passing or row.state != "passed"]
    if shape.merged:
        shown = _merged(shown)
    if len(shown) > LIMIT // 40:
        return None
    hidden = len(rows) - sum(row.state != "passed" for row in rows) if not shape.passing else 0
    return joined(
        _head(run),
        *_notices(run, shape.text),
        draw_table(COLUMNS, [cells(row, shape.name) for row in shown]),
        hidden and f"{count(hidden, 'row')} that passed {'is' if hidden == 1 else 'are'} not shown.",
        run.against and f"Baselines: {escape(run.against, 200)}.",
        _reasons(run, shape) if shape.text else None,
    )


def _head(run: Run) -> str:
    return f"{MARKER}\n## {SIGNS[table.run_state(run)]} {sentences.headline(run)}"


def _notices(run: Run, text: int) -> list[str]:
    """Return what a reviewer must not overlook: what went wrong beside the checks, weaker promises, accepted losses."""
    notices = [("Problem", problem) for problem in run.problems] + [("Retired", line) for line in run.retired]
    notices += sentences.notices(run.checks)
    lines = [f"**{kind}:** {escape(line, text or 80)}" for kind, line in notices[: 20 if text else 3]]
    more = len(notices) - len(lines)
    if more:
        lines.append(f"And {more:,} more: problems, weaker promises, accepted losses.")
    return lines


def _merged(rows: Sequence[Row]) -> list[Row]:
    """Keep the first row of every check: that of its worst metric."""
    first: dict[int, Row] = {}
    for row in rows:
        first.setdefault(id(row.check), row)
    return list(first.values())


def _reasons(run: Run, shape: _Shape) -> str | None:
    """Return why each failing check fails, and what to do; open where that is short."""
    failing = table.ordered([check for check in run.checks if not check.passed])
    lines = []
    for check in failing:
        lines.append(f"- {escape(check.message, shape.text)}")
        lines += [
            f"  - {escape(line, shape.text)}" for line in check.advice.splitlines() if shape.advice and line.strip()
        ]
    return _folded("Why, and what to do", "\n".join(lines), is_open=len(failing) <= 3) if lines else None


def _list(run: Run) -> str:
    """Name the failing checks, and nothing else, in as many characters as there are for each; the last resort."""
    groups: dict[str, list[str]] = {}
    for check in table.ordered([check for check in run.checks if not check.passed]):
        groups.setdefault(check.verdict, []).append(check.name)
    failed = sum(map(len, groups.values()))
    note = "Only the names of what failed fit into a comment. `--model-check-report report.json` has it all."
    room = ESSENTIAL - _size(joined(_head(run), note)) - 60 * len(groups) - 100
    each = max(room // max(failed, 1) - 2, 0)  # bytes
    if each < 4:
        return joined(_head(run), note.replace("Only the names of what failed", "Not even the names of what failed"))
    lists = [
        f"**{verdict}** ({len(names):,}): {', '.join(_bounded(name, each) for name in names)}"
        for verdict, names in groups.items()
    ]
    return joined(_head(run), note, *lists)


def _bounded(name: str, size: int) -> str:
    """Shorten a name until it takes no more bytes, escaped."""
    name = visible(name)
    texts = (name_of(name, room) for room in range(min(size, len(name)), 0, -1))
    return next((text for text in texts if _size(text) <= size), "?")


def _folded(name: str, text: str, *, is_open: bool = False) -> str:
    return f"<details{' open' * is_open}><summary>{name}</summary>\n\n{text}\n\n</details>"


def _slim(text: str) -> str:
    """Take the padding out of the tables: nobody sees it."""
    lines = (re.sub(r" {2,}|(?<=[|:])-+", _thin, line) if line.startswith("|") else line for line in text.split("\n"))
    return "\n".join(lines)


def _thin(match: re.Match[str]) -> str:
    return " " if match[0][0] == " " else "---" if len(match[0]) > 2 else match[0]


def _size(text: str) -> int:
    return len(text.encode())
