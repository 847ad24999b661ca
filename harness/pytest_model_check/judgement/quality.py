"""How good a baseline is as a yardstick: whether its checks can fail, and whom they block without need. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_model_check.judgement.plan import Pilot

BLUNT = 0.25  # of the skill: a check with a wider margin can hardly fail


@dataclass(frozen=True)
class MetricQuality:
    """How good one judged metric of a baseline is as a yardstick; numbers are in its unit, None where not measured.

    Parameters
    ----------
    score, margin : float
        The baseline's.
    skill : float or None
        The score above the dummy's; None: there is no dummy to beat.
    loss_caught : float
        The smallest loss that is caught 95 times in 100.
    blocked_same, blocked_other : float or None
        The share of equally good candidates that would not pass: of the same learner, and at most of another one, which
        is taken to err independently of the baseline.
    resolvable_same, resolvable_other : float or None
        The margins that 99 of 100 of them would pass.
    rows : int
        How many the baseline has.
    rows_needed : int or None
        At which the same learner could hold the margin, or a quarter of the skill if that is less.
    outlying_folds : tuple of (int, float)
        The splits that stand out, counted from 1 over all repeats, and what they score.
    """

    metric: str
    score: float
    margin: float
    skill: float | None
    loss_caught: float
    blocked_same: float | None
    blocked_other: float | None
    resolvable_same: float | None
    resolvable_other: float | None
    rows: int
    rows_needed: int | None
    outlying_folds: tuple[tuple[int, float], ...]

    @property
    def margin_share(self) -> float | None:
        """The margin as a share of the skill."""
        return None if self.skill is None or self.skill <= 0 else self.margin / self.skill

    @property
    def is_blunt(self) -> bool:
        """Whether the check can hardly fail by this metric."""
        return self.margin_share is not None and self.margin_share > BLUNT


@dataclass(frozen=True)
class RecordingQuality:
    """How good a recording is as a yardstick.

    Parameters
    ----------
    metrics : tuple of MetricQuality
        Those that are judged.
    alternatives : tuple of MetricQuality
        Common metrics that the check does not have, measured where one of its own is blunt.
    folds : tuple of int
        How many folds each repeat has.
    groups, time : str or None
        The column whose values are the units of evidence, where rows depend on each other.
    effective_rows : float or None
        How many rows of equal weight would say as much; None: there are no weights.
    """

    metrics: tuple[MetricQuality, ...]
    alternatives: tuple[MetricQuality, ...] = ()
    folds: tuple[int, ...] = ()
    groups: str | None = None
    time: str | None = None
    effective_rows: float | None = None


def metric_quality(metric: str, pilot: Pilot, margin: float, folds: Sequence[float]) -> MetricQuality:
    """Measure the quality of one metric of a baseline.

    Parameters
    ----------
    metric : str
        Its name.
    pilot : Pilot
        Its score and its noise.
    margin : float
        The loss that may pass.
    folds : sequence of float
        The score in each split.
    """
    from pytest_model_check.judgement import statistics  # not to bring SciPy to whoever reads verdicts

    dummy = pilot.noise_reference.dummy
    skill = None if dummy is None else pilot.score - dummy
    wanted = margin if skill is None or skill <= 0 else min(margin, BLUNT * skill)
    same, other = pilot.knows("same"), pilot.knows("other")
    return MetricQuality(
        metric,
        pilot.score,
        margin,
        skill,
        loss_caught=pilot.loss_caught(margin),
        blocked_same=1 - pilot.passing("same", margin, pilot.rows) if same else None,
        blocked_other=1 - pilot.passing("other", margin, pilot.rows) if other else None,
        resolvable_same=pilot.noise_reference.floor if same else None,
        resolvable_other=pilot.resolvable("other", pilot.rows) if other else None,
        rows=pilot.rows,
        rows_needed=pilot.rows_needed("same", wanted) if same else None,
        outlying_folds=tuple((i + 1, folds[i]) for i in statistics.outliers(folds)),
    )
