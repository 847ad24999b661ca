"""Intervals and tests against published numbers, independent formulas, and their own promises of coverage."""

import dataclasses
import math
import subprocess
import sys
from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pytest_model_check.judgement.statistics import (
    SeedNoise,
    StandardError,
    combine,
    corrected_resampled_t,
    delong_placements,
    exceeds,
    fold_standard_error,
    half_width,
    half_widths,
    holm,
    inconclusive_probability,
    loss_p_value,
    noise_floor,
    resolution,
    seed_noise,
    split_variances,
    tango_interval,
    unchanged_bound,
)
from pytest_model_check.judgement.statistics import standard_error as standard_error_and_dof
from support.scores import scores

# Bayle et al.'s example: the differences of 20 rows in 4 folds of 5
BAYLE = np.array([0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, -1])
FOLDS = np.repeat(range(4), 5)
NADEAU = [0.01, 0.02, -0.01, 0, 0.03, 0.01, 0.02, -0.02, 0.01, 0]

fast = settings(deadline=None, derandomize=True, max_examples=60)
# three decimals: sums of wilder numbers would only test rounding
thousandths = st.integers(-5000, 5000).map(lambda i: i / 1000)
rows = hnp.arrays(float, st.integers(2, 40), elements=thousandths)
levels = st.floats(0.5, 0.999)
widths = st.floats(0, 10)


def standard_error(psi, clusters=None):
    return standard_error_and_dof(psi, clusters).se


def floor_of(psi, *noise, clusters=None, is_time_series=False, **options):
    """Return the noise floor of replicates."""
    replicates = dataclasses.replace(scores(psi, clusters=clusters), is_time_series=is_time_series)
    return noise_floor(replicates.error_between_seeds, *noise, **options)


# --- standard_error


def test_standard_error_is_that_of_bayle_and_others():
    # they divide by n, we by n - 1
    se_by_n = standard_error(BAYLE) * sqrt(19 / 20)
    assert se_by_n == pytest.approx(0.5361902647 / sqrt(20), abs=1e-10)
    assert BAYLE.mean() - half_width(0.95, se_by_n) == pytest.approx(0.0527889785, abs=1e-9)


def test_standard_error_by_unit_is_that_of_statsmodels():
    # its small-sample factor is G/(G-1) * (n-1)/(n-k), and k = 1 for a mean
    assert standard_error(BAYLE, FOLDS) == pytest.approx(0.0957427108, abs=1e-10)


@pytest.mark.integration
def test_standard_error_of_single_rows_is_that_of_least_squares():
    linear_model = pytest.importorskip(
        "statsmodels.regression.linear_model", reason="statsmodels is not installed: pip install --group integration"
    )
    psi = np.random.default_rng(1).normal(size=200)
    found = standard_error_and_dof(psi)
    assert found.se == pytest.approx(linear_model.OLS(psi, np.ones(200)).fit().bse[0], rel=1e-12)
    assert found.dof == 199


def test_standard_error_of_unequal_units_is_that_of_bell_and_mccaffrey():
    rng = np.random.default_rng(1)
    psi, clusters = rng.normal(size=120), rng.integers(0, 7, 120) ** 2
    ones = np.ones((120, 1))
    hat = ones @ ones.T / 120
    variance, forms = 0.0, []
    for unit in np.unique(clusters):  # their matrices, written out for a regression on a constant
        inside = clusters == unit
        values, vectors = np.linalg.eigh(np.eye(inside.sum()) - hat[np.ix_(inside, inside)])
        adjusted = vectors @ np.diag(values**-0.5) @ vectors.T
        form = (np.eye(120) - hat)[:, inside] @ adjusted @ ones[inside] / 120
        forms.append(form[:, 0])
        variance += float(form[:, 0] @ psi) ** 2
    cross = np.array(forms) @ np.array(forms).T
    found = standard_error_and_dof(psi, clusters)
    assert found.se == pytest.approx(sqrt(variance), rel=1e-10)
    assert found.dof == pytest.approx(np.trace(cross) ** 2 / (cross**2).sum(), rel=1e-10)
    names = standard_error_and_dof(psi, [f"unit {u}" for u in clusters])
    assert (names.se, names.dof) == pytest.approx((found.se, found.dof), rel=1e-12)


def test_units_of_equal_size_have_one_degree_of_freedom_less_than_there_are():
    assert standard_error_and_dof(BAYLE, FOLDS).dof == pytest.approx(3)


