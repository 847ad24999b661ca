"""The noise of a learner that draws random numbers: of one run, and what of it rows show. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from pytest_model_check.judgement.statistics.arguments import Floats, as_array, require


@dataclass(frozen=True)
class SeedNoise:
    """The noise of a learner that draws random numbers, of one run over all folds.

    Attributes
    ----------
    s : float
        Standard deviation of the metric of a single run, in the metric's unit.
    beyond_rows : float
        The part of `s` that rows do not show: what moves all rows of a split together.
    dof : float
        Degrees of freedom of `s`; infinite where `s` is zero.
    replicates : int
        Number of runs that it was measured with.
    """

    s: float
    beyond_rows: float
    dof: float
    replicates: int


def seed_noise(
    split_means: npt.ArrayLike, weights: npt.ArrayLike, row_variances: npt.ArrayLike | None = None
) -> SeedNoise:
    """Measure the noise of the seed from replicates, each split having drawn its own random state.

    Parameters
    ----------
    split_means : array_like of shape (B, K)
        Mean influence value of replicate b in split k, in the metric's unit.
    weights : array_like of shape (K,)
        Share of split k in the metric, ``n_k / n``; they sum to one.
    row_variances : array_like of shape (K,), optional
        What rows alone let the mean of each split vary (`split_variances`); by default nothing.

    Returns
    -------
    SeedNoise
        ``s^2 = sum v_k`` with ``v_k = w_k^2 var_b(ddof=1)``, and its degrees of freedom by Satterthwaite.
        ``beyond_rows^2 = s^2 - sum w_k^2 row_variance_k``, or zero: a standard error over rows counts the rest already.

    Raises
    ------
    ValueError
        If there are fewer than two replicates, or the weights are no shares of one.

    References
    ----------
    Satterthwaite (1946), An approximate distribution of estimates of variance components, Biometrics Bulletin 2.
    """
    means = as_array("split_means", split_means, 2)
    shares = as_array("weights", weights, 1)
    replicates, splits = means.shape
    require(replicates >= 2, "split_means", "at least 2 replicates", replicates)
    require(shares.size == splits, "weights", f"{splits} values, one for each split", shares.size)
    require(bool((shares >= 0).all()), "weights", "no negative value", shares.min())
    require(abs(shares.sum() - 1) < 1e-6, "weights", "shares that sum to 1", shares.sum())
    of_rows = np.zeros(splits) if row_variances is None else as_array("row_variances", row_variances, 1)
    require(of_rows.size == splits, "row_variances", f"{splits} values, one for each split", of_rows.size)
    require(bool((of_rows >= 0).all()), "row_variances", "no negative value", of_rows.min())
    variances = shares**2 * (means - means[0]).var(axis=0, ddof=1)  # equal replicates: zero, not rounding noise
    total = float(variances.sum())
    if total == 0:
        return SeedNoise(0.0, 0.0, inf, replicates)
    beyond = sqrt(max(0.0, total - float(shares**2 @ of_rows)))
    # by shares of the total, because squares of small variances underflow
    return SeedNoise(sqrt(total), beyond, (replicates - 1) / float(((variances / total) ** 2).sum()), replicates)


def split_variances(psi: npt.ArrayLike, splits: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Floats:
    """Return how much the mean of each split varies from one replicate to the next because its rows do.

    Parameters
    ----------
    psi : array_like of shape (B, n)
        Influence values of B replicates, in the metric's unit.
    splits : array_like of int of shape (n,)
        The number of each row's split, from 0.
    weights : array_like of shape (n,), optional
        How much each row counts in the mean of its split; by default all the same.

    Returns
    -------
    ndarray of shape (K,)
        The variance of the interaction of replicates and rows inside the split, over its number of rows: as if every
        row moved by itself. Zero for a split of one row. With weights: times the sum of their squared shares.

    Raises
    ------
    ValueError
        If there are fewer than two replicates.
    """
    psi = as_array("psi", psi, 2)
    codes = np.asarray(splits)
    require(len(psi) >= 2, "psi", "at least 2 replicates", len(psi))
    rows = psi.shape[1]
    require(codes.shape == (rows,) and codes.dtype.kind in "iu", "splits", f"{rows} whole numbers", codes.shape)
    if weights is not None:
        return _weighted_split_variances(psi, codes, as_array("weights", weights, 1))
    sizes = np.bincount(codes)
    squares = np.zeros(sizes.size)
    center = psi.mean(axis=0)
    for replicate in psi:  # one at a time: there may be millions of rows
        moved = replicate - center
        squares += np.bincount(codes, weights=moved**2) - np.bincount(codes, weights=moved) ** 2 / np.maximum(sizes, 1)
    variances: Floats = np.maximum(squares, 0) / ((len(psi) - 1) * np.maximum(sizes - 1, 1) * np.maximum(sizes, 1))
    return variances


def _weighted_split_variances(psi: Floats, codes: npt.NDArray[np.intp], weights: Floats) -> Floats:
    require(
        weights.size == psi.shape[1] and bool((weights >= 0).all()), "weights", "a weight from 0 for each row", weights
    )
    shares = weights / np.bincount(codes, weights=weights)[codes]
    squares, cubes = (np.bincount(codes, weights=shares**power) for power in (2, 3))
    sums = np.zeros(squares.size)
    center = psi.mean(axis=0)
    for replicate in psi:
        moved = replicate - center
        moved -= np.bincount(codes, weights=shares * moved)[codes]
        sums += np.bincount(codes, weights=(shares * moved) ** 2)
    # what of a variance that all rows share the sum of squares shows, for each mean was estimated
    shown = (squares - 2 * cubes + squares**2) / squares
    variances: Floats = np.divide(sums, (len(psi) - 1) * shown, out=np.zeros_like(sums), where=shown > 1e-12)
    return variances
