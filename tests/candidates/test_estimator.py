"""One fit: where its random numbers come from, and what it answers."""

import os
import random

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.candidates.estimator import answer
from pytest_model_check.errors import CandidateError
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression

ROWS = pd.DataFrame({"x": np.arange(20.0)})
TARGET = np.arange(20.0)


class Drawing(RegressorMixin, BaseEstimator):
    """Answers what some generator of the process draws."""

    def __init__(self, source="python"):
        self.source = source

    def fit(self, _, y):
        self.mean_ = y.mean()
        return self

    def predict(self, X):
        return self.mean_ + self._draw(len(X))

    def _draw(self, rows):
        if self.source == "python":
            return np.array([random.random() for _ in range(rows)])
        if self.source == "numpy":
            return np.random.normal(size=rows)
        if self.source == "torch":
            import torch

            return torch.rand(rows).numpy().astype(float)
        return np.frombuffer(os.urandom(rows), dtype=np.uint8) / 255


def predictions(source, entropy):
    key = np.random.SeedSequence(entropy)
    return answer(Drawing(source), (ROWS, TARGET), lambda: ROWS, key, None).responses["predict"]


@pytest.mark.parametrize("source", ["python", "numpy", "torch"])
def test_the_generators_that_a_process_shares_are_seeded_for_each_fit(source):
    if source == "torch":
        pytest.importorskip("torch", reason="torch is not installed: too large for any of pyproject's groups")
    first, again, other = predictions(source, 1), predictions(source, 1), predictions(source, 2)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("53,566", '{"thousands": ","}'),
        ("1,5", '{"decimal": ","}'),
        ("1.234.567", '{"thousands": "."}'),
        ("x", "OneHot"),
    ],
)
def test_words_in_the_place_of_numbers_name_their_column(words, advice):
    rows = pd.DataFrame({"a": 1.0, "b": [words] * 20})
    with pytest.raises(CandidateError, match=r"could not convert string to float: '.*' \(in the column 'b'\)") as error:
        answer(LogisticRegression(), (rows, TARGET > 9), rows, np.random.SeedSequence(0), np.array([False, True]))
    assert advice in error.value.advice.splitlines()[0]


def test_what_nobody_seeds_differs():
    assert not np.array_equal(predictions("system", 1), predictions("system", 1))


def test_a_fit_leaves_the_generators_of_other_tests_as_they_were():
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    predictions("python", 1)
    predictions("numpy", 1)
    assert (random.random(), np.random.random()) == expected


class OneColumn(LogisticRegression):
    """Answers its labels as a table of one column, as CatBoost does."""

    def predict(self, X):
        return super().predict(X)[:, None]


def test_labels_in_a_table_of_one_column_are_one_target():
    y = (TARGET > 9).astype(int)
    answers = answer(OneColumn(), (ROWS, y), lambda: ROWS, np.random.SeedSequence(1), np.array([0, 1]))
    assert answers.responses["predict"].shape == (20,)


def test_a_fold_without_one_of_three_classes_decides_between_the_two_that_are_left():
    y = (TARGET > 9).astype(int) * 2  # of 0, 1 and 2
    answers = answer(LogisticRegression(), (ROWS, y), lambda: ROWS, np.random.SeedSequence(1), np.array([0, 1, 2]))
    decision = answers.responses["decision_function"]
    assert decision.shape == (20, 3)
    assert np.array_equal(decision.argmax(axis=1), answers.responses["predict"])
