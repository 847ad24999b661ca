"""The metrics whose influence values have a closed form. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from pytest_model_check.judgement.scores import Array
from pytest_model_check.scoring.jackknife import SeedAnswers

LOG_LOSS_CLIP = 1e-3  # without it single rows own the result (benchmarks: false alarms up to 11%)
_RowLoss = tuple[str, str, Callable[[SeedAnswers, NDArray[Any]], Array]]


def _hit(answers: SeedAnswers, truth: NDArray[Any]) -> Array:
    return np.asarray(answers["predict"] == truth, dtype=float)


def _log_loss(answers: SeedAnswers, truth: NDArray[Any]) -> Array:
    likelihoods = answers.of_truth(truth)
    return np.asarray(np.log(np.maximum(likelihoods, LOG_LOSS_CLIP, out=likelihoods), out=likelihoods))


def _brier(answers: SeedAnswers, truth: NDArray[Any]) -> Array:
    classes = answers.predictions.classes
    assert classes is not None
    errors = ((answers["predict_proba"] - (truth[:, None] == classes)) ** 2).sum(axis=1)
    return np.asarray(-errors / (2 if len(classes) == 2 else 1))  # as scikit-learn's scale_by_half="auto"


def _r2(y: Array, answers: Array, weights: Array) -> Array:
    """Return `jackknife`'s pseudo-values in closed form; the only row that differs from all others is counted twice."""
    rows, errors, squares = weights.sum(), (y - answers) ** 2, (y - np.average(y, weights=weights)) ** 2
    if y.min() == y.max():
        raise ValueError("all its targets are equal, and R2 is undefined")
    left_out = _left_out(weights)
    error, square = weights @ errors, weights @ squares
    with np.errstate(divide="ignore"):  # a row that has all the weight is alone
        alone = left_out * squares * rows / (rows - left_out) >= square * (1 - 1e-12)
    step = np.where(alone, left_out, -left_out)  # of the row's weight
    spread = square + step * rows / (rows + step) * squares  # around the mean of the rows that are there then
    whole = 1 - error / square
    return np.asarray(whole + (rows + step) / step * (1 - (error + step * errors) / spread - whole))


def _root_mean(squares: Array, weights: Array) -> Array:
    """Return `jackknife`'s pseudo-values of the root of a mean in closed form."""
    rows, left_out = weights.sum(), _left_out(weights)
    whole = np.sqrt(weights @ squares / rows)
    remaining = np.maximum(rows - left_out, 0)
    rest = np.sqrt(np.maximum(weights @ squares - left_out * squares, 0) / np.where(remaining > 0, remaining, 1))
    return np.asarray(whole + remaining / left_out * (whole - rest))


def _left_out(weights: Array) -> Array:
    """Return the weight that each row is left out with: its own, unless that is so little that rounding would show."""
    return np.asarray(np.maximum(weights, 1e-8 * weights.sum()))


def _root_mean_squared_log(y: Array, answers: Array, weights: Array) -> Array:
    with np.errstate(all="ignore"):  # scikit-learn refuses what has no logarithm
        return _root_mean((np.log1p(y) - np.log1p(answers)) ** 2, weights)


def _median(errors: Array) -> Array:
    """Return the influence values of a median: on which side of it a value lies, over twice the density there.

    The density is that between the quantiles on both sides, as far away as Hall and Sheather say (at 95%). Where many
    values tie (whole-numbered answers), the median jumps from one to the next, and that gap has to do.

    References
    ----------
    .. [1] Hall and Sheather, "On the distribution of a studentized quantile", J. R. Stat. Soc. B 50 (1988) 381.
    .. [2] Koenker, "Quantile regression", Cambridge University Press (2005), 3.4.
    """
    middle, rows = np.median(errors), len(errors)
    bandwidth = min((1.959964**2 * 1.5 / (2 * np.pi)) ** (1 / 3) * rows ** (-1 / 3), 0.5)
    low, high = np.quantile(errors, [0.5 - bandwidth, 0.5 + bandwidth])
    below, above = errors[errors < middle], errors[errors > middle]
    gap = (above.min() if above.size else middle) - (below.max() if below.size else middle)
    sparsity = max((high - low) / (2 * bandwidth), gap * np.sqrt(rows))
    lower = min(errors <= middle, errors < middle, key=lambda half: abs(half.mean() - 0.5))
    return np.asarray(middle + (0.5 - lower) * sparsity)


ROW_LOSSES: Mapping[str, _RowLoss] = {
    "accuracy": ("hits", "zero_one", _hit),
    "neg_log_loss": (f"log loss, clipped at {LOG_LOSS_CLIP:g},", "mean", _log_loss),
    "neg_brier_score": ("Brier score", "mean", _brier),
}

MULTIOUTPUT = {
    sk.mean_squared_error,
    sk.mean_absolute_error,
    sk.mean_absolute_percentage_error,
    sk.mean_squared_log_error,
    sk.mean_pinball_loss,
}

IN_FOLD: Mapping[Callable[..., float], Callable[[Array, Array, Array], Array]] = {
    sk.r2_score: _r2,
    sk.root_mean_squared_error: lambda y, answers, weights: _root_mean((y - answers) ** 2, weights),
    sk.root_mean_squared_log_error: _root_mean_squared_log,
    sk.median_absolute_error: lambda y, answers, weights: _median(np.abs(y - answers)),
    # it hangs on a single row, and no spread says how far
    sk.max_error: lambda y, answers, weights: np.zeros(len(y)),
}

UNWEIGHTED = {sk.median_absolute_error}  # scikit-learn weighs it, but how sure it is then has no closed form here
