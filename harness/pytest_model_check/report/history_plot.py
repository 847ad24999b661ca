"""The history of baselines -> a picture: skill with its intervals, recording by recording. Needs matplotlib."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pytest_model_check.baselines.history import History, Recording
from pytest_model_check.baselines.record import BaselineMetric
from pytest_model_check.errors import ModelCheckError
from pytest_model_check.judgement.numbers import number
from pytest_model_check.report.history_table import Z, moved, places_of
from pytest_model_check.report.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes


Points = Sequence[tuple[int, BaselineMetric]]  # by the recording's place
FORMATS = ("png", "svg")
INK, DATA, LOSS = "#1f5fa8", "#767676", "#b3391f"


class NoMatplotlibError(ModelCheckError):
    """The extra that draws is not installed."""


def draw(histories: Sequence[History], form: str) -> bytes:
    """Draw one panel per metric: score and 95% interval by recording, the dummy, data moves and accepted losses.

    Scores are points, and lines join them only on the same data: what lies either side of a move can't be compared.

    Parameters
    ----------
    histories : sequence of History
        With a recording at least.
    form : {'png', 'svg'}
        What to give.

    Raises
    ------
    NoMatplotlibError
        With the command that installs it.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoMatplotlibError(
            "a plot needs matplotlib, which is not installed", "pip install 'pytest-model-check[report]'"
        ) from error

    panels = [
        (history, metric)
        for history in histories
        for metric in dict.fromkeys(name for one in history.recordings for name in one.baseline.metrics)
    ]
    widest = max(len(history.recordings) for history in histories)
    style: Any = {"svg.hashsalt": "model-check", "svg.fonttype": "none", "text.parse_math": False}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name has letters which the font lacks
        figure = Figure(figsize=(max(6.4, 1.0 + 0.9 * widest), 3.2 * len(panels)), layout="constrained")
        FigureCanvasAgg(figure)
        for position, (history, metric) in enumerate(panels):
            _panel(figure.add_subplot(len(panels), 1, position + 1), history, metric)
        written = BytesIO()
        metadata = {"Date": None} if form == "svg" else {"Software": None}  # the same picture for the same history
        figure.savefig(written, format=form, dpi=150, metadata=metadata)
    return written.getvalue()


def inline(history: History) -> str:
    """Draw one history as SVG that can stand in a page.

    Raises
    ------
    NoMatplotlibError
        With the command that installs it.
    """
    drawn = draw([history], "svg").decode("utf-8")
    return re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL).rstrip()


def _panel(axes: Axes, history: History, metric: str) -> None:
    recordings = history.recordings
    shown = [(i, one.baseline.metrics[metric]) for i, one in enumerate(recordings) if metric in one.baseline.metrics]
    breaks = [i for i, fresh in enumerate(moved(recordings)) if fresh]
    for part in _parts(shown, breaks):
        at = [i for i, _ in part]
        axes.errorbar(
            at,
            [one.score for _, one in part],
            yerr=[Z * one.standard_error for _, one in part],
            fmt="o-",
            color=INK,
            linewidth=1,
            capsize=3,
            label="score, 95% interval" if part[0] == shown[0] else None,
        )
    for i in breaks:
        axes.axvline(
            i - 0.5, color=DATA, linestyle=":", label="the data moved: not comparable" if i == breaks[0] else None
        )
    lost = [(i, one.score) for i, one in shown if recordings[i].reasons]
    if lost:
        axes.plot(*zip(*lost, strict=True), "s", color=LOSS, markersize=11, fillstyle="none", label="accepted loss")
    _dummy(axes, shown)
    axes.set_title(f"{visible(history.name)}: {visible(metric)}", loc="left", fontsize=10)
    axes.set_ylabel(f"{visible(metric)} (higher is better)", fontsize=8)
    axes.set_xlabel("recording, date, commit", fontsize=8)
    axes.set_xticks(range(len(recordings)), [_tick(one) for one in recordings], fontsize=7)
    axes.tick_params(axis="y", labelsize=8)
    axes.margins(x=0.1)
    axes.legend(fontsize=7, frameon=False, loc="best")
    axes.spines[["top", "right"]].set_visible(False)


def _parts(shown: Points, breaks: Sequence[int]) -> list[list[tuple[int, BaselineMetric]]]:
    """Cut a line where the data moved."""
    edges = [0, *breaks, shown[-1][0] + 1]
    parts = [[one for one in shown if low <= one[0] < high] for low, high in pairwise(edges)]
    return [part for part in parts if part]


def _dummy(axes: Any, shown: Points) -> None:
    """Draw what the dummy scores; where that is so far below that the scores would be one line, say it in words."""
    dummies = {i: one.noise_reference.dummy for i, one in shown if one.noise_reference.dummy is not None}
    if not dummies:
        return
    low, high = axes.get_ylim()
    if min(dummies.values()) >= low - 3 * (high - low):
        axes.plot(
            *zip(*dummies.items(), strict=True), "_", color=DATA, markersize=18, label="dummy, looks at no feature"
        )
        return
    latest = shown[-1][1]
    dummy = number(latest.noise_reference.dummy, places_of(latest))
    axes.plot([], [], " ", label=f"dummy: {dummy}, far below this axis")


def _tick(one: Recording) -> str:
    if one.commit is None:
        return f"{one.baseline.generation}\nnot committed"
    return f"{one.baseline.generation}\n{one.commit.date[:10]}\n{one.commit.sha[:7]}"
