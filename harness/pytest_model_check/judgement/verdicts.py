"""Verdicts: what was found of a check, metric by metric, as every report shows it. Records only."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal

from pytest_model_check.judgement.compared import Compared, Differences
from pytest_model_check.judgement.quality import RecordingQuality

Label = Literal[
    "error", "missing", "incomparable", "worse", "inconclusive", "held", "better", "identical", "new", "recorded",
    "reported",
]  # fmt: skip


# A check is as good as its worst metric; what is only recorded or reported has nothing to be worse than.
WORST_FIRST: tuple[Label, ...] = (
    "error", "missing", "incomparable", "worse", "inconclusive", "held", "better", "identical", "new", "recorded",
    "reported",
)  # fmt: skip

PASSING: frozenset[Label] = frozenset(("held", "better", "identical", "new", "recorded"))


@dataclass(frozen=True)
class Drift:
    """How a candidate compares with the anchor: what many small losses, each within its margin, add up to.

    Parameters
    ----------
    since : int
        Which recording of the baseline the anchor is, counted from 1.
    score : float
        The anchor's.
    delta, low, high : float
        Candidate less anchor, and the bounds that decide, as in `MetricVerdict`.
    margin : float
        The loss that is harmless in all.
    """

    since: int
    score: float
    delta: float
    low: float
    high: float
    margin: float


@dataclass(frozen=True)
class MetricVerdict:
    """The verdict of one metric, on all rows or on one slice; numbers are in the metric's unit, None where missing.

    Parameters
    ----------
    low, high : float
        The bounds that decide: 95% sure that the candidate is above the first, 99.75% sure that it is below the second.
    resolution : float
        The smallest loss that this comparison can tell from none.
    resolution_reused : float
        The same, if all comparisons on this version of the data are to be right together (Bonferroni).
    floor : float
        The smallest margin that the baseline's own rows and seeds can resolve.
    probability_inconclusive : float
        The chance that an equally good candidate would not pass.
    seeds : int
        How many runs of the candidate were looked at.
    folds : tuple of (float, float)
        Baseline's and candidate's score in each split.
    drift : Drift or None
        The comparison with the anchor; None where the baseline is its own.
    losses : tuple of int
        The rows that lost most, by their position in the data, counted from 0.
    reason : str
        Why, where the numbers do not say it.
    on_old_data : MetricVerdict or None
        Where the data have moved, and it passes on the new version alone: what was found on the old one.
    """

    metric: str
    verdict: Label
    slice: str | None = None
    baseline: float | None = None
    candidate: float | None = None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    resolution: float | None = None
    dummy: float | None = None
    resolution_reused: float | None = None
    floor: float | None = None
    probability_inconclusive: float | None = None
    seeds: int | None = None
    folds: tuple[tuple[float, float], ...] = ()
    drift: Drift | None = None
    losses: tuple[int, ...] = ()
    reason: str = ""
    on_old_data: MetricVerdict | None = None

    @property
    def decides(self) -> bool:
        """Whether the check's verdict depends on it: a slice only ever raises an alarm."""
        return self.verdict != "reported" and (self.slice is None or self.verdict == "worse")

    @property
    def is_new(self) -> bool:
        """Whether the baseline does not have the metric yet."""
        return self.verdict == "missing" and self.candidate is not None

    @property
    def label(self) -> str:
        """The metric's name, and the slice it is of."""
        return self.metric if self.slice is None else f"{self.metric} [{self.slice}]"

    @property
    def drifted(self) -> bool:
        """Whether it was held against the last baseline, and fails against the anchor."""
        if self.on_old_data is not None or self.verdict in PASSING:
            return False
        if self.drift is None or self.low is None or self.margin is None:
            return False
        skill = self.candidate is None or self.dummy is None or self.candidate > self.dummy
        return skill and self.low > -self.margin and self.drift.low <= -self.drift.margin


Term = Literal[
    "deleted", "gone", "metric", "judged", "margin", "slice",
    "cv", "target", "groups", "time", "season", "sample_weight", "latency_margin", "seeds", "rule",
    "said",
]  # fmt: skip


@dataclass(frozen=True)
class Weakening:
    """One way in which less is promised than was approved; its words: `pytest_model_check.judgement.explain.weakening`.

    Parameters
    ----------
    term : str
        What became weaker. ``deleted``: the baseline, ``gone``: its check too. ``judged``: a metric that is only
        reported now. ``rule``: of the ini file. ``said``: an earlier version of pytest-model-check kept only words.
    name : str
        The metric's, the slice's, the baseline's, the rule's; or the words.
    before, after : str, number or None
        What was approved, and what is promised instead; None: not named, or there is no such value.
    """

    term: Term
    name: str = ""
    before: str | float | None = None
    after: str | float | None = None


@dataclass(frozen=True)
class Loss:
    """A metric that did not pass when it was accepted, in the numbers that decided, in its unit.

    Parameters
    ----------
    verdict : str or None
        None: an earlier version of pytest-model-check kept the words alone.
    delta, low, high, margin : float or None
        As in `MetricVerdict`; None where nothing could be compared.
    since : int or None
        Where small losses had added up, the 1-based number of the recording that they are counted from.
    on_old_data : bool
        Whether it was found on the data as they were before they moved, and not on the new version.
    """

    metric: str
    verdict: Label | None = None
    slice: str | None = None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    since: int | None = None
    on_old_data: bool = False


