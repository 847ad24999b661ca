"""Few rows of a class in a fold: intervals that hold for every kind of metric, or words that there is none."""

from __future__ import annotations

from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pytest
from pytest_model_check.data.dataset import Truth
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.judge import ALARM, CONFIDENCE, difference
from pytest_model_check.judgement.noise import NoiseReference, measure
from pytest_model_check.judgement.statistics import fold_standard_error
from pytest_model_check.scoring.requirements import require_enough_rows, unjudgeable
from sklearn import metrics as sk
from support.predictions import metric, score, standard_error

QUIET = NoiseReference(-10.0, 0.0, inf, None, 1e-9)


def few(y, folds=10, seed=0, apart=0.5, seeds=1, models=2) -> list[Predictions]:
    """Answer as equally good models: what they see of a row's class is behind a noise that they share in part."""
    rng = np.random.default_rng(seed)
    classes = np.arange(y.max() + 1)
    shared = rng.normal(size=(len(y), len(classes)))
    row = np.arange(len(y))
    made = []
    for _ in range(models):
        own = rng.normal(size=(seeds, *shared.shape))
        merit = 2 * (y[:, None] == classes) + sqrt(1 - apart) * shared + sqrt(apart) * own
        p = np.exp(merit) / np.exp(merit).sum(axis=2, keepdims=True)
        answers = {"predict": p.argmax(axis=2), "predict_proba": p}
        made.append(Predictions(row, 0 * row, row % folds, answers, classes))
    return made


