"""Intervals and tests on arrays of influence values: how sure a comparison of two models is.

Pure functions of arrays and numbers; nothing here knows about models, metrics or data. Higher is better everywhere, and
a metric's unit is the unit of its influence values, standard errors, half-widths and margins. Whatever is not a finite
number of the right shape is a ValueError that starts with the argument's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, hypot, inf, log1p, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import fdtri, ndtr, ndtri, stdtr, stdtrit  # scipy.stats would take as long to import as all the rest

from pytest_model_check.judgement.robust_variance import (
    Strata,
    clustered_variance,
    robust_variance,
    stratified_variance,
)

Floats = npt.NDArray[np.float64]


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
        has a mean of its own to estimate, and its own variance. Each must have two units.

    Returns
    -------
    StandardError
        Let r_g be the sum over unit g of psi less the mean of all rows, and w_g the share of the rows that are in g.
        Units: ``sqrt(sum_g r_g^2 / (1 - w_g)) / n``, which is ``sd(ddof=1) / sqrt(n)`` where every row is its own unit;
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
    psi = _array("psi", psi, 1)
    moved = psi - psi[0]  # first, so that constant values give zero and not rounding noise
    moved -= moved.mean()
    codes = None if clusters is None else _codes("clusters", clusters, psi.size)
    units = psi.size if codes is None else int(codes.max()) + 1
    _require(units >= 2, "psi" if codes is None else "clusters", "at least 2 independent clusters", units)
    if is_time_series:
        sums = moved if codes is None else np.bincount(codes, weights=moved).astype(np.float64)
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
    psi = _array("psi", psi, 2)
    if clusters is None and not is_time_series:  # all at once: a baseline has ten
        _require(psi.shape[1] >= 2, "psi", "at least 2 independent clusters", psi.shape[1])
        return StandardError(sqrt(float(psi.var(axis=1, ddof=1).mean()) / psi.shape[1]), psi.shape[1] - 1)
    return pooled([standard_error(one, clusters, is_time_series=is_time_series) for one in psi])


def pooled(errors: Sequence[StandardError]) -> StandardError:
    """Return the root mean square of standard errors, with the fewest degrees of freedom of one of them."""
    _require(len(errors) > 0, "errors", "at least one standard error", len(errors))
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
    scores, shares = _array("differences", differences, 1), _array("weights", weights, 1)
    _require(shares.size == scores.size, "weights", f"{scores.size} values, one for each split", shares.size)
    _require(bool((shares > 0).all()), "weights", "values above 0", shares.min())
    codes = np.zeros(scores.size, dtype=np.intp) if repeats is None else _codes("repeats", repeats, scores.size)
    smallest = int(np.bincount(codes).min())
    _require(smallest >= 2, "differences", "at least 2 splits in each repeat", smallest)
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
    """Give the equal-weighted cosine estimate: of the slow swings, which positive correlation makes large."""
    periods = sums.size
    dof = max(1, int(0.4 * periods ** (2 / 3)))
    k = np.arange(1, dof + 1)
    mirrored = np.fft.rfft(np.concatenate([sums, sums[::-1]]))[k]
    swings = (mirrored * np.exp(-0.5j * np.pi * k / periods)).real / 2  # sum_g r_g cos(pi k (g + 1/2) / G)
    return StandardError(sqrt(2 * float((swings**2).mean())) / n, dof)


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
    means = _array("split_means", split_means, 2)
    shares = _array("weights", weights, 1)
    replicates, splits = means.shape
    _require(replicates >= 2, "split_means", "at least 2 replicates", replicates)
    _require(shares.size == splits, "weights", f"{splits} values, one for each split", shares.size)
    _require(bool((shares >= 0).all()), "weights", "no negative value", shares.min())
    _require(abs(shares.sum() - 1) < 1e-6, "weights", "shares that sum to 1", shares.sum())
    of_rows = np.zeros(splits) if row_variances is None else _array("row_variances", row_variances, 1)
    _require(of_rows.size == splits, "row_variances", f"{splits} values, one for each split", of_rows.size)
    _require(bool((of_rows >= 0).all()), "row_variances", "no negative value", of_rows.min())
    variances = shares**2 * (means - means[0]).var(axis=0, ddof=1)  # equal replicates: zero, not rounding noise
    total = float(variances.sum())
    if total == 0:
        return SeedNoise(0.0, 0.0, inf, replicates)
    beyond = sqrt(max(0.0, total - float(shares**2 @ of_rows)))
    # by shares of the total, because squares of small variances underflow
    return SeedNoise(sqrt(total), beyond, (replicates - 1) / float(((variances / total) ** 2).sum()), replicates)


def split_variances(psi: npt.ArrayLike, splits: npt.ArrayLike) -> Floats:
    """Return how much the mean of each split varies from one replicate to the next because its rows do.

    Parameters
    ----------
    psi : array_like of shape (B, n)
        Influence values of B replicates, in the metric's unit.
    splits : array_like of int of shape (n,)
        The number of each row's split, from 0.

    Returns
    -------
    ndarray of shape (K,)
        The variance of the interaction of replicates and rows inside the split, over its number of rows: as if every
        row moved by itself. Zero for a split of one row.

    Raises
    ------
    ValueError
        If there are fewer than two replicates.
    """
    psi = _array("psi", psi, 2)
    codes = np.asarray(splits)
    _require(len(psi) >= 2, "psi", "at least 2 replicates", len(psi))
    rows = psi.shape[1]
    _require(codes.shape == (rows,) and codes.dtype.kind in "iu", "splits", f"{rows} whole numbers", codes.shape)
    sizes = np.bincount(codes)
    squares = np.zeros(sizes.size)
    center = psi.mean(axis=0)
    for replicate in psi:  # one at a time: there may be millions of rows
        moved = replicate - center
        squares += np.bincount(codes, weights=moved**2) - np.bincount(codes, weights=moved) ** 2 / np.maximum(sizes, 1)
    variances: Floats = np.maximum(squares, 0) / ((len(psi) - 1) * np.maximum(sizes - 1, 1) * np.maximum(sizes, 1))
    return variances


def half_width(
    level: float, se_rows: float, noise_sd: float = 0.0, dof: float = inf, *, rows_dof: float = inf
) -> float:
    """Return the one-sided half-width of a comparison: what rows and what seeds leave open.

    Parameters
    ----------
    level : float
        One-sided confidence, in [0.5, 1).
    se_rows : float
        Standard error over rows (`standard_error`), in the metric's unit.
    noise_sd : float, default 0
        Standard deviation of the difference that seeds make beyond what rows show, in the metric's unit:
        ``beyond_rows * sqrt(1/B + 1/r)`` for a baseline of B and a candidate of r runs (`SeedNoise`).
    dof : float, default inf
        Degrees of freedom of `noise_sd`.
    rows_dof : float, default inf
        Degrees of freedom of `se_rows`.

    Returns
    -------
    float
        ``t_{nu, level} * sqrt(se_rows^2 + noise_sd^2)``, nu by Satterthwaite; never less than what the rows leave open
        by themselves. Zero if both are zero, which is no certainty: judge such a comparison by `tango_interval` or
        `unchanged_bound`.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Satterthwaite (1946), An approximate distribution of estimates of variance components, Biometrics Bulletin 2.
    """
    _require(0.5 <= level < 1, "level", "a number in [0.5, 1)", level)
    both = combine(se_rows, noise_sd, dof, rows_dof=rows_dof)
    # where rows have one or two degrees of freedom, a little noise would add more of them than it adds variance
    return max(float(stdtrit(both.dof, level)) * both.se, float(stdtrit(rows_dof, level)) * se_rows)


def half_widths(
    level: float, se_rows: npt.ArrayLike, noise_sd: float = 0.0, dof: float = inf, *, rows_dof: float = inf
) -> Floats:
    """Return `half_width` of many comparisons at once, which differ in their standard errors over rows."""
    rows = _array("se_rows", se_rows, 1) ** 2
    both = rows + noise_sd**2
    share = np.divide(rows, both, out=np.zeros_like(rows), where=both > 0)
    uncertain = share**2 / rows_dof + (1 - share) ** 2 / dof
    widths = stdtrit(1 / np.maximum(uncertain, 1e-12), level) * np.sqrt(both)  # so many degrees are as good as any
    least: Floats = np.maximum(widths, float(stdtrit(rows_dof, level)) * np.sqrt(rows))
    return least


def combine(se_rows: float, noise_sd: float = 0.0, dof: float = inf, *, rows_dof: float = inf) -> StandardError:
    """Add two independent sources of noise.

    Parameters
    ----------
    se_rows, noise_sd, dof, rows_dof : float
        As for `half_width`.

    Returns
    -------
    StandardError
        ``sqrt(se_rows^2 + noise_sd^2)``, with Satterthwaite's degrees of freedom.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    _require(0 <= se_rows < inf, "se_rows", "a finite number >= 0", se_rows)
    _require(0 <= noise_sd < inf, "noise_sd", "a finite number >= 0", noise_sd)
    _require(dof > 0, "dof", "a number > 0", dof)
    _require(rows_dof > 0, "rows_dof", "a number > 0", rows_dof)
    se = hypot(se_rows, noise_sd)
    if se == 0:
        return StandardError(0.0, inf)
    uncertain = (se_rows / se) ** 4 / rows_dof + (noise_sd / se) ** 4 / dof
    return StandardError(se, 1 / uncertain if uncertain else inf)


