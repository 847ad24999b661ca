"""Intervals of proportions, where rows are right or wrong and few of them changed. Pure."""

from __future__ import annotations

from math import expm1, log1p, sqrt

from scipy.special import ndtri

from pytest_model_check.judgement.statistics.arguments import require


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
        require(count >= 0 and count % 1 == 0, name, "a count", count)
    require(n >= max(1, b + c), "n", "at least one row, and all the discordant ones", n)
    require(0 < level < 1, "level", "a number in (0, 1)", level)
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
    require(n >= 1 and n % 1 == 0, "n", "a count >= 1", n)
    require(0 < level < 1, "level", "a number in (0, 1)", level)
    return -expm1(log1p(-level) / n)


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
