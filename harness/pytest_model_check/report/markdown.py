"""A run -> the accuracy diff table in Markdown, as GitHub renders it: a pull request's comment, or a job's summary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from pytest_model_check.judgement import explain
from pytest_model_check.judgement.numbers import MISSING, count, decimals, duration, number, percentage
from pytest_model_check.judgement.verdicts import PASSING, Run, Verdict
from pytest_model_check.report import sentences, table
from pytest_model_check.report.markdown_text import NAME, TEXT, breakable, escape, name_of
from pytest_model_check.report.table import STATES, Row
from pytest_model_check.report.text import visible

MARKER = "<!-- model-check -->"  # the first line: by it, the one comment that is renewed is found again
Fold = Callable[[Sequence[Verdict]], str]
LIMIT = 65_000  # bytes; GitHub takes 65,536 characters
COLUMNS = ("check", "metric", "baseline", "candidate", "delta (interval)", "margin", "verdict")
ESSENTIAL = LIMIT - 700  # leaves room for saying what was left out
MODEL = 300  # characters that a model may have
FOLD_ROWS = 400  # a folded table that is longer tells nobody anything
MOVED = 50  # checks whose 2 x 2 tables are shown


def render(run: Run) -> str:
    """Write headline, table, reasons and, folded, everything else.

    What is too long for GitHub is shortened: first the folded parts go, the least important ones first; then the rows
    that pass; then the reasons get shorter; then the failing rows do, down to the names of some ten thousand checks.
    """
    essential = next(text for text in _shapes(run) if _size(text) <= ESSENTIAL)
    folded, left_out = [], []
    room = ESSENTIAL - _size(essential)
    for name, fold in _FOLDS:
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
    """Give a folded part, shorter each time, with what is lost by that; no text where it has nothing to say."""
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
    """Give everything but the folded parts, shorter each time."""
    rows = table.rows(run.checks, slices=False)
    for shape in _SHAPES:
        text = _essential(run, rows, shape)
        if text is not None:
            yield text
            yield _slim(text)
    yield _list(run)


def _essential(run: Run, rows: Sequence[Row], shape: _Shape) -> str | None:
    """Give headline, what was accepted, table and reasons; None where so many rows can't fit."""
    shown = [row for row in rows if shape.passing or row.state != "passed"]
    if shape.merged:
        shown = _merged(shown)
    if len(shown) > LIMIT // 40:
        return None
    hidden = len(rows) - sum(row.state != "passed" for row in rows) if not shape.passing else 0
    return _joined(
        _head(run),
        *_notices(run, shape.text),
        _table(COLUMNS, [_cells(row, shape.name) for row in shown]),
        hidden and f"{count(hidden, 'row')} that passed {'is' if hidden == 1 else 'are'} not shown.",
        run.against and f"Baselines: {escape(run.against, 200)}.",
        _reasons(run, shape) if shape.text else None,
    )


def _head(run: Run) -> str:
    return f"{MARKER}\n## {headline(run)}"


def headline(run: Run) -> str:
    """Say in a line whether the release may go out."""
    checks, failed = len(run.checks), sum(not check.passed for check in run.checks)
    if not run.passed:
        if not checks:
            return "❌ May not ship: no model check was judged"
        if not failed:
            return f"❌ May not ship: the run is incomplete, {count(checks, 'model check')} passed"
        return f"❌ May not ship: {failed:,} of {count(checks, 'model check')} failed"
    all_of_them = f"{checks:,} of {count(checks, 'model check')}"
    losses = [check.verdict not in PASSING for check in run.checks if check.concessions.accepted is not None]
    if losses:
        lost, weaker = losses.count(True), losses.count(False)
        said = [count(lost, "loss", "losses")] * bool(lost) + [count(weaker, "weaker promise")] * bool(weaker)
        return f"⚠️ May ship, with {' and '.join(said)} accepted: {all_of_them} passed"
    return f"✅ May ship: {all_of_them} passed"


def _notices(run: Run, text: int) -> list[str]:
    """Give what a reviewer must not overlook: what went wrong beside the checks, weaker promises, accepted losses."""
    told = [("Problem", problem) for problem in run.problems] + [("Retired", one) for one in run.retired]
    told += sentences.notices(run.checks)
    lines = [f"**{kind}:** {escape(line, text or 80)}" for kind, line in told[: 20 if text else 3]]
    more = len(told) - len(lines)
    if more:
        lines.append(f"And {more:,} more: problems, weaker promises, accepted losses.")
    return lines