AcceptanceKind = Literal["loss", "promise", "incomparable", "retired"]


def is_reason(text: str) -> bool:
    """Whether a text can be read as a reason: it has letters that are seen."""
    return any(c.isalpha() and "FILLER" not in unicodedata.name(c, "") for c in text)


@dataclass(frozen=True)
class Acceptance:
    """A loss, or a weaker promise, that somebody accepted with a reason; kept in the history of the baseline.

    Who accepted it, and when, is the commit that brought the baseline's JSON: a file can't hold its own commit.

    Parameters
    ----------
    generation : int
        1-based number of the recording that it brought.
    reason : str
        In the words of whoever accepted it.
    kind : {'loss', 'promise', 'incomparable', 'retired'}
        A metric did not pass; nothing but the promise is weaker; nothing could be compared, and this is a new start;
        the whole check was given up.
    losses : tuple of Loss
        The metrics that did not pass.
    weakened : tuple of Weakening
        The promises that became weaker.
    said : str
        What no value tells: why nothing could be compared, or all that an earlier version kept. It is only shown.
    closed : int or None
        The recording that won back what was lost; None: it stands, and every report shows it.
    """

    generation: int
    reason: str
    kind: AcceptanceKind
    losses: tuple[Loss, ...] = ()
    weakened: tuple[Weakening, ...] = ()
    said: str = ""
    closed: int | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that did not pass, each once."""
        return tuple(dict.fromkeys(loss.metric for loss in self.losses))


@dataclass(frozen=True)
class Concessions:
    """What is let pass although it is worse than what was approved, or would have to be.

    Parameters
    ----------
    accepted : str or None
        The reason with which this loss, or this weaker promise, was accepted: it passes.
    weakened : tuple of str
        How the check, or its baseline, promises less than what was approved: it fails, unless accepted.
    standing : tuple of Acceptance
        What was accepted before, and has not been won back yet.
    wider : tuple of str
        Noise and margins that the branch's baseline claims to be wider than this run measures, as far as that is let
        pass.
    """

    accepted: str | None = None
    weakened: tuple[str, ...] = ()
    standing: tuple[Acceptance, ...] = ()
    wider: tuple[str, ...] = ()


@dataclass(frozen=True)
class Times:
    """Where the time of a check went, in seconds.

    Parameters
    ----------
    data, waiting, judge : float
        Reading the data, waiting for the fits, and everything else, mostly judging: the wall time.
    fit, predict : float
        Fitting and predicting, added up over the processes that do it.
    """

    data: float
    waiting: float
    judge: float
    fit: float
    predict: float


@dataclass(frozen=True)
class Cost:
    """What a verdict took.

    Parameters
    ----------
    fits : int
        How many it is made of.
    seconds : float
        The wall time from the data to the verdict.
    times : Times or None
        Where it went.
    served : int
        How many of the fits were made by an earlier run, and served from the cache.
    uncached : str
        Why fits were not kept, or could not be served; empty if they were, or if there is no cache.
    """

    fits: int = 0
    seconds: float = 0.0
    times: Times | None = None
    served: int = 0
    uncached: str = ""


@dataclass(frozen=True)
class Verdict:
    """The verdict of one check: what the test returns, fails on, and every report shows.

    Parameters
    ----------
    message : str
        One line that stands alone.
    advice : str
        What to do next; may be empty, may have several lines.
    quality : RecordingQuality or None
        Of the baseline that this run records, or that the branch brings.
    """

    name: str
    nodeid: str
    verdict: Label
    passed: bool
    message: str
    advice: str = ""
    metrics: tuple[MetricVerdict, ...] = ()
    compared: Compared = field(default_factory=Compared)
    concessions: Concessions = Concessions()
    differences: Differences = field(default_factory=Differences)
    cost: Cost = Cost()
    quality: RecordingQuality | None = None

    def _repr_html_(self) -> str:
        """Return what a notebook shows: it asks the object, so this alone looks up to the reports, by name."""
        html: str = import_module("pytest_model_check.report.html.notebook").render(self)
        return html


@dataclass(frozen=True)
class Run:
    """What every report is written from.

    Parameters
    ----------
    checks : tuple of Verdict
        In the order of the tests.
    passed : bool
        Whether the release may go out.
    against : str or None
        Where the baselines come from, if not from the working tree.
    problems : tuple of str
        What went wrong beside the checks: the run was interrupted, nothing was collected, a check was deleted.
    retired : tuple of str
        The checks that the branch gave up on purpose, with the reasons.
    silent : mapping of str to str
        The approved checks of which nothing was heard, with what that means where no other shard judges them either.
    collected : tuple of str
        The node ids of all checks that were collected, those included that were not selected.
    """

    checks: tuple[Verdict, ...]
    passed: bool
    against: str | None = None
    problems: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)
    collected: tuple[str, ...] = ()


def worst_first(metrics: Sequence[MetricVerdict]) -> list[MetricVerdict]:
    """Return metrics in the order in which a reader needs them."""
    return sorted(metrics, key=lambda metric: WORST_FIRST.index(metric.verdict))


def worst(labels: Sequence[Label]) -> Label:
    """Return the label that decides for the check."""
    return min(labels, key=WORST_FIRST.index)
