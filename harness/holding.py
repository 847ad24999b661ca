"""Holding: the candidate against what is approved, fitted and judged; what it may not lose, what it promises less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from harness import comparison, looks, moving, promise, updating
from harness.approvals import Approval
from harness.baselines import Approved
from harness.charts import charts
from harness.check import Check
from harness.comparison import Comparison
from harness.crossval import Protocol
from harness.errors import IncomparableError, UnavailableError
from harness.judge import Anchor
from harness.report import words
from harness.settings import Progress, Settings
from harness.verdicts import MetricVerdict, Moved


@dataclass(frozen=True)
class Held:
    """How a candidate compares with what is approved.

    Parameters
    ----------
    metrics : tuple of MetricVerdict
        Empty where there is nothing to compare with, or no comparison can be made.
    broken : IncomparableError or None
        Why no comparison can be made.
    weakened : tuple of str
        How less is promised than was approved.
    anchors : mapping of str to Anchor
        What losses are added up from, by metric.
    fits, flips, flipped, moved, charts
        See `harness.verdicts.Verdict`.
    """

    metrics: tuple[MetricVerdict, ...] = ()
    broken: IncomparableError | None = None
    weakened: tuple[str, ...] = ()
    anchors: Mapping[str, Anchor] = field(default_factory=dict)
    fits: int = 0
    flips: tuple[int, int] | None = None
    flipped: tuple[int, ...] = ()
    moved: Moved | None = None
    charts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failing(self) -> bool:
        """Whether there is something that only an acceptance lets pass."""
        return bool(self.broken or self.weakened or updating.failing(self.metrics))

    def message(self, name: str, found: tuple[MetricVerdict, ...] = ()) -> str:
        """Say in one line what was found, before anything is accepted or disputed; `found` is what is shown of it."""
        if self.broken:
            return named(name, self.broken.message)
        if self.weakened and not updating.failing(self.metrics):
            return f"{name}: the promise was weakened: {'; '.join(self.weakened)}"
        shown = found or self.metrics
        return words.sentence(name, shown) if shown else f"{name}: nothing is approved yet"


def hold(check: Check, protocol: Protocol, approval: Approval, settings: Settings, progress: Progress) -> Held:
    """Hold the candidate against what is approved; where the data has moved, against that model on the new data.

    Raises
    ------
    ModelCheckError
        If the candidate can't be fitted, or the approved predictions can't be had.
    """
    old, data, moved = approval.baseline, protocol.dataset, None
    if old is None:
        return Held()
    weakened = promise.weakened(check, old, settings.rules)
    if approval.deleted:
        weakened += (f"its baseline {approval.file}.json was deleted",)
    try:
        baseline, approved, carried = old, None, None
        if moving.has_moved(old, data):
            progress("running the approved code on the new data", 0, 0)
            carried = moving.carry(
                check, protocol, approval, root=settings.root, scratch=settings.scratch, python=settings.python,
                jobs=settings.jobs,
            )  # fmt: skip
            baseline, approved = carried.baseline, carried.approved
        else:
            comparison.require_same_rows(check, old, data)
            approved = _predictions(approval, settings)
        against = Comparison(check, protocol, baseline, approved)
        judged = looks.look(
            check, protocol, baseline, against, jobs=settings.jobs, progress=partial(progress, "fitting")
        )
        if carried is not None:
            moved = moving.table(check, old, carried, data, judged.metrics, settings.jobs)
    except IncomparableError as error:
        before = old.protocol.get("cv")
        other = () if before == protocol.splitter else (f"cv= is {protocol.splitter}, was {before}",)
        return Held(broken=error, weakened=weakened + other)
    return Held(
        judged.metrics,
        weakened=weakened,
        anchors=against.anchors() if settings.update or approval.claimed else {},
        fits=judged.fits,
        flips=judged.flips,
        flipped=judged.flipped,
        moved=moved,
        charts=charts(data.y, approved.predictions, judged.candidate)
        if settings.charts and approved is not None and judged.candidate is not None
        else {},
    )


def _predictions(approval: Approval, settings: Settings) -> Approved | None:
    """Read the approved predictions; None where they can't be had and the ini file says that fold scores will do."""
    try:
        return approval.predictions(settings.scratch)
    except UnavailableError:
        if not settings.rules.folds_suffice or settings.update:
            raise
        return None


def named(name: str, message: str) -> str:
    """Let a message begin with the check's name, once."""
    return message if message.startswith(f"{name}:") else f"{name}: {message}"
