"""The dummies of a time series: what a forecast must beat, made of the target's own past. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.data.splits import CrossValidation, Split


def naive_forecasts(cv: CrossValidation, season: int | None) -> tuple[NDArray[np.float64], ...]:
    """Forecast every split from what was known when it began: the last value, and that of the same time last season.

    Parameters
    ----------
    cv : CrossValidation
        Of a regression whose data has a time and whose splits go forward in it.
    season : int or None
        How many distinct times a season has.

    Returns
    -------
    tuple of ndarray of shape (n_slots,)
        The last value, split by split; and the seasonal one, where a season is given. Where several rows share a time,
        it is their mean, by weight.

    References
    ----------
    .. [1] Hyndman, Athanasopoulos, "Forecasting: principles and practice", 5.2: naive and seasonal naive methods.
    """
    time = cv.dataset.time
    assert time is not None
    moment = np.unique(time, return_inverse=True)[1]
    values = _means(moment, cv.dataset.y.astype(float), cv.dataset.sample_weight)
    seasons = (1,) if season is None else (1, season)
    return tuple(np.concatenate([_repeated(split, moment, values, each) for split in cv.splits]) for each in seasons)


def _means(
    moment: NDArray[np.intp], y: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Average the rows of each time, by weight; where none of them counts, all do."""
    plain: NDArray[np.float64] = np.bincount(moment, weights=y) / np.bincount(moment)
    if weights is None:
        return plain
    totals = np.bincount(moment, weights=weights)
    return np.divide(np.bincount(moment, weights=weights * y), totals, out=plain, where=totals > 0)


def _repeated(split: Split, moment: NDArray[np.intp], values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """Repeat the last season that was known, as often as it takes; before there was a whole one, its first value."""
    last = int(moment[split.train].max())
    ahead = moment[split.test] - last
    known: NDArray[np.float64] = values[np.maximum(last - season + 1 + (ahead - 1) % season, 0)]
    return known
