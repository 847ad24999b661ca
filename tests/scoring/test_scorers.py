"""Every scorer of scikit-learn's: its own score in each fold, or the reason why it is none for a check."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.candidates.responses import RESPONSES
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.scoring.strategies import judgeable
from sklearn import metrics as sk
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold
from support.predictions import binary, metric, regression, score, standard_error

fast = settings(deadline=None, derandomize=True, max_examples=40)
AUCS = ("roc_auc_ovr", "roc_auc_ovr_weighted", "roc_auc_ovo", "roc_auc_ovo_weighted")
CLUSTERINGS = {
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "completeness_score",
    "fowlkes_mallows_score",
    "homogeneity_score",
    "mutual_info_score",
    "normalized_mutual_info_score",
    "rand_score",
    "v_measure_score",
}
SEVERAL_TARGETS = {"f1_samples", "jaccard_samples", "precision_samples", "recall_samples"}


def _task(name):
    """Fit in three folds: the truth, the fitted models with what they are asked, and what they answer."""
    classes = {"binary": 2, "multiclass": 3, "regression": 2}[name]
    X, y = make_classification(40, 5, n_informative=4, n_redundant=0, n_classes=classes, flip_y=0.1, random_state=1)
    splits = list(StratifiedKFold(3).split(X, y))  # folds of 14 and of 13 rows: a plain mean of folds would differ
    model = LogisticRegression(C=0.1)
    if name == "regression":
        y, model = np.exp(0.3 * X[:, 0] + 0.5 * y), Ridge(10)
    fitted = [(type(model)(**model.get_params()).fit(X[train], y[train]), X[test], test) for train, test in splits]
    answers = {
        response: np.concatenate([getattr(one, response)(asked) for one, asked, _ in fitted])[None]
        for response in RESPONSES
        if hasattr(model, response)
    }
    row = np.concatenate([test for _, test in splits])
    fold = np.repeat(np.arange(3), [len(test) for _, test in splits])
    labels = None if name == "regression" else np.unique(y)
    return y, fitted, Predictions(row, row * 0, fold, answers, labels)


TASKS = {name: _task(name) for name in ("binary", "multiclass", "regression")}


def _by_scikit_learn(task, name):
    y, fitted, _ = TASKS[task]
    scorer = sk.get_scorer(name)
    try:
        return np.array([scorer(model, asked, y[test]) for model, asked, test in fitted])
    except Exception:  # noqa: BLE001 - it refuses: labels for numbers, two classes for three, no probability
        return np.array([np.nan])


@pytest.mark.parametrize("name", sorted(set(sk.get_scorer_names()) - CLUSTERINGS - SEVERAL_TARGETS))
def test_a_score_is_what_scikit_learn_gives_in_the_same_folds(name):
    tasks = 0
    for task, (y, fitted, predictions) in TASKS.items():
        folds = _by_scikit_learn(task, name)
        if not np.isfinite(folds).all():
            with pytest.raises(PromiseError, match=f"metric {name} (can't score this candidate: |is not a finite)"):
                score(predictions, y, metric(name))
            continue
        tasks += 1
        found = score(predictions, y, metric(name))
        assert found.folds == pytest.approx(folds, rel=1e-9)
        assert found.score == pytest.approx(np.average(folds, weights=[len(test) for *_, test in fitted]), rel=1e-9)
        assert found.weights @ found.folds == pytest.approx(found.score, rel=1e-9)
        assert judgeable(metric(name)) == (found.kind != "extreme") == (name != "neg_max_error")
        assert standard_error(found) > 0 or found.kind == "extreme" or np.ptp(found.psi) == 0
    assert tasks


@pytest.mark.parametrize("name", sorted(CLUSTERINGS | SEVERAL_TARGETS))
@pytest.mark.parametrize("task", TASKS)
def test_what_scores_no_predictions_of_one_target_is_refused_by_its_name(name, task):
    y, _, predictions = TASKS[task]
    reason = f"{name} compares clusterings" if name in CLUSTERINGS else "many labels that a row has"
    with pytest.raises(PromiseError, match=f"metric {name} can't score predictions: .*{reason}"):
        score(predictions, y, metric(name))


# --- ROC AUC of several classes


def several(rows=90, classes=3, folds=3, seed=0, ties=False) -> tuple[Predictions, np.ndarray]:
    """Simulate probabilities of several classes of different sizes."""
    rng = np.random.default_rng(seed)
    y = np.sort(np.arange(rows) % (classes * (classes + 1) // 2))
    y = np.searchsorted(np.cumsum(np.arange(1, classes + 1)), y, side="right")
    p = np.exp(rng.normal(0, 1, (rows, classes)) + 1.2 * (y[:, None] == np.arange(classes)))
    p /= p.sum(axis=1, keepdims=True)
    if ties:
        p = np.round(4 * p)
        p[:, 0] += p.sum(axis=1) == 0
        p /= p.sum(axis=1, keepdims=True)
    row = rng.permutation(rows)
    fold = y[row] * 0 + np.argsort(np.argsort(y[row], kind="stable")) % folds  # every class in every fold
    answers = {"predict": p.argmax(axis=1)[row][None], "predict_proba": p[row][None]}
    return Predictions(row, row * 0, fold, answers, np.arange(classes)), y


@given(st.integers(0, 1000), st.sampled_from(AUCS), st.integers(3, 5), st.booleans())
@fast
def test_the_auc_of_several_classes_is_scikit_learns(seed, name, classes, ties):
    predictions, y = several(rows=120, classes=classes, seed=seed, ties=ties)
    truth, p = y[predictions.row], predictions.responses["predict_proba"][0]
    expected = [
        sk.roc_auc_score(truth[inside], p[inside], **sk.get_scorer(name)._kwargs)
        for inside in (predictions.fold == k for k in range(3))
    ]
    assert score(predictions, y, metric(name)).folds == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", AUCS)
def test_the_auc_of_several_classes_has_the_jackknifes_standard_error(name):
    predictions, y = several(rows=100, folds=1)
    truth, p = y[predictions.row], predictions.responses["predict_proba"][0]
    every = np.arange(100)
    without = np.array([
        sk.roc_auc_score(truth[every != i], p[every != i], **sk.get_scorer(name)._kwargs) for i in every
    ])  # fmt: skip
    found = score(predictions, y, metric(name))
    slots = found.psi[0][predictions.row]
    assert np.corrcoef(slots, -without)[0, 1] > 0.9995
    full = np.sqrt(99 / 100 * ((without - without.mean()) ** 2).sum())
    assert standard_error(found) == pytest.approx(full, rel=0.04)


@pytest.mark.parametrize("name", AUCS)
def test_two_classes_have_one_auc_whatever_it_is_called(name):
    predictions, y = binary(labels=(0, 1))
    found, plain = (score(predictions, y, metric(one)) for one in (name, "roc_auc"))
    np.testing.assert_array_equal(found.psi, plain.psi)
    assert found.min_standard_error == plain.min_standard_error
    assert name in found.definition


@pytest.mark.parametrize("name", AUCS)
def test_the_grain_of_an_auc_of_several_classes_is_the_smallest_exchange(name):
    predictions, y = several(rows=60, folds=1)
    before = score(predictions, y, metric(name))
    truth, p = y[predictions.row], predictions.responses["predict_proba"][0].copy()
    changes = []
    for column in range(3):
        order = np.argsort(p[:, column])
        for first, second in pairwise(order):
            if (truth[first] == column) != (truth[second] == column):
                moved = p.copy()
                moved[[first, second], column] = moved[[second, first], column]
                answers = dict(predictions.responses, predict_proba=moved[None])
                other = Predictions(predictions.row, predictions.repeat, predictions.fold, answers, np.arange(3))
                change = score(other, y, metric(name))
                changes.append(np.sqrt(((change.psi - before.psi) ** 2).sum()) / 60)
    assert before.min_standard_error == pytest.approx(min(changes), rel=0.03)


def test_a_fold_without_one_of_the_classes_is_named():
    predictions, y = several(rows=60)
    y[y == 2] = np.where(np.isin(np.flatnonzero(y == 2), predictions.row[predictions.fold == 1]), 1, 2)
    with pytest.raises(PromiseError, match="fold 2: it holds no row of class 2"):
        score(predictions, y, metric("roc_auc_ovr"))


def test_an_auc_with_options_of_its_own_is_jackknifed():
    predictions, y = binary(rows=80, labels=(0, 1))
    partial = metric(sk.make_scorer(sk.roc_auc_score, response_method="predict_proba", max_fpr=0.5))
    found = score(predictions, y, partial)
    assert found.kind == "jackknife"
    inside = predictions.fold == 0
    truth, p = y[predictions.row], predictions.responses["predict_proba"][0][:, 1]
    assert found.folds[0] == pytest.approx(sk.roc_auc_score(truth[inside], p[inside], max_fpr=0.5))


# --- how often a jackknifed metric is scored, and what is left out together


def _counting(function, **options):
    """Make a scorer that adds up the rows which it is given."""
    rows = []

    def counted(y, answer):
        rows.append(len(y))
        return function(y, answer)

    return metric(sk.make_scorer(counted, **options)), rows


def test_labels_are_scored_once_per_pair_of_truth_and_answer():
    predictions, y = binary(rows=2000, folds=5, labels=(0, 1))
    promised, rows = _counting(sk.f1_score)
    found = score(predictions, y, promised)
    assert sum(rows) / 2000 < 5
    assert len(np.unique(found.psi)) <= 4 * 5
    assert found.clusters is None


@pytest.mark.parametrize(("folds", "most"), [(1, 101), (2, 101), (10, 21), (40, 21)])
def test_a_jackknifed_metric_takes_so_many_scorings(folds, most):
    predictions, y = binary(rows=4000, folds=folds, labels=(0, 1))
    promised, rows = _counting(lambda y, p: np.mean((y - p) ** 2), response_method="predict_proba")
    found = score(predictions, y, promised)
    assert sum(rows) / 4000 <= most
    assert len(np.unique(found.clusters)) == max(20, min(100, 200 // folds)) * folds


def test_what_is_left_out_together_does_not_depend_on_the_model():
    rng = np.random.default_rng(0)
    classes = np.arange(12)  # more pairs of labels than groups
    y = rng.integers(0, 12, 3000)
    row, fold = np.arange(3000), np.arange(3000) // 1000
    models = [
        Predictions(row, row * 0, fold, {"predict": np.where(rng.random(3000) < part, y, 0)[None]}, classes)
        for part in (0.0, 0.5)
    ]
    promised = metric(sk.make_scorer(lambda y, answer: np.mean(y == answer)), "own")
    sure, unsure = (score(one, y, promised) for one in models)
    np.testing.assert_array_equal(sure.clusters, unsure.clusters)
    assert sure.clusters is not None


def test_days_that_are_left_out_together_follow_each_other():
    predictions, y = regression(rows=6000, folds=6)
    day = np.arange(6000) // 5
    promised = metric(sk.make_scorer(lambda y, answer: -np.sqrt(np.mean((y - answer) ** 2))), "own")
    found = score(predictions, y, promised, day, is_time_series=True)
    assert (np.diff(found.clusters) >= 0).all()
    assert len(np.unique(found.clusters)) == 6 * 34
    shuffled = score(predictions, y, promised, day)  # groups: every so manyth one
    assert (np.diff(shuffled.clusters) < 0).any()
    assert standard_error(shuffled) == pytest.approx(standard_error(found), rel=0.15)


def test_labels_keep_their_groups():
    predictions, y = binary(rows=400, labels=(0, 1))
    groups = np.arange(400) // 8
    found = score(predictions, y, metric("f1"), groups)
    np.testing.assert_array_equal(found.clusters, groups)


# --- degenerate data


def _with_positives(places, rows=40, folds=2):
    """Return a classifier's answers where only these rows are positive; it is right about all but a few."""
    rng = np.random.default_rng(0)
    y = np.zeros(rows, dtype=int)
    y[places] = 1
    p = np.clip(0.2 + 0.5 * y + rng.uniform(-0.2, 0.2, rows), 0, 1)
    p[[3, rows - 3]] = 0.7
    row = np.arange(rows)
    answers = {"predict": (p > 0.5).astype(int)[None], "predict_proba": np.stack([1 - p, p], axis=1)[None]}
    return Predictions(row, row * 0, row * folds // rows, answers, np.array([0, 1])), y


@pytest.mark.parametrize("name", ["average_precision", "f1", "f1_macro", "recall", "balanced_accuracy", "roc_auc"])
def test_a_fold_with_one_positive_row_is_scored_and_does_not_warn(name):
    predictions, y = _with_positives([5, 25])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score(predictions, y, metric(name))
    truth = y[predictions.row]
    expected = [
        sk.get_scorer(name)._score_func(
            truth[part],
            predictions.responses["predict_proba"][0, part, 1]
            if name in ("average_precision", "roc_auc")
            else predictions.responses["predict"][0, part],
            **sk.get_scorer(name)._kwargs,
        )
        for part in (slice(20), slice(20, 40))
    ]
    assert found.folds == pytest.approx(expected)
    # it would be 19 times the score, were the fold's only positive row left out
    assert np.abs(found.psi - found.score).max() < 15


def test_the_last_row_of_a_label_counts_twice():
    predictions, y = _with_positives([5, 25])
    found = score(predictions, y, metric("f1"))
    twice = 21 * (sk.f1_score([1, 1, 0], [1, 1, 1]) - sk.f1_score([1, 0], [1, 1]))
    once = 19 * (sk.f1_score([1, 0], [1, 1]) - sk.f1_score([1], [1]))  # without the row that is positive by mistake
    assert found.psi[0, 5] - found.psi[0, 3] == pytest.approx(twice - once)


@pytest.mark.parametrize("name", ["average_precision", "f1_macro", "matthews_corrcoef", "roc_auc", "neg_log_loss"])
def test_perfect_answers_have_equal_influence(name):
    predictions, y = binary(rows=60, labels=(0, 1))
    truth = y[predictions.row]
    sure = np.stack([1.0 - truth, truth], axis=1)
    answers = {"predict": truth[None], "predict_proba": sure[None], "decision_function": sure[None, :, 1]}
    perfect = Predictions(predictions.row, predictions.repeat, predictions.fold, answers, predictions.classes)
    found = score(perfect, y, metric(name))
    assert found.score == (0 if name == "neg_log_loss" else 1)
    assert found.psi == pytest.approx(found.score, abs=1e-9)


@pytest.mark.parametrize("name", ["r2", "neg_root_mean_squared_error", "neg_median_absolute_error", "neg_max_error"])
@pytest.mark.parametrize("answer", ["perfect", "constant"])
def test_regressors_of_little_imagination_are_scored(name, answer):
    predictions, y = regression(rows=40)
    values = y if answer == "perfect" else np.full(40, 2.5)
    simple = Predictions(predictions.row, predictions.repeat, predictions.fold, {"predict": values[None]}, None)
    found = score(simple, y, metric(name))
    expected = [sk.get_scorer(name)._score_func(y[part], values[part]) for part in np.split(np.arange(40), 4)]
    assert found.folds == pytest.approx(sk.get_scorer(name)._sign * np.array(expected))
    if answer == "perfect":
        assert np.ptp(found.psi) == 0


def test_the_only_other_target_of_a_fold_counts_twice():
    y = np.array([0.0, 0, 0, 0, 1, 0, 1, 2])
    row = np.arange(8)
    answers = np.array([[0.1, 0, 0, 0.2, 0.7, 0, 1, 2]])
    found = score(Predictions(row, row * 0, row // 4 * 0 + (row > 4), {"predict": answers}, None), y, metric("r2"))
    assert np.isfinite(found.psi).all()
    inside, again = np.arange(5), np.array([0, 1, 2, 3, 4, 4])
    whole, more = (sk.r2_score(y[part], answers[0, part]) for part in (inside, again))
    less = sk.r2_score(y[1:5], answers[0, 1:5])
    expected = 6 * (more - whole) - 4 * (whole - less)
    assert found.psi[0, 4] - found.psi[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("neg_mean_gamma_deviance", "strictly positive"),
        ("neg_mean_poisson_deviance", "non-negative y"),
        ("neg_root_mean_squared_log_error", "fold 2: .*Logarithmic Error"),
        ("neg_mean_squared_log_error", "Logarithmic Error"),
    ],
)
def test_a_target_that_the_metric_does_not_allow_is_said(name, reason):
    predictions, y = regression(rows=40)
    y[10] = -2
    with pytest.raises(PromiseError, match=f"metric {name} can't score this candidate: .*{reason}"):
        score(predictions, y, metric(name))


def test_equal_targets_have_no_r2():
    predictions, y = regression(rows=40)
    y[:10] = 3
    with pytest.raises(PromiseError, match="fold 1: all its targets are equal, and R2 is undefined"):
        score(predictions, y, metric("r2"))


def test_a_function_that_fails_without_a_row_is_scored_all_the_same():
    def needy(y, answer):
        if len(y) < 10:
            raise ValueError("too few rows")
        return -float(np.abs(y - answer).mean())

    predictions, y = regression(rows=40)  # folds of ten
    found = score(predictions, y, metric(sk.make_scorer(needy)))
    expected = score(predictions, y, metric("neg_mean_absolute_error"))
    assert found.psi == pytest.approx(expected.psi)


# --- the median and the largest error


def test_the_standard_error_of_the_median_error_is_that_of_new_samples():
    rng = np.random.default_rng(0)
    row = np.arange(500)
    scores, errors = [], []
    for _ in range(150):
        y = rng.normal(size=500)
        answers = (y + rng.standard_t(4, 500))[None]
        found = score(
            Predictions(row, row * 0, row % 5, {"predict": answers}, None), y, metric("neg_median_absolute_error")
        )
        scores.append(found.score)
        errors.append(standard_error(found))
    assert 0.95 < np.mean(errors) / np.std(scores) < 1.3  # it rather errs towards caution


def test_the_median_of_whole_errors_is_not_taken_for_sure():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 400).astype(float)
    answers = (y + rng.choice([-1, 0, 0, 1], 400))[None]
    row = np.arange(400)
    found = score(
        Predictions(row, row * 0, row % 4, {"predict": answers}, None), y, metric("neg_median_absolute_error")
    )
    assert standard_error(found) > 0.2  # in every fold the median may as well be 0, 1/2 or 1


def test_the_largest_error_is_reported_only():
    predictions, y = regression(rows=40)
    found = score(predictions, y, metric(sk.make_scorer(sk.max_error, greater_is_better=False)))
    assert found.kind == "extreme"
    assert not judgeable(metric("neg_max_error"))
    assert found.psi[0] == pytest.approx(np.repeat(found.folds, 10))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("f1", "make_scorer(f1_score, pos_label='malign')"),
        ("recall", "make_scorer(recall_score, pos_label='malign')"),
        ("jaccard", "make_scorer(jaccard_score, pos_label='malign')"),
        (
            "average_precision",
            "make_scorer(average_precision_score, response_method=('decision_function', 'predict_proba'), "
            "pos_label='malign')",
        ),
    ],
)
def test_labels_that_are_text_need_a_positive_one_and_the_line_that_names_it_works(name, line):
    y = np.array(["benign", "malign"])[np.arange(60) % 2]
    answers = {"predict": y[None], "predict_proba": np.tile([0.4, 0.6], (1, 60, 1))}
    slots = np.arange(60)
    predictions = Predictions(slots, 0 * slots, slots // 20, answers, np.array(["benign", "malign"]))
    with pytest.raises(PromiseError) as caught:
        score(predictions, y, metric(name))
    assert caught.value.advice == f"Name the label that counts as positive, perhaps metrics={line}."
    scorer = eval(line, vars(sk))
    assert score(predictions, y, metric(scorer)).score > 0.4


@pytest.mark.parametrize(
    ("name", "other"), [("f1", "f1_macro"), ("precision", "precision_macro"), ("roc_auc", "roc_auc_ovr")]
)
def test_three_classes_need_an_average(name, other):
    y = np.arange(60) % 3
    answers = {"predict": y[None], "predict_proba": np.full((1, 60, 3), 1 / 3)}
    predictions = Predictions(np.arange(60), 0 * y, np.arange(60) // 20, answers, np.arange(3))
    with pytest.raises(PromiseError) as caught:
        score(predictions, y, metric(name))
    assert f": {other}, " in caught.value.advice
