"""The verdict: its table, its symmetries, and that it is as sure as it says."""

from dataclasses import replace
from math import hypot, inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pytest_model_check.judgement import judge
from pytest_model_check.judgement.judge import (
    ALARM,
    CONFIDENCE,
    classify,
    difference,
    difference_of_folds,
    identical,
    judge_metric,
)
from pytest_model_check.judgement.noise import NoiseReference, measure
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.statistics import (
    half_width,
    noise_floor,
    resolution,
    seed_noise,
    standard_error,
    tango_interval,
    unchanged_bound,
)
from pytest_model_check.judgement.verdicts import PASSING, WORST_FIRST, worst
from support.scores import scores

fast = settings(deadline=None, derandomize=True, max_examples=60)
Z95, Z9975, Z99 = 1.6448536269514722, 2.8070337683438042, 2.3263478740408408


def quiet(dummy=-10.0, floor=0.0, noise=0.0, dof=inf, runs=None) -> NoiseReference:
    return NoiseReference(dummy, noise, dof, runs, floor)


def verdict(old, new, noise_reference=None, margin=0.1, **options):
    return judge_metric("m", old, new, noise_reference or quiet(), margin, **options)


def near(delta, spread=0.01, rows=100):
    """Return two models whose difference is known: delta, with a standard error of spread / sqrt(rows - 1)."""
    base = np.linspace(0, 1, rows)
    return scores(base), scores(base + delta + spread * np.resize([1, -1], rows))


sides = st.integers(4, 40).flatmap(
    lambda n: st.tuples(
        *[hnp.arrays(float, (seeds, n), elements=st.integers(-999, 999).map(lambda i: i / 1000)) for seeds in (3, 1)]
    )
)
noise_references = st.builds(
    NoiseReference,
    dummy=st.floats(-3, -1),
    noise=st.sampled_from([0.0, 0.01, 0.3]),
    dof=st.floats(1, 80),
    runs=st.sampled_from([None, 3]),
    floor=st.floats(0.001, 0.5),
)
margins = st.none() | st.floats(0.001, 2)


# --- the table


def test_what_has_no_dummy_to_beat_can_be_held():
    found = verdict(*near(0.0), quiet(dummy=None), margin=0.1)
    assert (found.verdict, found.dummy, found.reason) == ("held", None, "")
    assert quiet(dummy=None, floor=0.02).margin(0.9) == 0.02


@pytest.mark.parametrize(
    ("delta", "expected"),
    [(0.01, "better"), (0.001, "held"), (0.0, "held"), (-0.05, "held"), (-0.097, "held"), (-0.2, "worse")],
)
def test_the_table_of_verdicts(delta, expected):
    found = verdict(*near(delta))
    assert found.verdict == expected
    assert found.delta == pytest.approx(delta)
    assert (found.low > 0) == (expected == "better")
    assert (found.low > -0.1) == (expected != "worse")
    assert found.high < 0 or expected != "worse"


@pytest.mark.parametrize(
    ("low", "high", "options", "expected"),
    [
        (0.01, 0.02, {}, "better"),
        (0.01, 0.02, {"beats_dummy": False, "lost_margin": True}, "better"),
        (0.0, 0.02, {}, "held"),
        (-0.09, -0.01, {}, "held"),
        (-0.09, 0.02, {"beats_dummy": False}, "inconclusive"),
        (-0.09, -0.01, {"beats_dummy": False}, "worse"),
        (-0.09, 0.02, {"lost_margin": True}, "worse"),
        (-0.1, 0.0, {}, "inconclusive"),
        (-0.1, -0.001, {}, "worse"),
        (nan, nan, {}, "inconclusive"),
    ],
)
def test_the_bounds_decide(low, high, options, expected):
    assert classify(low, high, 0.1, **options) == expected


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))
@fast
def test_a_wider_interval_is_never_better(low, width, wider, margin):
    narrow, wide = classify(low, low + width, margin), classify(low - wider, low + width + wider, margin)
    ranks = {"worse": 0, "inconclusive": 1, "held": 2, "better": 3}
    assert ranks[wide] <= ranks[narrow] or (narrow, wide) == ("worse", "inconclusive")