def test_a_single_run_against_another_is_the_test_of_diebold_mariano_and_harvey():
    actual = np.array([10, 20, 30, 40, 50])
    losses = [(actual - np.array(one)) ** 2 for one in ([11, 21, 29, 42, 53], [13, 26, 24, 40, 59])]
    difference = losses[0] - losses[1]
    found = standard_error_and_dof(difference)
    assert difference.mean() / found.se == pytest.approx(-2.2229922805746782, rel=1e-12)
    assert loss_p_value(difference.mean(), found.se, rows_dof=found.dof) * 2 == pytest.approx(0.0903113172, abs=1e-10)


def test_neighbouring_periods_are_estimated_by_their_slow_swings():
    rng = np.random.default_rng(3)
    psi = rng.normal(size=300)
    found = standard_error_and_dof(psi, np.repeat(np.arange(60), 5), is_time_series=True)
    sums = np.add.reduceat(psi - psi.mean(), np.arange(0, 300, 5))
    cosines = [np.cos(np.pi * k * (np.arange(60) + 0.5) / 60) for k in range(1, 7)]
    assert found.dof == 6  # 0.4 * 60^(2/3)
    assert found.se == pytest.approx(sqrt(np.mean([2 * (c @ sums) ** 2 for c in cosines])) / 300, rel=1e-12)
    assert standard_error_and_dof([0.0, 1.0], is_time_series=True).dof == 1


@pytest.mark.parametrize("sizes", [[20] * 4, [20] * 10, [150, 40, 40, 10, 10, 10]], ids=str)
def test_few_groups_miss_as_seldom_as_they_say(sizes):
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    missed, times = 0, 1500
    for _ in range(times):
        psi = rng.normal(size=clusters.size) + 0.5 * rng.normal(size=len(sizes))[clusters]
        found = standard_error_and_dof(psi, clusters)
        missed += psi.mean() > half_width(0.95, found.se, rows_dof=found.dof)
    assert missed / times <= 0.05 + 3 * sqrt(0.05 * 0.95 / times) + (0.02 if len(set(sizes)) > 1 else 0)


@pytest.mark.parametrize("periods", [30, 120])
def test_days_that_follow_each_other_miss_as_seldom_as_they_say(periods):
    rng = np.random.default_rng(5)
    missed, naive, times = 0, 0, 1500
    for _ in range(times):
        psi = rng.normal(size=periods)
        for day in range(1, periods):
            psi[day] += 0.5 * psi[day - 1]
        found, alone = standard_error_and_dof(psi, is_time_series=True), standard_error_and_dof(psi)
        missed += psi.mean() > half_width(0.95, found.se, rows_dof=found.dof)
        naive += psi.mean() > half_width(0.95, alone.se, rows_dof=alone.dof)
    assert missed / times <= 0.08
    assert naive / times > 0.12


@fast
@given(rows, st.data())
def test_standard_error_ignores_the_order_of_rows_and_units(psi, data):
    clusters = data.draw(hnp.arrays(int, psi.size, elements=st.integers(0, 5)))
    assume(np.unique(clusters).size > 1)
    order = np.array(data.draw(st.permutations(range(psi.size))))
    assert standard_error(psi[order]) == pytest.approx(standard_error(psi), abs=1e-12)
    assert standard_error(psi[order], clusters[order]) == pytest.approx(standard_error(psi, clusters), abs=1e-12)
    assert standard_error(psi, 7 - clusters) == pytest.approx(standard_error(psi, clusters), abs=1e-12)


@fast
@given(rows, thousandths, thousandths)
def test_standard_error_follows_the_unit_and_not_the_origin(psi, factor, shift):
    se = standard_error(psi)
    assert (se > 0) == (np.ptp(psi) > 0)
    assert standard_error(factor * psi) == pytest.approx(abs(factor) * se, abs=1e-12)
    assert standard_error(psi + shift) == pytest.approx(se, abs=1e-12)


@fast
@given(rows)
def test_every_row_its_own_unit_is_no_units_exactly(psi):
    assert standard_error(psi, np.arange(psi.size)) == standard_error(psi)


@fast
@given(rows)
def test_copies_of_a_row_in_one_unit_add_no_information(psi):
    assert standard_error(np.repeat(psi, 3), np.repeat(np.arange(psi.size), 3)) == pytest.approx(
        standard_error(psi), abs=1e-12
    )


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e8 + 0.1])
def test_constant_values_have_no_spread_at_all(value):
    assert standard_error([value] * 7) == 0
    assert seed_noise([[value, value]] * 7, [0.3, 0.7]) == SeedNoise(0.0, 0.0, inf, 7)
    assert floor_of([[value, value / 3]] * 7) == 0


# --- seed_noise


