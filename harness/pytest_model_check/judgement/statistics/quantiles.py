"""The standard error of a difference of quantiles. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pytest_model_check.judgement.statistics.arguments import as_array, require
from pytest_model_check.judgement.statistics.standard_errors import StandardError

RESAMPLES = 1000


def quantile_difference_error(a: npt.ArrayLike, b: npt.ArrayLike, quantile: float) -> StandardError:
    """Return the standard error of the difference of two quantiles of paired values, by the bootstrap of the pairs.

    Parameters
    ----------
    a, b : array_like of shape (n,)
        The values, pair by pair.
    quantile : float
        In (0, 1).

    Returns
    -------
    StandardError
        Pairs are drawn together, so that what slows both is no noise. The same for the same values: the draws are
        seeded.

    Raises
    ------
    ValueError
        If an argument is outside its range, or there are fewer than two pairs.

    References
    ----------
    Efron, Tibshirani (1993), An Introduction to the Bootstrap, chapter 6.
    """
    first, second = as_array("a", a, 1), as_array("b", b, 1)
    require(len(first) > 1, "a", "two pairs or more", len(first))
    require(len(first) == len(second), "b", f"of length {len(first)}", len(second))
    require(0 < quantile < 1, "quantile", "a number in (0, 1)", quantile)
    n = len(first)
    drawn = np.random.default_rng(n).integers(0, n, (RESAMPLES, n))
    differences = np.quantile(first[drawn], quantile, axis=1) - np.quantile(second[drawn], quantile, axis=1)
    return StandardError(float(differences.std(ddof=1)), n - 1)
