"""The dummies of a time series repeat what was known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.baselines.measure import assemble, fit
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.engine import InProcess
from pytest_model_check.fitting.naive_forecasts import naive_forecasts
from sklearn.linear_model import LinearRegression

HERE = InProcess()


def series(y, rows_a_day=1) -> Dataset:
    y = np.asarray(y, dtype=float)
    days = np.datetime64("2024-01-01") + np.arange(len(y)) // rows_a_day
    X = pd.DataFrame({"yesterday": np.concatenate([[y[0]], y[:-1]]), "trend": np.arange(len(y))})
    return Dataset(X=X, y=y, groups=None, time=days.astype("datetime64[s]"), slices=X[[]], files=(("d.csv", "0" * 32),))


def validated(data, **promise):
    check = make_check(LinearRegression(), data="d.csv", target="y", name="sales", time="day", cv=3, seeds=2, **promise)
    return check, splits.make_cross_validation(check, data)


def test_the_last_value_is_repeated_through_a_fold():
    _, cv = validated(series(np.arange(40.0) ** 2))
    (last,) = naive_forecasts(cv, None)
    expected = np.concatenate([np.full(len(split.test), cv.dataset.y[split.train.max()]) for split in cv.splits])
    assert np.array_equal(last, expected)


@pytest.mark.parametrize("rows_a_day", [1, 3])
def test_the_last_season_is_repeated(rows_a_day):
    week = np.array([5.0, 1, 2, 8, 3, 9, 4])
    data = series(np.repeat(np.tile(week, 8), rows_a_day), rows_a_day)
    _, cv = validated(data, season=7)
    _, seasonal = naive_forecasts(cv, 7)
    assert np.array_equal(seasonal, np.concatenate([data.y[split.test] for split in cv.splits]))


def test_rows_of_one_time_are_forecast_by_their_mean():
    data = series(np.tile([1.0, 3.0], 20), rows_a_day=2)
    _, cv = validated(data)
    assert set(naive_forecasts(cv, None)[0]) == {2.0}


def test_rows_of_one_time_are_forecast_by_their_weight():
    data = replace(series(np.tile([1.0, 3.0], 20), rows_a_day=2), sample_weight=np.tile([3.0, 1.0], 20))
    _, cv = validated(data)
    assert set(naive_forecasts(cv, None)[0]) == {1.5}
    nothing = np.append(data.sample_weight[:-2], [0.0, 0.0])  # of a day without weight, all rows
    assert set(naive_forecasts(replace(cv, dataset=replace(data, sample_weight=nothing)), None)[0]) == {1.5}


def test_the_skill_of_a_forecast_is_what_it_has_over_the_best_dummy():
    rng = np.random.default_rng(0)
    data = series(np.arange(120.0) + rng.normal(size=120))
    check, cv = validated(data)
    metric = assemble(check, cv, fit(check, cv, entropy=1, engine=HERE), generation=1, anchors={}).baseline.metrics[
        "r2"
    ]
    errors = {"mean": [], "last": []}
    for split in cv.splits:
        errors["mean"].append((data.y[split.test] - data.y[split.train].mean()) ** 2)
        errors["last"].append((data.y[split.test] - data.y[split.train.max()]) ** 2)
    variances = [data.y[split.test].var() for split in cv.splits]
    r2 = {name: np.mean([1 - e.mean() / v for e, v in zip(of, variances, strict=True)]) for name, of in errors.items()}
    assert r2["mean"] < r2["last"]  # there is a trend
    assert metric.noise_reference.dummy == pytest.approx(r2["last"])


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        ({"season": 1}, "season=1 is no length of a season"),
        ({"season": True}, "season=True is no length of a season"),
        ({"season": "7D"}, "season='7D' is no length of a season"),
        ({"season": 7, "time": None}, "season= needs time="),
    ],
)
def test_what_is_no_season_is_refused(promise, words):
    with pytest.raises(PromiseError, match=words):
        make_check(LinearRegression(), data="d.csv", target="y", name="sales", **{"time": "day", **promise})