def test_seed_noise_by_hand():
    means = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 4.0]])  # variances 4 and 3
    noise = seed_noise(means, [0.25, 0.75])
    v = np.array([4 / 16, 3 * 9 / 16])
    assert noise.s == pytest.approx(sqrt(v.sum()), rel=1e-12)
    assert noise.dof == pytest.approx(v.sum() ** 2 / (v**2 / 2).sum(), rel=1e-12)
    assert noise.replicates == 3


def test_seed_noise_of_equal_splits_adds_up_their_degrees_of_freedom():
    column = np.random.default_rng(0).normal(size=10)
    noise = seed_noise(np.column_stack([column] * 8), np.full(8, 1 / 8))
    assert noise.dof == pytest.approx(8 * 9)
    assert noise.s == pytest.approx(column.std(ddof=1) / sqrt(8))


def test_seed_noise_has_the_bounds_of_satterthwaite_however_small_it_is():
    means = 1e-120 * np.random.default_rng(0).normal(size=(10, 5))
    noise = seed_noise(means, np.full(5, 0.2))
    assert 9 <= noise.dof <= 45
    assert noise.s == pytest.approx(1e-120 * seed_noise(1e120 * means, np.full(5, 0.2)).s, rel=1e-9)


# --- fold_standard_error


def test_folds_of_equal_size_have_the_usual_standard_error():
    found = fold_standard_error(NADEAU, [0.1] * 10)
    assert found.se == pytest.approx(np.std(NADEAU, ddof=1) / sqrt(10), rel=1e-12)
    assert found.dof == pytest.approx(9)


def test_folds_of_unequal_size_are_as_groups_of_rows():
    sizes = np.array([800, 50, 50, 50, 50])
    scores_of_folds = np.array([0.05, 0.02, 0.06, 0.04, 0.09])
    of_rows = standard_error_and_dof(np.repeat(scores_of_folds, sizes), np.repeat(range(5), sizes))
    found = fold_standard_error(scores_of_folds, sizes / 1000)
    assert (found.se, found.dof) == pytest.approx((of_rows.se, of_rows.dof), rel=1e-12)
    assert fold_standard_error([0.05] * 5, sizes / 1000).se == 0  # that some count more is no spread


def test_repeats_of_folds_add_no_certainty():
    once = fold_standard_error(NADEAU, [0.1] * 10)
    thrice = fold_standard_error(NADEAU * 3, [1 / 30] * 30, np.repeat(range(3), 10))
    assert (thrice.se, thrice.dof) == pytest.approx((once.se, once.dof), rel=1e-12)


def test_folds_that_follow_each_other_are_periods():
    of_periods = standard_error_and_dof(NADEAU, is_time_series=True)
    found = fold_standard_error(NADEAU, [0.1] * 10, is_time_series=True)
    assert (found.se, found.dof) == pytest.approx((of_periods.se, of_periods.dof), rel=1e-12)


# --- half_width, resolution, noise_floor


def test_half_width_adds_rows_and_noise():
    assert half_width(0.95, 0.01) == pytest.approx(0.01644853627, abs=1e-11)
    assert half_width(0.9975, 0.01) == pytest.approx(0.02807033768, abs=1e-11)
    assert half_width(0.95, 0, 0.02, 9) == pytest.approx(0.02 * 1.833112933, abs=1e-11)
    assert half_width(0.95, 0.02, rows_dof=9) == pytest.approx(0.02 * 1.833112933, abs=1e-11)
    assert half_width(0.95, 0.03, 0.04) == pytest.approx(0.05 * 1.644853627, abs=1e-11)
    # two equal parts with 9 degrees of freedom each have 18: Satterthwaite's sum of independent estimates
    assert half_width(0.95, 0.03, 0.03, 9, rows_dof=9) == pytest.approx(0.03 * sqrt(2) * 1.7340636066, rel=1e-9)
    assert half_width(0.95, 0.0, 0.0, 1e-9) == 0


@fast
@given(levels, levels, widths, widths, st.floats(1, 1e6))
def test_half_width_grows_with_the_level(one, other, se, noise, dof):
    low, high = sorted([one, other])
    assert half_width(low, se, noise, dof) <= half_width(high, se, noise, dof)
    if high - low > 1e-3 and max(se, noise) > 1e-3:
        assert half_width(low, se, noise, dof) < half_width(high, se, noise, dof)


@fast
@given(levels, widths, widths, st.floats(1, 1e6))
def test_half_width_is_never_below_either_part_nor_above_their_sum(level, se, noise, dof):
    h = half_width(level, se, noise, dof)
    assert half_width(level, se, noise) <= h * (1 + 1e-9)  # fewer degrees of freedom never narrow it
    assert max(half_width(level, se), half_width(level, 0, noise)) <= h * (1 + 1e-9)
    assert h <= (half_width(level, se, dof=dof, rows_dof=dof) + half_width(level, 0, noise, dof)) * (1 + 1e-9)