def test_a_loss_within_the_margin_is_held_although_it_is_sure():
    found = verdict(*near(-0.05))
    assert found.verdict == "held"
    assert found.high < 0


def test_what_the_data_can_not_tell_is_inconclusive():
    found = verdict(*near(-0.09, spread=0.5))
    assert found.verdict == "inconclusive"
    assert found.low < -0.1 < 0 < found.high


def test_the_bounds_are_those_of_the_page():
    old, new = near(-0.02, spread=0.3)
    se, low, high, resolved = 0.3 / sqrt(99), 1.6603911560, 2.8713076612, 2.3646058618  # Student's t with 99
    found = verdict(old, new)
    assert (found.low, found.high) == pytest.approx((-0.02 - low * se, -0.02 + high * se))
    assert found.resolution == pytest.approx((low + resolved) * se)
    seeds = quiet(noise=0.1, dof=20, runs=10)  # noise * sqrt(1/B + 1/r), added to that of the rows
    noise = 0.1 * sqrt(1 / 10 + 1)
    found = verdict(old, new, seeds)
    low, high = (half_width(level, se, noise, 20, rows_dof=99) for level in (CONFIDENCE, ALARM))
    assert (found.low, found.high) == pytest.approx((-0.02 - low, -0.02 + high))
    assert found.resolution == pytest.approx(resolution(se, noise, 20, rows_dof=99))
    once = verdict(old, new, replace(seeds, runs=None))  # a learner without randomness: the A/A noise, factor 1
    assert once.low == pytest.approx(-0.02 - half_width(CONFIDENCE, se, 0.1, 20, rows_dof=99))


def test_no_better_than_the_dummy_is_never_held():
    old, new = near(-0.05)
    assert verdict(old, new, quiet(dummy=0.44)).verdict == "held"
    found = verdict(old, new, quiet(dummy=0.46))
    assert found.verdict == "worse"
    assert "no better than a dummy" in found.reason
    assert verdict(*near(-0.05, spread=1), quiet(dummy=0.46)).verdict == "inconclusive"


def test_the_default_margin_is_of_skill_or_the_floor():
    old, new = near(0)  # scores .5
    assert verdict(old, new, quiet(dummy=0.1, floor=0.001), None).margin == pytest.approx(0.02 * 0.4)
    assert verdict(old, new, quiet(dummy=0.1, floor=0.03), None).margin == 0.03
    assert verdict(old, new, quiet(dummy=0.1, floor=0.03), 0.002).margin == 0.002  # a named one is never widened
    loss = scores(-old.psi - 1)  # a metric that is always negative: skill is still what lies above the dummy
    assert verdict(loss, loss, quiet(dummy=-2.5), None).margin == pytest.approx(0.02 * 1)


def test_a_smaller_loss_is_better_where_metrics_are_negative():
    old, new = near(0.05)
    low, lower = replace(old, psi=old.psi - 7), replace(new, psi=new.psi - 7)
    assert verdict(low, lower, quiet(dummy=-9)).verdict == "better"
    assert verdict(lower, low, quiet(dummy=-9), 0.01).verdict == "worse"


def test_identical_stays_identical():
    old, _ = near(0.3)
    found = identical("m", old.score, old.folds.tolist(), quiet(), None)
    assert (found.verdict, found.delta, found.low, found.high) == ("identical", 0, 0, 0)
    assert found.baseline == found.candidate == old.score


def test_the_worst_metric_decides():
    order = ["error", "missing", "incomparable", "worse", "inconclusive", "held", "better", "identical"]
    assert [label for label in WORST_FIRST if label not in ("new", "recorded", "reported")] == order
    for i, label in enumerate(order):
        assert worst([*order[:i:-1], label, *order[i:]]) == label
    assert {"held", "better", "identical"} <= PASSING
    assert not PASSING & {"error", "missing", "incomparable", "worse", "inconclusive"}


# --- symmetries


