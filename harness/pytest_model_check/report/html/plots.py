"""Charts -> pictures in SVG, by matplotlib where it is installed. The same numbers give the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_model_check.baselines.history import Recording
from pytest_model_check.report import history_plot
from pytest_model_check.report.drawing import styled
from pytest_model_check.report.html.markup import Html, html, tag
from pytest_model_check.report.text import cut, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MISSING = 'Plots need matplotlib: pip install "pytest-model-check[report]"'
INK, MUTED, LINE, BLUE, PAPER, NOTICE = (f"#00000{k}" for k in range(1, 7))


# matplotlib's colours become the page's, which follow the reader's theme
VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line", BLUE: "--candidate", PAPER: "--paper", NOTICE: "--notice"}

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that everybody gets the same bytes
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.handlelength": 2.4,
    "lines.linewidth": 1.8,
    "path.simplify": False,
}


# told apart by line and marker, not by colour alone
LOOKS: dict[str, dict[str, Any]] = {
    "approved": {
        "label": "baseline", "color": MUTED, "linestyle": (0, (4, 2)), "marker": "s", "markerfacecolor": PAPER,
    },
    "candidate": {"label": "candidate", "color": BLUE, "linestyle": "-", "marker": "o"},
}  # fmt: skip

SIZE = (4.4, 3.1)
NAME = 34  # characters of a name beside an axis


def roc(curve: Mapping[str, Any], prefix: str) -> Html:
    """Draw the ROC curves of both."""
    with _figure() as (figure, axes):
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=":")
        _curves(axes, curve)
        axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.02))
        return _svg(figure, prefix, "ROC curves of baseline and candidate; further up and left is better")


def precision_recall(curve: Mapping[str, Any], share: float, prefix: str) -> Html:
    """Draw the precision-recall curves of both; the dotted line is what guessing gets."""
    with _figure() as (figure, axes):
        axes.axhline(share, color=MUTED, linewidth=0.9, linestyle=":")
        _curves(axes, curve)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        return _svg(figure, prefix, "Precision-recall curves of baseline and candidate; further up and right is better")


def calibration(bins: Mapping[str, Any], positive: str, prefix: str) -> Html:
    """Draw how often the positive class came, against the probability given to it."""
    with _figure() as (figure, axes):
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=":")
        _points(axes, bins)
        axes.set(
            xlabel=f"probability given to {_short(positive)}",
            ylabel="share that came true",
            xlim=(-0.03, 1.03),
            ylim=(-0.03, 1.03),
        )
        return _svg(figure, prefix, "Calibration of baseline and candidate; closer to the dotted diagonal is better")


def deciles(bins: Mapping[str, Any], prefix: str) -> Html:
    """Draw the mean prediction of each tenth of the rows, by the actual value."""
    with _figure() as (figure, axes):
        values = [point[place] for side in bins.values() for point in side for place in (0, 1)]
        ends = [min(values), max(values)]
        axes.plot(ends, ends, color=MUTED, linewidth=0.9, linestyle=":")
        _points(axes, bins)
        axes.set(xlabel="mean of the actual values", ylabel="mean prediction")
        return _svg(figure, prefix, "Predicted against actual; closer to the dotted diagonal is better")


def residuals(bins: Mapping[str, Any], prefix: str) -> Html:
    """Draw how many predictions err by how much."""
    with _figure() as (figure, axes):
        for key, look in LOOKS.items():
            kind = {name: look[name] for name in ("label", "color", "linestyle")}
            axes.stairs([100 * share for share in bins[key]], bins["edges"], linewidth=1.8, **kind)
        axes.axvline(0, color=LINE, linewidth=1)
        axes.set(xlabel="predicted less actual", ylabel="% of predictions", ylim=(0, None))
        _legend(axes)
        return _svg(figure, prefix, "How far predictions are off, baseline and candidate; narrower is better")


def folds(metric: str, pairs: Sequence[tuple[float, float]], prefix: str, layout: Sequence[int] = ()) -> Html:
    """Draw each fold's two scores; `layout` says how many folds each repeat has."""
    with _figure() as (figure, axes):
        from matplotlib.ticker import MaxNLocator

        places = range(1, len(pairs) + 1)
        axes.vlines(places, [min(pair) for pair in pairs], [max(pair) for pair in pairs], color=LINE, linewidth=2)
        for k, look in enumerate(LOOKS.values()):
            axes.plot(places, [pair[k] for pair in pairs], **{**look, "linestyle": "none"}, markersize=5.5)
        axes.set(xlabel="fold", ylabel=f"{_short(metric)} (higher is better)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(layout) > 1:
            firsts = [1 + sum(layout[:repeat]) for repeat in range(len(layout))]
            shown = range(0, len(layout), -(-len(layout) // 8))  # as many as there is room for
            axes.set_xticks([firsts[k] for k in shown], [f"repeat {k + 1}" for k in shown])
            axes.set(xlabel="folds of each repeat")
        axes.margins(y=0.2)
        _legend(axes)
        return _svg(figure, prefix, f"{metric} in each fold, baseline and candidate; higher is better")


def history(metric: str, recordings: Sequence[Recording], prefix: str) -> Html:
    """Draw a metric's score from recording to recording, the oldest first; see `history_plot.panel`."""
    with _figure() as (figure, axes):
        history_plot.panel(axes, recordings, metric, history_plot.Colours(BLUE, MUTED, NOTICE))
        named = _named(recordings)
        axes.set_xticks(list(named), list(named.values()))
        axes.set(ylabel=f"{_short(metric)} (higher is better)", xlabel="recording of the baseline")
        axes.set_xlim(-0.5, len(recordings) - 0.5)
        axes.margins(y=0.15)
        _legend(axes, columns=1)
        return _svg(figure, prefix, f"{metric} of each recording of the baseline, with 95% intervals")


def _named(recordings: Sequence[Recording]) -> dict[int, str]:
    """Return the places to name, as many as there is room for, and the dates of the first and the last."""
    last = len(recordings) - 1
    places = range(last + 1) if last < 12 else (0, last // 2, last)
    dates = {place: commit.date[:10] for place in (0, last) if (commit := recordings[place].commit)}
    return {place: f"{recordings[place].baseline.generation}\n{dates.get(place, '')}" for place in places}


def _curves(axes: Axes, curve: Mapping[str, Any]) -> None:
    for key, look in LOOKS.items():
        axes.plot(curve["x"], curve[key], **{**look, "marker": ""})
    _legend(axes)


def _legend(axes: Axes, columns: int = 2) -> None:
    """Name what is drawn above the picture, where the names hide nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.1)


def _points(axes: Axes, bins: Mapping[str, Any]) -> None:
    for key, look in LOOKS.items():
        axes.plot([point[0] for point in bins[key]], [point[1] for point in bins[key]], **look, markersize=5.5)
    _legend(axes)


def _short(name: str) -> str:
    return cut(visible(name), NAME)


@contextmanager
def _figure() -> Iterator[tuple[Figure, Axes]]:
    with styled(STYLE):
        from matplotlib.figure import Figure

        figure = Figure(figsize=SIZE, layout="constrained")
        yield figure, figure.subplots()


def _svg(figure: Figure, prefix: str, title: str) -> Html:
    """Write a figure as a part of the page: no ids but its own, the page's colours and letters."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(buffer, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = buffer.getvalue()
    size = re.search(r'viewBox="([\d. ]+)"', text)
    assert size is not None
    inside = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    inside = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", inside, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="#|url\(#)([\w.-]+)', inside))
    inside = re.sub(r' id="([\w.-]+)"', lambda match: f' id="{prefix}-{match[1]}"' if match[1] in used else "", inside)
    inside = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}-", inside).replace("xlink:href", "href")
    for colour, variable in VARIABLES.items():
        inside = inside.replace(colour, f"var({variable})")
    inside = re.sub(r"(font: [^;\"]*?px) [^;\"]*", r"\1 system-ui, sans-serif", inside)
    inside = re.sub(r"\s*\n\s*", "\n", inside)
    return Html(
        f'<svg class="plot" viewBox="{size[1]}" role="img" aria-labelledby="{prefix}-title">'
        f"{tag('title', html(title), id=f'{prefix}-title')}{inside}</svg>"
    )