@fast
@given(st.floats(0.5, 0.9999), st.floats(0, 5), st.floats(0, 5), st.floats(1, 50), st.floats(1, 50))
def test_more_noise_never_narrows(level, se, noise, dof, rows_dof):
    """Not even where it brings more degrees of freedom than the rows have."""
    h = half_width(level, se, noise, dof, rows_dof=rows_dof)
    assert h >= half_width(level, se, rows_dof=rows_dof) * (1 - 1e-12)
    if se > 0:
        low, high = (loss_p_value(-1.0, se, n, dof, rows_dof=rows_dof) for n in (0.0, noise))
        assert low <= high * (1 + 1e-9)


def test_combine_adds_variances_and_their_degrees_of_freedom():
    assert combine(3, 4, 10, rows_dof=20).se == 5
    assert combine(3, 4, 10, rows_dof=20).dof == pytest.approx(25**2 / (3**4 / 20 + 4**4 / 10))
    assert combine(0, 0) == StandardError(0.0, inf)


def test_exceeds_is_the_f_test():
    rng = np.random.default_rng(9)
    said = [exceeds(StandardError(sqrt(v / 9), 9), StandardError(1.0, inf)) for v in rng.chisquare(9, 4000)]
    assert np.mean(said) == pytest.approx(0.025, abs=0.01)
    assert exceeds(StandardError(2.0, 9), StandardError(1.0, 100))
    assert not exceeds(StandardError(1.0, 9), StandardError(1.0, 100))


def test_resolution_is_both_half_widths():
    assert resolution(1.0) == pytest.approx(3.971201, abs=1e-6)  # the 3.97 of STATISTICS.md
    assert resolution(0, 0.3, 5) == pytest.approx(0.3 * (2.015048373 + 3.364929999), abs=1e-8)


@fast
@given(
    st.lists(st.sampled_from([0.0, 1e-6, 0.5, 2.0, 1e3]), min_size=1, max_size=5),
    st.sampled_from([0.0, 1e-3, 1.0]),
    st.sampled_from([1.0, 7.0, inf]),
    st.sampled_from([1.0, 30.0, inf]),
)
def test_many_half_widths_are_those_of_each(errors, noise, dof, rows_dof):
    found = half_widths(0.95, errors, noise, dof, rows_dof=rows_dof)
    assert found == pytest.approx([half_width(0.95, se, noise, dof, rows_dof=rows_dof) for se in errors], rel=1e-4)


def test_noise_floor_by_hand():
    psi = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])  # its interaction: +-1/6, +-1/3, +-1/6
    variance = (4 / 36 + 2 / 9) / (1 * 2)
    r = sqrt(2 * variance / 3)
    assert floor_of(psi) == pytest.approx(resolution(r, rows_dof=2), rel=1e-12)
    assert floor_of(psi, smallest=1 / 3) == pytest.approx(resolution(sqrt(r**2 + 1 / 9), rows_dof=2), rel=1e-12)
    floor = floor_of(psi, 10, 7, bias=0.5)
    assert floor == pytest.approx(resolution(r, 10, 7, rows_dof=2) + 0.5, rel=1e-12)


def test_noise_floor_of_units_is_that_of_their_differences():
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(12), 5)
    psi = rng.normal(size=(2, 12)).repeat(5, axis=1)
    error = standard_error_and_dof(psi[0] - psi[1], clusters)  # of two replicates there is one difference
    assert floor_of(psi, clusters=clusters) == pytest.approx(resolution(error.se, rows_dof=error.dof), rel=1e-12)
    error = standard_error_and_dof(psi[0] - psi[1], clusters, is_time_series=True)
    found = floor_of(psi, clusters=clusters, is_time_series=True)
    assert found == pytest.approx(resolution(error.se, rows_dof=error.dof), rel=1e-12)


@fast
@given(hnp.arrays(float, st.tuples(st.integers(2, 6), st.integers(2, 20)), elements=thousandths), thousandths.map(abs))
def test_noise_floor_follows_the_unit_and_sees_the_interaction_only(psi, factor):
    floor = floor_of(psi, 0.1, 9, bias=0.2)
    assert floor_of(factor * psi, factor * 0.1, 9, bias=factor * 0.2) == pytest.approx(factor * floor, abs=1e-9)
    rows_and_replicates = psi + np.arange(psi.shape[1]) + 3 * np.arange(psi.shape[0])[:, None]
    assert floor_of(rows_and_replicates, 0.1, 9, bias=0.2) == pytest.approx(floor, abs=1e-9)