@given(sides, noise_references, margins)
@fast
def test_exchanging_the_sides_mirrors_the_interval(pair, noise_reference, margin):
    old, new = scores(pair[0][:1]), scores(pair[1])
    assume(abs(new.score - old.score) > 1e-5 or new.score == old.score)
    noise_reference = replace(noise_reference, runs=None if noise_reference.runs is None else 1)
    with pytest.MonkeyPatch.context() as at_one_level:
        at_one_level.setattr(judge, "ALARM", CONFIDENCE)
        there, back = verdict(old, new, noise_reference, margin), verdict(new, old, noise_reference, margin)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert there.delta == -back.delta


@given(hnp.arrays(int, (2, 30), elements=st.integers(0, 1)))
@fast
def test_exchanging_hits_mirrors_the_interval(hits):
    old, new = (scores(one, "zero_one", 1 / 30) for one in hits)
    with pytest.MonkeyPatch.context() as at_one_level:
        at_one_level.setattr(judge, "ALARM", CONFIDENCE)
        there, back = verdict(old, new), verdict(new, old)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)


@given(sides, noise_references, margins)
@fast
def test_a_wider_margin_never_makes_it_worse(pair, noise_reference, margin):
    old, new = map(scores, pair)
    margin = 0.05 if margin is None else margin
    labels = [verdict(old, new, noise_reference, margin * factor).verdict for factor in (1, 1.5, 10, 1000)]
    ranks = [WORST_FIRST.index(label) for label in labels]
    assert ranks == sorted(ranks)


@given(sides, noise_references, margins, st.integers(-50, 50))
@fast
def test_what_both_gain_changes_nothing(pair, noise_reference, margin, gain):
    old, new = map(scores, pair)
    assume(abs(new.score - old.score) > 1e-5)
    moved = verdict(
        scores(pair[0] + gain),
        scores(pair[1] + gain),
        replace(noise_reference, dummy=noise_reference.dummy + gain),
        margin,
    )
    found = verdict(old, new, noise_reference, margin)
    assert (moved.low, moved.high, moved.margin) == pytest.approx((found.low, found.high, found.margin), abs=1e-9)
    assume(abs(found.low) > 1e-9 and abs(found.low + found.margin) > 1e-9)
    assert moved.verdict == found.verdict


@given(sides, noise_references, margins, st.sampled_from([1e-9, 1e-3, 7.0, 1e6]), st.sampled_from(["mean", "rank"]))
@fast
def test_the_unit_of_a_metric_does_not_matter(pair, noise_reference, margin, unit, kind):
    min_standard_error = 0.003 if kind == "rank" else 0.0
    found = verdict(
        scores(pair[0], kind, min_standard_error), scores(pair[1], kind, min_standard_error), noise_reference, margin
    )
    scaled = NoiseReference(
        noise_reference.dummy * unit,
        noise_reference.noise * unit,
        noise_reference.dof,
        noise_reference.runs,
        noise_reference.floor * unit,
    )
    old, new = (
        scores(pair[0] * unit, kind, min_standard_error * unit),
        scores(pair[1] * unit, kind, min_standard_error * unit),
    )
    other = verdict(old, new, scaled, None if margin is None else margin * unit)
    for mine, its in zip(
        (found.low, found.high, found.resolution), (other.low, other.high, other.resolution), strict=True
    ):
        assert its == pytest.approx(mine * unit, rel=1e-9, abs=1e-9 * unit)
    assume(abs(found.low) > 1e-9 and abs(found.low + found.margin) > 1e-9 and abs(found.high) > 1e-9)
    assert other.verdict == found.verdict


@given(sides, st.sampled_from(["mean", "zero_one"]), st.integers(2, 6))
@fast
def test_more_rows_of_the_same_kind_never_widen(pair, kind, times):
    if kind == "zero_one":
        pair = [(one[:1] > 0) * 1.0 for one in pair]
    old, new = (scores(one, kind, kind == "zero_one" and 1 / one.shape[1]) for one in pair)
    more = [scores(np.tile(one, times), kind, kind == "zero_one" and 1 / (times * one.shape[1])) for one in pair]
    found, wider = verdict(old, new), verdict(*more)
    assert found.low <= wider.low + 1e-12
    assert wider.high <= found.high + 1e-12


