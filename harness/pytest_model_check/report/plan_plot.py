"""A plan -> a picture: how many of equally good models pass, by rows. Needs matplotlib."""

from __future__ import annotations

from io import BytesIO

from pytest_model_check.baselines.quality import pilot
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.judgement.plan import curve
from pytest_model_check.report.drawing import styled
from pytest_model_check.report.history_plot import STYLE, Colours
from pytest_model_check.report.text import visible


def draw(baseline: Baseline, metric: str, margin: float) -> bytes:
    """Draw power by rows, for the same learner and for another one, as SVG.

    Raises
    ------
    NoMatplotlibError
        With the command that installs it.
    """
    points = curve(pilot(baseline.metrics[metric], baseline.rows), margin)
    rows = [point.rows for point in points]
    colours = Colours()
    with styled(STYLE):
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
        from matplotlib.ticker import PercentFormatter, StrMethodFormatter

        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for powers, colour, marker, label in (
            ([point.same for point in points if point.same is not None], colours.score, "o", "the same learner"),
            (
                [point.other for point in points if point.other is not None],
                colours.loss,
                "s",
                "another learner, at least",
            ),
        ):
            if powers:  # of all points, or of none
                axes.plot(rows, powers, f"{marker}-", color=colour, linewidth=1.2, markersize=4, label=label)
        axes.axhline(0.99, color=colours.aside, linewidth=0.8, linestyle="--", label="99 in 100")
        axes.axvline(
            baseline.rows, color=colours.aside, linewidth=0.8, linestyle=":", label=f"{baseline.rows:,} rows, measured"
        )
        axes.set_xscale("log")
        axes.set_ylim(0, 1.03)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_title(f"{visible(baseline.name)}: {visible(metric)}, margin {margin:g}")
        axes.set_xlabel("rows")
        axes.set_ylabel("equally good models that pass")
        axes.legend(loc="best")
        written = BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None})  # the same picture for the same plan
    return written.getvalue()