def test_noise_floor_estimates_the_row_noise_between_two_runs():
    rng = np.random.default_rng(3)
    floor = floor_of(rng.normal(size=2000) + 0.3 * rng.normal(size=(10, 2000)), 0, inf)
    assert floor == pytest.approx(resolution(0.3 * sqrt(2 / 2000)), rel=0.03)


def test_split_variances_by_hand():
    psi = np.array([[0.0, 1.0, 5.0, 5.0], [0.0, 0.0, 6.0, 6.0]])  # rows that move alone, and rows that move together
    np.testing.assert_allclose(split_variances(psi, [0, 0, 1, 1]), [4 * 0.25**2 / 2, 0], atol=1e-15)
    np.testing.assert_array_equal(split_variances(psi, [0, 1, 2, 3]), np.zeros(4))
    noise = seed_noise(psi.reshape(2, 2, 2).mean(axis=2), [0.5, 0.5], split_variances(psi, [0, 0, 1, 1]))
    variances = 0.25 * np.array([0.125, 0.5])
    assert noise.s**2 == pytest.approx(variances.sum())
    assert noise.beyond_rows**2 == pytest.approx(variances.sum() - 0.25 * 0.125)


@pytest.mark.parametrize(
    ("folds_move", "rows_move", "models_differ"),
    [(0, 0.3, 0), (0, 0.3, 0.5), (0.1, 0, 0.5), (0.1, 0.3, 0.5), (0.2, 0, 0.01)],
)
def test_what_seeds_do_to_rows_and_to_folds_is_counted_once(folds_move, rows_move, models_differ):
    """The larger of the two parts misses up to 11%, their plain sum of squares counts the rows twice (1%)."""
    rng = np.random.default_rng(8)
    fold, times, missed = np.repeat(np.arange(10), 30), 1200, 0

    def runs(seeds, base):
        moved = rng.normal(0, folds_move, (seeds, 10))[:, fold] + rng.normal(0, rows_move, (seeds, 300))
        return base + moved

    for _ in range(times):
        base = rng.normal(size=300)
        old, new = runs(10, base), runs(1, base + rng.normal(0, models_differ, 300))
        means = np.stack([old[:, fold == k].mean(axis=1) for k in range(10)], axis=1)
        noise = seed_noise(means, np.full(10, 0.1), split_variances(old, fold))
        difference = new[0] - old.mean(axis=0)
        se, seeds = standard_error(difference), noise.beyond_rows * sqrt(1 / 10 + 1)
        missed += difference.mean() > half_width(0.95, se, seeds, noise.dof, rows_dof=299)
    assert 0.03 < missed / times < 0.05 + 3 * sqrt(0.05 * 0.95 / times)


# --- coverage: what the intervals promise, on data where the truth is zero


def within_binomial_error(covered, level):
    n = len(covered)
    return abs(np.mean(covered) - level) < 4 * sqrt(level * (1 - level) / n)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_coverage_over_rows(level):
    psi = np.random.default_rng(5).normal(size=(4000, 200))
    bounds = [row.mean() - half_width(level, standard_error(row)) for row in psi]
    assert within_binomial_error([b <= 0 for b in bounds], level)


def test_coverage_over_dependent_rows_needs_their_units():
    rng = np.random.default_rng(6)
    clusters = np.repeat(np.arange(100), 5)
    psi = rng.normal(size=(3000, 100)).repeat(5, axis=1) + rng.normal(size=(3000, 500))

    def covered(clusters):
        return [abs(row.mean()) <= half_width(0.975, standard_error(row, clusters)) for row in psi]

    assert within_binomial_error(covered(clusters), 0.95)
    assert not within_binomial_error(covered(None), 0.95)


def test_coverage_over_seeds_with_few_replicates():
    # a baseline of B = 4 runs and a candidate of r = 1: t with 3 degrees of freedom, exactly, in a single split
    runs = np.random.default_rng(7).normal(size=(4000, 5))

    def covered(known):
        for baseline, candidate in zip(runs[:, :4], runs[:, 4], strict=True):
            noise = seed_noise(baseline[:, None], [1.0])
            dof = inf if known else noise.dof
            yield candidate - baseline.mean() <= half_width(0.95, 0, noise.s * sqrt(1 / 4 + 1), dof)

    assert within_binomial_error(list(covered(known=False)), 0.95)
    assert not within_binomial_error(list(covered(known=True)), 0.95)


# --- delong_placements


