"""One check -> what the page tells of it: metrics, slices, data that moved, changed rows, and what was compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pytest_model_check.judgement import explain
from pytest_model_check.judgement.compared import ScoreGrid
from pytest_model_check.judgement.numbers import MISSING, between, decimals, interval, percentage, plain, signed
from pytest_model_check.judgement.verdicts import PASSING, MetricVerdict, Verdict, worst_first
from pytest_model_check.report import model_changes, sentences
from pytest_model_check.report.html import forest
from pytest_model_check.report.html.forest import Bar, Scale
from pytest_model_check.report.html.markup import Html, breakable, table, tag

MARKS = {"passes": "✓", "fails": "✗", "accepted": "!", "idle": "·"}


def badge(label: str, kind: str) -> Html:
    """Return a verdict with a mark, so that it is not told by colour alone."""
    return tag("span", tag("span", f"{MARKS[kind]} ", aria_hidden="true"), label, class_=f"badge {kind}")


def paint(metric: MetricVerdict) -> str:
    """Whether a metric passes, fails, or decides nothing: how it is painted."""
    return "passes" if metric.verdict in PASSING else "fails" if metric.decides else "idle"


def bar(metric: MetricVerdict) -> Bar | None:
    """Return what is drawn of a metric: the bounds that were judged."""
    words = f"change {signed(metric, metric.delta)}, interval {interval(metric)}, margin {plain(metric, metric.margin)}"
    return Bar.of(metric.delta, metric.low, metric.high, metric.margin, words, kind=paint(metric))


def metrics(verdict: Verdict) -> Iterator[Html]:
    """Show every metric against its margin, and against the anchor where losses could add up."""
    whole = worst_first([metric for metric in verdict.metrics if metric.slice is None])
    if not whole:
        return
    yield tag("h3", "Every metric against its margin")
    yield metric_table(
        f"{verdict.name}: every metric against its margin", "Metric", whole, lambda metric: breakable(metric.metric)
    )
    for metric in whole:
        if metric.reason:
            yield tag("p", f"{metric.metric}: {metric.reason}.".replace("..", "."), class_="note")
    if drifting := [metric for metric in whole if metric.drift is not None]:
        yield tag("h3", "What small losses add up to")
        yield tag("p", "Against the anchor: the first baseline, or the last one that was better than the one before.")
        yield _drift(verdict, drifting)


def metric_table(caption: str, first: str, shown: Sequence[MetricVerdict], names: Any) -> Html:
    """Return the table of some metrics on one scale; `first` heads the column in which `names` says which they are."""
    bars = [bar(metric) for metric in shown]
    scale = Scale.of(bars)
    headers = (first, "Verdict", "Baseline", "Candidate", "Change", forest.header(scale), "Low to high", "Margin")
    body = [
        [
            names(metric),
            badge(metric.verdict, paint(metric)),
            plain(metric, metric.baseline),
            plain(metric, metric.candidate),
            signed(metric, metric.delta),
            forest.draw(drawn, scale) if drawn else "",
            MISSING if metric.verdict == "identical" else interval(metric),
            plain(metric, metric.margin),
        ]
        for metric, drawn in zip(shown, bars, strict=True)
    ]
    return table(caption, headers, body, numbers=(2, 3, 4, 6, 7), hidden=True, stacked=True)


def _drift(verdict: Verdict, drifting: Sequence[MetricVerdict]) -> Html:
    bars, body = [], []
    for metric in drifting:
        drift = metric.drift
        assert drift is not None
        bounds = between(drift.low, drift.high, decimals(metric), sign=True)
        words = f"change {signed(metric, drift.delta)}, interval {bounds}, margin in all {plain(metric, drift.margin)}"
        kind = "fails" if drift.low <= -drift.margin else "passes"
        bars.append(Bar.of(drift.delta, drift.low, drift.high, drift.margin, words, kind=kind))
        score, delta, margin = plain(metric, drift.score), signed(metric, drift.delta), plain(metric, drift.margin)
        body.append([metric.metric, str(drift.since), score, delta, "", bounds, margin])
    scale = Scale.of(bars)
    for row, drawn in zip(body, bars, strict=True):
        row[4] = forest.draw(drawn, scale) if drawn else ""
    headers = ("Metric", "Since recording", "Anchor", "Change", forest.header(scale), "Low to high", "Margin in all")
    caption = f"{verdict.name}: change since the anchor"
    return table(caption, headers, body, numbers=(1, 2, 3, 5, 6), hidden=True, stacked=True)


def slices(verdict: Verdict) -> Iterator[Html]:
    """Show the slices, the greatest loss first, by metric."""
    names = dict.fromkeys(metric.metric for metric in verdict.metrics if metric.slice is not None)
    if names:
        yield tag("p", "A slice only ever raises an alarm: what can't be told of it does not block.", class_="note")
    for name in names:
        shown = [metric for metric in verdict.metrics if metric.slice is not None and metric.metric == name]
        shown.sort(key=lambda metric: metric.delta if metric.delta is not None else 0.0)
        yield tag("h3", f"{name} by slice, greatest loss first")
        yield metric_table(f"{verdict.name}: {name} by slice", "Slice", shown, lambda metric: metric.slice)


def moved(verdict: Verdict) -> Iterator[Html]:
    """Show both models on both versions of the data, where it moved."""
    if verdict.differences.moved is None:
        return
    move = verdict.differences.moved
    yield tag("h3", "The data has moved")
    yield tag(
        "p",
        f"The baseline is of other data, so the approved model (its code as of {move.commit[:10]}) was measured anew "
        "on the new data, and the candidate is held against that.",
    )
    yield _terms([("Old data", move.before), ("New data", move.after)])
    yield tag("div", *(_corner(verdict, grid) for grid in move.score_grids), class_="corners")
    if move.reason:
        yield tag("p", move.reason, class_="note")


def _corner(verdict: Verdict, grid: ScoreGrid) -> Html:
    like = next((m for m in verdict.metrics if m.metric == grid.metric and m.slice is None), None)
    like = like or MetricVerdict(grid.metric, "reported", baseline=grid.old_new, candidate=grid.new_new)
    body = [
        ["Approved model", plain(like, grid.old_old), plain(like, grid.old_new)],
        ["Candidate", plain(like, grid.new_old), plain(like, grid.new_new)],
    ]
    changes = []
    if grid.old_old is not None and grid.old_new is not None:
        changes.append(f"New data, same model: {signed(like, grid.old_new - grid.old_old)}.")
    if grid.new_new is not None and grid.old_new is not None:
        changes.append(f"New model, same data: {signed(like, grid.new_new - grid.old_new)}.")
    caption = f"{grid.metric}, both models on both versions of the data"
    scores = table(caption, ("Model", "Old data", "New data"), body, numbers=(1, 2))
    return tag("div", scores, tag("p", " ".join(changes)))


def quality(verdict: Verdict) -> Iterator[Html]:
    """Show how good the new baseline is as a yardstick."""
    if lines := sentences.quality(verdict):
        yield tag("h3", "How good the new baseline is as a yardstick")
        yield tag("ul", *(tag("li", line) for line in lines))


def rows(verdict: Verdict) -> Iterator[Html]:
    """Name the rows that changed from right to wrong, and which lost most: by position, never by content."""
    lost = [metric for metric in verdict.metrics if metric.losses]
    changed = verdict.differences.changed_rows
    if not (changed and changed.count) and not lost:
        return
    yield tag("h3", "Rows that changed" if changed else "Rows that lost most")
    if changed and changed.count:
        yield tag("p", explain.changed_rows(changed))
    if lost:
        yield tag("ul", *(tag("li", f"{metric.label} lost most on {explain.named(metric.losses)}.") for metric in lost))


def protocol(verdict: Verdict) -> Iterator[Html]:
    """Show what was compared, on which data, how, and how finely it can be told."""
    compared, data = verdict.compared, verdict.compared.data
    terms = [("Test", verdict.nodeid)]
    if data.path:
        terms.append(("Data", sentences.version(data)))
    if compared.released:
        terms.append(("Approved model", compared.released))
    if compared.candidate:
        terms.append(("Candidate", compared.candidate))
    if changed := model_changes.in_words(compared):
        terms.append(("Changed", changed))
    if compared.recording:
        reuse = f"replaced {sentences.replaced(compared.reused)}" if compared.reused else ""
        terms.append(("Baseline", ", ".join(part for part in (f"recording {compared.recording}", reuse) if part)))
    terms += [(key, _said(value)) for key, value in compared.protocol.items() if value not in (None, [], ())]
    terms.append(("Cost", sentences.effort([verdict])))
    yield _terms(terms)
    if compared.environment:
        yield tag("h3", "Versions that differ from when the baseline was recorded")
        yield table(f"{verdict.name}: versions", ("Package", "Then", "Now"), compared.environment, hidden=True)
    judged = [metric for metric in verdict.metrics if metric.slice is None and metric.resolution is not None]
    if judged:
        yield tag("h3", "How small a loss can be told from none")
        body = [
            [
                metric.metric,
                *(plain(metric, x) for x in (metric.resolution, metric.resolution_reused, metric.floor)),
                plain(metric, metric.dummy),
                percentage(metric.probability_inconclusive),
                MISSING if metric.seeds is None else str(metric.seeds),
            ]
            for metric in judged
        ]
        headers = (
            "Metric", "Resolution", "Resolution, all comparisons together", "Noise floor", "Dummy scores",
            "Equally good models blocked", "Seeds",
        )  # fmt: skip
        yield table(f"{verdict.name}: resolution", headers, body, numbers=range(1, 7), hidden=True, stacked=True)


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _terms(pairs: Sequence[tuple[str, str]]) -> Html:
    return tag("dl", *(tag("div", tag("dt", term), tag("dd", description)) for term, description in pairs))
