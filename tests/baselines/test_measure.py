"""Recording measures a baseline: its seeds, its dummy and its noise floor."""

import dataclasses
import json
import warnings
from math import inf

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.baselines.baseline_json import from_json, to_text
from pytest_model_check.baselines.measure import assemble, fit
from pytest_model_check.baselines.promises import margin_reason
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import CandidateError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.engine import InProcess
from pytest_model_check.judgement.noise import measure
from pytest_model_check.scoring.metrics import score
from sklearn import metrics as sk
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

HERE = InProcess()

RANDOM = DecisionTreeClassifier(max_depth=3, splitter="random")


class Wavering(ClassifierMixin, BaseEstimator):
    """A good model that now and then answers otherwise, whatever the seed."""

    calls = 0

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        Wavering.calls += 1
        answers = self.model_.predict(X)
        answers[Wavering.calls % len(answers)] = self.classes_[Wavering.calls % 2]
        answers[(Wavering.calls * 3) % len(answers)] = self.classes_[(Wavering.calls // 2) % 2]
        return answers


def dataset(rows=90, regression=False, share=0.5) -> Dataset:
    rng = np.random.default_rng(2)
    y = rng.permutation(np.arange(rows) < share * rows).astype(int)
    X = pd.DataFrame({"a": rng.normal(size=rows) + 2 * y, "b": rng.normal(size=rows)})
    y = 3 * X["a"].to_numpy() + rng.normal(size=rows) if regression else y
    return Dataset(X=X, y=y, groups=None, time=None, slices=X[[]], files=(("data.csv", "0" * 32),))


def recorded(candidate, *, generation=1, name="tumours", data=None, **promise):
    check = make_check(candidate, data="data.csv", target="y", name=name, **{"cv": 3, "seeds": 4, **promise})
    cv = splits.make_cross_validation(check, dataset() if data is None else data)
    entropy = crossval.entropy_of(cv.dataset.target_digest, cv.splitter, generation)
    measured = assemble(check, cv, fit(check, cv, entropy=entropy, engine=HERE), generation=generation, anchors={})
    return measured.baseline, measured.approved.predictions, measured.fits


def test_a_random_learner_is_fitted_with_every_seed():
    baseline, predictions, fits = recorded(RANDOM, metrics=["roc_auc", "neg_brier_score"])
    assert (baseline.learner, baseline.seeds, predictions.seeds, fits) == ("random", 4, 4, 12)
    for name, metric in baseline.metrics.items():
        promised = make_check(RANDOM, data="d", target="y", name="n", metrics=name).metrics[0]
        found = score(predictions, promised, dataset().truth)
        assert metric.score == pytest.approx(found.score)
        assert metric.noise_reference == measure(found, None, metric.noise_reference.dummy)
        assert metric.noise_reference.runs == 4
        assert metric.noise_reference.noise > 0
        assert metric.noise_reference.floor > 0
        assert 3 <= metric.noise_reference.dof < 3 * 3 + 1


def test_a_learner_without_randomness_is_fitted_once_and_tested_by_leaving_rows_out():
    baseline, predictions, fits = recorded(LogisticRegression(), metrics=["neg_log_loss", "accuracy"])
    assert (baseline.learner, baseline.seeds, predictions.seeds, fits) == ("deterministic", 1, 1, 3 + 24 + 24)
    noise_reference = baseline.metrics["neg_log_loss"].noise_reference
    assert noise_reference.runs is None
    assert 0 < noise_reference.noise < noise_reference.floor < inf
    assert baseline.metrics["accuracy"].noise_reference.floor >= (1.645 + 2.326) / 90 * 0.999  # one row at least


def test_refits_are_made_once_more_only_where_a_margin_hangs_on_them():
    named, _, fits = recorded(LogisticRegression(), metrics={"neg_log_loss": 0.1})
    assert fits == 3 + 24
    assert named.metrics["neg_log_loss"].margin_kind == "named"
    default, _, fits = recorded(LogisticRegression(), metrics={"neg_log_loss": None, "accuracy": 0.1})
    assert fits == 3 + 24 + 24
    assert default.metrics["neg_log_loss"].margin_kind == "noise_floor"


def test_what_the_same_seed_does_not_repeat_is_said():
    baseline, _, _ = recorded(Wavering(), metrics="accuracy")
    assert (baseline.learner, baseline.seeds) == ("nondeterministic", 4)
    assert baseline.metrics["accuracy"].noise_reference.runs == 4


def test_every_generation_draws_fresh_seeds():
    one, first, _ = recorded(RANDOM, metrics="roc_auc")
    again, same, _ = recorded(RANDOM, metrics="roc_auc")
    two, other, _ = recorded(RANDOM, generation=2, metrics="roc_auc")
    assert one == again
    assert first.agrees(same, rtol=0)
    assert (one.generation, two.generation) == (1, 2)
    assert one.entropy != two.entropy
    answers = [list(map(bytes, of.responses["predict_proba"])) for of in (first, other)]
    assert not set(answers[0]) & set(answers[1])  # not one seed of the first comes again


def test_the_default_margin_is_no_lottery():
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    y = (X["a"] ** 2 + X["b"] + 0.5 * rng.normal(size=400) > 0.7).to_numpy().astype(int)
    data = Dataset(X=X, y=y, groups=None, time=None, slices=X[[]], files=(("data.csv", "0" * 32),))
    metrics = ["neg_brier_score", "accuracy", "neg_log_loss"]
    runs = [  # of one model; each leaves out other rows together
        recorded(KNeighborsClassifier(15), generation=n, metrics=metrics, data=data, seeds=10)[0] for n in range(1, 6)
    ]
    for name in metrics:
        floors = np.array([run.metrics[name].noise_reference.floor for run in runs])
        assert abs(floors / np.median(floors) - 1).max() < 0.15, name


@pytest.mark.parametrize(
    ("candidate", "metric"),
    [
        (DummyClassifier(), "accuracy"),
        (DummyClassifier(), "roc_auc"),
        (DummyRegressor(), "r2"),
        (DummyRegressor(), "neg_mean_squared_error"),
    ],
)
def test_no_better_than_the_dummy_is_refused(candidate, metric):
    data = dataset(regression=isinstance(candidate, DummyRegressor))
    with pytest.raises(CandidateError, match=f"{metric} is .*no better than a dummy"):
        recorded(candidate, metrics=metric, data=data)


def test_a_metric_that_no_model_can_win_by_is_judged_beside_one_that_has_a_dummy_to_beat():
    baseline, _, _ = recorded(RANDOM, metrics=["recall", "neg_brier_score"], data=dataset(share=0.7))
    recall = baseline.metrics["recall"]
    assert recall.score < 1
    assert recall.noise_reference.dummy is None
    assert recall.margin == recall.noise_reference.floor > 0
    assert margin_reason(baseline, "recall") == "the noise floor of 90 rows; there is no dummy to beat"
    assert baseline.metrics["neg_brier_score"].noise_reference.dummy < 0
    assert from_json(json.loads(to_text(baseline))).metrics["recall"].noise_reference.dummy is None


def test_precision_has_a_dummy_to_beat_where_most_rows_are_positive():
    baseline, _, _ = recorded(LogisticRegression(), metrics="precision", data=dataset(share=0.7), seeds=2)
    assert baseline.metrics["precision"].noise_reference.dummy == pytest.approx(0.7)


def test_a_check_without_any_dummy_to_beat_is_refused():
    with pytest.raises(CandidateError, match=r"no metric has a dummy to beat: .* is perfect by recall"):
        recorded(LogisticRegression(), metrics={"recall": 0.05}, data=dataset(share=0.7))


def test_without_a_dummy_and_without_measured_noise_the_margin_has_to_be_named():
    data = dataset(share=0.7)
    with pytest.raises(CandidateError, match=r"recall has no default margin.*no noise was found"):
        recorded(LogisticRegression(), metrics=["recall", "neg_log_loss"], data=data, seeds=1)
    promised = {"recall": 0.05, "neg_log_loss": None}
    baseline, _, _ = recorded(LogisticRegression(), metrics=promised, data=data, seeds=1)
    assert baseline.metrics["recall"].margin == 0.05


def test_an_error_with_the_wrong_sign_is_no_metric_without_a_dummy():
    wrong = sk.make_scorer(sk.mean_absolute_error)
    with pytest.raises(CandidateError, match="perfect answers score 0, less than a dummy") as refused:
        recorded(Ridge(), metrics=[wrong, "r2"], data=dataset(regression=True))
    assert "greater_is_better=False" in refused.value.advice


def test_the_dummy_is_scikit_learns_in_the_same_folds():
    baseline, _, _ = recorded(Ridge(), metrics=["r2", "neg_mean_absolute_error"], data=dataset(regression=True))
    data = dataset(regression=True)
    check = make_check(Ridge(), data="d", target="y", name="n", cv=3)
    folds = [(split.train, split.test) for split in splits.make_cross_validation(check, data).splits]
    errors = [abs(data.y[test] - data.y[train].mean()).mean() for train, test in folds]
    assert baseline.metrics["neg_mean_absolute_error"].noise_reference.dummy == pytest.approx(-np.mean(errors))
    assert baseline.metrics["r2"].noise_reference.dummy == pytest.approx(0, abs=0.05)


def test_the_margin_and_where_it_comes_from_are_kept():
    named, _, _ = recorded(LogisticRegression(), metrics={"neg_log_loss": 0.01})
    assert (named.metrics["neg_log_loss"].margin, margin_reason(named, "neg_log_loss")) == (
        0.01,
        "named in the check",
    )
    default, _, _ = recorded(LogisticRegression(), metrics="accuracy")
    metric = default.metrics["accuracy"]
    skill = 0.02 * (metric.score - metric.noise_reference.dummy)
    assert metric.margin == metric.noise_reference.floor > skill
    assert metric.margin_kind == "noise_floor"
    assert margin_reason(default, "accuracy") == (
        f"the noise floor of 90 rows; 2% of the skill above a dummy would be {skill:.4g}"
    )


@pytest.mark.parametrize("candidate", [RANDOM, LogisticRegression()])
def test_one_seed_measures_no_noise_and_says_so(candidate):
    baseline, predictions, fits = recorded(candidate, metrics="neg_brier_score", seeds=1)
    metric = baseline.metrics["neg_brier_score"]
    assert (predictions.seeds, fits) == (1, 3)
    assert (metric.noise_reference.noise, metric.noise_reference.floor) == (0, 0)
    assert metric.margin == pytest.approx(0.02 * (metric.score - metric.noise_reference.dummy))
    assert "seed noise not measured" in margin_reason(baseline, "neg_brier_score")


def test_the_dummys_ill_defined_precision_is_nobodys_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        baseline, _, _ = recorded(LogisticRegression(), metrics="precision", data=dataset(share=0.3), seeds=2)
    assert baseline.metrics["precision"].noise_reference.dummy == 0


def test_a_metric_of_the_decision_function_has_a_dummy_too():
    ranks = sk.make_scorer(sk.roc_auc_score, response_method="decision_function")
    baseline, _, _ = recorded(LogisticRegression(), metrics=[ranks, "roc_auc"], seeds=1)
    assert baseline.metrics["roc_auc_score"].noise_reference.dummy == 0.5
    assert baseline.metrics["roc_auc_score"].score == baseline.metrics["roc_auc"].score


def test_what_made_it_is_kept():
    baseline, _, _ = recorded(LogisticRegression(C=2), metrics="accuracy", slices=(), seeds=1)
    assert baseline.candidate == "LogisticRegression(C=2)"
    assert (baseline.rows, baseline.classes, baseline.data) == (90, (0, 1), (("data.csv", "0" * 32),))
    assert baseline.protocol.cv.startswith("StratifiedKFold(n_splits=3")
    assert {"python", "numpy", "scikit-learn", "platform"} <= baseline.environment.keys()


def test_equal_weights_measure_what_no_weights_do():
    weighted = dataclasses.replace(dataset(), sample_weight=np.ones(90))
    metrics = ["neg_log_loss", "roc_auc", "accuracy"]
    plain = recorded(LogisticRegression(), metrics=metrics)[0]
    same = recorded(LogisticRegression(), metrics=metrics, data=weighted, sample_weight="w")[0]
    assert (plain.effective_rows, same.effective_rows) == (None, 90)
    for name, metric in plain.metrics.items():
        assert same.metrics[name].folds == pytest.approx(metric.folds, rel=1e-6)
        assert same.metrics[name].margin == pytest.approx(metric.margin, rel=1e-4)
        assert same.metrics[name].noise_reference.dummy == pytest.approx(metric.noise_reference.dummy)


@pytest.mark.parametrize("candidate", [RANDOM, LogisticRegression()], ids=["random", "deterministic"])
def test_a_weighted_baseline_has_a_noise_floor_of_its_own(candidate):
    weights = np.random.default_rng(0).gamma(5, 1, 90)  # of fewer rows, in effect, F1 is only reported
    weighted = dataclasses.replace(dataset(), sample_weight=weights)
    metrics = ["neg_brier_score", "roc_auc", "f1"]
    found = recorded(candidate, metrics=metrics, data=weighted, sample_weight="w")[0]
    again = recorded(candidate, metrics=metrics, data=weighted, sample_weight="w")[0]
    assert found == again
    assert found.effective_rows == pytest.approx(weights.sum() ** 2 / (weights @ weights))
    for metric in found.metrics.values():
        assert metric.definition.endswith("with sample weights")
        assert metric.noise_reference.floor > 0
        assert metric.standard_error > 0