def test_delong_mean_is_the_auc_and_spread_is_delongs():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(2)
    positive = rng.random(300) < 0.3
    scores = np.round(rng.normal(size=300) + positive, 1)  # with many ties
    psi = delong_placements(positive, scores)
    assert psi.mean() == pytest.approx(metrics.roc_auc_score(positive, scores), abs=1e-14)
    # DeLong's own formula, from the kernel of all pairs
    kernel = np.sign(scores[positive][:, None] - scores[~positive]) / 2 + 0.5
    m, n = kernel.shape
    s10, s01 = kernel.mean(axis=1).var(ddof=1), kernel.mean(axis=0).var(ddof=1)
    assert standard_error(psi) == pytest.approx(sqrt(s10 / m + s01 / n), rel=0.005)
    # up to the degrees of freedom, which each class has of its own there, they are one
    ours = standard_error(psi) ** 2 * (m + n - 1) / (m + n)
    assert ours == pytest.approx(s10 * (m - 1) / m**2 + s01 * (n - 1) / n**2, rel=1e-12)


labelled_scores = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        hnp.arrays(bool, n).filter(lambda y: 0 < y.sum() < y.size),
        hnp.arrays(float, n, elements=st.sampled_from([-inf, -1.0, -0.0, 0.0, 0.25, 0.5, 1.0, 2.0, inf])),
    )
)


@fast
@given(labelled_scores, st.randoms(use_true_random=False))
def test_delong_is_the_share_of_pairs_in_order(labelled, random):
    positive, scores = labelled
    psi = delong_placements(positive, scores)
    pairs = [(p > n) + (p == n) / 2 for p in scores[positive] for n in scores[~positive]]
    assert psi.mean() == pytest.approx(np.mean(pairs), abs=1e-12)
    order = random.sample(range(psi.size), psi.size)
    np.testing.assert_allclose(delong_placements(positive[order], scores[order]), psi[order], atol=1e-12)
    # the same curve from the other side
    np.testing.assert_allclose(delong_placements(~positive, -scores), psi, atol=1e-12)


@fast
@given(labelled_scores)
def test_identical_curves_do_not_differ_in_any_row(labelled):
    positive, scores = labelled
    difference = delong_placements(positive, np.arctan(scores) * 3 - 1) - delong_placements(positive, scores)
    assert not difference.any()
    assert standard_error(difference) == 0


def test_delong_takes_both_classes():
    with pytest.raises(ValueError, match="y_true_is_positive: expected rows of both classes"):
        delong_placements([True, True], [0.1, 0.2])
    with pytest.raises(ValueError, match="y_true_is_positive: expected a 1-d boolean"):
        delong_placements([0, 1], [0.1, 0.2])  # could be -1 and 1, or 1 and 2


# --- tango_interval, unchanged_bound


def test_tango_reference():
    assert tango_interval(6, 16, 161) == pytest.approx((-0.1240, -0.0054), abs=5e-5)


counts = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 200)).filter(any)


@fast
@given(counts, st.floats(0.5, 0.99))
def test_tango_contains_the_estimate_and_mirrors(cells, level):
    b, c, same = cells
    n = b + c + same
    low, high = tango_interval(b, c, n, level)
    assert -1 <= low <= (b - c) / n <= high <= 1
    assert low < high
    assert tango_interval(c, b, n, level) == (-high, -low)
    wider = tango_interval(b, c, n, (1 + level) / 2)
    assert wider[0] <= low
    assert wider[1] >= high


@pytest.mark.parametrize("n", [1, 30, 569])
def test_tango_has_a_width_where_nothing_differs(n):
    edge = 1.959963985**2 / (n + 1.959963985**2)  # the score equation in closed form
    assert tango_interval(0, 0, n) == pytest.approx((-edge, edge), abs=1e-9)


def test_tango_limits_solve_the_score_equation():
    # likelihood maximised on a grid, not by the formula: the discordant cells are q + delta and q
    b, c, n = 9, 4, 60
    for limit in tango_interval(b, c, n):
        q = np.linspace(max(0, -limit), (1 - limit) / 2, 400_002)[1:-1]
        q = q[np.argmax(b * np.log(q + limit) + c * np.log(q) + (n - b - c) * np.log1p(-2 * q - limit))]
        z = (b - c - n * limit) / sqrt(n * (2 * q + limit - limit**2))
        assert abs(z) == pytest.approx(1.959964, abs=1e-4)


def test_unchanged_bound_reference():
    assert unchanged_bound(569) == pytest.approx(0.00525, abs=5e-6)
    assert unchanged_bound(178) == pytest.approx(0.0167, abs=5e-5)
    assert unchanged_bound(1) == pytest.approx(0.95)


@fast
@given(st.integers(1, 10**6), st.floats(0.5, 0.999))
def test_unchanged_bound_leaves_the_chance_it_says(n, level):
    assert math.exp(n * math.log1p(-unchanged_bound(n, level))) == pytest.approx(1 - level, rel=1e-6)


