"""A recording says how good a yardstick it is, and is loud where it can hardly fail."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from pytest_model_check.judgement.explain_quality import notices, sentences
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.plan import Pilot
from pytest_model_check.judgement.quality import RecordingQuality, metric_quality
from pytest_model_check.judgement.statistics import outliers

FOLDS = (0.88, 0.89, 0.9, 0.91, 0.92)


def quality(margin, *, floor=0.02, dummy=0.5, folds=FOLDS, metric="f1", score=0.9, runs=None):
    pilot = Pilot(score, 0.01, 1000, NoiseReference(dummy, 0.0, inf, runs, floor))
    return metric_quality(metric, pilot, margin, folds)


def test_a_margin_of_more_than_a_quarter_of_the_skill_is_loud():
    blunt, fine = quality(0.12), quality(0.1)
    assert (blunt.margin_share, blunt.is_blunt) == (pytest.approx(0.3), True)
    assert (fine.margin_share, fine.is_blunt) == (pytest.approx(0.25), False)
    assert notices(RecordingQuality((blunt, fine))) == [
        "the margin of f1, 0.12, is 30% of its skill above a dummy: a loss just below it passes"
    ]


def test_equally_good_models_that_are_blocked_are_counted():
    same = quality(0.02)
    assert same.blocked_same == pytest.approx(0.01)  # the margin is the noise floor
    assert same.blocked_other == pytest.approx(0.591, abs=0.001)  # Phi(1.645 - .02 / (.01 sqrt(2)))
    assert same.resolvable_other == pytest.approx(3.971 * 0.01 * 2**0.5, abs=1e-4)
    assert "1% of the same learner, up to 59% of another one" in sentences(RecordingQuality((same,)))[0]


def test_a_check_that_can_hardly_fail_is_told_what_is_better():
    blunt, sharp = quality(0.2, floor=0.2), quality(0.01, metric="neg_log_loss", floor=0.005)
    said = sentences(RecordingQuality((blunt,), (sharp,)))
    assert said[0].endswith(
        "Better: neg_log_loss, whose margin of 0.010 is 2.5%; or about 4,000 rows, for a margin of 25%."
    )
    named = sentences(RecordingQuality((quality(0.2, floor=0.02),)))
    assert named[0].endswith("Better: a margin of 0.02, which these rows can hold.")


def test_a_margin_below_the_noise_floor_is_told_what_the_rows_can_hold():
    said = sentences(RecordingQuality((quality(0.01, floor=0.02),)))[0]
    assert said.endswith("Better: a margin of 0.020, which these rows can hold; or about 4,000 rows for this margin.")


def test_without_measured_noise_or_a_dummy_no_number_is_made_up():
    unknown = quality(0.02, floor=0.0, runs=1)
    assert (unknown.blocked_same, unknown.resolvable_same, unknown.rows_needed) == (None, None, None)
    alone = replace(unknown, skill=None)
    assert (alone.margin_share, alone.is_blunt) == (None, False)
    said = sentences(RecordingQuality((alone,)))[0]
    assert "no dummy to set it against" in said
    assert "of the same learner it is not known (one seed)" in said


def test_a_fold_that_stands_out_is_named():
    found = quality(0.02, folds=(0.6, 0.9, 0.91, 0.89, 0.9))
    assert found.outlying_folds == ((1, 0.6),)
    assert "Fold 1 (0.600) stands out." in sentences(RecordingQuality((found,)))[0]
    repeated = replace(found, outlying_folds=((3, 0.6), (5, 0.7)))
    said = sentences(RecordingQuality((repeated,), folds=(2, 2, 2)))[0]
    assert "Folds 1 of repeat 2 (0.600), 1 of repeat 3 (0.700) stand out." in said


def test_rows_that_are_needed_are_rows_of_more_units():
    weak = quality(0.01, floor=0.02)
    assert "or about 4,000 rows (of more groups (patient)) for this" in sentences(
        RecordingQuality((weak,), groups="patient")
    )[0].replace(", which these rows can hold; ", " ")
    assert "rows (of more days, or other periods of day) for" in sentences(RecordingQuality((weak,), time="day"))[0]


def test_what_weighted_rows_are_worth_is_said():
    said = sentences(RecordingQuality((quality(0.02),), effective_rows=366.4))
    assert said[-1] == "measured on 1,000 rows (worth 366 by their weights); rows needed are rows of such weights"


def test_folds_of_noise_stand_out_in_one_of_twenty_recordings():
    rng = np.random.default_rng(0)
    for folds in (5, 10, 30):
        found = sum(bool(outliers(rng.normal(size=folds))) for _ in range(2000)) / 2000
        assert 0.03 < found < 0.065
    assert outliers([1.0, 2.0, 9.0]) == ()
    assert outliers([1.0] * 9) == ()
    assert outliers([1.0] * 8 + [0.9]) == (8,)
