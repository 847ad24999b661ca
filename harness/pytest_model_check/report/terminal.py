"""Verdicts -> the terminal's summary."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from pytest_model_check.judgement import explain
from pytest_model_check.judgement.compared import Compared
from pytest_model_check.judgement.numbers import fold_label
from pytest_model_check.judgement.verdicts import PASSING, MetricVerdict, Verdict
from pytest_model_check.report import model_changes, sentences, table, text_table
from pytest_model_check.report.model_changes import changes
from pytest_model_check.report.table import Row
from pytest_model_check.report.text import inert, titled, visible
from pytest_model_check.report.text import width as wide

Paint = Callable[..., str]


def summary(
    verdicts: Sequence[Verdict], verbosity: int, *, width: int | None = None, paint: Paint = lambda text, **markup: text
) -> list[str]:
    """Return the lines of the summary section: what was accepted, the table, the data that moved, the totals.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of all checks.
    verbosity : int
        pytest's: below 0 only what fails is shown; above 0 slices, folds, reasons, data, environment and models too:
        of what fails or was accepted, and above 1 of every check.
    width : int or None
        How many columns a line may have; None: as many as it takes.
    paint : callable
        Colours a text, ``paint(text, red=True)``, where colours are wanted: pytest's ``TerminalWriter.markup``.
    """
    shown = table.ordered([verdict for verdict in verdicts if verbosity >= 0 or not verdict.passed])
    lines = [f"{paint(kind, yellow=True)}: {visible(line)}" for kind, line in sentences.notices(verdicts)]
    detailed = [verdict for verdict in shown if verbosity > (0 if table.state(verdict) != "passed" else 1)]
    lines += _table(table.rows(shown, slices=lambda verdict: verdict in detailed), width, paint)
    lines += [visible(verdict.message) for verdict in shown if not verdict.metrics]
    for verdict in shown:
        lines += [visible(line) for line in sentences.drifts(verdict)]
        lines += _moved(verdict, width)
        lines += [f"still accepted: {visible(line)}" for line in sentences.standing(verdict)]
        lines += titled(f"{verdict.name}, its new baseline as a yardstick", sentences.quality(verdict))
    lines += [f"not cached: {visible(line)}" for line in sentences.uncached(shown)]
    for verdict in detailed:
        lines += [*_folds(verdict, width), *map(visible, explain.explanation(verdict)), *_particulars(verdict)]
    return [*map(inert, lines), sentences.totals(verdicts)]


def next_command(
    verdicts: Sequence[Verdict], updating: bool, typed: Callable[[str], str] = lambda nodeid: nodeid
) -> str | None:
    """Return the command that most likely comes next; None where there is nothing to do.

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


def _table(rows: Sequence[Row], width: int | None, paint: Paint) -> list[str]:
    """Draw the table with as many columns as there is room for; without room for a table, a block for each row."""
    for columns in _COLUMNS:
        lines = text_table.draw(columns, [row.under(columns) for row in rows], table.align(columns)) if rows else []
        if text_table.fits(lines, width):
            painted = [_painted(line, row, paint) for line, row in zip(lines[2:], rows, strict=True)]
            return [*lines[:2], *painted]
    return [line for row in rows for line in _block(row, width or 0, paint)]


_COLUMNS = (
    ("check", "metric", "baseline", "candidate", "delta", "interval", "margin", "resolution", "dummy", "verdict"),
    ("check", "metric", "baseline", "candidate", "delta", "interval", "margin", "resolution", "verdict"),
    ("check", "metric", "baseline", "candidate", "delta", "interval", "margin", "verdict"),
    ("check", "metric", "baseline", "candidate", "delta", "interval", "verdict"),
    ("check", "metric", "delta", "interval", "verdict"),
    ("check", "metric", "baseline", "candidate", "delta", "verdict"),
    ("check", "metric", "delta", "verdict"),
)


