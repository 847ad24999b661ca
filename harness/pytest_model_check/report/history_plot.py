"""The history of a baseline -> a picture: skill with its intervals, recording by recording. Needs matplotlib."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pytest_model_check.baselines.history import History, Recording
from pytest_model_check.baselines.record import BaselineMetric
from pytest_model_check.judgement.numbers import number
from pytest_model_check.report.drawing import styled
from pytest_model_check.report.history_table import Z, moved, places_of
from pytest_model_check.report.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = Sequence[tuple[int, BaselineMetric]]  # by the recording's place
FORMATS = ("png", "svg")
STYLE: Mapping[str, Any] = {
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 8,
    "legend.fontsize": 7,
}


@dataclass(frozen=True)
class Colours:
    """Of the scores, of what is beside them, and of the losses that were accepted."""

    score: str = "#1f5fa8"
    aside: str = "#767676"
    loss: str = "#b3391f"


def draw(histories: Sequence[History], form: str) -> bytes:
    """Draw one panel for each metric of each baseline.

    Parameters
    ----------
    histories : sequence of History
        With a recording at least.
    form : {'png', 'svg'}
        What to return.

    Raises
    ------
    NoMatplotlibError
        With the command that installs it.
    """
    panels = [(history, metric) for history in histories for metric in metrics_of(history.recordings)]
    widest = max(len(history.recordings) for history in histories)
    with styled(STYLE):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(max(6.4, 1.0 + 0.9 * widest), 3.2 * len(panels)), layout="constrained")
        FigureCanvasAgg(figure)
        for position, (history, metric) in enumerate(panels):
            axes = figure.add_subplot(len(panels), 1, position + 1)
            panel(axes, history.recordings, metric, Colours())
            axes.set_title(f"{visible(history.name)}: {visible(metric)}")
            axes.set(ylabel=f"{visible(metric)} (higher is better)", xlabel="recording, date, commit")
            axes.set_xticks(range(len(history.recordings)), [_tick(each) for each in history.recordings])
            axes.legend(loc="best")
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


def metrics_of(recordings: Sequence[Recording]) -> list[str]:
    """Name the metrics that some recording has, in the order in which they came."""
    return list(dict.fromkeys(name for each in recordings for name in each.baseline.metrics))


def panel(axes: Axes, recordings: Sequence[Recording], metric: str, colours: Colours) -> None:
    """Draw score and 95% interval of a metric by recording, the dummy, data moves and accepted losses.

    Scores are points, and lines join them only on the same data: what lies either side of a move can't be compared.
    """
    shown = [
        (place, each.baseline.metrics[metric])
        for place, each in enumerate(recordings)
        if metric in each.baseline.metrics
    ]
    breaks = [place for place, fresh in enumerate(moved(recordings)) if fresh]
    for part in _parts(shown, breaks):
        axes.errorbar(
            [place for place, _ in part],
            [each.score for _, each in part],
            yerr=[Z * each.standard_error for _, each in part],
            fmt="o-",
            color=colours.score,
            linewidth=1,
            capsize=3,
            label="score, 95% interval" if part[0] == shown[0] else None,
        )
    for place in breaks:
        label = "the data moved: not comparable" if place == breaks[0] else None
        axes.axvline(place - 0.5, color=colours.aside, linestyle=":", label=label)
    lost = [(place, each.score) for place, each in shown if recordings[place].reasons]
    if lost:
        around: Any = {"color": colours.loss, "markersize": 11, "fillstyle": "none"}
        axes.plot(*zip(*lost, strict=True), "s", **around, label="accepted loss")
    _dummy(axes, shown, colours)
    axes.margins(x=0.1)


def _parts(shown: Points, breaks: Sequence[int]) -> list[list[tuple[int, BaselineMetric]]]:
    """Cut a line where the data moved."""
    edges = [0, *breaks, shown[-1][0] + 1]
    parts = [[point for point in shown if low <= point[0] < high] for low, high in pairwise(edges)]
    return [part for part in parts if part]


def _dummy(axes: Any, shown: Points, colours: Colours) -> None:
    """Draw what the dummy scores; where that is so far below that the scores would be one line, say it in words."""
    dummies = {place: each.noise_reference.dummy for place, each in shown if each.noise_reference.dummy is not None}
    if not dummies:
        return
    low, high = axes.get_ylim()
    if min(dummies.values()) >= low - 3 * (high - low):
        label = "dummy, looks at no feature"
        axes.plot(*zip(*dummies.items(), strict=True), "_", color=colours.aside, markersize=18, label=label)
        return
    latest = shown[-1][1]
    score = number(latest.noise_reference.dummy, places_of(latest))
    axes.plot([], [], " ", label=f"dummy: {score}, far below this axis")


def _tick(recording: Recording) -> str:
    if recording.commit is None:
        return f"{recording.baseline.generation}\nnot committed"
    return f"{recording.baseline.generation}\n{recording.commit.date[:10]}\n{recording.commit.sha[:7]}"
