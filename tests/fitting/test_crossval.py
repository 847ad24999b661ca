"""Folds x seeds -> the same predictions whatever the order and the number of jobs, and honest splits."""

import random
import threading
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.candidates.dummy import make_dummy
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import CandidateError, DataError, PromiseError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.engine import InProcess
from pytest_model_check.fitting.fit import Fit, _left_out
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = InProcess()


class Probe(RegressorMixin, BaseEstimator):
    """Answers with its random state; with `rows`, with the number of rows it was fitted on."""

    def __init__(self, random_state=7, rows=False):
        self.random_state = random_state
        self.rows = rows

    def fit(self, X, y):  # noqa: ARG002
        self.answer_ = len(X) if self.rows else self.random_state
        return self

    def predict(self, X):
        return np.full(len(X), float(self.answer_))


class Moody(ClassifierMixin, BaseEstimator):
    """Answers otherwise each time it is asked, whatever the seed."""

    calls = 0

    def fit(self, X, y):  # noqa: ARG002
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        Moody.calls += 1
        return self.classes_[(np.arange(len(X)) < Moody.calls).astype(int)]


def dataset(rows=60, classes=2, groups=None, time=None) -> Dataset:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(rows) % classes) if classes else rng.normal(size=rows)
    X = pd.DataFrame({"a": rng.normal(size=rows) + y, "b": rng.normal(size=rows)})
    return Dataset(X=X, y=y, groups=groups, time=time, slices=X[[]], files=(("data.csv", "0" * 32),))


def check(candidate=None, **promise):
    promise = {"data": "data.csv", "target": "y", "name": "tumours", **promise}
    return make_check(LogisticRegression() if candidate is None else candidate, **promise)


def cross_validation(candidate=None, data=None, **promise):
    return splits.make_cross_validation(check(candidate, **promise), dataset() if data is None else data)


def states(candidate, seeds=3, cv=5, **options):
    """Return the random state of each seed (row) in each split (column)."""
    cv = cross_validation(Probe(), dataset(classes=0), cv=cv)
    found = crossval.predict(candidate, cv, seeds=seeds, entropy=11, engine=HERE, **options)
    firsts = np.unique(found.split, return_index=True)[1]
    return found.responses["predict"][:, firsts]


# --- the same predictions


class Shuffled:
    """Makes the fits in another order, all of them."""

    def run(self, batch):
        for number in random.Random(1).sample(range(len(batch.fits)), len(batch.fits)):
            ((_, outcome),) = InProcess().run(replace(batch, fits=(batch.fits[number],)))
            yield number, outcome


def test_the_order_of_the_fits_does_not_matter():
    cv = cross_validation(cv=4)
    forest = RandomForestClassifier(3)
    before, after = (crossval.predict(forest, cv, seeds=3, entropy=5, engine=engine) for engine in (HERE, Shuffled()))
    assert before.same_slots(after)
    assert before.agrees(after, rtol=0)


def test_the_first_of_many_seeds_are_those_of_few():
    cv = cross_validation(cv=3)
    many, few = (crossval.predict(RandomForestClassifier(3), cv, seeds=n, entropy=5, engine=HERE) for n in (3, 1))
    assert many.first(1).agrees(few, rtol=0)
    assert not few.agrees(crossval.predict(RandomForestClassifier(3), cv, seeds=1, entropy=6, engine=HERE))


# --- random states


def test_every_fit_has_its_own_random_state():
    found = states(Probe(), cv=RepeatedKFold(n_splits=5, n_repeats=2))
    assert found.shape == (3, 10)
    assert len(set(found.ravel())) == 30
    assert not np.isin(found, [0, 7]).any()
    np.testing.assert_array_equal(found, states(Probe(random_state=123), cv=RepeatedKFold(n_splits=5, n_repeats=2)))


@pytest.mark.parametrize(
    "candidate",
    [
        make_pipeline(StandardScaler(), Probe(random_state=3)),
        GridSearchCV(Probe(random_state=3), {"rows": [False]}, cv=2),
        make_pipeline(
            StandardScaler(), GridSearchCV(make_pipeline(Probe(random_state=3)), {"probe__rows": [False]}, cv=2)
        ),
    ],
)
def test_an_integer_deep_in_the_candidate_is_overridden(candidate):
    found = states(candidate)
    assert len(set(found.ravel())) == 15
    assert 3 not in found
    assert "random_state=3" in repr(candidate)  # which itself is left as it was


