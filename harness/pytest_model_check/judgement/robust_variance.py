"""The variance of a sum over units, about a mean that was estimated from them, and how well it is known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BLOCK = 100_000  # rows at a time, where whole arrays beside them would cost memory
MAX_LEVERAGE = 0.8  # of one unit on the mean: beyond it, rows of one unit that are alike would pass for sure


@dataclass(frozen=True)
class Strata:
    """Rows of several classes, whose means are estimated class by class and added.

    Parameters
    ----------
    cells : ndarray of int, shape (n,)
        The cell of each row: a cell holds rows of one class that count the same.
    codes : ndarray of int, shape (n_cells,)
        The class of each cell, from 0.
    loads : ndarray of shape (n_cells,)
        How many rows of the data each row of the cell stands for in the mean of its class: ``n_k / m`` where m of the
        n_k rows of a fold are of its class.
    """

    cells: npt.NDArray[np.integer]
    codes: npt.NDArray[np.intp]
    loads: Floats

    @classmethod
    def of_rows(cls, codes: npt.NDArray[np.intp], loads: Floats) -> Strata:
        """Group rows by their class and what they stand for."""
        values, which = np.unique(loads, return_inverse=True)
        classes = int(codes.max()) + 1
        return cls(which * classes + codes, np.arange(len(values) * classes) % classes, np.repeat(values, classes))

    @cached_property
    def counts(self) -> npt.NDArray[np.intp]:
        """The rows in each cell."""
        return np.bincount(self.cells, minlength=len(self.codes))

    @cached_property
    def weights(self) -> Floats:
        """The weight of a row of each cell in the mean of its class; those of all rows of a class sum to 1."""
        weights: Floats = self.loads / np.bincount(self.codes, weights=self.loads * self.counts)[self.codes]
        return weights


def robust_variance(
    squared_sums: Floats,
    means: Floats,
    squares: Floats,
    variances: Floats,
    counts: npt.NDArray[np.intp] | None = None,
) -> tuple[float, float]:
    """Return the variance of a sum over units, and its degrees of freedom.

    Parameters
    ----------
    squared_sums : ndarray of shape (G,)
        The square of what each unit adds, less what it would add by the mean of its classes; the sum of the squares of
        all units that are counted together.
    means : ndarray of shape (G, C)
        The weight of the unit's rows in the mean of each class; columns sum to 1.
    squares : ndarray of shape (G, C)
        The sum of their squares, but for a factor that all have in common.
    variances : ndarray of shape (C,)
        Of a row of each class, but for a factor that all have in common: which unit's sum should be how large.
    counts : ndarray of int, shape (G,), optional
        How many units there are of each kind, which are then alike in `means` and `squares`. By default one.

    Returns
    -------
    variance, dof : float
        ``sum_g f_g sums_g^2``. The factor f_g is what a unit of independent rows adds to the variance over what its sum
        shows of it, the mean being estimated: CR2 [1]_, ``1 / (1 - w_g)`` for units that hold shares w_g of one class.
        Where one unit has more than four fifths of the weight, f_g^2: CR3, the jackknife over units [2]_, because CR2
        is then as small as the other units are, whatever the rows of the large one have in common. Degrees of freedom
        by Satterthwaite's formula under independent rows.

    References
    ----------
    .. [1] Bell and McCaffrey, "Bias reduction in standard errors for linear regression with multi-stage samples",
       Survey Methodology 28 (2002) 169.
    .. [2] MacKinnon, Nielsen and Webb, "Fast and reliable jackknife and bootstrap methods for cluster-robust
       inference", Journal of Applied Econometrics 38 (2023) 671.
    """
    if counts is None:
        counts = np.ones(len(squared_sums), dtype=np.intp)
    own = squares @ variances
    totals = counts @ squares
    shared = (means**2) @ (variances * totals) - 2 * (means * squares) @ variances
    held = (own > 0) & (counts > 0)
    own, shared, squared_sums, counts = own[held], shared[held], squared_sums[held], counts[held]
    means, squares = means[held], squares[held]
    expected = own + shared  # of the square of a unit's sum
    factors = own / expected
    if (-shared / own).max() > MAX_LEVERAGE:
        factors = factors**2
    # tr((F^1/2 C F^1/2)^2) of the sums' covariance C = diag(own) + U M U': only U has as many rows as there are units
    low_rank = np.sqrt(factors)[:, None] * np.hstack([means, squares])
    gram = low_rank.T @ (counts[:, None] * low_rank)
    cross = -np.diag(variances)
    middle = np.block([[np.diag(variances * totals), cross], [cross, np.zeros_like(cross)]]) @ gram
    alone = counts @ (factors * own) ** 2 + 2 * (counts * factors**2 * own) @ shared
    spread = float(alone + (middle * middle.T).sum())
    return float(factors @ squared_sums), float((counts * factors) @ expected) ** 2 / spread


def stratified_variance(psi: Floats, strata: Strata) -> tuple[float, float]:
    """Return the variance of a sum of independent rows of several classes, and its degrees of freedom.

    Parameters
    ----------
    psi : ndarray of shape (n,)
        What each row adds, less the mean.
    strata : Strata
        Their classes, of at least two rows each.

    Returns
    -------
    variance, dof : float
        Summed over the classes; degrees of freedom by Satterthwaite's formula, about m - 1 where a class of m rows has
        all the variance.
    """
    squared, one, parts = np.zeros(len(strata.codes)), np.ones(1), []
    for start in range(0, len(psi), BLOCK):
        block = slice(start, start + BLOCK)
        squared += np.bincount(strata.cells[block], weights=psi[block] ** 2, minlength=len(squared))
    for code in np.unique(strata.codes[strata.counts > 0]):
        inside = strata.codes == code
        weight = strata.weights[inside, None]
        parts.append(robust_variance(squared[inside], weight, weight**2, one, strata.counts[inside]))
    variances, dofs = np.array(parts).T
    if not variances.any():
        return 0.0, float(dofs.min())
    shares = variances / variances.sum()
    return float(variances.sum()), 1 / float((shares**2 / dofs).sum())


def clustered_variance(
    psi: Floats, clusters: npt.NDArray[np.intp], strata: Strata | None = None
) -> tuple[float, float]:
    """Return the variance of a sum of rows that depend on each other inside clusters, and its degrees of freedom.

    Parameters
    ----------
    psi : ndarray of shape (n,)
        What each row adds, less the mean.
    clusters : ndarray of int, shape (n,)
        The cluster of each row, from 0.
    strata : Strata, optional
        Their classes, each in at least two clusters; by default all rows are of one.

    Returns
    -------
    variance, dof : float
        As `robust_variance`.
    """
    sums: Floats = np.bincount(clusters, weights=psi).astype(np.float64)
    if strata is None:
        shares = np.bincount(clusters)[:, None] / psi.size
        return robust_variance(sums**2, shares, shares, np.ones(1))
    weights, codes, classes = strata.weights[strata.cells], strata.codes[strata.cells], int(strata.codes.max()) + 1
    cells, shape = clusters * classes + codes, (sums.size, classes)
    means, squares = (
        np.bincount(cells, weights=values, minlength=sums.size * classes).reshape(shape).astype(np.float64)
        for values in (weights, weights**2)
    )
    variances = np.bincount(codes, weights=psi**2) / squares.sum(axis=0)
    return robust_variance(sums**2, means, squares, variances if variances.any() else np.ones(classes))
