"""A row has changed where most of its answers were right, and now are wrong."""

import numpy as np
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate.changed_rows import count
from pytest_model_check.judgement.compared import ChangedRows
from support.predictions import regression
from support.two_classes import of_folds

Y = np.array([0, 0, 1, 1])
CLASSES = np.array([0, 1])


def predictions(*seeds: list[int], repeats: int = 1) -> Predictions:
    return of_folds({"predict": np.array(seeds)}, CLASSES, folds=2, repeats=repeats)


def test_lost_and_won_rows_are_counted_and_the_lost_are_named():
    before, after = predictions([0, 0, 1, 0]), predictions([1, 0, 0, 1])
    assert count(before, after, Y) == ChangedRows(2, 1, (0, 2))
    assert count(after, before, Y) == ChangedRows(1, 2, (3,))


def test_the_same_answers_change_no_row():
    assert count(predictions([0, 1, 1, 0]), predictions([0, 1, 1, 0]), Y) == ChangedRows(0, 0, ())


def test_a_row_is_right_where_most_of_its_seeds_are():
    before = predictions([0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0])
    after = predictions([1, 0, 1, 1], [1, 0, 0, 1], [0, 0, 1, 1])
    assert count(before, after, Y) == ChangedRows(1, 0, (0,))


def test_a_row_is_right_where_most_of_its_repeats_are():
    before = predictions([0, 0, 1, 1, 0, 0, 1, 1], repeats=2)
    after = predictions([0, 0, 1, 1, 1, 0, 1, 1], repeats=2)
    assert count(before, after, Y) == ChangedRows(1, 0, (0,))  # half of its answers are not most


def test_a_baseline_of_more_seeds_is_asked_for_as_many_as_the_candidate_has():
    before, after = predictions([1, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]), predictions([1, 0, 1, 1])
    assert count(before, after, Y) == ChangedRows(0, 0, ())


def test_regression_has_no_right_and_wrong():
    answers, y = regression()
    assert count(answers, answers, y) is None