@given(sides, noise_references, margins)
@fast
def test_the_bounds_hold_the_difference(pair, noise_reference, margin):
    old, new = map(scores, pair)
    found = verdict(old, new, noise_reference, margin)
    assert found.low <= found.delta + 1e-7 * abs(old.score - noise_reference.dummy)
    assert found.high >= found.delta - 1e-7 * abs(old.score - noise_reference.dummy)
    assert found.resolution > 0
    assert found.low < found.high


# --- degenerate cases


def test_no_change_of_any_hit_has_the_exact_bound():
    for rows, bound in ((569, 0.00525), (178, 0.0167)):
        hits = np.resize([1, 1, 0], rows)
        found = verdict(scores(hits, "zero_one", 1 / rows), scores(hits, "zero_one", 1 / rows), quiet(dummy=0), 0.02)
        assert found.verdict == "held"
        assert -found.low == pytest.approx(bound, rel=2e-3)
        assert found.high == pytest.approx(1 - (1 - ALARM) ** (1 / rows))
        assert verdict(scores(hits, "zero_one"), scores(hits, "zero_one"), quiet(dummy=0), bound / 2).verdict == (
            "inconclusive"
        )


def test_seeds_that_all_hit_the_same_rows_are_no_surer_than_one():
    hits = np.resize([1, 1, 0], 178)
    ten = scores(np.tile(hits, (10, 1)), "zero_one", 1 / 178)
    found = verdict(ten, scores(hits, "zero_one", 1 / 178), quiet(dummy=0, runs=10))
    assert found.low == pytest.approx(-unchanged_bound(178, 0.95))


@pytest.mark.parametrize(("won", "lost"), [(6, 16), (16, 6), (1, 0), (0, 1), (3, 3)])
def test_a_few_changed_hits_of_single_runs_have_tangos_interval(won, lost):
    old, new = np.ones(161), np.ones(161)
    old[:won], new[won : won + lost] = 0, 0
    found = verdict(scores(old, "zero_one"), scores(new, "zero_one"), quiet(dummy=0))
    assert found.low == pytest.approx(tango_interval(won, lost, 161, 2 * CONFIDENCE - 1)[0])  # 95% one-sided
    assert found.high == pytest.approx(tango_interval(won, lost, 161, 2 * ALARM - 1)[1])


def test_where_replicates_tell_what_changes_by_chance_hits_are_as_other_rows():
    old, new = np.ones(161), np.ones(161)
    new[:3] = 0
    found = verdict(scores(old, "zero_one"), scores(new, "zero_one"), quiet(dummy=0, noise=0.01, dof=10, floor=0.02))
    se = standard_error(new - old).se
    assert found.low == pytest.approx(-3 / 161 - half_width(CONFIDENCE, se, 0.01, 10, rows_dof=160))


def test_an_auc_without_a_change_of_rank_has_the_noise_of_one_pair():
    old = scores(np.linspace(0, 1, 50), "rank", 0.004)
    found = verdict(old, old, quiet(dummy=0))
    assert (found.low, found.high) == pytest.approx((-1.6765508926 * 0.004, 2.9397298 * 0.004), rel=1e-5)


def test_rounding_of_the_skill_is_no_difference():
    old, new = near(0.0, spread=1e-9)
    better = replace(new, psi=new.psi + 0.9e-7)
    assert verdict(old, better, quiet(dummy=-0.5)).verdict == "held"  # skill 1
    assert verdict(old, replace(new, psi=new.psi + 1.2e-7), quiet(dummy=-0.5)).verdict == "better"
    tiny = [scores(one.psi * 1e-9) for one in near(0.05)]  # a mean squared error of 1e-9 is no rounding
    assert verdict(*tiny, quiet(dummy=-1e-9), None).verdict == "better"


@pytest.mark.parametrize("shift", [0.0, 0.1, -0.1, 0.03])
@pytest.mark.parametrize("kind", ["mean", "jackknife"])
def test_rows_that_all_move_alike_are_no_certainty(shift, kind):
    base = np.linspace(0, 1, 37) ** 2
    found = verdict(scores(base, kind), scores(base + shift, kind), quiet(dummy=-1), 1.0)
    assert found.low < min(shift, 0) < found.high
    assert found.verdict == "held"


