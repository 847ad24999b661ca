"""The standard error of a mean: over rows, groups, periods or folds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from pytest_model_check.judgement.robust_variance import (
    Strata,
    clustered_variance,
    robust_variance,
    stratified_variance,
)
from pytest_model_check.judgement.statistics.arguments import Floats, as_array, as_codes, require


@dataclass(frozen=True)
class StandardError:
    """The standard error of a mean, and how well it is known.

    Attributes
    ----------
    se : float
        In the metric's unit.
    dof : float
        Degrees of freedom of `se`: what is judged by it takes Student's t with as many.
    """

    se: float
    dof: float


def standard_error(
    psi: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    is_time_series: bool = False,
    strata: Strata | None = None,
) -> StandardError:
    """Return the standard error of the mean of influence values.

    Parameters
    ----------
    psi : array_like of shape (n,)
        Influence values, in the metric's unit; for a comparison, candidate minus baseline, row by row.
    clusters : array_like of shape (n,), optional
        Label of the unit (group, period) of each row; rows of one unit may depend on each other. By default every row
        is its own unit.
    is_time_series : bool, default False
        Whether neighbouring clusters depend on each other too: the clusters are periods, and their labels sort by time.
    strata : Strata, optional
        The classes of the rows, where the mean is a sum of a mean for each class (ROC AUC): every class that is seen
        has a mean of its own to estimate, and its own variance. Each must have two units. Of rows that do not count the
        same, one class whose loads are their weights; psi is then ``m + n w / sum(w) (x - m)`` of values x with the
        weighted mean m, and rows of weight 0 change nothing.

    Returns
    -------
    StandardError
        Let r_g be the sum over unit g of psi less the mean of all rows, and w_g the share of the rows that are in g.
        Units: ``sqrt(sum_g r_g^2 / (1 - w_g)) / n``, ``sd(ddof=1) / sqrt(n)`` [1]_ where every row is its own unit;
        degrees of freedom by Satterthwaite's formula, G - 1 where the clusters are of equal size [2]_; where one unit
        has more than four fifths of the rows, r_g^2 is divided by ``(1 - w_g)^2`` (`robust_variance`). Strata: w_g is
        the share of the class, and the variances of the classes are added [4]_. Periods: the mean of the first nu
        squared cosine transforms of r, with nu degrees of freedom, ``nu = 0.4 G^(2/3)`` [3]_. The standard error is
        zero where psi is constant, which is no certainty: see `half_width`.

    Raises
    ------
    ValueError
        If there are fewer than two clusters, or a label is missing.

    References
    ----------
    .. [1] Bayle, Bayle, Janson, Mackey (2020), Cross-validation confidence intervals for test error, NeurIPS 33.
    .. [2] Bell, McCaffrey (2002), Bias reduction in standard errors for linear regression with multi-stage samples,
       Survey Methodology 28; Imbens, Kolesar (2016), Robust standard errors in small samples, Review of Economics and
       Statistics 98. In simulations (benchmarks/coverage.py) it keeps its level from four groups on, however large one
       of them is, where the normal quantile misses two to seven times as often as it says.
    .. [3] Lazarus, Lewis, Stock, Watson (2018), HAR inference: recommendations for practice, Journal of Business &
       Economic Statistics 36.
    .. [4] DeLong, DeLong, Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating
       characteristic curves, Biometrics 44.
    """
    psi = as_array("psi", psi, 1)
    moved = psi - psi[0]  # first, so that constant values give zero and not rounding noise
    moved -= moved.mean()
    codes = None if clusters is None else as_codes("clusters", clusters, psi.size)
    units = psi.size if codes is None else int(codes.max()) + 1
    require(units >= 2, "psi" if codes is None else "clusters", "at least 2 independent clusters", units)
    if is_time_series:
        sums = moved if codes is None else np.bincount(codes, weights=moved).astype(np.float64)
        if strata is not None:  # a period whose rows all have weight 0 is none
            loads = strata.loads[strata.cells]
            sums = sums[loads > 0 if codes is None else np.bincount(codes, weights=loads) > 0]
            require(sums.size >= 2, "clusters", "at least 2 periods that count", sums.size)
        return _serial_error(sums, psi.size)
    if codes is not None and units < psi.size:
        variance, dof = clustered_variance(moved, codes, strata)
    elif strata is not None:
        variance, dof = stratified_variance(moved, strata)
    else:
        variance, dof = float(moved @ moved) * psi.size / (psi.size - 1), psi.size - 1
    return StandardError(sqrt(variance) / psi.size, dof)


def pooled_standard_error(
    psi: npt.ArrayLike, clusters: npt.ArrayLike | None = None, *, is_time_series: bool = False
) -> StandardError:
    """Return the root mean square of the standard errors of several means of the same rows.

    Parameters
    ----------
    psi : array_like of shape (B, n)
        Influence values, or differences of them, of B replicates.
    clusters, is_time_series : optional
        As for `standard_error`.

    Returns
    -------
    StandardError
        With the degrees of freedom of one of them.

    Raises
    ------
    ValueError
        As `standard_error` does.
    """
    psi = as_array("psi", psi, 2)
    if clusters is None and not is_time_series:  # all at once: a baseline has ten
        require(psi.shape[1] >= 2, "psi", "at least 2 independent clusters", psi.shape[1])
        return StandardError(sqrt(float(psi.var(axis=1, ddof=1).mean()) / psi.shape[1]), psi.shape[1] - 1)
    return pooled([standard_error(one, clusters, is_time_series=is_time_series) for one in psi])


def pooled(errors: Sequence[StandardError]) -> StandardError:
    """Return the root mean square of standard errors, with the fewest degrees of freedom of one of them."""
    require(len(errors) > 0, "errors", "at least one standard error", len(errors))
    return StandardError(sqrt(float(np.mean([error.se**2 for error in errors]))), min(error.dof for error in errors))


def fold_standard_error(
    differences: npt.ArrayLike,
    weights: npt.ArrayLike,
    repeats: npt.ArrayLike | None = None,
    *,
    is_time_series: bool = False,
) -> StandardError:
    """Return the standard error of the weighted mean of fold scores, from how they differ from each other.

    Parameters
    ----------
    differences : array_like of shape (K,)
        The score of each split, in the metric's unit; for a comparison, candidate minus baseline.
    weights : array_like of shape (K,)
        Share of each split in the metric.
    repeats : array_like of shape (K,), optional
        Which repeat of the cross-validation each split is of; by default all are of one, and share no row.
    is_time_series : bool, default False
        Whether neighbouring splits depend on each other.

    Returns
    -------
    StandardError
        As `standard_error` has it of units that hold `weights` of the rows: ``sqrt(sum_k r_k^2 / (1 - w_k))`` with
        ``r_k = w_k (d_k - d)``. Of repeats, the root mean square: their mean varies no more than one of them.

    Raises
    ------
    ValueError
        If a repeat has a single split.
    """
    scores, shares = as_array("differences", differences, 1), as_array("weights", weights, 1)
    require(shares.size == scores.size, "weights", f"{scores.size} values, one for each split", shares.size)
    require(bool((shares > 0).all()), "weights", "values above 0", shares.min())
    codes = np.zeros(scores.size, dtype=np.intp) if repeats is None else as_codes("repeats", repeats, scores.size)
    smallest = int(np.bincount(codes).min())
    require(smallest >= 2, "differences", "at least 2 splits in each repeat", smallest)
    errors = []
    for repeat in range(codes.max() + 1):
        inside = codes == repeat
        share, moved = shares[inside] / shares[inside].sum(), scores[inside] - scores[inside][0]
        sums = share * (moved - share @ moved)
        if is_time_series:
            errors.append(_serial_error(sums, 1))
        else:
            variance, dof = robust_variance(sums**2, share[:, None], share[:, None], np.ones(1))
            errors.append(StandardError(sqrt(variance), dof))
    return pooled(errors)


def _serial_error(sums: Floats, n: int) -> StandardError:
    """Return the equal-weighted cosine estimate: of the slow swings, which positive correlation makes large."""
    periods = sums.size
    dof = max(1, int(0.4 * periods ** (2 / 3)))
    k = np.arange(1, dof + 1)
    mirrored = np.fft.rfft(np.concatenate([sums, sums[::-1]]))[k]
    swings = (mirrored * np.exp(-0.5j * np.pi * k / periods)).real / 2  # sum_g r_g cos(pi k (g + 1/2) / G)
    return StandardError(sqrt(2 * float((swings**2).mean())) / n, dof)
