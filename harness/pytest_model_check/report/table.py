"""The accuracy diff table: its rows, in the order a reader needs them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pytest_model_check.judgement.explain import telling
from pytest_model_check.judgement.numbers import MISSING, change, decimals, interval, number
from pytest_model_check.judgement.verdicts import PASSING, WORST_FIRST, MetricVerdict, Run, Verdict, worst_first
from pytest_model_check.report import sentences
from pytest_model_check.report.text import visible

State = Literal["failed", "accepted", "passed"]
STATES: tuple[State, ...] = ("failed", "accepted", "passed")
NAMES = ("check", "metric", "verdict")  # columns of words, to the left; the others hold numbers, to the right


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    check : Verdict
        Whose it is.
    metric : MetricVerdict or None
        None: the line is of the check itself, which could not be judged or promises less than was approved.
    state : {'failed', 'accepted', 'passed'}
        Whether this line keeps the release back.
    word : str
        The verdict in words.
    """

    check: Verdict
    metric: MetricVerdict | None
    state: State
    word: str

    @cached_property
    def cells(self) -> Mapping[str, str]:
        """What stands under each column: one visible line, not escaped for any format."""
        verdict = f"{self.word}, accepted" if self.state == "accepted" else self.word
        cells = {"check": visible(self.check.name), "verdict": verdict}
        metric = self.metric
        if metric is None:
            return cells
        places = decimals(metric)
        return cells | {
            "metric": visible(metric.label),
            "baseline": number(metric.baseline, places),
            "candidate": number(metric.candidate, places),
            "delta": number(metric.delta, places, sign=True),
            "interval": MISSING if metric.verdict == "identical" else interval(metric),
            "delta (interval)": change(metric),
            "margin": number(metric.margin, places),
            "resolution": number(metric.resolution, places),
            "dummy": number(metric.dummy, places),
        }

    def under(self, columns: Sequence[str]) -> list[str]:
        """Return its cells of these columns."""
        return [self.cells.get(column, MISSING) for column in columns]


def align(columns: Sequence[str]) -> tuple[str, ...]:
    """Return to which side each column goes."""
    return tuple("left" if column in NAMES else "right" for column in columns)


def ordered(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Put failing checks first, the worst on top; otherwise keep the order of the tests."""
    return sorted(verdicts, key=lambda verdict: (STATES.index(state(verdict)), WORST_FIRST.index(verdict.verdict)))


def state(verdict: Verdict) -> State:
    """Whether the check keeps the release back, or passes because a loss or a weaker promise was accepted."""
    if not verdict.passed:
        return "failed"
    return "passed" if verdict.concessions.accepted is None else "accepted"


def run_state(run: Run) -> State:
    """Whether a run fails, passes, or passes because something was accepted: that is not plainly green."""
    return min(map(state, run.checks), key=STATES.index, default="passed") if run.passed else "failed"


def rows(verdicts: Sequence[Verdict], *, slices: Callable[[Verdict], bool]) -> list[Row]:
    """Return a row for every metric, and one for a check that has something to say beside them; failing rows first.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of all checks.
    slices : callable
        Of which checks to give slices that raised no alarm or lost what all rows did, and metrics that are only
        reported, too.
    """
    unordered = [row for verdict in ordered(verdicts) for row in _of_check(verdict, slices(verdict))]
    return sorted(unordered, key=lambda row: STATES.index(row.state))


MOVED_COLUMNS = ("metric", "released, old data", "released, new data", "candidate, old data", "candidate, new data")


def moved_rows(verdict: Verdict) -> list[tuple[str, ...]]:
    """Return the 2 x 2 table of each metric of a check whose data moved: its name, not escaped, and four scores."""
    if verdict.differences.moved is None:
        return []
    return [
        (grid.metric, *(number(score, sentences.places_of(verdict, grid.metric)) for score in scores))
        for grid in verdict.differences.moved.score_grids
        for scores in [(grid.old_old, grid.old_new, grid.new_old, grid.new_new)]
    ]


def _of_check(verdict: Verdict, slices: bool) -> list[Row]:
    held_back = state(verdict)
    shown = verdict.metrics if slices else telling(verdict.metrics)
    metrics = sorted(worst_first(shown), key=lambda metric: not metric.decides)
    shown_rows = [_row(verdict, metric, held_back) for metric in metrics]
    if verdict.concessions.weakened:
        return [Row(verdict, None, held_back, "weaker promise"), *shown_rows]
    if not shown_rows or (held_back != "passed" and all(row.state == "passed" for row in shown_rows)):
        word = "failed" if held_back == "failed" and verdict.verdict in PASSING else verdict.verdict
        return [Row(verdict, None, held_back, word), *shown_rows]
    return shown_rows


def _row(verdict: Verdict, metric: MetricVerdict, held_back: State) -> Row:
    state = held_back if metric.decides and metric.verdict not in PASSING else "passed"
    loss = metric.verdict == "held" and metric.high is not None and metric.high < 0
    return Row(verdict, metric, state, f"{metric.verdict} with loss" if loss else metric.verdict)