def test_a_replicate_lacks_one_row_in_twenty():
    cv = cross_validation(Probe(), dataset(classes=0), cv=3)
    whole, part = (
        crossval.predict(Probe(rows=True), cv, seeds=2, entropy=1, engine=HERE, leave_out=out) for out in (False, True)
    )
    assert set(whole.responses["predict"].ravel()) == {40}
    assert set(part.responses["predict"].ravel()) == {38}
    ridge = LogisticRegression(C=100)
    refits = crossval.predict(ridge, cross_validation(cv=3), seeds=2, entropy=1, engine=HERE, leave_out=True)
    assert not refits.first(1).agrees(crossval.predict(ridge, cross_validation(cv=3), seeds=1, entropy=1, engine=HERE))
    assert abs(np.diff(refits.responses["predict_proba"], axis=0)).max() > 1e-6  # other rows with every seed


@pytest.mark.parametrize("rows", [7, 20, 53])
def test_twenty_replicates_leave_out_each_row_once(rows):
    parts = [_left_out(Fit(seed, 2, leave_out=True), rows, 5).tolist() for seed in range(40)]
    for twenty in (parts[:20], parts[20:]):
        assert {*chain(*twenty)} == {*range(rows)}
        assert all(twenty)  # never nothing
        assert rows < 20 or sum(map(len, twenty)) == rows
    assert parts[:20] != parts[20:]  # and then anew
    assert parts[0] != _left_out(Fit(0, 1, leave_out=True), rows, 5).tolist()  # every split by itself


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (LogisticRegression(random_state=0), (False, False)),
        (RandomForestClassifier(3, random_state=0), (True, False)),
        (Moody(), (True, True)),
    ],
)
def test_randomness_is_found_by_trying(candidate, expected):
    assert crossval.is_random(candidate, cross_validation(cv=3), entropy=5, engine=HERE) == expected


# --- splits


def test_classes_are_split_in_ten_stratified_folds():
    cv = cross_validation()
    assert len(cv.splits) == 10
    y = dataset().y
    assert all(np.bincount(y[split.test]).tolist() == [3, 3] for split in cv.splits)
    assert any((np.diff(split.test) > 1).any() for split in cv.splits)  # shuffled
    assert "StratifiedKFold" in cv.splitter


def _covers_once(splits, rows=60):
    return np.array_equal(np.sort(np.concatenate([split.test for split in splits])), np.arange(rows))


