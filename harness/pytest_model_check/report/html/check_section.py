"""One check -> the evidence that the page shows for it: tables, and pictures where they can be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from pytest_model_check.baselines.history import Recording
from pytest_model_check.baselines.record import BaselineMetric
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.numbers import MISSING, decimals, duration, interval, number, percentage
from pytest_model_check.judgement.verdicts import PASSING, WORST_FIRST, MetricVerdict, ScoreGrid, Verdict
from pytest_model_check.report import history_plot
from pytest_model_check.report.drawing import available
from pytest_model_check.report.html import forest, plots
from pytest_model_check.report.html.forest import Bar, Scale
from pytest_model_check.report.html.markup import Html, details, table, tag

MARKS = {"passes": "✓", "fails": "✗", "accepted": "!", "idle": "·"}
SIDES = (("approved", "Baseline"), ("candidate", "Candidate"))


def worst_first(metrics: Sequence[MetricVerdict]) -> list[MetricVerdict]:
    """Put what fails on top."""
    return sorted(metrics, key=lambda metric: WORST_FIRST.index(metric.verdict))


def badge(label: str, kind: str) -> Html:
    """Give a verdict with a mark, so that it is not told by colour alone."""
    return tag("span", tag("span", f"{MARKS[kind]} ", aria_hidden="true"), label, class_=f"badge {kind}")


def paint(metric: MetricVerdict) -> str:
    """Say whether a metric passes, fails, or decides nothing: how it is painted."""
    return "passes" if metric.verdict in PASSING else "fails" if metric.decides else "idle"


def bar(metric: MetricVerdict) -> Bar | None:
    """Give what is drawn of a metric: the bounds that were judged."""
    told = (
        f"change {_signed(metric, metric.delta)}, interval {interval(metric)}, margin {_plain(metric, metric.margin)}"
    )
    return Bar.of(metric.delta, metric.low, metric.high, metric.margin, told, kind=paint(metric))


def metrics(verdict: Verdict) -> Iterator[Html]:
    """Show every metric against its margin, and against the anchor where losses could add up."""
    whole = worst_first([metric for metric in verdict.metrics if metric.slice is None])
    if not whole:
        return
    yield tag("h3", "Every metric against its margin")
    yield _forest(f"{verdict.name}: every metric against its margin", "Metric", whole, lambda metric: metric.metric)
    for metric in whole:
        if metric.reason:
            yield tag("p", f"{metric.metric}: {metric.reason}.".replace("..", "."), class_="note")
    if drifting := [metric for metric in whole if metric.drift is not None]:
        yield tag("h3", "What small losses add up to")
        yield tag("p", "Against the anchor: the first baseline, or the last one that was better than the one before.")
        yield _drift(verdict, drifting)


def _forest(caption: str, first: str, shown: Sequence[MetricVerdict], names: Any) -> Html:
    bars = [bar(metric) for metric in shown]
    scale = Scale.of(bars)
    headers = (first, "Verdict", "Baseline", "Candidate", "Change", forest.header(scale), "Low to high", "Margin")
    body = [
        [
            names(metric),
            badge(metric.verdict, paint(metric)),
            _plain(metric, metric.baseline),
            _plain(metric, metric.candidate),
            _signed(metric, metric.delta),
            forest.draw(one, scale) if one else "",
            MISSING if metric.verdict == "identical" else interval(metric),
            _plain(metric, metric.margin),
        ]
        for metric, one in zip(shown, bars, strict=True)
    ]
    return table(caption, headers, body, numbers=(2, 3, 4, 6, 7), hidden=True)


def _drift(verdict: Verdict, drifting: Sequence[MetricVerdict]) -> Html:
    bars, body = [], []
    for metric in drifting:
        drift = metric.drift
        assert drift is not None
        between = f"{_signed(metric, drift.low)} to {_signed(metric, drift.high)}"
        told = (
            f"change {_signed(metric, drift.delta)}, interval {between}, margin in all {_plain(metric, drift.margin)}"
        )
        kind = "fails" if drift.low <= -drift.margin else "passes"
        bars.append(Bar.of(drift.delta, drift.low, drift.high, drift.margin, told, kind=kind))
        numbers = [_plain(metric, drift.score), _signed(metric, drift.delta), "", between, _plain(metric, drift.margin)]
        body.append([metric.metric, str(drift.since), *numbers])
    scale = Scale.of(bars)
    for row, one in zip(body, bars, strict=True):
        row[4] = forest.draw(one, scale) if one else ""
    headers = ("Metric", "Since recording", "Anchor", "Change", forest.header(scale), "Low to high", "Margin in all")
    caption = f"{verdict.name}: change since the anchor"
    return table(caption, headers, body, numbers=(1, 2, 3, 5, 6), hidden=True)


def slices(verdict: Verdict) -> Iterator[Html]:
    """Show the slices, the greatest loss first, by metric."""
    names = dict.fromkeys(metric.metric for metric in verdict.metrics if metric.slice is not None)
    if names:
        yield tag("p", "A slice only ever raises an alarm: what can't be told of it does not block.", class_="note")
    for name in names:
        shown = [metric for metric in verdict.metrics if metric.slice is not None and metric.metric == name]
        shown.sort(key=lambda metric: metric.delta if metric.delta is not None else 0.0)
        yield tag("h3", f"{name} by slice, greatest loss first")
        yield _forest(f"{verdict.name}: {name} by slice", "Slice", shown, lambda metric: metric.slice)


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
        ["Approved model", _plain(like, grid.old_old), _plain(like, grid.old_new)],
        ["Candidate", _plain(like, grid.new_old), _plain(like, grid.new_new)],
    ]
    told = []
    if grid.old_old is not None and grid.old_new is not None:
        told.append(f"New data, same model: {_signed(like, grid.old_new - grid.old_old)}.")
    if grid.new_new is not None and grid.old_new is not None:
        told.append(f"New model, same data: {_signed(like, grid.new_new - grid.old_new)}.")
    caption = f"{grid.metric}, both models on both versions of the data"
    return tag("div", table(caption, ("Model", "Old data", "New data"), body, numbers=(1, 2)), tag("p", " ".join(told)))


def rows(verdict: Verdict) -> Iterator[Html]:
    """Say which rows changed from right to wrong, and which lost most: by position, never by content."""
    lost = [metric for metric in verdict.metrics if metric.losses]
    changed = verdict.differences.changed_rows
    if not (changed and changed.count) and not lost:
        return
    yield tag("h3", "Rows that changed" if changed else "Rows that lost most")
    if changed and changed.count:
        yield tag("p", explain.changed_rows(changed))
    if lost:
        yield tag("ul", *(tag("li", f"{one.label} lost most on {explain.named(one.losses)}.") for one in lost))


def pictures(verdict: Verdict, name: str) -> Iterator[Html]:
    """Draw what the models answered, and give the same numbers as tables."""
    charts, drawn = verdict.differences.charts, available()
    figures = list(_figures(verdict, name)) if drawn else []
    if figures:
        yield tag("div", *figures, class_="figures")
    yield from _confusion(verdict, charts.get("confusion"))
    tables = [*_folds(verdict), *_numbers(verdict, charts)]
    if not drawn and tables:
        yield tag("p", plots.MISSING, class_="note")
    if tables:
        yield details("The numbers behind the plots" if drawn else "The numbers, as tables", *tables, opened=not drawn)


def _figures(verdict: Verdict, name: str) -> Iterator[Html]:
    charts = verdict.differences.charts
    metric = next(iter(_with_folds(verdict)), None)
    if metric is not None and len(metric.folds) > 1:
        yield _figure(f"{metric.metric}, fold by fold", plots.folds(metric.metric, metric.folds, f"{name}-folds"))
    if "roc" in charts:
        yield _figure("ROC, averaged over folds", plots.roc(charts["roc"], f"{name}-roc"))
    if "precision_recall" in charts:
        picture = plots.precision_recall(charts["precision_recall"], charts["share"], f"{name}-pr")
        yield _figure("Precision and recall, averaged over folds", picture)
    if any(charts.get("calibration", {}).values()):
        picture = plots.calibration(charts["calibration"], charts["positive"], f"{name}-calibration")
        yield _figure("Calibration", picture)
    if "deciles" in charts:
        yield _figure("Predicted against actual", plots.deciles(charts["deciles"], f"{name}-deciles"))
    if "residuals" in charts:
        yield _figure("Residuals", plots.residuals(charts["residuals"], f"{name}-residuals"))


def _with_folds(verdict: Verdict) -> list[MetricVerdict]:
    """Give the metrics whose every fold has both scores."""
    return worst_first([one for one in verdict.metrics if one.folds and one.slice is None and _complete(one.folds)])


def _complete(folds: Sequence[tuple[float | None, float | None]]) -> bool:
    return all(score is not None and isfinite(score) for pair in folds for score in pair)


def _figure(caption: str, picture: Html) -> Html:
    return tag("figure", tag("figcaption", caption), picture)


def _confusion(verdict: Verdict, matrix: Mapping[str, Any] | None) -> Iterator[Html]:
    if matrix is None:
        return
    yield tag("h3", "Which class was taken for which")
    labels = matrix["labels"]
    told = "Rows by actual class (down) and predicted class (across); a stronger colour is a larger share of the class."
    if matrix["others"]:
        told += f" The largest classes are named, the {matrix['others']} smallest are “other”."
    yield tag("p", told)
    sides = []
    for key, side in SIDES:
        body = []
        for label, counts in zip(labels, matrix[key], strict=True):
            total = sum(counts) or 1.0
            body.append([label, *(_shaded(count, count / total) for count in counts)])
        headers = (tag("span", "actual ↓", tag("br"), "predicted →", class_="axis"), *labels)
        caption = f"{side}, actual class by predicted class"
        sides.append(table(caption, headers, body, numbers=range(1, len(labels) + 1)))
    yield tag("div", *sides, class_="matrices")
    yield _answers(verdict)


def _shaded(count: float, share: float) -> Html:
    return tag("span", _counted(count), class_="shade", style=f"--s:{50 * share:.0f}%")


def _counted(count: float) -> str:
    return f"{count:,.0f}" if float(count).is_integer() else f"{count:,.1f}"


def _answers(verdict: Verdict) -> Html:
    seeds, repeats = verdict.differences.charts.get("seeds", 1), verdict.differences.charts.get("repeats", 1)
    if seeds * repeats == 1:
        return Html()
    parts = [f"{n} {word}s" for n, word in ((seeds, "seed"), (repeats, "repeat")) if n > 1]
    return tag("p", f"A mean over {' and '.join(parts)}.", class_="note")


def _folds(verdict: Verdict) -> Iterator[Html]:
    judged = _with_folds(verdict)
    if not judged:
        return
    headers = ["Fold"]
    for metric in judged:
        headers += [f"{metric.metric}: baseline", f"{metric.metric}: candidate", f"{metric.metric}: change"]
    body = []
    for k in range(max(len(metric.folds) for metric in judged)):
        row = [str(k + 1)]
        for metric in judged:
            if k < len(metric.folds):
                old, new = metric.folds[k]
                row += [_plain(metric, old), _plain(metric, new), _signed(metric, new - old)]
            else:
                row += [MISSING] * 3
        body.append(row)
    yield table(f"{verdict.name}: fold by fold", headers, body, numbers=range(1, len(headers)))


def _numbers(verdict: Verdict, charts: Mapping[str, Any]) -> Iterator[Html]:
    positive = charts.get("positive")
    for kind, place in (("roc", "False positive rate"), ("precision_recall", "Recall")):
        if kind in charts:
            curve = charts[kind]
            value = "true positive rate" if kind == "roc" else "precision"
            body = [
                [f"{curve['x'][k]:.2f}", f"{curve['approved'][k]:.3f}", f"{curve['candidate'][k]:.3f}"]
                for k in sorted({round(step * (len(curve["x"]) - 1) / 10) for step in range(11)})
            ]
            caption = f"{verdict.name}: {'ROC' if kind == 'roc' else 'precision and recall'} of class {positive}"
            yield table(caption, (place, f"Baseline: {value}", f"Candidate: {value}"), body, numbers=(0, 1, 2))
    for key, side in SIDES:
        if charts.get("calibration", {}).get(key):
            body = [[f"{x:.3f}", f"{y:.3f}", f"{count:,}"] for x, y, count in charts["calibration"][key]]
            headers = (f"Probability given to {positive}", "Share that came true", "Rows")
            yield table(f"{verdict.name}: calibration, {side.lower()}", headers, body, numbers=(0, 1, 2))
        if charts.get("deciles", {}).get(key):
            body = [[f"{x:.5g}", f"{y:.5g}", f"{count:,}"] for x, y, count in charts["deciles"][key]]
            headers = ("Mean of the actual values", "Mean prediction", "Rows")
            yield table(f"{verdict.name}: predicted against actual, {side.lower()}", headers, body, numbers=(0, 1, 2))
    if "residuals" in charts:
        bins = charts["residuals"]
        ends = [f"{edge:.5g}" for edge in bins["edges"]]
        body = [
            [f"{ends[k]} to {ends[k + 1]}", f"{bins['approved'][k]:.1%}", f"{bins['candidate'][k]:.1%}"]
            for k in range(len(ends) - 1)
        ]
        headers = ("Predicted less actual", "Baseline", "Candidate")
        yield table(f"{verdict.name}: residuals; what lies further out is at the ends", headers, body, numbers=(1, 2))


def history(verdict: Verdict, recordings: Sequence[Recording], name: str) -> Iterator[Html]:
    """Show how skill went from recording to recording."""
    if not recordings:
        return
    known = history_plot.metrics_of(recordings)
    if available():
        figures = [
            _figure(f"{metric}, recording by recording", plots.history(metric, recordings, f"{name}-history-{k}"))
            for k, metric in enumerate(known)
            if sum(metric in each.baseline.metrics for each in recordings) > 1
        ]
        if figures:
            yield tag("div", *figures, class_="figures")
    body = []
    for each in recordings:
        commit = (each.commit.date[:10], each.commit.sha[:10]) if each.commit else (MISSING, MISSING)
        scores = [_with_error(each.baseline.metrics.get(metric)) for metric in known]
        body.append([str(each.baseline.generation), *commit, *scores, "; ".join(each.reasons)])
    headers = ("Recording", "Date", "Commit", *(f"{metric} ± standard error" for metric in known), "Accepted because")
    yield table(f"{verdict.name}: recordings of the baseline", headers, body, numbers=range(3, 3 + len(known)))


def _with_error(metric: BaselineMetric | None) -> str:
    if metric is None:
        return MISSING
    like = MetricVerdict("", "recorded", candidate=metric.score, margin=metric.standard_error or None)
    return f"{_plain(like, metric.score)} ± {_plain(like, metric.standard_error)}"


def protocol(verdict: Verdict) -> Iterator[Html]:
    """Say what was compared, on which data, how, and how finely it can be told."""
    compared, data, cost = verdict.compared, verdict.compared.data, verdict.cost
    terms = [("Test", verdict.nodeid)]
    if data.path:
        terms.append(("Data", f"{data.path}, {data.rows:,} rows, md5 {data.md5}"))
    if compared.released:
        terms.append(("Approved model", compared.released))
    if compared.candidate:
        terms.append(("Candidate", compared.candidate))
    if compared.recording:
        reuse = f"replaced {compared.reused:,} times on this version of the data" if compared.reused else ""
        terms.append(("Baseline", ", ".join(part for part in (f"recording {compared.recording}", reuse) if part)))
    terms += [(key, _said(value)) for key, value in compared.protocol.items() if value not in (None, [], ())]
    terms.append(("Cost", f"{cost.fits:,} fit{'s' * (cost.fits != 1)} in {duration(cost.seconds)}"))
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
                *(_plain(metric, x) for x in (metric.resolution, metric.resolution_reused, metric.floor)),
                _plain(metric, metric.dummy),
                percentage(metric.probability_inconclusive),
                MISSING if metric.seeds is None else str(metric.seeds),
            ]
            for metric in judged
        ]
        headers = (
            "Metric", "Resolution", "Resolution, all comparisons together", "Noise floor", "Dummy scores",
            "Equally good models blocked", "Seeds",
        )  # fmt: skip
        yield table(f"{verdict.name}: resolution", headers, body, numbers=range(1, 7), hidden=True)


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _terms(pairs: Sequence[tuple[str, str]]) -> Html:
    return tag("dl", *(tag("div", tag("dt", term), tag("dd", told)) for term, told in pairs))


def _plain(metric: MetricVerdict, value: float | None) -> str:
    return number(value, decimals(metric))


def _signed(metric: MetricVerdict, value: float | None) -> str:
    return number(value, decimals(metric), sign=True)
