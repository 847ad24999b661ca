"""What a pull request's comment folds away below its table: everything else that was found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pytest_model_check.judgement import explain
from pytest_model_check.judgement.compared import Compared
from pytest_model_check.judgement.numbers import MISSING, duration, fold_label, percentage, plain, signed
from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.report import sentences, table
from pytest_model_check.report.markdown_text import COLUMNS, NAME, breakable, cells, draw_table, escape, joined, name_of
from pytest_model_check.report.model_changes import Change, changed_features, changes
from pytest_model_check.report.table import STATES

Fold = Callable[[Sequence[Verdict]], str]
MODEL = 300  # characters that a model may have
ROWS = 400  # a folded table that is longer tells nobody anything
MOVED = 50  # checks whose 2 x 2 tables are shown


def _moved(checks: Sequence[Verdict]) -> str:
    moved = [check for check in checks if check.differences.moved is not None]
    parts = []
    for check in moved[:MOVED]:
        body = [(name_of(name), *scores) for name, *scores in table.moved_rows(check)]
        parts.append(joined(_bullets(sentences.moved(check)), draw_table(table.MOVED_COLUMNS, body)))
    more = f"... and of {len(moved) - MOVED:,} checks more." if len(moved) > MOVED else ""
    return joined(*parts, more)


def _slices(checks: Sequence[Verdict]) -> str:
    ranked = [
        (STATES.index(row.state), (row.metric.delta or 0.0) / (row.metric.margin or 1.0), row)
        for row in table.rows(checks, slices=lambda check: True)
        if row.metric is not None and row.metric.slice is not None
    ]
    ordered = [row for *_, row in sorted(ranked, key=lambda entry: entry[:2])]
    return draw_table(COLUMNS, [cells(row, NAME) for row in ordered[:ROWS]]) + _more(len(ordered))


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
    """List each change once, with the checks that it concerns: mostly all of them."""
    changes: dict[tuple[str, str, str], list[str]] = {}
    for check in checks:
        for change in check.compared.environment:
            changes.setdefault(change, []).append(check.name)
    judged = sum(check.compared.data.rows > 0 for check in checks)
    body = [
        [*map(name_of, change), "all" if len(names) == judged else escape(", ".join(names), 200)]
        for change, names in list(changes.items())[:ROWS]
    ]
    return draw_table(("package", "then", "now", "checks"), body) + _more(len(changes))


def _quality(checks: Sequence[Verdict]) -> str:
    return _bullets([f"{check.name}, {line}" for check in checks for line in sentences.quality(check)])


def _resolution(checks: Sequence[Verdict]) -> str:
    judged = [
        (check, metric)
        for check in checks
        for metric in check.metrics
        if metric.slice is None and (metric.resolution is not None or metric.dummy is not None)
    ]
    if not judged:
        return ""
    body = [
        [
            breakable(name_of(check.name)),
            breakable(name_of(metric.metric)),
            *(plain(metric, x) for x in (metric.resolution, metric.resolution_reused, metric.floor, metric.dummy)),
            percentage(metric.probability_inconclusive),
            MISSING if metric.seeds is None else f"{metric.seeds:,}",
        ]
        for check, metric in judged[:ROWS]
    ]
    legend = (
        "Resolution is the smallest loss that a comparison can tell from none; the noise floor is the smallest margin "
        "that the baseline's rows and seeds can hold. Blocked: how many equally good models would not pass. A dummy "
        "looks at no feature."
    )
    headers = ("check", "metric", "resolution", "all comparisons", "noise floor", "dummy", "blocked", "seeds")
    reuse = _bullets([line for check in checks for line in sentences.reused(check)])
    return joined(legend, draw_table(headers, body) + _more(len(judged)), reuse)


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
            f"{check.cost.fits:,}" + (f" ({check.cost.served:,} cached)" if check.cost.served else ""),
            duration(check.cost.seconds),
        ]
        for check in judged[:ROWS]
        for compared in [check.compared]
    ]
    why = _bullets([f"not cached: {line}" for line in sentences.uncached(judged)])
    return joined(draw_table(headers, body) + _more(len(judged)), why)


def _models(checks: Sequence[Verdict]) -> str:
    """Show what differs between both models."""
    headers = ("check", "parameter", "released model", "candidate model")
    different = [
        (check.name, change.parameter, change.before, change.now)
        for check in checks
        for change in _different(check.compared)
    ]
    body = [
        [breakable(name_of(name)), name_of(parameter), escape(old, MODEL), escape(new, MODEL)]
        for name, parameter, old, new in different[:ROWS]
    ]
    return draw_table(headers, body) + _more(len(different))


def _different(compared: Compared) -> Iterator[Change]:
    """Yield each parameter that differs, or both models as a whole where they are of two kinds; then the features."""
    released, candidate = compared.released, compared.candidate
    if released and released != candidate:
        yield from changes(released, candidate) or (Change(MISSING, *_around(released, candidate)),)
    yield from changed_features(compared)


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
    scores = [
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
            fold_label(i, check.compared.folds),
            plain(metric, old),
            plain(metric, new),
            signed(metric, new - old),
        ]
        for check, metric, i, old, new in scores[:ROWS]
    ]
    return draw_table(("check", "metric", "fold", "baseline", "candidate", "delta"), body) + _more(len(scores))


def _bullets(lines: Sequence[str]) -> str:
    """Draw a list of sentences that are not escaped yet."""
    return "\n".join(f"- {escape(line)}" for line in lines[:ROWS]) + _more(len(lines))


def _more(rows: int) -> str:
    return f"\n\n... and {rows - ROWS:,} more." if rows > ROWS else ""


# The most important first: what there is no room for is left out from the end.
FOLDS: tuple[tuple[str, Fold], ...] = (
    ("The data moved: both models on both versions", _moved),
    ("Accepted losses that stand", _standing),
    ("Lost since an earlier recording", _drifts),
    ("How good the new baselines are as yardsticks", _quality),
    ("Rows that changed from right to wrong", _flips),
    ("Slices", _slices),
    ("What this data can tell: resolution, noise floor, dummy", _resolution),
    ("Environment: what changed since the baseline", _environment),
    ("Data version and fits", _data),
    ("Models that changed", _models),
    ("Fold by fold", _by_fold),
)
