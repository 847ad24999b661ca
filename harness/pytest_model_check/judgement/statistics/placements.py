"""DeLong's placements: influence values of the area under the ROC curve. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pytest_model_check.judgement.statistics.arguments import Floats, as_array, require


def delong_placements(
    y_true_is_positive: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Floats:
    """Return influence values whose mean is the area under the ROC curve.

    Parameters
    ----------
    y_true_is_positive : array_like of bool of shape (n,)
        Whether a row is of the positive class.
    scores : array_like of shape (n,)
        Scores of one fitted model, higher for the positive class, in any unit; infinity is allowed, ties count half.
    weights : array_like of shape (n,), optional
        How much each row counts, above zero; by default all the same.

    Returns
    -------
    ndarray of shape (n,)
        ``AUC + (V_i - AUC) * n / n_class``, V_i being the share of the other class that row i is on the right side of.
        With weights, numbers and shares of rows are those of their weights, and AUC is the weighted mean.

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
    require(
        positive.dtype == bool and positive.ndim == 1,
        "y_true_is_positive",
        "a 1-d boolean array",
        f"{positive.ndim}-d {positive.dtype}",
    )
    scores = as_array("scores", scores, 1, finite=False)
    require(scores.size == positive.size, "scores", f"{positive.size} values", scores.size)
    require(0 < positive.sum() < positive.size, "y_true_is_positive", "rows of both classes", f"{positive.sum()} True")
    if weights is None:
        upper, lower = np.sort(scores[positive]), np.sort(scores[~positive])
        values = np.empty(scores.size)
        values[positive] = _share_below(lower, scores[positive])
        values[~positive] = 1 - _share_below(upper, scores[~positive])
        auc, sizes = float(values[positive].mean()), (scores.size, upper.size, lower.size)
    else:
        mass = as_array("weights", weights, 1)
        require(mass.size == scores.size and bool((mass > 0).all()), "weights", "a weight above 0 for each row", mass)
        values = np.empty(scores.size)
        values[positive] = _weight_below(scores[~positive], mass[~positive], scores[positive])
        values[~positive] = 1 - _weight_below(scores[positive], mass[positive], scores[~positive])
        auc = float(np.average(values[positive], weights=mass[positive]))
        sizes = (mass.sum(), mass[positive].sum(), mass[~positive].sum())
    values -= auc
    values *= np.where(positive, sizes[0] / sizes[1], sizes[0] / sizes[2])
    return values + auc


def _share_below(ordered: Floats, values: Floats) -> Floats:
    """Return for each value the share of `ordered` below it, ties by half."""
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2 * ordered.size)


def _weight_below(others: Floats, weights: Floats, values: Floats) -> Floats:
    """Return for each value the share of the others' weight that is below it, ties by half."""
    order = np.argsort(others, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    left, right = (np.searchsorted(others[order], values, side) for side in ("left", "right"))
    shares: Floats = (below[left] + below[right]) / (2 * below[-1])
    return shares
