"""Tests of several numbers at once: fold scores, p-values, outliers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from pytest_model_check.judgement.statistics.arguments import Floats, as_array, require
from pytest_model_check.judgement.statistics.half_widths import half_width


@dataclass(frozen=True)
class CorrectedT:
    """A corrected resampled t-test of ``mean > 0``.

    Attributes
    ----------
    mean, se : float
        Mean difference and its corrected standard error, in the metric's unit.
    t : float
        Their ratio.
    dof : int
        Degrees of freedom: differences less one.
    p : float
        One-sided p-value of no difference against a positive one.
    """

    mean: float
    se: float
    t: float
    dof: int
    p: float

    def lower_bound(self, level: float = 0.95) -> float:
        """Return the one-sided lower confidence bound of the mean difference, in the metric's unit."""
        return self.mean - half_width(level, 0.0, self.se, self.dof)


def corrected_resampled_t(differences: npt.ArrayLike, test_train_ratio: float) -> CorrectedT:
    """Test fold scores, whose training sets overlap, for a positive mean difference.

    Parameters
    ----------
    differences : array_like of shape (J,)
        Candidate minus baseline of each fold of each repeat, in the metric's unit.
    test_train_ratio : float
        Rows of a test fold per row it was trained with: 1/9 for ten folds.

    Returns
    -------
    CorrectedT
        With the variance factor ``1/J + test_train_ratio`` in place of ``1/J``.

    Raises
    ------
    ValueError
        If there are fewer than two differences, or all are equal, which leaves no t.

    References
    ----------
    Nadeau, Bengio (2003), Inference for the generalization error, Machine Learning 52.
    """
    differences = as_array("differences", differences, 1)
    require(differences.size >= 2, "differences", "at least 2 values", differences.size)
    require(0 < test_train_ratio < inf, "test_train_ratio", "a finite number > 0", test_train_ratio)
    require(np.ptp(differences) > 0, "differences", "values that are not all equal", differences[0])
    mean, dof = float(differences.mean()), differences.size - 1
    se = sqrt(1 / differences.size + test_train_ratio) * float(differences.std(ddof=1))
    return CorrectedT(mean, se, mean / se, dof, float(stdtr(dof, -mean / se)))


def holm(p_values: npt.ArrayLike) -> Floats:
    """Adjust p-values for their number by Holm's step-down method.

    Parameters
    ----------
    p_values : array_like of shape (m,)
        P-values, in any order.

    Returns
    -------
    ndarray of shape (m,)
        Adjusted p-values, in the order given; rejecting those <= alpha bounds the chance of any false one by alpha.

    Raises
    ------
    ValueError
        If a value is not in [0, 1].

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    p = as_array("p_values", p_values, 1)
    require(bool(((p >= 0) & (p <= 1)).all()), "p_values", "values in [0, 1]", p)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(np.arange(p.size, 0, -1) * p[order]), 1)
    return adjusted


def outliers(values: Sequence[float], level: float = 0.95) -> tuple[int, ...]:
    """Find the values that stand out from the others: Grubbs's test of each, Bonferroni over all.

    Parameters
    ----------
    values : sequence of float
        One per fold, say.
    level : float, default 0.95
        How often nothing is found among independent normal values, in (0, 1).

    Returns
    -------
    tuple of int
        Their places. None of fewer than four values.

    References
    ----------
    Grubbs (1950), Sample criteria for testing outlying observations, Annals of Mathematical Statistics 21.
    """
    require(0 < level < 1, "level", "a number in (0, 1)", level)
    if len(values) < 4:
        return ()
    x = as_array("values", values, 1)
    limit = float(stdtrit(x.size - 2, 1 - (1 - level) / (2 * x.size)))
    found = []
    for i in range(x.size):
        others = np.delete(x, i)
        spread = float(others.std(ddof=1)) * sqrt(1 + 1 / others.size)
        if abs(x[i] - others.mean()) > max(limit * spread, 1e-9 * float(np.abs(x).max())):
            found.append(i)
    return tuple(found)
