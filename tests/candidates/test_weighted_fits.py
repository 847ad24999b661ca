"""Sample weights reach every part of a candidate that takes them when it is fitted."""

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.candidates.estimator import answer
from pytest_model_check.candidates.sample_weights import require_weighable
from pytest_model_check.errors import PromiseError
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, LogisticRegressionCV
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

SEEN = []  # of every part that was fitted: whether it got its rows' weights


def saw(X, sample_weight):
    X = np.asarray(X)
    SEEN.append(sample_weight is not None and np.array_equal(X[:, -1], sample_weight))


class Spy(ClassifierMixin, BaseEstimator):
    def __init__(self, C=1.0):
        self.C = C

    def fit(self, X, y, sample_weight=None):
        saw(X, sample_weight)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return self.classes_[np.zeros(len(X), dtype=int)]


class SpyRegressor(RegressorMixin, BaseEstimator):
    def fit(self, X, y, sample_weight=None):
        saw(X, sample_weight)
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


class SpyTransformer(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None, sample_weight=None):  # noqa: ARG002 - scikit-learn's signature
        saw(X, sample_weight)
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


class Foreign:
    """Takes weights, and knows nothing of scikit-learn's routing, as some libraries' models do."""

    def get_params(self, deep=True):  # noqa: ARG002
        return {}

    def set_params(self):
        return self

    def fit(self, X, y, sample_weight=None):  # noqa: ARG002
        saw(X, sample_weight)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


def data(rows=60):
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 4, rows).astype(float) + 0.5
    X = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "w": weights})
    return X, np.arange(rows) % 2, weights


def answered(candidate, X, y, weights, classes=(0, 1)):
    classes = None if classes is None else np.array(classes)
    return answer(candidate, (X, y), lambda: X, np.random.SeedSequence(0), classes, weights).responses


@pytest.mark.parametrize(
    ("candidate", "fits"),
    [
        (Spy(), 1),
        (make_pipeline(SpyTransformer(), FunctionTransformer(), Spy()), 2),
        (make_pipeline(ColumnTransformer([("w", SpyTransformer(), ["a", "w"])]), LogisticRegression()), 1),
        (GridSearchCV(Spy(), {"C": [1, 2]}, cv=2), 5),
        (GridSearchCV(Spy(), {"C": [1, 2]}, cv=2, scoring="neg_log_loss"), 5),
        (GridSearchCV(Spy(), {"C": [1]}, cv=2, scoring=["accuracy", "f1"], refit="f1"), 3),
        (GridSearchCV(Spy(), {"C": [1]}, cv=2, scoring=get_scorer("accuracy")), 3),
        (GridSearchCV(make_pipeline(SpyTransformer(), Spy()), {"spy__C": [1]}, cv=2), 6),
        (make_pipeline(SpyTransformer(), GridSearchCV(Spy(), {"C": [1]}, cv=2)), 4),
        (CalibratedClassifierCV(make_pipeline(SpyTransformer(), Spy()), cv=2), 4),
        (VotingClassifier([("a", Spy()), ("b", make_pipeline(Spy()))]), 2),
        (StackingClassifier([("a", Spy())], cv=2), 3),
        (Foreign(), 1),
        (make_pipeline(SpyTransformer(), Foreign()), 2),
    ],
    ids=lambda value: str(value)[:40].split("\n")[0] if not isinstance(value, int) else "",
)
def test_weights_reach_every_part_that_takes_them(candidate, fits):
    SEEN.clear()
    require_weighable(candidate)
    answered(candidate, *data())
    assert [True] * fits == SEEN
    SEEN.clear()
    answered(candidate, *data()[:2], None)
    assert [False] * fits == SEEN  # and nothing of it stays with the candidate


def test_they_reach_the_regressor_behind_a_transformed_target():
    SEEN.clear()
    X, y, weights = data()
    answered(TransformedTargetRegressor(make_pipeline(SpyRegressor())), X, y.astype(float), weights, None)
    assert SEEN == [True]


@pytest.mark.parametrize(
    "candidate",
    [
        AdaBoostClassifier(n_estimators=3),
        make_pipeline(StandardScaler(), AdaBoostClassifier(n_estimators=3)),
        BaggingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        LogisticRegressionCV(Cs=2, cv=2, scoring="neg_log_loss", l1_ratios=(0,), use_legacy_attributes=False),
        CalibratedClassifierCV(cv=2),
    ],
    ids=lambda candidate: type(candidate).__name__,
)
def test_what_scikit_learn_routes_in_another_way_is_weighted_too(candidate):
    X, y, weights = data()
    require_weighable(candidate)
    plain, weighted = (answered(candidate, X, y, each)["predict_proba"] for each in (None, 10 * (y + 0.1) * weights))
    assert weighted[:, 1].mean() > plain[:, 1].mean() + 0.05


def test_whole_weights_fit_as_repeated_rows():
    X, y, _ = data()
    counts = np.random.default_rng(1).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), counts)
    model = make_pipeline(StandardScaler(), LinearRegression())
    target = y + X["a"].to_numpy()
    once = answered(model, X, target, counts.astype(float), None)["predict"]
    twice = answer(model, (X.iloc[again], target[again]), lambda: X, np.random.SeedSequence(0), None)
    assert once == pytest.approx(twice.responses["predict"])


def test_a_part_that_was_told_not_to_take_weights_gets_none():
    with config_context(enable_metadata_routing=True):
        alone, step = (cls().set_fit_request(sample_weight=False) for cls in (Spy, SpyTransformer))
    for candidate, expected in ((alone, [False]), (make_pipeline(step, Spy()), [False, True])):
        SEEN.clear()
        require_weighable(candidate)
        answered(candidate, *data())
        assert expected == SEEN


def test_what_was_fitted_before_is_only_scored_by_weight():
    X, y, weights = data()
    frozen = FrozenEstimator(KNeighborsClassifier().fit(X, y))
    require_weighable(frozen)
    assert (answered(frozen, X, y, weights)["predict"] == frozen.predict(X)).all()


@pytest.mark.parametrize(
    "candidate",
    [
        KNeighborsClassifier(),
        GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [3]}),
        make_pipeline(FunctionTransformer(), KNeighborsClassifier()),
    ],
)
def test_what_takes_no_weights_is_refused(candidate):
    with pytest.raises(PromiseError, match=r"sample_weight=: no part of .* takes weights when it is fitted") as error:
        require_weighable(candidate)
    assert "HistGradientBoostingClassifier, or leave sample_weight= out" in error.value.advice


def test_what_weights_can_not_be_passed_on_to_is_named():
    with pytest.raises(PromiseError, match="GridSearchCV can't pass weights on to Foreign"):
        require_weighable(GridSearchCV(Foreign(), {}))
