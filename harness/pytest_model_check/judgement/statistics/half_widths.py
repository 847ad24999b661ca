"""How far a comparison can be off, by the noise of rows and of seeds, and what follows from it. Pure."""

from __future__ import annotations

from math import hypot, inf

import numpy as np
import numpy.typing as npt
from scipy.special import fdtri, ndtr, ndtri, stdtr, stdtrit  # scipy.stats takes as long to import as all the rest

from pytest_model_check.judgement.statistics.arguments import Floats, as_array, require
from pytest_model_check.judgement.statistics.standard_errors import StandardError


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
    require(0.5 <= level < 1, "level", "a number in [0.5, 1)", level)
    both = combine(se_rows, noise_sd, dof, rows_dof=rows_dof)
    # where rows have one or two degrees of freedom, a little noise would add more of them than it adds variance
    return max(float(stdtrit(both.dof, level)) * both.se, float(stdtrit(rows_dof, level)) * se_rows)


def half_widths(
    level: float, se_rows: npt.ArrayLike, noise_sd: float = 0.0, dof: float = inf, *, rows_dof: float = inf
) -> Floats:
    """Return `half_width` of many comparisons at once, which differ in their standard errors over rows."""
    rows = as_array("se_rows", se_rows, 1) ** 2
    both = rows + noise_sd**2
    share = np.divide(rows, both, out=np.zeros_like(rows), where=both > 0)
    shares = np.linspace(0, 1, 257)  # there may be many comparisons, and a quantile takes its time
    uncertain = np.maximum(shares**2 / rows_dof + (1 - shares) ** 2 / dof, 1e-12)  # so many degrees are as good as any
    widths = np.interp(share, shares, stdtrit(1 / uncertain, level)) * np.sqrt(both)
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
    require(0 <= se_rows < inf, "se_rows", "a finite number >= 0", se_rows)
    require(0 <= noise_sd < inf, "noise_sd", "a finite number >= 0", noise_sd)
    require(dof > 0, "dof", "a number > 0", dof)
    require(rows_dof > 0, "rows_dof", "a number > 0", rows_dof)
    se = hypot(se_rows, noise_sd)
    if se == 0:
        return StandardError(0.0, inf)
    uncertain = (se_rows / se) ** 4 / rows_dof + (noise_sd / se) ** 4 / dof
    return StandardError(se, 1 / uncertain if uncertain else inf)


def exceeds(spread: StandardError, expected: StandardError, level: float = 0.975) -> bool:
    """Whether one standard error is larger than another by more than chance: the F-test of two variances.

    Parameters
    ----------
    spread, expected : StandardError
        What is seen, and what it should be.
    level : float, default 0.975
        How often nothing is said where they are the same.
    """
    require(0 < level < 1, "level", "a number in (0, 1)", level)
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
    require(0 < se_rows < inf, "se_rows", "a finite number > 0", se_rows)
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
    require(0 <= rows.se < inf, "rows", "a finite standard error >= 0", rows.se)
    require(0 <= noise < inf, "noise", "a finite number >= 0", noise)
    require(0 <= smallest < inf, "smallest", "a finite number >= 0", smallest)
    require(0 <= bias < inf, "bias", "a finite number >= 0", bias)
    return resolution(hypot(rows.se, smallest), noise, dof, rows_dof=rows.dof) + bias


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
    require(0 < margin < inf, "margin", "a finite number > 0", margin)
    require(0 < se < inf, "se", "a finite number > 0", se)
    require(0 < level < 1, "level", "a number in (0, 1)", level)
    return float(ndtr(ndtri(level) - margin / se))