@pytest.mark.parametrize("where", ["candidate", "baseline", "noise", "dof", "dummy", "margin"])
def test_nan_never_passes(where):
    old, new = near(0.5)
    noise_reference, margin = quiet(noise=0.01, dof=9, runs=1), 0.1
    if where in ("noise", "dof", "dummy"):
        noise_reference = replace(noise_reference, **{where: nan})
    margin = nan if where == "margin" else margin
    if where in ("candidate", "baseline"):
        psi = old.psi.copy()
        psi[0, 3] = nan
        old, new = (replace(old, psi=psi), new) if where == "baseline" else (old, replace(old, psi=psi))
    if where in ("dummy", "margin"):  # an improvement needs neither of them
        new = replace(old, psi=old.psi - 0.001 * np.resize([1, 2], 100))
    try:
        label = verdict(old, new, noise_reference, margin).verdict
    except ValueError:
        label = "error"
    assert label not in PASSING


# --- what a baseline knows


def _replicates(seed=0, seeds=10, rows=80, shift=0.0, spread=0.2):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=rows)
    return base, scores(base + shift + rng.normal(0, spread, (seeds, rows)), folds=8)


def _floor_of_ten(ten):
    """Resolve one run from the mean of ten."""
    between, noise = ten.error_between_seeds, ten.noise
    rows = replace(between, se=between.se * sqrt(1.1 / 2))
    return noise_floor(rows, noise.beyond_rows * sqrt(1.1), noise.dof)


def test_a_random_learners_noise_is_what_its_rows_do_not_show():
    rng = np.random.default_rng(0)
    shifts = np.repeat(rng.normal(0, 0.3, (10, 8)), 10, axis=1)
    ten = scores(rng.normal(size=80) + shifts + rng.normal(0, 0.1, (10, 80)), folds=8)
    noise = seed_noise(ten.splits, ten.weights, ten.row_variances)
    found = measure(ten, None, -3.0)
    assert (found.noise, found.dof, found.runs, found.dummy) == (noise.beyond_rows, noise.dof, 10, -3.0)
    assert found.noise == pytest.approx(0.3 / sqrt(8), rel=0.2)  # as simulated
    assert found.floor == pytest.approx(_floor_of_ten(ten))
    _, alone = _replicates()  # rows that move alone: nothing is left
    assert measure(alone, None, -3.0).noise < 0.3 * seed_noise(alone.splits, alone.weights).s


def test_a_learner_without_randomness_is_measured_by_what_left_out_rows_do():
    base, refits = _replicates(shift=-0.5, spread=0.1)
    once = scores(base, folds=8)
    found = measure(once, refits, -3.0)
    changes, spread = refits.psi - base, seed_noise(refits.splits, refits.weights, refits.row_variances)
    rows, loss = np.mean([standard_error(change).se ** 2 for change in changes]), -changes.mean()
    assert (found.runs, found.dof) == (None, spread.dof)
    assert found.noise == pytest.approx(hypot(spread.beyond_rows, loss))  # what refits lose is in it
    assert found.noise_between(1) == found.noise
    assert found.floor >= resolution(sqrt(rows), spread.beyond_rows, spread.dof, rows_dof=changes.shape[1] - 1) + loss
    gained = measure(scores(base + 1, folds=8), scores(refits.psi + 2, folds=8), -3.0)
    assert gained.noise == pytest.approx(spread.beyond_rows)  # a gain is no loss to allow for
    assert gained.floor < found.floor


def test_splits_that_move_against_each_other_are_noise_too():
    rng = np.random.default_rng(0)
    base = rng.normal(size=40)
    flips = np.resize([1, -1], 40) * rng.normal(0, 1, (6, 1))  # folds move, in opposite directions; the mean does not
    refits = scores(base + flips * np.repeat([1, -1], 20), folds=40)
    found = measure(scores(base, folds=40), refits, -3.0)
    noise = seed_noise(refits.splits, refits.weights)
    assert (found.noise, found.dof) == (pytest.approx(noise.s), noise.dof)
    assert noise.s > 10 * abs(refits.psi.mean(axis=1) - base.mean()).max()