def _cells(row: Row, name: int) -> list[str]:
    cells = {**row.cells, "check": breakable(name_of(row.cells["check"], name))}
    if row.metric is not None:
        cells["metric"] = breakable(name_of(row.cells["metric"], name))
        delta, space, bounds = row.cells["delta (interval)"].partition(" ")
        cells["delta (interval)"] = f"{delta}<br>{bounds.replace(' ', '&nbsp;')}" if space else delta
    if row.state != "passed":
        cells["verdict"] = f"**{cells['verdict']}**"
    return [cells.get(column, MISSING) for column in COLUMNS]


def _merged(rows: Sequence[Row]) -> list[Row]:
    """Keep the first row of every check: that of its worst metric."""
    first: dict[int, Row] = {}
    for row in rows:
        first.setdefault(id(row.check), row)
    return list(first.values())


def _reasons(run: Run, shape: _Shape) -> str | None:
    """Give why each failing check fails, and what to do; open where that is short."""
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
    said = "Only the names of what failed fit into a comment. `--model-check-report report.json` has it all."
    room = ESSENTIAL - _size(_joined(_head(run), said)) - 60 * len(groups) - 100
    each = max(room // max(failed, 1) - 2, 0)  # bytes
    if each < 4:
        return _joined(_head(run), said.replace("Only the names of what failed", "Not even the names of what failed"))
    lists = [
        f"**{verdict}** ({len(names):,}): {', '.join(_bounded(name, each) for name in names)}"
        for verdict, names in groups.items()
    ]
    return _joined(_head(run), said, *lists)


def _bounded(name: str, size: int) -> str:
    """Shorten a name until it takes no more bytes, escaped."""
    name = visible(name)
    texts = (name_of(name, room) for room in range(min(size, len(name)), 0, -1))
    return next((text for text in texts if _size(text) <= size), "?")


def _moved(checks: Sequence[Verdict]) -> str:
    concerned = [(check, check.differences.moved) for check in checks if check.differences.moved is not None]
    parts = []
    for check, move in concerned[:MOVED]:
        body = [
            [name_of(one.metric), *(number(score, sentences.places_of(check, one.metric)) for score in scores)]
            for one in move.score_grids
            for scores in [(one.old_old, one.old_new, one.new_old, one.new_new)]
        ]
        headers = ("metric", *(f"{model}, {data} data" for model in ("released", "candidate") for data in _DATA))
        parts.append(_joined(_bullets(sentences.moved(check)), _table(headers, body)))
    more = f"... and of {len(concerned) - MOVED:,} checks more." if len(concerned) > MOVED else ""
    return _joined(*parts, more)


_DATA = ("old", "new")


def _slices(checks: Sequence[Verdict]) -> str:
    ranked = [
        (STATES.index(row.state), (row.metric.delta or 0.0) / (row.metric.margin or 1.0), row)
        for row in table.rows(checks, slices=True)
        if row.metric is not None and row.metric.slice is not None
    ]
    found = [row for *_, row in sorted(ranked, key=lambda one: one[:2])]
    return _table(COLUMNS, [_cells(row, NAME) for row in found[:FOLD_ROWS]]) + _more(len(found))


def _flips(checks: Sequence[Verdict]) -> str:
    return _bullets(
        [
            f"{check.name}: {explain.changed_rows(changed)}"
            for check in checks
            if (changed := check.differences.changed_rows) and changed.count
        ]
    )


def _standing(checks: Sequence[Verdict]) -> str:
    return _bullets([line for check in checks for line in sentences.standing(check)])


def _drifts(checks: Sequence[Verdict]) -> str:
    return _bullets([line for check in checks for line in sentences.drifts(check)])


def _environment(checks: Sequence[Verdict]) -> str:
    """Give each change once, with the checks that it concerns: mostly all of them."""
    changes: dict[tuple[str, str, str], list[str]] = {}
    for check in checks:
        for change in check.compared.environment:
            changes.setdefault(change, []).append(check.name)
    judged = sum(check.compared.data.rows > 0 for check in checks)
    body = [
        [*map(name_of, change), "all" if len(names) == judged else escape(", ".join(names), 200)]
        for change, names in list(changes.items())[:FOLD_ROWS]
    ]
    return _table(("package", "then", "now", "checks"), body) + _more(len(changes))


def _resolution(checks: Sequence[Verdict]) -> str:
    found = [
        (check, one)
        for check in checks
        for one in check.metrics
        if one.slice is None and (one.resolution is not None or one.dummy is not None)
    ]
    if not found:
        return ""
    body = [
        [
            breakable(name_of(check.name)),
            breakable(name_of(one.metric)),
            *(number(x, decimals(one)) for x in (one.resolution, one.resolution_reused, one.floor, one.dummy)),
            percentage(one.probability_inconclusive),
            MISSING if one.seeds is None else f"{one.seeds:,}",
        ]
        for check, one in found[:FOLD_ROWS]
    ]
    said = (
        "Resolution is the smallest loss that a comparison can tell from none; the noise floor is the smallest margin "
        "that the baseline's rows and seeds can hold. Blocked: how many equally good models would not pass. A dummy "
        "looks at no feature."
    )
    headers = ("check", "metric", "resolution", "all comparisons", "noise floor", "dummy", "blocked", "seeds")
    reuse = _bullets([line for check in checks for line in sentences.reused(check)])
    return _joined(said, _table(headers, body) + _more(len(found)), reuse)


def _data(checks: Sequence[Verdict]) -> str:
    headers = ("check", "data", "md5", "rows", "recording", "fits", "time")
    judged = [check for check in checks if check.compared.data.rows]
    body = [
        [
            name_of(check.name),
            name_of(compared.data.path),
            name_of(compared.data.md5[:8]),
            f"{compared.data.rows:,}",
            f"{compared.recording:,}" if compared.recording else MISSING,
            f"{check.cost.fits:,}",
            duration(check.cost.seconds),
        ]
        for check in judged[:FOLD_ROWS]
        for compared in [check.compared]
    ]
    return _table(headers, body) + _more(len(judged))


def _models(checks: Sequence[Verdict]) -> str:
    """Show both models where they are written differently."""
    headers = ("check", "released model", "candidate model")
    models = [(check.name, check.compared.released, check.compared.candidate) for check in checks]
    different = [(name, *_around(old, new)) for name, old, new in models if old and old != new]
    body = [
        [breakable(name_of(name)), escape(old, MODEL), escape(new, MODEL)] for name, old, new in different[:FOLD_ROWS]
    ]
    return _table(headers, body) + _more(len(different))


def _around(released: str, candidate: str) -> tuple[str, str]:
    """Let two long descriptions begin shortly before they part: both would be cut before it."""
    if max(len(released), len(candidate)) <= MODEL:
        return released, candidate
    parted = (i for i, (old, new) in enumerate(zip(released, candidate, strict=False)) if old != new)
    start = next(parted, min(len(released), len(candidate))) - MODEL // 4
    if start <= 0:
        return released, candidate
    return f"... {released[start:]}", f"... {candidate[start:]}"


def _by_fold(checks: Sequence[Verdict]) -> str:
    found = [
        (check, metric, i, old, new)
        for check in table.ordered(checks)
        for metric in check.metrics
        if metric.slice is None
        for i, (old, new) in enumerate(metric.folds)
    ]
    body = [
        [
            name_of(check.name),
            name_of(metric.metric),
            str(i + 1),
            *(number(score, decimals(metric)) for score in (old, new)),
            number(new - old, decimals(metric), sign=True),
        ]
        for check, metric, i, old, new in found[:FOLD_ROWS]
    ]
    return _table(("check", "metric", "fold", "baseline", "candidate", "delta"), body) + _more(len(found))


_FOLDS: tuple[tuple[str, Fold], ...] = (
    ("The data moved: both models on both versions", _moved),
    ("Accepted losses that stand", _standing),
    ("Lost since an earlier recording", _drifts),
    ("Rows that changed from right to wrong", _flips),
    ("Slices", _slices),
    ("What this data can tell: resolution, noise floor, dummy", _resolution),
    ("Environment: what changed since the baseline", _environment),
    ("Data version and fits", _data),
    ("Models that changed", _models),
    ("Fold by fold", _by_fold),
)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Draw a table of cells that are escaped."""
    if not rows:
        return ""
    sides = tuple("left" if name in _LEFT else "right" for name in headers)
    return tabulate(rows, headers, "pipe", colalign=sides, disable_numparse=True)


_LEFT = {*table.NAMES, "package", "then", "now", "checks", "data", "md5", "released model", "candidate model"}


def _folded(name: str, text: str, *, is_open: bool = False) -> str:
    return f"<details{' open' * is_open}><summary>{name}</summary>\n\n{text}\n\n</details>"


def _bullets(lines: Sequence[str]) -> str:
    """Draw a list of sentences that are not escaped yet."""
    return "\n".join(f"- {escape(line)}" for line in lines[:FOLD_ROWS]) + _more(len(lines))


def _more(rows: int) -> str:
    return f"\n\n... and {rows - FOLD_ROWS:,} more." if rows > FOLD_ROWS else ""


def _joined(*parts: object) -> str:
    return "\n\n".join(str(part) for part in parts if part)


def _slim(text: str) -> str:
    """Take the padding out of the tables: nobody sees it."""
    lines = (re.sub(r" {2,}|(?<=[|:])-+", _thin, line) if line.startswith("|") else line for line in text.split("\n"))
    return "\n".join(lines)


def _thin(found: re.Match[str]) -> str:
    return " " if found[0][0] == " " else "---" if len(found[0]) > 2 else found[0]


def _size(text: str) -> int:
    return len(text.encode())