@pytest.mark.parametrize(
    ("data", "candidate", "name"),
    [
        (dataset(classes=0), Probe(), "KFold"),
        (dataset(classes=0, groups=np.arange(60) // 4), Probe(), "GroupKFold"),
        (dataset(groups=np.arange(60) // 4), LogisticRegression(), "StratifiedGroupKFold"),
    ],
)
def test_the_default_splits_hold_out_every_row_once(data, candidate, name):
    cv = cross_validation(candidate, data, cv=5)
    assert cv.splitter.startswith(f"{name}(")
    assert _covers_once(cv.splits)
    again = cross_validation(candidate, data, cv=5)
    assert all(np.array_equal(a.test, b.test) for a, b in zip(cv.splits, again.splits, strict=True))
    if data.groups is not None:
        for split in cv.splits:
            assert not set(data.groups[split.train]) & set(data.groups[split.test])


def test_time_goes_forward_and_no_timestamp_is_cut():
    rng = np.random.default_rng(1)
    time = rng.integers(0, 12, 60).astype(float)
    cv = cross_validation(data=dataset(time=time), cv=4)
    assert len(cv.splits) == 4
    for split in cv.splits:
        assert time[split.train].max() < time[split.test].min()
    tested = np.concatenate([split.test for split in cv.splits])
    assert len(np.unique(tested)) == len(tested) < 60
    found = crossval.predict(LogisticRegression(), cv, seeds=1, entropy=1, engine=HERE)
    assert len(found.row) == len(tested)


def test_splits_that_go_back_in_time_are_refused():
    with pytest.raises((DataError, PromiseError), match="forward in time"):
        cross_validation(data=dataset(time=np.arange(60.0)), cv=KFold(3))


def test_groups_need_a_splitter_that_keeps_them():
    with pytest.raises(PromiseError, match="both fitted on and predicted"):
        cross_validation(data=dataset(groups=np.arange(60) // 4), cv=StratifiedKFold(3))
    for splitter in (GroupKFold(3), StratifiedGroupKFold(3)):
        assert _covers_once(cross_validation(data=dataset(groups=np.arange(60) // 4), cv=splitter).splits)


@pytest.mark.parametrize(
    "splitter",
    [
        KFold(4, shuffle=True),
        StratifiedKFold(4, shuffle=True),
        ShuffleSplit(4),
        RepeatedKFold(n_splits=4, n_repeats=2),
        RepeatedStratifiedKFold(n_splits=4, n_repeats=2),
        StratifiedGroupKFold(4, shuffle=True),
        GroupKFold(4, shuffle=True),
    ],
)
def test_a_splitter_that_shuffles_is_seeded(splitter):
    data = dataset(groups=np.arange(60) // 4 if "Group" in repr(splitter) else None)
    one, two = (cross_validation(data=data, cv=splitter).splits for _ in range(2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(one, two, strict=True))
    assert splitter.random_state is None  # the user's own is left as it is


@pytest.mark.parametrize(
    "splitter", [KFold(4), KFold(4, shuffle=True, random_state=42), LeaveOneOut(), TimeSeriesSplit(4)]
)
def test_any_other_splitter_is_left_alone(splitter):
    data = dataset()
    theirs = list(splitter.split(data.X, data.y))
    ours = cross_validation(data=data, cv=splitter).splits
    for (train, test), split in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(split.train, train)
        np.testing.assert_array_equal(split.test, test)


def test_repeats_are_told_apart():
    splits = cross_validation(cv=RepeatedKFold(n_splits=3, n_repeats=4)).splits
    assert [(split.repeat, split.fold) for split in splits] == [(r, f) for r in range(4) for f in range(3)]
    for repeat in range(4):
        assert _covers_once([split for split in splits if split.repeat == repeat])


def test_a_row_is_held_out_once_in_a_repeat_of_shuffle_split():
    splits = cross_validation(cv=ShuffleSplit(12, test_size=0.3)).splits
    assert len({(split.repeat, split.fold) for split in splits}) == 12
    for repeat in {split.repeat for split in splits}:
        tested = np.concatenate([split.test for split in splits if split.repeat == repeat])
        assert len(np.unique(tested)) == len(tested)


def test_a_splitter_that_fits_on_what_it_predicts_is_refused():
    class Leaky(KFold):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                yield np.append(train, test[0]), test

    with pytest.raises(PromiseError, match="fitted on too"):
        cross_validation(cv=Leaky(3))


def test_a_class_with_fewer_rows_than_folds_is_an_error_in_words():
    data = dataset()
    data.y[:] = np.arange(60) >= 57
    with pytest.raises(DataError, match=r"class (1|True)\b.*10 folds"):
        cross_validation(data=data)


# --- answers


def test_columns_of_a_fold_without_a_class_are_filled():
    data = dataset(classes=3)
    data.y[:] = np.sort(data.y)
    candidate = DummyClassifier(strategy="prior")
    found = crossval.predict(candidate, cross_validation(candidate, data, cv=KFold(3)), seeds=1, entropy=0, engine=HERE)
    expected = np.full((3, 3), 0.5) - np.eye(3) / 2  # each fold is the class that its fit has not seen
    np.testing.assert_allclose(found.responses["predict_proba"][0, ::20], expected)


def test_a_fit_that_raises_names_its_fold():
    class Broken(Probe):
        def fit(self, X, y):
            if 0 not in X.index:
                raise RuntimeError("no first row")
            return super().fit(X, y)

    cv = cross_validation(Probe(), dataset(classes=0))
    first = min(split.fold for split in cv.splits if 0 not in split.train) + 1
    for engine in (HERE, Shuffled()):  # which fails first in time does not matter
        with pytest.raises(CandidateError, match=rf"fold {first}: .*RuntimeError: no first row"):
            crossval.predict(Broken(), cv, seeds=2, entropy=0, engine=engine)


def test_the_dummy_looks_at_no_feature():
    cv = cross_validation(cv=3)
    found = crossval.predict(make_dummy("classification"), cv, seeds=1, entropy=0, engine=HERE)
    assert np.ptp(found.responses["predict_proba"][..., 1]) < 0.05


def test_progress_counts_every_fit():
    seen, lock = [], threading.Lock()

    def progress(done, total):
        with lock:
            seen.append((done, total))

    crossval.predict(LogisticRegression(), cross_validation(cv=3), seeds=2, entropy=0, engine=HERE, progress=progress)
    assert seen == [(done, 6) for done in range(7)]


def test_random_states_depend_on_target_splits_and_generation_only():
    different = {
        crossval.entropy_of(target, splitter, n)
        for target in ("ab12", "ab13")
        for splitter in ("KFold(5)", "KFold(5) 1")
        for n in (1, 2, 11)
    }
    assert len(different) == 12
    # on every machine, or no baseline could be compared
    assert crossval.entropy_of("ab12", "KFold(5)", 1) == 272788443210713
    assert crossval.entropy_of_name("churn", 1) == 242390901749974  # of baselines recorded before
