"""The column of sample weights: read, and refused in words where it is none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import dataset, splits
from pytest_model_check.errors import DataError, PromiseError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import PredefinedSplit


def frame(weights, rows=20):
    return pd.DataFrame({"a": np.arange(rows), "w": weights, "y": np.arange(rows) % 2})


def checked(weights, candidate=None, **promise):
    promise = {"target": "y", "sample_weight": "w", "name": "c", "cv": 2, **promise}
    return make_check(candidate or LogisticRegression(), data="d.csv", load=lambda paths: frame(weights), **promise)


def read(check):
    return dataset.read(check, Path(), verified=lambda path: "0" * 32)


def test_weights_are_no_feature():
    data = read(checked(np.arange(20)))
    assert list(data.X.columns) == ["a"]
    assert data.sample_weight.dtype == float
    assert data.truth.sample_weight is data.sample_weight
    assert "sample_weight" in data.columns_digests
    assert data.effective_rows == pytest.approx(190**2 / (np.arange(20) ** 2).sum())
    assert read(checked(np.full(20, 1e-300))).effective_rows == 20
    assert read(checked(np.ones(20), sample_weight=None)).columns_digests == {}


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.append(np.ones(19), -2.5), "sample_weight='w' is -2.5 in row 19 (counted from 0)"),
        (np.append(np.inf, np.ones(19)), "sample_weight='w' is inf in row 0 (counted from 0)"),
        (np.append(np.ones(19), np.nan), "sample_weight='w' is missing in 1 of 20 rows, first in row 19"),
        (np.zeros(20), "sample_weight='w' is 0 in every row"),
        (["much"] * 20, "sample_weight='w' holds no numbers"),
    ],
)
def test_what_is_no_weight_is_refused(weights, words):
    with pytest.raises(DataError) as error:
        read(checked(weights))
    assert words in error.value.message
    assert error.value.advice


def test_a_fold_without_any_weight_is_refused():
    fold = np.arange(20) // 10
    check = checked(fold.astype(float), LinearRegression(), cv=PredefinedSplit(fold))
    with pytest.raises(DataError, match="fold 1: all rows to predict have the sample weight 0"):
        splits.make_cross_validation(check, read(check))


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        ({"sample_weight": "y"}, "target and sample_weight must be different columns: they are 'y', 'y'"),
        ({"sample_weight": "g", "groups": "g"}, "groups and sample_weight must be different columns"),
        ({"sample_weight": 3.5}, "sample_weight=3.5 is no column name"),
        ({"features": ["a", "w"]}, "features= names the sample weight 'w'"),
    ],
)
def test_a_weight_plays_no_other_part(promise, words):
    with pytest.raises(PromiseError) as error:
        checked(np.ones(20), **promise)
    assert words in error.value.message


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(DataError, match="no column 'exposure', which sample_weight= names"):
        read(checked(np.ones(20), sample_weight="exposure"))