# --- corrected_resampled_t


def test_corrected_t_by_hand():
    test = corrected_resampled_t(NADEAU, 1 / 9)
    assert test.mean == pytest.approx(0.007, abs=1e-15)
    assert test.se == pytest.approx(0.0068664509, abs=1e-10)
    assert test.t == pytest.approx(1.0194495, abs=1e-7)
    assert test.dof == 9
    assert test.p == pytest.approx(0.1673050, abs=1e-7)
    assert test.lower_bound() == pytest.approx(-0.0055869800, abs=1e-10)


@pytest.mark.parametrize(("margin", "t", "p"), [(0, 1.4812258, 0.0863425), (0.02, 5.7132995, 1.4470e-4)])
def test_corrected_t_without_overlap_is_the_usual_one(margin, t, p):
    test = corrected_resampled_t(np.add(NADEAU, margin), 1e-12)
    assert test.t == pytest.approx(t, abs=1e-7)
    assert test.p == pytest.approx(p, abs=1e-7)


@pytest.mark.integration
def test_corrected_t_agrees_with_baycomp():
    baycomp = pytest.importorskip("baycomp", reason="baycomp is not installed: pip install --group integration")
    # it takes the second minus the first
    left, _, right = baycomp.CorrelatedTTest(np.zeros(10), np.array(NADEAU), rope=1e-12).probs()
    test = corrected_resampled_t(NADEAU, 1 / 9)
    assert test.p == pytest.approx(left, abs=1e-9)
    assert 1 - test.p == pytest.approx(right, abs=1e-9)


def test_corrected_t_is_that_of_scikit_learns_example():
    datasets = pytest.importorskip("sklearn.datasets")
    model_selection = pytest.importorskip("sklearn.model_selection")
    svm = pytest.importorskip("sklearn.svm")
    x, y = datasets.make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = model_selection.RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        model_selection.cross_val_score(svm.SVC(kernel=kernel, random_state=0), x, y, scoring="roc_auc", cv=folds)
        for kernel in ("rbf", "linear")
    )
    assert (rbf.mean(), linear.mean()) == pytest.approx((0.94, 0.93), abs=5e-5)
    test = corrected_resampled_t(rbf - linear, 1 / 9)
    assert test.t == pytest.approx(0.750313, abs=1e-6)
    assert test.p == pytest.approx(0.227423, abs=1e-6)
    assert test.lower_bound(0.975) == pytest.approx(-0.016445, abs=1e-6)
    assert 2 * test.mean - test.lower_bound(0.975) == pytest.approx(0.036445, abs=1e-6)


@fast
@given(hnp.arrays(float, st.integers(2, 20), elements=thousandths), st.floats(0.01, 1), levels)
def test_corrected_t_and_its_bound_say_the_same(differences, ratio, level):
    assume(np.ptp(differences) > 0)
    test = corrected_resampled_t(differences, ratio)
    assert corrected_resampled_t(differences - test.lower_bound(level), ratio).p == pytest.approx(1 - level, abs=1e-6)
    assert corrected_resampled_t(-differences, ratio).p == pytest.approx(1 - test.p, abs=1e-9)


# --- holm, inconclusive_probability


def test_holm_reference():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02], rtol=1e-12)


p_values = hnp.arrays(float, st.integers(1, 15), elements=st.floats(0, 1))


@fast
@given(p_values, st.randoms(use_true_random=False))
def test_holm_keeps_order_and_only_raises(p, random):
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
    assert adjusted.min() == min(1, p.size * p.min())  # the smallest is Bonferroni's
    order = random.sample(range(p.size), p.size)
    np.testing.assert_array_equal(holm(p[order]), adjusted[order])


def test_inconclusive_probability():
    assert inconclusive_probability(1.644853627, 1) == pytest.approx(0.5, abs=1e-9)
    assert inconclusive_probability(resolution(0.02), 0.02) == pytest.approx(0.01, abs=1e-12)
    assert inconclusive_probability(1e-12, 1) == pytest.approx(0.95, abs=1e-9)


def test_inconclusive_probability_is_the_share_of_equal_candidates_that_do_not_pass():
    differences = np.random.default_rng(8).normal(scale=0.5, size=20_000)
    blocked = differences - half_width(0.95, 0.5) <= -1.0
    assert within_binomial_error(blocked, inconclusive_probability(1.0, 0.5))


# --- what is refused


