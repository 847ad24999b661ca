"""The variance of a sum over units against dense matrices, the jackknife, and its own promise of coverage."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pytest_model_check.judgement.robust_variance import MAX_LEVERAGE, Strata
from pytest_model_check.judgement.statistics import half_width, standard_error

fast = settings(deadline=None, derandomize=True, max_examples=60)


def _classes(seed: int, rows: int, classes: int) -> tuple[np.random.Generator, np.ndarray, Strata]:
    """Simulate rows of several classes; those of a class do not all count the same."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(rows) % classes)
    return rng, codes, Strata.of_rows(codes, rng.choice([10.0, 20.0, 25.0], rows))


def _influence(values: np.ndarray, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    means = np.bincount(codes, weights=weights * values)
    return len(values) * weights * (values - means[codes])


def _expected_of_sums(codes, weights, clusters, variances):
    """Return the covariance of the units' sums, by the matrix that makes them of independent rows."""
    same = codes[:, None] == codes
    residuals = np.eye(len(codes)) - np.where(same, weights, 0.0)  # each value less the mean of its class
    sums = (clusters == np.unique(clusters)[:, None]).astype(float) @ (weights[:, None] * residuals)
    return sums @ np.diag(variances[codes]) @ sums.T


@fast
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_units_of_several_classes_are_as_the_dense_matrices_say(seed, classes):
    rng, codes, strata = _classes(seed, 24, classes)
    clusters = rng.integers(0, 8, 24)
    weights = strata.weights[strata.cells]
    psi = _influence(rng.normal(size=24), codes, weights)
    own = np.bincount(np.unique(clusters * classes + codes) % classes, minlength=classes)
    assume(own.min() >= 2)
    squares = np.array([(weights[codes == c] ** 2).sum() for c in range(classes)])
    variances = np.array([(psi[codes == c] ** 2).sum() for c in range(classes)]) / squares
    covariance = _expected_of_sums(codes, weights, clusters, variances)
    alone = np.bincount(clusters, weights=variances[codes] * weights**2)[np.unique(clusters)]
    factors = alone / np.diag(covariance)
    assume(np.diag(covariance / alone).min() > 1.01 * (1 - MAX_LEVERAGE))
    sums = np.bincount(clusters, weights=psi)[np.unique(clusters)] / 24
    weighted = np.sqrt(factors)[:, None] * covariance * np.sqrt(factors)
    found = standard_error(psi, clusters, strata=strata)
    assert found.se == pytest.approx(sqrt(factors @ sums**2), rel=1e-9)
    assert found.dof == pytest.approx(np.trace(weighted) ** 2 / np.trace(weighted @ weighted), rel=1e-6)


def test_rows_of_two_classes_have_the_variances_of_both_means():
    rng = np.random.default_rng(0)
    values, codes = rng.normal(size=30) * np.repeat([1, 3], [10, 20]), np.repeat([0, 1], [10, 20])
    strata = Strata.of_rows(codes, np.repeat([3.0, 1.5], [10, 20]))
    found = standard_error(_influence(values, codes, strata.weights[strata.cells]), strata=strata)
    variances = np.array([values[:10].var(ddof=1) / 10, values[10:].var(ddof=1) / 20])
    assert found.se == pytest.approx(sqrt(variances.sum()), rel=1e-12)
    welch = variances.sum() ** 2 / (variances[0] ** 2 / 9 + variances[1] ** 2 / 19)
    assert found.dof == pytest.approx(welch, rel=1e-12)


def test_a_class_that_never_moves_lends_no_degree_of_freedom():
    codes = np.repeat([0, 1], [5, 200])
    psi = np.concatenate([np.resize([1.0, -1.0], 4), [0.0], np.zeros(200)])
    found = standard_error(psi, strata=Strata.of_rows(codes, np.repeat([41.0, 1.025], [5, 200])))
    assert found.dof == pytest.approx(4)
    assert standard_error(0 * psi, strata=Strata.of_rows(codes, np.ones(205))).dof == pytest.approx(4)


def test_beyond_four_fifths_in_one_group_the_groups_are_left_out_one_by_one():
    rng = np.random.default_rng(1)
    clusters = np.repeat(range(6), [950, 10, 10, 10, 10, 10])
    psi = rng.normal(size=1000)
    without = np.array([psi[clusters != g].mean() for g in range(6)])
    jackknife = sqrt(sum((psi.mean() - without) ** 2))  # around the mean itself
    assert standard_error(psi, clusters).se == pytest.approx(jackknife, rel=1e-9)


@pytest.mark.parametrize("alike", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("sizes", [[900] + [10] * 10, [950] + [10] * 5])
def test_one_group_of_nearly_all_rows_hides_nothing(sizes, alike):
    rng = np.random.default_rng(2)
    clusters, times, missed = np.repeat(range(len(sizes)), sizes), 800, 0
    for _ in range(times):
        # a group's rows by their mean alone: a thousand draws would tell no more
        means = sqrt(alike) * rng.normal(size=len(sizes)) + rng.normal(size=len(sizes)) * np.sqrt(
            (1 - alike) / np.array(sizes)
        )
        psi = means[clusters]
        error = standard_error(psi, clusters)
        missed += abs(psi.mean()) > half_width(0.95, error.se, rows_dof=error.dof)
    assert missed / (2 * times) <= 0.05
