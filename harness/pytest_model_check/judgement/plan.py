"""Plan: what a margin needs in rows, repeats and seeds, from the noise that a baseline has measured. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, hypot, log10, sqrt
from typing import Literal

from pytest_model_check.judgement import statistics
from pytest_model_check.judgement.noise import NoiseReference

Learner = Literal["same", "other"]
STEPS = 10  # of a curve
FEWEST_ROWS = 20  # that are worth drawing


@dataclass(frozen=True)
class Pilot:
    """What a baseline knows of one metric, and what follows for comparisons with it on more rows of the same kind.

    Parameters
    ----------
    score, standard_error : float
        Of the baseline, the second over rows; in the metric's unit, as everything here.
    rows : int
        How many it was measured on.
    noise_reference : NoiseReference
        Its dummy, its noise and its noise floor.

    Notes
    -----
    What rows leave open falls with the root of their number. What seeds do beyond the rows is taken to stay, which is
    cautious: mostly it falls, too.
    """

    score: float
    standard_error: float
    rows: int
    noise_reference: NoiseReference

    @property
    def is_random(self) -> bool:
        """Whether the learner draws random numbers, so that more of its runs are of use."""
        return self.noise_reference.runs is not None

    def knows(self, learner: Learner) -> bool:
        """Whether the noise of a comparison with this learner was measured: it takes two seeds, or rows that differ."""
        return self.noise_reference.floor > 0 if learner == "same" else self.standard_error > 0

    def noise(self, repeats: float = 1) -> float:
        """Return what seeds put between the baseline and one run beyond the rows, if it has so many times the folds."""
        return self.noise_reference.noise_between(1) / (sqrt(repeats) if self.is_random else 1)

    def row_noise(self, learner: Learner, rows: float, repeats: float = 1) -> float:
        """Return the standard error over rows of the difference between the baseline and an equally good model.

        Of the same learner, it is what the noise floor has beyond the noise of seeds. Another learner is taken to err
        on rows of its own, independently of the baseline: the most that it can be for two models that have both learnt
        something, since what is hard for one is mostly hard for the other.
        """
        if learner == "other":
            return sqrt(2) * self.standard_error * sqrt(self.rows / rows)
        whole = self.noise_reference.floor / statistics.resolution(1.0)
        of_rows = sqrt(max(0.0, whole**2 - self.noise() ** 2))
        return of_rows * sqrt(self.rows / rows) / (sqrt(repeats) if self.is_random else 1)

    def standard_error_between(self, learner: Learner, rows: float, repeats: float = 1) -> float:
        """Return the standard error of the difference between the baseline and one run that is equally good."""
        return hypot(self.row_noise(learner, rows, repeats), self.noise(repeats))

    def passing(self, learner: Learner, margin: float, rows: float, repeats: float = 1) -> float:
        """Return the probability that an equally good candidate passes."""
        se = self.standard_error_between(learner, rows, repeats)
        return 1 - statistics.inconclusive_probability(margin, se) if se > 0 else 1.0

    def resolvable(self, learner: Learner, rows: float, repeats: float = 1) -> float:
        """Return the margin that 99 of 100 equally good candidates pass."""
        return statistics.resolution(self.standard_error_between(learner, rows, repeats))

    def rows_needed(self, learner: Learner, margin: float, repeats: float = 1) -> int | None:
        """Return the rows at which 99 of 100 equally good candidates pass, in two digits; None: no number will do."""
        room = (margin / statistics.resolution(1.0)) ** 2 - self.noise(repeats) ** 2
        if room <= 0:
            return None
        return _up(self.rows * self.row_noise(learner, self.rows, repeats) ** 2 / room)

    def repeats_needed(self, margin: float) -> int | None:
        """Return how many times the folds the same random learner needs on these rows; None: they are of no use."""
        if not self.is_random:
            return None
        return max(1, ceil((self.resolvable("same", self.rows) / margin) ** 2 - 1e-9))

    def loss_caught(self, margin: float) -> float:
        """Return the smallest loss that is caught 95 times in 100: with which the verdict does not pass.

        A candidate passes if ``delta - half-width > -margin``. With a loss of l, delta lies about -l with the standard
        error of the comparison, so l is ``margin - half-width + z * standard error``, both at 95%: the margin, less
        what Student's t makes the half-width wider where the noise is known by few runs.
        """
        if not self.knows("same"):
            return margin
        rows, noise, level = self.row_noise("same", self.rows), self.noise(), 0.95
        wider = statistics.half_width(level, rows, noise, self.noise_reference.dof) - statistics.half_width(
            level, hypot(rows, noise)
        )
        return max(0.0, margin - max(0.0, wider))


@dataclass(frozen=True)
class Point:
    """A point of the curve: how many of equally good candidates pass on so many rows; None: it was not measured."""

    rows: int
    same: float | None
    other: float | None


def curve(pilot: Pilot, margin: float) -> tuple[Point, ...]:
    """Return how power grows with rows: from a quarter of the rows there are, to those that suffice where some do."""
    enough = [pilot.rows_needed(learner, margin) for learner in LEARNERS if pilot.knows(learner)]
    last = max([2 * pilot.rows, *(1.3 * rows for rows in enough if rows is not None)])
    first = max(FEWEST_ROWS, pilot.rows / 4)
    last = max(last, 2 * first)
    steps = {_up(first * (last / first) ** (step / (STEPS - 1))) for step in range(STEPS)}
    return tuple(_point(pilot, margin, rows) for rows in sorted(steps | {pilot.rows}))


LEARNERS: Sequence[Learner] = ("same", "other")


def _point(pilot: Pilot, margin: float, rows: int) -> Point:
    same, other = (pilot.passing(one, margin, rows) if pilot.knows(one) else None for one in LEARNERS)
    return Point(rows, same, other)


def _up(rows: float) -> int:
    """Round up to two digits."""
    if rows < 10:
        return max(2, ceil(rows))
    unit = 10 ** (floor(log10(rows)) - 1)
    return int(ceil(rows / unit - 1e-9) * unit)
