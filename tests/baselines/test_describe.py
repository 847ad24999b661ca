"""What a baseline keeps of a candidate: as scikit-learn prints it, and the same in every process."""

from __future__ import annotations

import functools
import os
import threading
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from pytest_model_check.checks.describe import LONGEST, describe
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import all_estimators


def halved(X):
    return X / 2


class Splitter:
    def __init__(self, days, keep=None):
        self.days, self.keep = days, keep


class Holder(BaseEstimator):
    def __init__(self, held=None):
        self.held = held


@dataclass
class Options:
    names: frozenset[str]
    clip: object = None


def _made(estimator):
    try:
        return estimator()
    except TypeError:  # it has no defaults
        return estimator(LogisticRegression())


ORDINARY = [
    make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    make_pipeline(StandardScaler(with_mean=False), RandomForestClassifier(n_estimators=50, class_weight={0: 1, 1: 2})),
    make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["a", "b"]), (StandardScaler(), slice(2, 4))),
    StratifiedKFold(n_splits=10, random_state=0, shuffle=True),
    KFold(10), GroupKFold(4), LeaveOneGroupOut(), TimeSeriesSplit(5, gap=2), ShuffleSplit(5, test_size=0.25),
    RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
]  # fmt: skip


@pytest.mark.parametrize("value", ORDINARY, ids=lambda value: type(value).__name__)
def test_an_ordinary_candidate_or_splitter_is_described_as_scikit_learn_prints_it(value):
    assert describe(value) == " ".join(repr(value).split())


def test_so_is_every_estimator_of_scikit_learn():
    others, described = {}, 0
    for name, estimator in all_estimators():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                made = _made(estimator)
            except (TypeError, ValueError):
                continue
        described += 1
        if describe(made) != " ".join(repr(made).split()):
            others[name] = describe(made)
    assert others == {}
    assert described > 150


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (FunctionTransformer(halved), f"FunctionTransformer(func={__name__}.halved)"),
        (FunctionTransformer(np.log1p), "FunctionTransformer(func=<ufunc 'log1p'>)"),
        (FunctionTransformer(lambda X: X * 2), f"FunctionTransformer(func=<{__name__}: lambda X: X * 2>)"),
        (lambda x, *rest, of=halved: (x, rest,
            of(3)), f"<{__name__}: lambda x, *rest, of={__name__}.halved: (x, rest, of(3))>"),
        (lambda: "ä" * 3, f"<{__name__}: lambda: \"ä\" * 3>"),
        (functools.partial(halved, X=3), f"functools.partial({__name__}.halved, X=3)"),
        (functools.partial(max, 1, key=halved), f"functools.partial(builtins.max, 1, key={__name__}.halved)"),
        (
            make_column_selector(dtype_include="number"),
            "sklearn.compose._column_transformer.make_column_selector(dtype_include='number')",
        ),
        (Splitter([1, 2]), f"{__name__}.Splitter(days=[1, 2])"),
        (Splitter(3, keep=halved).__init__, f"{__name__}.Splitter(days=3, keep={__name__}.halved).__init__"),
        (Splitter, f"{__name__}.Splitter"),
        (Options(frozenset("ba"), clip=halved), f"Options(clip={__name__}.halved, names=frozenset({{'a', 'b'}}))"),
        (Holder({"b": {3, 1}, "a": set()}), "Holder(held={'a': set(), 'b': {1, 3}})"),
        (Holder(np.array([1.5, 2])), "Holder(held=array([1.5, 2.0]))"),
        (Holder(np.random.RandomState(3)), "Holder(held=RandomState(MT19937))"),
        (Holder(threading.Lock()), "Holder(held=<unlocked _thread.lock object>)"),
        (Holder(os), "Holder(held=os)"),
        (Holder((1,)), "Holder(held=(1,))"),
        (Holder(float("nan")), "Holder(held=nan)"),
    ],
)  # fmt: skip
def test_what_would_print_its_address_is_told_by_what_it_is(value, text):
    assert describe(value) == text


def test_a_lambda_without_source_has_a_digest_that_changes_with_its_code():
    one, same, other = (
        eval(code) for code in ("lambda x: x in {'a', 'b'}", "lambda x: x in {'b', 'a'}", "lambda x: x")
    )
    assert describe(one) == describe(same) != describe(other)
    assert describe(one).startswith(f"<{__name__}: lambda x: code ")


def test_what_holds_itself_has_an_end():
    ring = Splitter(3)
    ring.keep = [ring]
    assert describe(ring) == f"{__name__}.Splitter(days=3, keep=[<the same Splitter>])"


def test_a_change_in_the_middle_of_something_long_is_seen():
    one, other = np.zeros(10_000), np.zeros(10_000)
    other[5_000] = 1
    assert describe(Holder(one)) != describe(Holder(other))
    assert len(describe(Holder(one))) < LONGEST + 50
    many = make_pipeline(*[StandardScaler() for _ in range(40)])
    assert "..." not in describe(many)
