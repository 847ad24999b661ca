"""A plan keeps its word: with so many rows, so many of equally good candidates pass."""

from itertools import pairwise
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.judgement.judge import judge_metric
from pytest_model_check.judgement.noise import NoiseReference, measure
from pytest_model_check.judgement.plan import Pilot, curve
from pytest_model_check.judgement.verdicts import PASSING
from support.scores import scores

fast = settings(deadline=None, derandomize=True, max_examples=60)
FOLDS, SEEDS, TRIES = 10, 10, 400
pilots = st.builds(
    Pilot,
    score=st.floats(-3, 3),
    standard_error=st.floats(0.001, 1),
    rows=st.integers(20, 10**6),
    noise_reference=st.builds(
        NoiseReference,
        dummy=st.none() | st.floats(-9, -4),
        noise=st.floats(0, 0.01),
        dof=st.floats(2, 80),
        runs=st.none() | st.integers(2, 20),
        floor=st.floats(0.05, 1),
    ),
)


def runs(rng, rows, seeds, level=0.5, jitter=0.1):
    """Simulate a random learner: rows are hard or easy for all runs, and every run errs by itself, row by row."""
    hard = rng.normal(level, 0.4, rows)
    return hard, hard + rng.normal(0, jitter, (seeds, rows))


def planned(rng, rows=2000):
    found = scores(runs(rng, rows, SEEDS)[1], folds=FOLDS)
    se = found.psi.mean(axis=0).std(ddof=1) / np.sqrt(rows)
    return Pilot(found.score, se, rows, measure(found, None, -10.0))


def passing(rng, rows, margin, loss=0.0, *, other=False):
    passed = 0
    for _ in range(TRIES):
        hard, seeds = runs(rng, rows, SEEDS)
        candidate = rng.normal(0.5, 0.4, rows) if other else hard + rng.normal(0, 0.1, rows)
        approved = scores(seeds, folds=FOLDS)
        verdict = judge_metric(
            "m", approved, scores(candidate - loss, folds=FOLDS), measure(approved, None, -10.0), margin
        )
        passed += verdict.verdict in PASSING
    return passed / TRIES


def test_with_the_rows_that_are_planned_the_same_learner_passes_and_a_loss_of_the_margin_does_not():
    rng = np.random.default_rng(0)
    margin = 0.012
    rows = planned(rng).rows_needed("same", margin)
    assert rows is not None
    assert 800 < rows < 4000
    assert passing(rng, rows, margin) >= 0.975  # 99 in 100 were planned
    assert passing(rng, rows, margin, loss=margin) <= 0.08  # 5 in 100


def test_with_the_rows_that_are_planned_another_learner_that_errs_independently_passes():
    rng = np.random.default_rng(1)
    margin = 0.1
    rows = planned(rng).rows_needed("other", margin)
    assert rows is not None
    assert 300 < rows < 800
    # 99 in 100 were planned; now and then the folds differ by more than rows explain, and are believed
    assert passing(rng, rows, margin, other=True) >= 0.97


def test_power_below_the_rows_that_are_needed_is_what_the_curve_says():
    rng = np.random.default_rng(2)
    pilot = planned(rng, rows=400)
    for rows in (150, 400):
        assert passing(rng, rows, 0.06, other=True) == pytest.approx(pilot.passing("other", 0.06, rows), abs=0.08)


@fast
@given(pilots, st.floats(0.001, 3))
def test_more_rows_never_block_more(pilot, margin):
    points = curve(pilot, margin)
    assert len({point.rows for point in points}) == len(points)
    assert pilot.rows in {point.rows for point in points}
    for one, more in pairwise(points):
        assert one.rows < more.rows
        assert one.same <= more.same + 1e-12
        assert one.other <= more.other + 1e-12


@fast
@given(pilots, st.floats(0.001, 3), st.sampled_from(["same", "other"]))
def test_the_rows_that_are_needed_suffice_and_fewer_do_not(pilot, margin, learner):
    rows = pilot.rows_needed(learner, margin)
    if rows is None:
        assert pilot.resolvable(learner, 1e15) >= margin * (1 - 1e-6)
    else:
        assert pilot.resolvable(learner, rows) <= margin * (1 + 1e-9)
        assert rows <= 20 or pilot.resolvable(learner, rows * 0.85) > margin  # two digits


@fast
@given(pilots, st.floats(0.001, 3))
def test_repeats_help_a_random_learner_only(pilot, margin):
    repeats = pilot.repeats_needed(margin)
    assert (repeats is None) == (pilot.noise_reference.runs is None)
    if repeats is not None:
        assert pilot.resolvable("same", pilot.rows, repeats) <= margin * (1 + 1e-6)


@fast
@given(pilots, st.floats(0.001, 3))
def test_no_more_than_the_margin_is_lost_unseen(pilot, margin):
    assert 0 <= pilot.loss_caught(margin) <= margin


def test_without_measured_noise_nothing_is_said_of_the_same_learner():
    pilot = Pilot(0.9, 0.01, 500, NoiseReference(0.5, 0.0, inf, 1, 0.0))
    assert not pilot.knows("same")
    assert pilot.knows("other")
    assert all(point.same is None for point in curve(pilot, 0.01))
    assert pilot.loss_caught(0.01) == 0.01