def test_rows_that_jump_raise_the_floor_and_rows_that_all_move_do_not():
    rng = np.random.default_rng(4)
    base = rng.normal(size=200)
    normal, jumping = rng.normal(0, 0.1, (20, 200)), np.zeros((20, 200))
    jumping[3, ::20] = -1.4  # one of 20 refits loses ten rows, one in each split of twenty
    jumping[11, 1::20] = 1.4
    once = scores(base, folds=10)
    floors, gaussian = [], []
    for changes in (normal, jumping):
        refits = scores(base + changes, folds=10)
        spread, rows = refits.noise, np.sqrt(np.mean([standard_error(change).se ** 2 for change in changes]))
        floors.append(measure(once, refits, -3.0).floor)
        gaussian.append(resolution(rows, spread.beyond_rows, spread.dof, rows_dof=199) + max(0, -changes.mean()))
    assert gaussian[0] <= floors[0] < 1.2 * gaussian[0]
    assert 1.4 * gaussian[1] < floors[1] <= 2.1 * gaussian[1]  # more than that, few refits can't tell


def test_the_noise_floor_of_refits_is_the_same_every_time():
    base, refits = _replicates()
    once = scores(base, folds=8)
    assert measure(once, refits, -3.0) == measure(once, refits, -3.0)
    shuffled = scores(refits.psi[::-1], folds=8)  # in whatever order they were made
    assert measure(once, shuffled, -3.0).floor == pytest.approx(measure(once, refits, -3.0).floor, rel=0.05)


def test_refits_that_all_answer_alike_have_no_floor():
    base, _ = _replicates()
    once = scores(base, folds=8)
    found = measure(once, scores(np.tile(base, (20, 1)), folds=8), -3.0)
    assert (found.noise, found.floor) == (0, 0)


def test_grouped_refits_are_held_to_twice_the_noise_of_one():
    base, refits = _replicates(rows=80)
    clusters = np.arange(80) // 10
    once, refits = replace(scores(base, folds=8), clusters=clusters), replace(refits, clusters=clusters)
    errors = [standard_error(change, clusters) for change in refits.psi - base]
    se, spread = np.sqrt(2 * np.mean([error.se**2 for error in errors])), refits.noise
    loss = max(0.0, -(refits.psi - base).mean())
    expected = resolution(se, spread.beyond_rows * sqrt(2), spread.dof, rows_dof=errors[0].dof) + loss
    assert measure(once, refits, -3.0).floor == pytest.approx(expected)


def test_one_run_measures_no_noise():
    _, one = _replicates(seeds=1)
    assert measure(one, None, -3.0) == NoiseReference(-3.0, 0.0, inf, 1, 0.0)
    assert measure(one, None, -3.0).noise_between(1) == 0


def test_hits_allow_for_one_row():
    hits = scores(np.tile(np.resize([1, 0, 1], 50), (10, 1)), "zero_one", 1 / 50, folds=5)
    assert measure(hits, None, 0.0).floor == pytest.approx((1.6765508926 + 2.4048917594) / 50)
    assert measure(replace(hits, kind="mean"), None, 0.0).floor == 0


