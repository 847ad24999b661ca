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
        it is their mean.

    References
    ----------
    .. [1] Hyndman, Athanasopoulos, "Forecasting: principles and practice", 5.2: naive and seasonal naive methods.
    """
    time = cv.dataset.time
    assert time is not None
    moments, moment = np.unique(time, return_inverse=True)
    counts = np.bincount(moment, minlength=len(moments))
    values = np.bincount(moment, weights=cv.dataset.y.astype(float), minlength=len(moments)) / counts
    seasons = (1,) if season is None else (1, season)
    return tuple(np.concatenate([_repeated(split, moment, values, each) for split in cv.splits]) for each in seasons)


def _repeated(split: Split, moment: NDArray[np.intp], values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """Repeat the last season that was known, as often as it takes; before there was a whole one, its first value."""
    last = int(moment[split.train].max())
    ahead = moment[split.test] - last
    known: NDArray[np.float64] = values[np.maximum(last - season + 1 + (ahead - 1) % season, 0)]
    return known
