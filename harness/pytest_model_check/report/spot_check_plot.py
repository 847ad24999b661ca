"""A spot check -> a picture: the candidates' scores fold by fold, and how far every pair is apart. Needs matplotlib."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

from pytest_model_check.report.drawing import styled
from pytest_model_check.report.history_plot import STYLE, Colours
from pytest_model_check.report.text import shortened, visible
from pytest_model_check.scoring.spot_check import MetricSpotCheck, SpotCheck

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 20  # characters of a name


def draw(found: SpotCheck) -> bytes:
    """Draw a row for each metric, as SVG: scores on the left, differences on the right.

    Raises
    ------
    NoMatplotlibError
        With the command that installs it.
    """
    with styled(STYLE):
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        tall = sum(1.2 + 0.22 * max(len(by.scores), len(by.pairs)) for by in found.metrics)
        figure = Figure(figsize=(8.6, tall), layout="constrained")
        FigureCanvasSVG(figure)
        for row, by in enumerate(found.metrics):
            left, right = (figure.add_subplot(len(found.metrics), 2, 2 * row + side) for side in (1, 2))
            _scores(left, by, Colours())
            _pairs(right, by, Colours())
        written = BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None})  # the same picture for the same numbers
    return written.getvalue()


def inline(found: SpotCheck) -> str:
    """Draw it as SVG that can stand in a page.

    Raises
    ------
    NoMatplotlibError
        With the command that installs it.
    """
    drawn = draw(found).decode("utf-8")
    return re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL).rstrip()


def _scores(axes: Axes, by: MetricSpotCheck, colours: Colours) -> None:
    for place, (name, score) in enumerate(by.scores.items()):
        axes.plot(by.folds[name], [place] * len(by.folds[name]), "|", color=colours.aside, markersize=9)
        axes.plot([score], [place], "o", color=colours.score, markersize=5)
    axes.set_yticks(range(len(by.scores)), [_label(name) for name in by.scores])
    axes.invert_yaxis()
    axes.margins(y=0.15)
    axes.set_title(f"{visible(by.metric)} (higher is better)")
    axes.set_xlabel("score; strokes: its folds")


def _pairs(axes: Axes, by: MetricSpotCheck, colours: Colours) -> None:
    for place, pair in enumerate(by.pairs):
        colour = colours.score if pair.differs else colours.aside
        axes.plot([pair.low, pair.high], [place, place], "-", color=colour, linewidth=1.5)
        axes.plot([pair.delta], [place], "o" if pair.differs else "D", color=colour, markersize=4)
    axes.axvline(0, color=colours.aside, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(by.pairs)), [f"{_label(pair.first)} - {_label(pair.second)}" for pair in by.pairs])
    axes.invert_yaxis()
    axes.margins(y=0.1)
    axes.set_title("every pair, all intervals together" if by.pairs else "no pair can be judged")
    axes.set_xlabel("ahead by, 95% interval")


def _label(name: str) -> str:
    return shortened(visible(name), LONGEST)