def test_rows_of_one_group_count_as_one():
    base, ten = _replicates(rows=80)
    eight = replace(ten, clusters=np.arange(80) // 10)
    alone, together = measure(ten, None, -3.0), measure(eight, None, -3.0)
    assert together.floor == pytest.approx(_floor_of_ten(eight))
    assert together.noise == alone.noise
    new = scores(base + np.repeat(np.resize([0.3, -0.3], 8), 10), folds=8)  # groups move as one
    new = replace(new, clusters=eight.clusters)
    found = verdict(scores(base, folds=8), replace(new, clusters=None)), verdict(replace(new, psi=base[None]), new)
    assert -found[1].low > 2.5 * -found[0].low
    error = standard_error(new.psi[0] - base, new.clusters)
    assert error.dof == pytest.approx(7)
    assert -found[1].low == pytest.approx(half_width(0.95, error.se, rows_dof=7))


# --- folds of unequal size


def _in_folds_of(sizes, rows):
    fold = np.repeat(np.arange(len(sizes)), sizes)
    folds = np.bincount(fold, weights=rows) / sizes
    return Scores("", rows[None], None, False, folds[None], 0 * folds, np.array(sizes) / sum(sizes), "mean", 0.0)


def test_what_all_rows_gain_is_no_noise_of_unequal_folds():
    gain = 0.05 + np.random.default_rng(0).normal(0, 0.1, 1000)
    sizes = [800, 50, 50, 50, 50]
    old, new = _in_folds_of(sizes, 0 * gain), _in_folds_of(sizes, gain)
    seeds = quiet(floor=0.01, runs=10)
    found = difference(old.psi[0], old.folds, new, seeds)
    assert found.se == pytest.approx(gain.std(ddof=1) / sqrt(1000))  # the folds have nothing to add
    assert verdict(old, new, seeds).verdict == "better"
    noisy = gain + np.repeat([0.0, 0.4, -0.4, 0.4, -0.4], sizes)  # and where seeds move whole folds, they have
    assert difference(old.psi[0], old.folds, _in_folds_of(sizes, noisy), seeds).se > 4 * found.se


def test_fold_scores_that_all_move_alike_are_no_certainty_in_unequal_folds_either():
    sizes = [800, 50, 50, 50, 50]
    new = _in_folds_of(sizes, np.full(1000, 0.05))
    found = difference_of_folds([0.0] * 5, new, quiet(), 0.25)
    assert (found.delta, found.se) == pytest.approx((0.05, 0.05))
    spread = _in_folds_of(sizes, np.repeat([0.05, 0.04, 0.06, 0.03, 0.07], sizes))
    found = difference_of_folds([0.0] * 5, spread, quiet(), 0.25)
    assert found.delta == pytest.approx(0.05)
    assert found.se < 0.01  # weighted with delta in them, these folds gave 0.056


# --- as sure as it says


def _share(miss, times):
    """Three standard deviations of a share around `miss`."""
    return miss + 3 * sqrt(miss * (1 - miss) / times)


@pytest.mark.parametrize("kind", ["mean", "zero_one"])
def test_the_bounds_miss_as_seldom_as_they_say(kind):
    rng = np.random.default_rng(5)
    times, rows, below, above = 1500, 250, 0, 0
    for _ in range(times):
        if kind == "mean":
            base = rng.gamma(1, 1, rows)
            old, new, truth = -base, -base * rng.uniform(0.6, 1.4, rows), 0.0
        else:
            draw = rng.random(rows)  # 8% only the old one is right, 4% only the new one
            old, new, truth = (draw > 0.04) * (draw < 0.7), (draw < 0.7) * ((draw > 0.12) | (draw <= 0.04)), -0.04
        found = verdict(scores(old, kind, 0), scores(new, kind, 0))
        below += found.low > truth
        above += found.high < truth
    assert below / times <= _share(1 - CONFIDENCE, times)
    assert above / times <= _share(1 - ALARM, times)
    assert below / times >= 0.02  # and not because they are wide


def test_seeds_are_no_difference():
    rng = np.random.default_rng(6)
    times, rows, alarms, below = 400, 120, 0, 0
    for _ in range(times):
        base = rng.normal(size=rows)

        def runs(seeds, base=base):
            of_fold = np.repeat(rng.normal(0, 0.1, (seeds, 6)), 20, axis=1)  # what a seed does to all rows of a fold
            return scores(base + of_fold + rng.normal(0, 0.1, (seeds, rows)), folds=6)

        old, new = runs(10), runs(1)
        found = verdict(old, new, measure(old, None, base.mean() - 1), None)
        below += found.low > 0
        alarms += found.verdict not in PASSING
    assert below / times <= _share(0.05, times)
    assert alarms / times <= _share(0.01, times)


def test_a_candidate_just_as_bad_as_the_margin_passes_one_time_in_twenty():
    rng = np.random.default_rng(7)
    times, rows, passed = 1500, 200, 0
    for _ in range(times):
        base = rng.normal(size=rows)
        passed += verdict(scores(base), scores(base - 0.1 + rng.normal(0, 0.4, rows))).verdict in PASSING
    assert 0.03 <= passed / times <= _share(0.05, times)