TWO_BY_TWO = [[0.1, 0.2], [0.3, 0.4]]


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (standard_error, ([0.1, nan],), "psi: expected numbers"),
        (standard_error, ([0.1, inf],), "psi: expected numbers"),
        (standard_error, ([],), "psi: expected a non-empty 1-d"),
        (standard_error, ([0.1],), "psi: expected at least 2"),
        (standard_error, (TWO_BY_TWO,), "psi: expected a non-empty 1-d"),
        (standard_error, ([0.1, 0.2], ["a", "a"]), "clusters: expected at least 2"),
        (standard_error, ([0.1, 0.2], ["a"]), "clusters: expected 2 labels"),
        (standard_error, ([0.1, 0.2], [1.0, nan]), "clusters: expected labels"),
        (standard_error, ([0.1, 0.2], ["a", None]), "clusters: expected labels"),
        (seed_noise, ([[0.1, nan], [0.3, 0.4]], [0.5, 0.5]), "split_means: expected numbers"),
        (seed_noise, (TWO_BY_TWO, [nan, 0.5]), "weights: expected numbers"),
        (seed_noise, ([[0.1, 0.2]], [0.5, 0.5]), "split_means: expected at least 2"),
        (seed_noise, (TWO_BY_TWO, [1.0]), "weights: expected 2 values"),
        (seed_noise, (TWO_BY_TWO, [0.5, 0.6]), "weights: expected shares"),
        (seed_noise, (TWO_BY_TWO, [1.5, -0.5]), "weights: expected no negative"),
        (half_width, (nan, 1), "level"),
        (half_width, (1, 1), "level"),
        (half_width, (95, 1), "level"),
        (half_width, (0.95, nan), "se_rows"),
        (half_width, (0.95, -1), "se_rows"),
        (half_width, (0.95, inf), "se_rows"),
        (half_width, (0.95, 1, nan), "noise_sd"),
        (half_width, (0.95, 1, 1, nan), "dof"),
        (half_width, (0.95, 1, 1, 0), "dof"),
        (resolution, (nan,), "se_rows"),
        (noise_floor, (StandardError(nan, 1),), "rows: "),
        (noise_floor, (StandardError(1.0, 9), nan, 1), "noise: "),
        (noise_floor, (StandardError(1.0, 9), 1, nan), "dof"),
        (lambda smallest: noise_floor(StandardError(1.0, 9), smallest=smallest), (nan,), "smallest"),
        (lambda bias: noise_floor(StandardError(1.0, 9), bias=bias), (nan,), "bias"),
        (fold_standard_error, ([0.1, nan], [0.5, 0.5]), "differences: expected numbers"),
        (fold_standard_error, ([0.1], [1.0]), "differences: expected at least 2 splits"),
        (fold_standard_error, ([0.1, 0.2, 0.3], [0.3] * 3, [0, 0, 1]), "differences: expected at least 2 splits"),
        (fold_standard_error, ([0.1, 0.2], [0.5]), "weights: expected 2 values"),
        (fold_standard_error, ([0.1, 0.2], [1.0, 0.0]), "weights: expected values above 0"),
        (delong_placements, ([True, False], [0.1, nan]), "scores: expected numbers"),
        (delong_placements, ([True, False], [0.1]), "scores: expected 2 values"),
        (tango_interval, (nan, 1, 5), "b: "),
        (tango_interval, (1, -1, 5), "c: "),
        (tango_interval, (1, 0.5, 5), "c: "),
        (tango_interval, (1, 1, inf), "n: "),
        (tango_interval, (3, 3, 5), "n: "),
        (tango_interval, (0, 0, 0), "n: "),
        (tango_interval, (1, 1, 5, nan), "level"),
        (unchanged_bound, (0,), "n: "),
        (unchanged_bound, (nan,), "n: "),
        (unchanged_bound, (5, 1), "level"),
        (corrected_resampled_t, ([0.1, nan], 0.1), "differences: expected numbers"),
        (corrected_resampled_t, ([0.1], 0.1), "differences: expected at least 2"),
        (corrected_resampled_t, ([0.1] * 10, 0.1), "differences: expected values that are not all equal"),
        (corrected_resampled_t, (NADEAU, nan), "test_train_ratio"),
        (corrected_resampled_t, (NADEAU, 0), "test_train_ratio"),
        (holm, ([0.1, nan],), "p_values: expected numbers"),
        (holm, ([0.1, 1.1],), "p_values: expected values in"),
        (inconclusive_probability, (nan, 1), "margin"),
        (inconclusive_probability, (0, 1), "margin"),
        (inconclusive_probability, (1, nan), "se: "),
        (inconclusive_probability, (1, 0), "se: "),
    ],
)
def test_a_bad_argument_is_named(function, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        function(*arguments)


def test_the_module_imports_nothing_heavy():
    code = "import sys, pytest_model_check.judgement.statistics; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["scipy.stats", "sklearn", "pandas", "statsmodels", "scipy.optimize"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
