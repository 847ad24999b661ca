"""One check -> what the models answered and how skill went, as pictures, and as tables of the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from pytest_model_check.baselines.history import Recording
from pytest_model_check.baselines.record import BaselineMetric
from pytest_model_check.judgement.numbers import MISSING, fold_label, plain, signed
from pytest_model_check.judgement.verdicts import MetricVerdict, Verdict, worst_first
from pytest_model_check.report import history_plot
from pytest_model_check.report.drawing import available
from pytest_model_check.report.html import plots
from pytest_model_check.report.html.markup import Html, details, table, tag

SIDES = (("approved", "Baseline"), ("candidate", "Candidate"))


def pictures(verdict: Verdict, name: str) -> Iterator[Html]:
    """Draw what the models answered, and show the same numbers as tables."""
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
        picture = plots.folds(metric.metric, metric.folds, f"{name}-folds", verdict.compared.folds)
        yield _figure(f"{metric.metric}, fold by fold", picture)
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
    """Return the metrics whose every fold has both scores."""
    whole = [metric for metric in verdict.metrics if metric.folds and metric.slice is None]
    return worst_first([metric for metric in whole if _complete(metric.folds)])


def _complete(folds: Sequence[tuple[float | None, float | None]]) -> bool:
    return all(score is not None and isfinite(score) for pair in folds for score in pair)


def _figure(caption: str, picture: Html) -> Html:
    return tag("figure", tag("figcaption", caption), picture)


def _confusion(verdict: Verdict, matrix: Mapping[str, Any] | None) -> Iterator[Html]:
    if matrix is None:
        return
    yield tag("h3", "Which class was taken for which")
    labels = matrix["labels"]
    legend = "Rows by actual class (down) and predicted class (across); a stronger colour is a larger share of a class."
    if matrix["others"]:
        legend += f" The largest classes are named, the {matrix['others']} smallest are “other”."
    if verdict.compared.protocol.get("sample_weight"):
        legend += " A row counts by its sample weight, of which the mean is 1."
    yield tag("p", legend)
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
        row = [fold_label(k, verdict.compared.folds)]
        for metric in judged:
            if k < len(metric.folds):
                old, new = metric.folds[k]
                row += [
                    plain(metric, old),
                    plain(metric, new),
                    signed(metric, new - old),
                ]
            else:
                row += [MISSING] * 3
        body.append(row)
    yield table(f"{verdict.name}: fold by fold", headers, body, numbers=range(1, len(headers)), stacked=True)


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
    yield table(
        f"{verdict.name}: recordings of the baseline", headers, body, numbers=range(3, 3 + len(known)), stacked=True
    )


def _with_error(metric: BaselineMetric | None) -> str:
    if metric is None:
        return MISSING
    like = MetricVerdict("", "recorded", candidate=metric.score, margin=metric.standard_error or None)
    return f"{plain(like, metric.score)} ± {plain(like, metric.standard_error)}"