def exceeds(spread: StandardError, expected: StandardError, level: float = 0.9) -> bool:
    """Say whether one standard error is larger than another by more than chance: the F-test of two variances.

    Parameters
    ----------
    spread, expected : StandardError
        What is seen, and what it should be.
    level : float, default 0.9
        How often nothing is said where they are the same.
    """
    _require(0 < level < 1, "level", "a number in (0, 1)", level)
    return spread.se**2 > float(fdtri(min(spread.dof, 1e9), min(expected.dof, 1e9), level)) * expected.se**2


def loss_p_value(
    delta: float, se_rows: float, noise_sd: float = 0.0, dof: float = inf, *, rows_dof: float = inf
) -> float:
    """Return the one-sided p-value of no loss: the level at which `half_width` just reaches from `delta` to zero.

    Parameters
    ----------
    delta : float
        Candidate minus baseline, in the metric's unit.
    se_rows, noise_sd, dof, rows_dof : float
        As for `half_width`; `se_rows` must be above zero.

    Returns
    -------
    float
        Small where the candidate is surely worse; at most 1.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    _require(0 < se_rows < inf, "se_rows", "a finite number > 0", se_rows)
    both = combine(se_rows, noise_sd, dof, rows_dof=rows_dof)
    p = float(stdtr(both.dof, delta / both.se))
    return max(p, float(stdtr(rows_dof, delta / se_rows))) if delta < 0 else p


def resolution(
    se_rows: float, noise_sd: float = 0.0, dof: float = inf, *, rows_dof: float = inf, comparisons: int = 1
) -> float:
    """Return the smallest loss that a comparison can tell from none: the half-widths at .95 and .99 together.

    Parameters
    ----------
    se_rows, noise_sd, dof, rows_dof : float
        As for `half_width`.
    comparisons : int, default 1
        How many comparisons on the same rows are to be right together: each may then miss with a probability of
        .05 / comparisons only (Bonferroni).

    Returns
    -------
    float
        In the metric's unit. An equally good candidate passes a margin as wide as this in about 99 of 100 cases.
    """
    levels = (1 - 0.05 / comparisons, 0.99)
    return sum(half_width(level, se_rows, noise_sd, dof, rows_dof=rows_dof) for level in levels)


def noise_floor(
    rows: StandardError, noise: float = 0.0, dof: float = inf, *, smallest: float = 0.0, bias: float = 0.0
) -> float:
    """Return the smallest margin that a comparison without a real difference can resolve.

    Parameters
    ----------
    rows : StandardError
        Over rows, of the difference of the two that are compared, in the metric's unit.
    noise, dof : float
        The standard deviation that seeds put between them beyond what rows show, and its degrees of freedom.
    smallest : float, default 0
        The smallest change there is, 1/n where rows are 0 or 1: added in quadrature to the noise of the rows.
    bias : float, default 0
        Mean loss of harmlessly changed replicates, in the metric's unit.

    Returns
    -------
    float
        `resolution` of both, plus `bias`.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    _require(0 <= rows.se < inf, "rows", "a finite standard error >= 0", rows.se)
    _require(0 <= noise < inf, "noise", "a finite number >= 0", noise)
    _require(0 <= smallest < inf, "smallest", "a finite number >= 0", smallest)
    _require(0 <= bias < inf, "bias", "a finite number >= 0", bias)
    return resolution(hypot(rows.se, smallest), noise, dof, rows_dof=rows.dof) + bias