def rare(positives: int, rows: int = 500, folds: int = 10) -> np.ndarray:
    """Return each fold so many rows of class 1; row i is in fold i modulo folds."""
    return (np.arange(rows) // folds < positives).astype(int)


def _share(miss: float, times: int) -> float:
    return miss + 3 * sqrt(miss * (1 - miss) / times)


def _misses(metric_, y, times):
    """Compare equally good models; give SE / sd, and how often each bound misses zero."""
    found = []
    for seed in range(times):
        pair = [score(one, y, metric_) for one in few(y, seed=seed)]
        found += [difference(old.psi[0], old.folds, new, QUIET) for old, new in (pair, pair[::-1])]
    deltas = np.array([one.delta for one in found])
    low, high = np.array([one.bounds() for one in found]).T
    return sqrt(np.mean([one.se**2 for one in found])) / deltas.std(), (low > 0).mean(), (high < 0).mean()


# --- intervals


@pytest.mark.parametrize("positives", [1, 2, 4])
def test_bounds_of_an_auc_with_few_of_a_class_miss_as_seldom_as_they_say(positives):
    ratio, below, above = _misses(metric("roc_auc"), rare(positives), 150)
    assert 0.9 <= ratio <= 1.25
    assert below <= _share(1 - CONFIDENCE, 150)
    assert above <= _share(1 - ALARM, 150)


def test_bounds_of_an_auc_of_many_classes_miss_as_seldom_as_they_say():
    ratio, below, above = _misses(metric("roc_auc_ovr"), np.minimum(np.arange(500) // 10, 3), 100)
    assert 0.9 <= ratio <= 1.35
    assert below <= _share(1 - CONFIDENCE, 100)
    assert above <= _share(1 - ALARM, 100)


def _f1(y, answers):
    return 2 * (y & answers).sum() / max(y.sum() + answers.sum(), 1)


@pytest.mark.parametrize("positives", [1, 4])
def test_bounds_of_labels_with_few_of_a_class_miss_as_seldom_as_they_say(positives):
    ratio, below, above = _misses(metric(sk.make_scorer(_f1)), rare(positives), 60)
    assert 0.8 <= ratio <= 1.25
    assert below <= _share(1 - CONFIDENCE, 60)
    assert above <= _share(1 - ALARM, 60)


def test_with_one_positive_a_fold_the_folds_are_the_evidence_on_it():
    y = rare(1)
    (one,) = few(y, models=1)
    found = score(one, y, metric("roc_auc"))
    positives = (found.folds - found.score) / 10
    negatives = (found.psi[0] - found.folds[one.fold])[y == 0] / 500
    variance = positives @ positives * 10 / 9 + negatives @ negatives * 490 / 489
    assert standard_error(found) == pytest.approx(sqrt(variance), rel=1e-9)


@pytest.mark.parametrize("name", ["roc_auc", "roc_auc_ovo", "f1_macro"])
def test_fold_scores_and_the_score_are_those_of_the_metric(name):
    y = np.minimum(np.arange(500) // 10, 2) if name != "roc_auc" else rare(1)
    (one,) = few(y, models=1)
    found = score(one, y, metric(name))
    inside = [one.fold == k for k in range(10)]
    if name == "f1_macro":
        expected = [sk.f1_score(y[k], one.responses["predict"][0][k], average="macro") for k in inside]
    elif name == "roc_auc":
        expected = [sk.roc_auc_score(y[k], one.responses["predict_proba"][0][k, 1]) for k in inside]
    else:
        expected = [sk.roc_auc_score(y[k], one.responses["predict_proba"][0][k], multi_class="ovo") for k in inside]
    assert found.folds == pytest.approx(expected, rel=1e-9)
    assert [found.psi[0][k].mean() for k in inside] == pytest.approx(expected, rel=1e-9)
    assert found.score == pytest.approx(np.mean(expected), rel=1e-9)


def test_labels_are_judged_by_folds_where_a_class_or_a_label_has_fewer_than_five_rows_in_one():
    enough, scarce = rare(6), rare(4)
    for y, threshold, by_folds in ((enough, None, False), (scarce, None, True), (enough, 0.95, True)):
        (one,) = few(y, models=1, apart=0.1)
        if threshold:
            labels = (one.responses["predict_proba"][:, :, 1] > threshold).astype(int)
            one = replace(one, responses={**one.responses, "predict": labels})
        found = score(one, y, metric("f1"))
        assert found.by_folds == by_folds
        assert (standard_error(found) == fold_standard_error(found.folds, found.weights).se) == by_folds
        assert not score(one, y, metric("accuracy")).by_folds


@pytest.mark.parametrize("positives", [4, 5])
def test_what_ranks_without_a_formula_is_judged_by_folds_where_a_class_is_rare(positives):
    y = rare(positives, rows=300)
    (one,) = few(y, models=1)
    assert score(one, y, metric("average_precision")).by_folds == (positives < 5)


def test_a_candidate_that_hardly_names_a_class_is_judged_by_folds_against_one_that_does():
    y = rare(8)
    old, new = few(y)
    nearly_none = (new.responses["predict_proba"][:, :, 1] > 0.97).astype(int)
    approved, candidate = (
        score(old, y, metric("f1")),
        score(replace(new, responses={**new.responses, "predict": nearly_none}), y, metric("f1")),
    )
    assert (approved.by_folds, candidate.by_folds) == (False, True)
    assert approved.as_sparse_as(candidate).by_folds
    found = difference(approved.psi[0], approved.folds, candidate, QUIET)
    assert found.se == fold_standard_error(candidate.folds - approved.folds, candidate.weights).se


@pytest.mark.parametrize(("name", "least"), [("roc_auc", 0.75), ("f1", 0.95)])
def test_repeats_of_the_same_answers_hardly_add_certainty(name, least):
    y, squares = rare(2, rows=200), np.zeros(2)
    rng = np.random.default_rng(0)
    for seed in range(8):
        (one,) = few(y, models=1, seed=seed)
        folds = np.empty((3, 200), dtype=int)
        for fold in folds:
            for label in (0, 1):
                fold[rng.permutation(np.flatnonzero(y == label))] = np.arange((y == label).sum()) % 10
        row = np.tile(one.row, 3)
        answers = {name: values[:, row] for name, values in one.responses.items()}
        often = Predictions(row, np.repeat(range(3), 200), folds.reshape(-1), answers, one.classes)
        squares += [standard_error(score(of, y, metric(name))) ** 2 for of in (one, often)]
    # an AUC of three partitions is surer of which rows a rare one is ranked among
    assert least <= sqrt(squares[1] / squares[0]) <= 1.1


def test_what_seeds_do_to_a_fold_is_not_counted_beside_what_its_carriers_show():
    y = rare(1)
    (one,) = few(y, models=1, seeds=10)
    for name in ("roc_auc", "f1"):
        found = score(one, y, metric(name))
        noise = measure(found, None, 0.0)
        assert noise.noise <= 0.05 * found.noise.s  # every fold of every seed was drawn for itself
        between = found.error_between_seeds
        assert noise.floor == pytest.approx(between.se * 2 * 2.3, rel=0.5)


def test_refits_of_an_auc_with_one_positive_a_fold_hold_its_noise_floor():
    y, rng = rare(1), np.random.default_rng(3)
    (one,) = few(y, models=1)
    p = one.responses["predict_proba"]
    noisy = np.exp(np.log(p) + rng.normal(0, 0.3, (10, *p.shape[1:])))  # what ten harmless changes do
    refits = replace(one, responses={"predict_proba": noisy / noisy.sum(axis=2, keepdims=True)})
    baseline = score(one, y, metric("roc_auc"))
    reference = measure(baseline, score(refits, y, metric("roc_auc")), 0.5)
    blocked = 0
    for _ in range(200):  # in every fold another refit: each could have come about
        drawn = refits.responses["predict_proba"][rng.integers(10, size=10)[one.fold], one.row][None]
        candidate = score(replace(one, responses={"predict_proba": drawn}), y, metric("roc_auc"))
        blocked += difference(baseline.psi[0], baseline.folds, candidate, reference).bounds()[0] <= -reference.floor
    assert blocked <= 2


def test_groups_that_hold_all_rows_of_a_class_prove_nothing_of_it():
    y = rare(1)
    (one,) = few(y, models=1)
    groups = np.where(y == 1, 0, 1 + np.arange(500) % 7)
    with pytest.raises(PromiseError, match=r"metric roc_auc can't be judged: all rows of class 1 that are predicted"):
        score(one, y, metric("roc_auc"), groups)
    groups[np.flatnonzero(y)[:3]] = 1
    assert standard_error(score(one, y, metric("roc_auc"), groups)) > 0


# --- words


def test_what_no_interval_can_be_had_of_is_said():
    three = rare(2, rows=150, folds=3)
    (one,) = few(three, folds=3, models=1)
    reason = unjudgeable(metric("f1"), one, Truth(three))
    assert reason.startswith(
        "there are 2 rows of class 1 in fold 1, and it takes 5 rows of each class in every fold, or"
    )
    assert unjudgeable(metric("average_precision"), one, Truth(three)) == reason
    assert not unjudgeable(metric("roc_auc"), one, Truth(three))
    for name in ("accuracy", "neg_log_loss", "neg_brier_score"):
        assert not unjudgeable(metric(name), one, Truth(three))
    four = (np.arange(90) < 4).astype(int)
    (one,) = few(four, folds=2, models=1)
    assert unjudgeable(metric("roc_auc"), one, Truth(four)) == "there are 4 rows of class 1, and it takes 5"
    ten = rare(2)
    (one,) = few(ten, models=1)
    assert not unjudgeable(metric("f1"), one, Truth(ten))
    assert unjudgeable(metric("f1"), one, Truth(ten, None, True)).endswith(
        "it takes 5 rows of each class in every fold"
    )


def test_a_check_of_nothing_but_what_can_not_be_judged_is_refused():
    y = rare(2, rows=150, folds=3)
    (one,) = few(y, folds=3, models=1)
    require_enough_rows([metric("f1"), metric("neg_brier_score")], one, Truth(y))
    with pytest.raises(PromiseError, match="nothing would be judged: f1: there are 2 rows of class 1 in fold 1"):
        require_enough_rows([metric("f1")], one, Truth(y))
    named = replace(metric("f1"), margin=0.1)
    with pytest.raises(PromiseError, match="f1 can be reported, but no margin of it can be defended: there are 2 rows"):
        require_enough_rows([named, metric("neg_brier_score")], one, Truth(y))


def test_a_single_fold_can_not_tell_how_sure_rare_labels_are():
    y = (np.arange(300) % 3 == 0).astype(int)
    old, new = few(y, folds=1)
    nearly_none = (np.arange(300)[None] < 4).astype(int)
    approved, candidate = (
        score(old, y, metric("f1")),
        score(replace(new, responses={**new.responses, "predict": nearly_none}), y, metric("f1")),
    )
    assert candidate.by_folds
    assert not candidate.has_folds
    with pytest.raises(PromiseError, match="a single fold can't tell how sure its score is"):
        difference(approved.psi[0], approved.folds, candidate, QUIET)
