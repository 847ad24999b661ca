"""Scores of stored predictions are scikit-learn's own, and their standard errors those of brute force."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement import statistics
from pytest_model_check.scoring.closed_forms import LOG_LOSS_CLIP
from sklearn import metrics as sk
from support.predictions import binary, metric, regression, score, standard_error

fast = settings(deadline=None, derandomize=True, max_examples=40)


@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), (False, True), (-1.0, 1.0)])
def test_log_loss_is_clipped_at_one_in_a_thousand(labels):
    predictions, y = binary(labels=labels)
    p = np.where(y == labels[1], *predictions.responses["predict_proba"][0].T[::-1][:, np.argsort(predictions.row)])
    p[:5] = 1e-12  # five sure mistakes
    slot = np.argsort(predictions.row)[:5]
    own = (y[:5] == labels[1]).astype(int)
    predictions.responses["predict_proba"][0, slot, own] = 1e-12
    predictions.responses["predict_proba"][0, slot, 1 - own] = 1 - 1e-12
    found = score(predictions, y, metric("neg_log_loss"))
    assert found.score == pytest.approx(np.log(np.maximum(p, 1e-3)).mean(), rel=1e-12)
    assert found.psi[0, :5] == pytest.approx(np.log(LOG_LOSS_CLIP))
    assert "clipped at 0.001" in found.definition


def test_columns_of_three_classes_follow_the_classes():
    rng = np.random.default_rng(0)
    classes = np.array(["beta", "gamma", "alpha"], dtype=object)
    y = rng.choice(classes, 90)
    order = np.sort(classes)
    p = rng.dirichlet([2, 2, 2], 90)
    p[np.arange(90), np.searchsorted(order, y)] += 1
    p /= p.sum(axis=1, keepdims=True)
    row = np.arange(90)
    predictions = Predictions(row, row * 0, row // 30, {"predict": y[None], "predict_proba": p[None]}, order)
    own = np.array([p[i, list(order).index(label)] for i, label in enumerate(y)])
    assert score(predictions, y, metric("neg_log_loss")).psi[0] == pytest.approx(np.log(own))
    brier = [-sum((p[i, k] - (order[k] == y[i])) ** 2 for k in range(3)) for i in range(90)]
    assert score(predictions, y, metric("neg_brier_score")).psi[0] == pytest.approx(brier)


def test_roc_auc_ranks_by_what_the_scorer_asks_for():
    predictions, y = binary()
    upside_down = dict(predictions.responses, predict_proba=predictions.responses["predict_proba"][:, :, ::-1])
    two_minds = Predictions(predictions.row, predictions.repeat, predictions.fold, upside_down, predictions.classes)
    auc = score(predictions, y, metric("roc_auc")).score
    assert score(two_minds, y, metric("roc_auc")).score == auc  # the decision function goes first, as in scikit-learn
    by_probability = metric(sk.make_scorer(sk.roc_auc_score, response_method="predict_proba"))
    assert score(two_minds, y, by_probability).score == pytest.approx(1 - auc)
    assert score(two_minds, y, by_probability).kind == "rank"


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        (sk.make_scorer(sk.accuracy_score), lambda y, p, label: (label == y).mean()),
        (sk.make_scorer(sk.accuracy_score, greater_is_better=False), lambda y, p, label: -(label == y).mean()),
        (sk.make_scorer(sk.log_loss, response_method="predict_proba"), lambda y, p, label: sk.log_loss(y, p)),
        (sk.make_scorer(sk.roc_auc_score, response_method="predict"), lambda y, p, label: sk.roc_auc_score(y, label)),
        (sk.make_scorer(sk.mean_absolute_error), lambda y, p, label: (label != y).mean()),
    ],
)
def test_a_scorer_of_the_users_keeps_its_sign_and_its_response(scorer, expected):
    predictions, y = binary(labels=(0, 1), rows=80, folds=1)
    label, p = (predictions.responses[name][0] for name in ("predict", "predict_proba"))
    found = score(predictions, y, metric(scorer))
    assert found.score == pytest.approx(expected(y[predictions.row].astype(int), p, label.astype(int)), rel=1e-9)


def test_options_belong_to_the_definition():
    predictions, y = regression()
    pinball = [metric(sk.make_scorer(sk.mean_pinball_loss, alpha=a, greater_is_better=False)) for a in (0.1, 0.9)]
    low, high = (score(predictions, y, promised) for promised in pinball)
    assert low.definition != high.definition
    assert low.kind == "mean"
    assert low.score == pytest.approx(-sk.mean_pinball_loss(y, predictions.responses["predict"][0], alpha=0.1))


def test_a_definition_holds_no_address_of_this_process():
    def close(y, answer, within):
        return float((abs(y - answer) < within(y)).mean())

    predictions, y = regression(rows=60)
    found = score(predictions, y, metric(sk.make_scorer(close, within=lambda y: 1 + 0 * y)))
    assert "within=" in found.definition
    assert " at 0x" not in found.definition


# --- errors in words


@pytest.mark.parametrize("name", ["accuracy", "neg_log_loss", "neg_brier_score", "roc_auc", "f1"])
def test_a_metric_of_classifiers_is_no_metric_of_a_regressor(name):
    predictions, y = regression()
    with pytest.raises(PromiseError, match=f"metric {name} can't score this candidate") as caught:
        score(predictions, y, metric(name))
    assert "_Replay" not in caught.value.message


def test_a_fold_of_one_class_is_an_error_that_names_it():
    predictions, y = binary(rows=40)
    one = Predictions(
        predictions.row,
        predictions.repeat,
        (y[predictions.row] == "yes") * 1,
        predictions.responses,
        predictions.classes,
    )
    with pytest.raises(PromiseError, match=r"roc_auc .*fold 1: all its rows are of one class"):
        score(one, y, metric("roc_auc"))


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), KeyError("x"), AssertionError(), UserWarning("ill")])
def test_whatever_a_users_function_raises_is_put_into_words(error):
    def broken(y, answer):
        raise error

    predictions, y = regression(rows=40)
    with pytest.raises(PromiseError, match=r"metric broken can't score this candidate: .+"):
        score(predictions, y, metric(sk.make_scorer(broken)))


def test_a_score_that_is_no_number_is_an_error():
    predictions, y = regression(rows=40)
    with pytest.raises(PromiseError, match="not a finite number"):
        score(predictions, y, metric(sk.make_scorer(lambda y, answer: float("nan")), "mine"))


def test_rows_that_all_depend_on_each_other_prove_nothing():
    predictions, y = regression(rows=40)
    with pytest.raises(PromiseError, match="all rows that are predicted depend on each other"):
        score(predictions, y, metric("neg_mean_squared_error"), np.zeros(40, dtype=np.int64))


# --- influence values


PLAIN = {
    "r2": ("predict", sk.r2_score),
    "neg_root_mean_squared_error": ("predict", lambda y, a: -sk.root_mean_squared_error(y, a)),
    "neg_root_mean_squared_log_error": ("predict", lambda y, a: -sk.root_mean_squared_log_error(y, a)),
    "f1": ("predict", sk.f1_score),
    "f1_macro": ("predict", lambda y, a: sk.f1_score(y, a, average="macro")),
    "matthews_corrcoef": ("predict", sk.matthews_corrcoef),
    "balanced_accuracy": ("predict", sk.balanced_accuracy_score),
    "average_precision": ("decision_function", sk.average_precision_score),
}
GROUPED = {"average_precision"}  # big folds leave out a hundredth at a time; for the others every row has its own value


def _one_fold(name, rows):
    """Simulate predictions in one fold; give them with the truth and the answers in the order of the rows."""
    response, function = PLAIN[name]
    if name == "r2" or name.startswith("neg_root"):
        predictions, y = regression(rows=rows, folds=1)
        np.abs(predictions.responses["predict"], out=predictions.responses["predict"])  # for the logarithm's sake
    else:
        predictions, y = binary(rows=rows, folds=1, labels=(0, 1))
    return predictions, y, predictions.responses[response][0][np.argsort(predictions.row)], function


def _without_each(function, y, answer):
    every = np.arange(len(y))
    return np.array([function(y[every != i], answer[every != i]) for i in every])


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("rows", [60, 150])
def test_the_standard_error_is_that_of_a_full_jackknife(name, rows):
    predictions, y, answer, function = _one_fold(name, rows)
    found = score(predictions, y, metric(name))
    without = _without_each(function, y, answer)
    full = np.sqrt((rows - 1) / rows * ((without - without.mean()) ** 2).sum())
    assert found.score == pytest.approx(function(y, answer))
    assert standard_error(found) == pytest.approx(full, rel=0.12 if rows == 150 and name in GROUPED else 1e-6)
    if rows == 60 or name not in GROUPED:
        assert found.psi[0] - found.score == pytest.approx((rows - 1) * (without.mean() - without), abs=1e-8)


@pytest.mark.parametrize("name", ["r2", "f1"])
def test_the_standard_error_is_that_of_the_bootstrap(name):
    predictions, y, answer, function = _one_fold(name, 400)
    folds = Predictions(
        predictions.row, predictions.repeat, predictions.row % 4, predictions.responses, predictions.classes
    )
    rng = np.random.default_rng(0)
    drawn = [function(y[i], answer[i]) for i in rng.integers(0, 400, (300, 400))]
    assert standard_error(score(folds, y, metric(name))) == pytest.approx(np.std(drawn), rel=0.12)


@pytest.mark.parametrize("name", ["r2", "f1"])
def test_the_jackknife_and_the_influence_function_agree_to_one_percent(name):
    predictions, y, answer, function = _one_fold(name, 200)
    if name == "r2":
        y = np.random.default_rng(0).normal(0, 2, 200)  # no long tail: to it leaving out a row is a big step
        answer = y + answer - answer.mean()
        predictions.responses["predict"][0, predictions.row] = answer
    whole = function(y, answer)
    if name == "r2":
        spread = ((y - y.mean()) ** 2).mean()
        formula = whole + ((1 - whole) * (y - y.mean()) ** 2 - (y - answer) ** 2) / spread
    else:  # F1 = 2 E[y a] / E[y + a]
        formula = whole + (2 * y * answer - whole * (y + answer)) / (y + answer).mean()
    found = score(predictions, y, metric(name))
    assert standard_error(found) == pytest.approx(statistics.standard_error(formula).se, rel=0.015)
    assert np.corrcoef(found.psi[0], formula)[0, 1] > 0.999


@pytest.mark.parametrize("clusters", ["rows", "groups"])
@pytest.mark.parametrize("rows", [150, 1200])  # folds below and above a hundred
def test_repeats_of_the_same_answers_add_no_certainty(rows, clusters):
    predictions, y = regression(rows=rows)
    groups = None if clusters == "rows" else np.arange(rows) // 4
    rng = np.random.default_rng(3)
    row = np.concatenate([rng.permutation(rows) for _ in range(5)])
    fold = np.concatenate([(i if groups is None else groups[i] * 7 + r) % 3 for r, i in enumerate(np.split(row, 5))])
    repeat = np.repeat(np.arange(5), rows)
    often = Predictions(row, repeat, fold, {"predict": predictions.responses["predict"][:, row]}, None)
    first = {"predict": often.responses["predict"][:, :rows]}
    once = Predictions(row[:rows], repeat[:rows], fold[:rows], first, None)
    promised = metric(sk.make_scorer(lambda y, answer: -np.sqrt(np.mean((y - answer) ** 2))), "own")
    errors = [standard_error(score(of, y, promised, groups)) for of in (once, often)]
    assert errors[1] == pytest.approx(errors[0], rel=0.25)


@pytest.mark.parametrize("name", ["accuracy", "neg_log_loss", "neg_brier_score", "roc_auc"])
def test_repeats_are_averaged_by_row(name):
    predictions, y = binary(rows=120, repeats=3)
    found = score(predictions, y, metric(name))
    assert found.psi.shape == (1, 120)
    assert found.splits.shape == (1, 12)
    assert found.score == pytest.approx(found.splits.mean(), rel=1e-12)
    assert found.weights.sum() == pytest.approx(1)
    one = predictions.repeat == 1
    second = Predictions(
        predictions.row[one],
        predictions.repeat[one],
        predictions.fold[one],
        {key: values[:, one] for key, values in predictions.responses.items()},
        predictions.classes,
    )
    assert score(second, y, metric(name)).folds == pytest.approx(found.folds[4:8])


@pytest.mark.parametrize("name", ["accuracy", "neg_log_loss", "roc_auc", "f1_macro"])
def test_rows_that_no_split_holds_out_count_nowhere(name):
    predictions, y = binary(rows=100)
    kept = predictions.fold > 0
    late = Predictions(
        predictions.row[kept],
        predictions.repeat[kept],
        predictions.fold[kept],
        {key: values[:, kept] for key, values in predictions.responses.items()},
        predictions.classes,
    )
    found = score(late, y, metric(name))
    assert found.psi.shape == (1, 75)
    assert found.folds == pytest.approx(score(predictions, y, metric(name)).folds[1:])
    assert found.score == pytest.approx(found.folds.mean())


@given(st.randoms(use_true_random=False))
@fast
def test_row_wise_metrics_do_not_depend_on_the_order_of_the_slots(random):
    predictions, y = binary(rows=30, seeds=2)
    order = np.array(random.sample(range(30), 30))
    moved = Predictions(
        predictions.row[order],
        predictions.repeat[order],
        predictions.fold[order],
        {key: values[:, order] for key, values in predictions.responses.items()},
        predictions.classes,
    )
    for name in ("accuracy", "neg_log_loss", "neg_brier_score", "roc_auc"):
        one, other = score(predictions, y, metric(name)), score(moved, y, metric(name))
        np.testing.assert_array_equal(one.psi, other.psi)
        np.testing.assert_allclose(one.splits, other.splits, rtol=1e-14)


@pytest.mark.parametrize("name", ["accuracy", "neg_log_loss", "roc_auc", "f1_macro"])
def test_exchanging_two_models_changes_the_sign_only(name):
    (one, y), (other, _) = binary(rows=60, seed=1), binary(rows=60, seed=1, seeds=2)
    first, second = score(one, y, metric(name)), score(other, y, metric(name))
    there = second.psi.mean(axis=0) - first.psi.mean(axis=0)
    back = first.psi.mean(axis=0) - second.psi.mean(axis=0)
    assert there.mean() == pytest.approx(second.score - first.score, abs=1e-12)
    assert statistics.standard_error(there).se == pytest.approx(statistics.standard_error(back).se, rel=1e-12)
    assert first.clusters is second.clusters is None


def test_units_give_the_cluster_robust_standard_error():
    predictions, y = binary(rows=120)
    groups = np.random.default_rng(0).integers(0, 17, 120)
    found = score(predictions, y, metric("neg_log_loss"), groups)
    assert standard_error(found) == pytest.approx(statistics.standard_error(found.psi[0], groups).se, rel=1e-12)


def test_the_grain_of_an_auc_is_one_exchanged_pair():
    predictions, y = binary(rows=40, folds=1)
    before = score(predictions, y, metric("roc_auc"))
    decision = predictions.responses["decision_function"][0]
    order = np.argsort(decision)
    ranked = y[predictions.row][order]
    place = next(i for i in range(39) if (ranked[i], ranked[i + 1]) == ("no", "yes"))
    decision[order[[place, place + 1]]] = decision[order[[place + 1, place]]]
    after = score(predictions, y, metric("roc_auc"))
    assert before.score - after.score == pytest.approx(1 / 400)
    moved = statistics.standard_error(after.psi[0] - before.psi[0]).se
    assert moved == pytest.approx(before.min_standard_error, rel=0.03)


def test_the_grain_of_hits_is_one_row():
    predictions, y = binary(rows=40)
    assert score(predictions, y, metric("accuracy")).min_standard_error == 1 / 40
    assert score(predictions, y, metric("neg_log_loss")).min_standard_error == 0


def test_scoring_the_rest_of_a_fold_does_not_warn():
    predictions, y = binary(rows=24, labels=(0, 1))
    y[:] = predictions.responses["predict"][0, np.argsort(predictions.row)]
    one_positive = np.zeros(24, dtype=int)
    one_positive[predictions.row[predictions.fold == 0][0]] = 1
    predictions.responses["predict"] = one_positive[predictions.row][None]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        score(predictions, y.astype(int), metric("f1"))
    assert len(caught) <= 3  # of the three folds without a positive answer, never of every row left out