def delong_placements(y_true_is_positive: npt.ArrayLike, scores: npt.ArrayLike) -> Floats:
    """Return influence values whose mean is the area under the ROC curve.

    Parameters
    ----------
    y_true_is_positive : array_like of bool of shape (n,)
        Whether a row is of the positive class.
    scores : array_like of shape (n,)
        Scores of one fitted model, higher for the positive class, in any unit; infinity is allowed, ties count half.

    Returns
    -------
    ndarray of shape (n,)
        ``AUC + (V_i - AUC) * n / n_class``, V_i being the share of the other class that row i is on the right side of.

    Raises
    ------
    ValueError
        If there is one class only, or a score is NaN.

    References
    ----------
    DeLong, DeLong, Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating
    characteristic curves, Biometrics 44.
    """
    positive = np.asarray(y_true_is_positive)
    _require(
        positive.dtype == bool and positive.ndim == 1,
        "y_true_is_positive",
        "a 1-d boolean array",
        f"{positive.ndim}-d {positive.dtype}",
    )
    scores = _array("scores", scores, 1, finite=False)
    _require(scores.size == positive.size, "scores", f"{positive.size} values", scores.size)
    _require(0 < positive.sum() < positive.size, "y_true_is_positive", "rows of both classes", f"{positive.sum()} True")
    upper, lower = np.sort(scores[positive]), np.sort(scores[~positive])
    values = np.empty(scores.size)
    values[positive] = _share_below(lower, scores[positive])
    values[~positive] = 1 - _share_below(upper, scores[~positive])
    auc = float(values[positive].mean())
    values -= auc
    values *= np.where(positive, scores.size / upper.size, scores.size / lower.size)
    return values + auc