def _painted(line: str, row: Row, paint: Paint) -> str:
    """Colour the verdict, which ends the line."""
    return line.removesuffix(row.cells["verdict"]) + _verdict(row, paint)


def _verdict(row: Row, paint: Paint) -> str:
    word = row.cells["verdict"]
    if row.state == "failed":
        return paint(word, red=True, bold=True)
    if row.state == "passed" and row.metric is not None and row.metric.verdict in PASSING:
        return paint(word, green=True)
    return paint(word, yellow=True)


def _block(row: Row, width: int, paint: Paint) -> list[str]:
    cells = row.cells
    head = ", ".join(cells[column] for column in ("check", "metric") if column in cells)
    lines = [f"{head}: {_verdict(row, paint)}"]
    if row.metric is None:
        return lines
    parts = [f"{cells['baseline']} -> {cells['candidate']}", cells["delta (interval)"], f"margin {cells['margin']}"]
    together = f"  {', '.join(parts)}"
    return [*lines, together] if wide(together) <= width else [*lines, *(f"  {part}" for part in parts)]


def _moved(verdict: Verdict, width: int | None) -> list[str]:
    """Draw the 2 x 2 table of a check whose data moved."""
    lines = list(map(visible, sentences.moved(verdict)))
    body = [(visible(name), *scores) for name, *scores in table.moved_rows(verdict)]
    drawn = text_table.draw(table.MOVED_COLUMNS, body, ("left", *["right"] * 4)) if body else []
    if not text_table.fits(drawn, width):
        drawn = [
            line
            for name, *scores in body
            for line in (name, *(f"  {h}: {score}" for h, score in zip(table.MOVED_COLUMNS[1:], scores, strict=True)))
        ]
    return [*lines, *drawn]


def _folds(verdict: Verdict, width: int | None) -> list[str]:
    """Return both scores of every fold: side by side, or one metric below the other where that is too wide."""
    judged = [metric for metric in verdict.metrics if metric.folds and metric.slice is None]
    if not judged:
        return []
    title = ["", f"{visible(verdict.name)}, fold by fold"]
    layout = verdict.compared.folds
    together = _of_folds(judged, layout)
    if text_table.fits(together, width):
        return title + together
    return title + [line for metric in judged for line in _of_folds([metric], layout)]


def _of_folds(judged: Sequence[MetricVerdict], layout: Sequence[int]) -> list[str]:
    folds = min(len(metric.folds) for metric in judged)
    headers = ["fold", *(f"{visible(m.metric)}: {side}" for m in judged for side in ("baseline", "candidate"))]
    body = [[fold_label(i, layout), *(f"{score:.4g}" for m in judged for score in m.folds[i])] for i in range(folds)]
    return text_table.draw(headers, body, ["right"] * len(headers))


def _candidate(compared: Compared) -> dict[str, str]:
    """Return what is another model's: what differs, or the whole of it where it is of another kind."""
    of_another_kind = compared.candidate != compared.released and not changes(compared.released, compared.candidate)
    return {
        "candidate": compared.candidate if of_another_kind else "",
        "candidate, changed": model_changes.in_words(compared),
    }


def _particulars(verdict: Verdict) -> list[str]:
    """Return what was compared on what: data, protocol, reuse, environment, both models."""
    compared, data = verdict.compared, verdict.compared.data
    facts = {
        "data": data.rows and sentences.version(data),
        "protocol": ", ".join(f"{key} {value}" for key, value in compared.protocol.items() if value is not None),
        "held against": compared.recording and f"recording {compared.recording}",
        "released": compared.released,
        **_candidate(compared),
        "time": sentences.time_spent(verdict),
        "environment": ", ".join(f"{package} {then} -> {now}" for package, then, now in compared.environment),
    }
    lines = [f"{key}: {visible(str(fact))}" for key, fact in facts.items() if fact]
    lines += map(visible, sentences.reused(verdict))
    return ["", f"{visible(verdict.name)}, what was compared", *lines] if lines else []