def tango_interval(b: int, c: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a paired difference of two proportions.

    Parameters
    ----------
    b, c : int
        Number of rows that only the first, and that only the second model has right.
    n : int
        Number of all rows.
    level : float, default 0.95
        Two-sided confidence, in (0, 1).

    Returns
    -------
    low, high : float
        Limits of ``(b - c) / n``; a true interval, and not a point, where b = c = 0.

    Raises
    ------
    ValueError
        If the counts are no counts, or add up to more than n.

    References
    ----------
    Tango (1998), Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design, Statistics in Medicine 17.
    """
    for name, count in (("b", b), ("c", c), ("n", n)):
        _require(count >= 0 and count % 1 == 0, name, "a count", count)
    _require(n >= max(1, b + c), "n", "at least one row, and all the discordant ones", n)
    _require(0 < level < 1, "level", "a number in (0, 1)", level)
    z = float(ndtri((1 + level) / 2))
    return -_tango_upper(c, b, n, z), _tango_upper(b, c, n, z)


def unchanged_bound(n: int, level: float = 0.95) -> float:
    """Return the largest share of changed rows that n rows without any change are compatible with.

    Parameters
    ----------
    n : int
        Number of rows, all of them unchanged.
    level : float, default 0.95
        One-sided confidence, in (0, 1).

    Returns
    -------
    float
        The exact (Clopper-Pearson) bound ``1 - (1 - level)^(1/n)``, a proportion.

    Raises
    ------
    ValueError
        If n is no positive count.

    References
    ----------
    Clopper, Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial,
    Biometrika 26.
    """
    _require(n >= 1 and n % 1 == 0, "n", "a count >= 1", n)
    _require(0 < level < 1, "level", "a number in (0, 1)", level)
    return -expm1(log1p(-level) / n)


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
    differences = _array("differences", differences, 1)
    _require(differences.size >= 2, "differences", "at least 2 values", differences.size)
    _require(0 < test_train_ratio < inf, "test_train_ratio", "a finite number > 0", test_train_ratio)
    _require(np.ptp(differences) > 0, "differences", "values that are not all equal", differences[0])
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
    p = _array("p_values", p_values, 1)
    _require(bool(((p >= 0) & (p <= 1)).all()), "p_values", "values in [0, 1]", p)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(np.arange(p.size, 0, -1) * p[order]), 1)
    return adjusted


def inconclusive_probability(margin: float, se: float, level: float = 0.95) -> float:
    """Return the probability that an equally good candidate does not pass.

    Parameters
    ----------
    margin, se : float
        Margin and standard error of the comparison, in the metric's unit; both above zero.
    level : float, default 0.95
        One-sided confidence that the loss is below the margin, in (0, 1).

    Returns
    -------
    float
        ``Phi(z_level - margin / se)``: never above `level`.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    _require(0 < margin < inf, "margin", "a finite number > 0", margin)
    _require(0 < se < inf, "se", "a finite number > 0", se)
    _require(0 < level < 1, "level", "a number in (0, 1)", level)
    return float(ndtr(ndtri(level) - margin / se))


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
    _require(0 < level < 1, "level", "a number in (0, 1)", level)
    if len(values) < 4:
        return ()
    x = _array("values", values, 1)
    limit = float(stdtrit(x.size - 2, 1 - (1 - level) / (2 * x.size)))
    found = []
    for i in range(x.size):
        others = np.delete(x, i)
        spread = float(others.std(ddof=1)) * sqrt(1 + 1 / others.size)
        if abs(x[i] - others.mean()) > max(limit * spread, 1e-9 * float(np.abs(x).max())):
            found.append(i)
    return tuple(found)


def _require(condition: bool | np.bool, name: str, expected: str, value: object) -> None:
    # comparisons with NaN are false, so every range check refuses NaN too
    if not condition:
        raise ValueError(f"{name}: expected {expected}, got {value}")


def _array(name: str, values: npt.ArrayLike, ndim: int, *, finite: bool = True) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    _require(array.ndim == ndim and array.size > 0, name, f"a non-empty {ndim}-d array", f"shape {array.shape}")
    bad = ~np.isfinite(array) if finite else np.isnan(array)
    _require(not bad.any(), name, "numbers", f"{bad.sum()} NaN or infinite")
    return array


def _codes(name: str, labels: npt.ArrayLike, n: int) -> npt.NDArray[np.intp]:
    labels_: npt.NDArray[Any] = np.asarray(labels)
    _require(labels_.shape == (n,), name, f"{n} labels", f"shape {labels_.shape}")
    try:  # None and pandas.NA can't be compared; NaN and NaT differ from themselves
        missing = bool((labels_ != labels_).any())  # noqa: PLR0124
        codes = np.unique(labels_, return_inverse=True)[1]
    except TypeError as error:
        raise ValueError(f"{name}: expected labels of one type, none missing ({error})") from error
    _require(not missing, name, "labels", "missing ones")
    return codes


def _share_below(ordered: Floats, values: Floats) -> Floats:
    """Return for each value the share of `ordered` below it, ties by half."""
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2 * ordered.size)


def _tango_upper(b: int, c: int, n: int, z: float) -> float:
    """Halve towards the difference above ``(b - c) / n`` that lies z of its own standard errors off."""
    low, high = (b - c) / n, 1.0
    for _ in range(60):  # to the last bit of a number near 1
        delta = (low + high) / 2
        linear, constant = (2 * n - b + c) * delta - b - c, -c * delta * (1 - delta)
        q = (sqrt(max(0.0, linear**2 - 8 * n * constant)) - linear) / (
            4 * n
        )  # P(only the second is right), given delta
        variance = n * max(0.0, 2 * q + delta * (1 - delta))
        low, high = (delta, high) if n * delta - (b - c) < z * sqrt(variance) else (low, delta)
    return (low + high) / 2
