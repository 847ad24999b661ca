"""Sample weights: a row counts as much as it weighs, in the score and in how sure it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.data.dataset import Truth
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.judge import judge_metric
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.scoring import metrics
from sklearn import metrics as sk
from support.predictions import binary, metric, regression
from support.two_classes import of_folds

OF_CLASSES = ("accuracy", "neg_log_loss", "neg_brier_score", "roc_auc", "f1", "average_precision")  # one of each kind
OF_NUMBERS = ("r2", "neg_mean_absolute_error", "neg_root_mean_squared_error", "d2_absolute_error_score")


def simulated(name, seed=0, rows=66, folds=3, **options):
    if name in OF_NUMBERS:
        predictions, y = regression(rows, seed, folds)
        return Predictions(*_slots(predictions), {"predict": np.abs(predictions.responses["predict"])}, None), y
    return binary(rows, seed, folds=folds, labels=(0, 1), **options)


def _slots(predictions):
    return predictions.row, predictions.repeat, predictions.fold


def repeated(predictions, y, counts):
    """Hold a row as often as it counts, in the fold where it is."""
    slots = np.repeat(np.arange(len(predictions.row)), counts[predictions.row])
    answers = {name: values[:, slots] for name, values in predictions.responses.items()}
    row, repeat, fold = (column[slots] for column in _slots(predictions))
    return Predictions(np.arange(len(slots)), repeat, fold, answers, predictions.classes), y[row]


def scored(predictions, y, name, weights=None, clusters=None, *, is_time_series=False):
    truth = Truth(y, clusters, is_time_series, weights)
    return metrics.score(predictions, metric(name) if isinstance(name, str) else name, truth)


def error(found):
    return found.standard_error(found.psi.mean(axis=0), found.folds)


@pytest.mark.parametrize("name", OF_CLASSES + OF_NUMBERS)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=3, deadline=None)
def test_whole_weights_score_as_repeated_rows(name, seed):
    predictions, y = simulated(name, seed)
    counts = np.random.default_rng(seed).integers(0, 4, len(y))
    once, again = scored(predictions, y, name, counts.astype(float)), scored(*repeated(predictions, y, counts), name)
    assert once.score == pytest.approx(again.score)
    assert once.folds == pytest.approx(again.folds)
    assert once.weights == pytest.approx(again.weights)


@pytest.mark.parametrize("name", OF_CLASSES + OF_NUMBERS)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-12, 1e12))
@settings(max_examples=3, deadline=None)
def test_only_ratios_of_weights_matter(name, seed, scale):
    predictions, y = simulated(
        name, seed, **({} if name in OF_NUMBERS else {"seeds": 2 if name in OF_CLASSES[:4] else 1})
    )
    weights = np.random.default_rng(seed).gamma(1, 1, len(y))
    once, again = (scored(predictions, y, name, each) for each in (weights, scale * weights))
    assert again.score == pytest.approx(once.score)
    assert error(again).se == pytest.approx(error(once).se, rel=1e-6)
    assert again.row_variances == pytest.approx(once.row_variances, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("name", OF_CLASSES + OF_NUMBERS)
@pytest.mark.parametrize("kept_together", [None, "groups", "time"])
def test_equal_weights_change_nothing(name, kept_together):
    predictions, y = simulated(name)
    clusters = None if kept_together is None else np.arange(len(y)) % 6
    plain, weighted = (
        scored(predictions, y, name, weights, clusters, is_time_series=kept_together == "time")
        for weights in (None, np.full(len(y), 0.1))
    )
    assert np.array_equal(plain.psi, weighted.psi)
    assert error(plain) == error(weighted)
    assert weighted.definition == f"{plain.definition}, with sample weights"


@pytest.mark.parametrize("name", OF_CLASSES + OF_NUMBERS)
def test_weights_that_hardly_differ_change_hardly_anything(name):
    """What weighted rows are computed by is what others are."""
    predictions, y = simulated(name, **({"seeds": 3} if name in OF_CLASSES[:4] else {"rows": 45}))
    nearly = 1 + 1e-7 * np.random.default_rng(0).normal(size=len(y))
    for clusters, is_time_series in ((None, False), (np.arange(len(y)) % 6, False), (np.arange(len(y)) // 5, True)):
        plain, weighted = (
            scored(predictions, y, name, weights, clusters, is_time_series=is_time_series) for weights in (None, nearly)
        )
        assert weighted.psi == pytest.approx(plain.psi, rel=1e-4, abs=1e-4)
        assert error(weighted).se == pytest.approx(error(plain).se, rel=1e-5)
        assert error(weighted).dof == pytest.approx(error(plain).dof, rel=1e-4)
        assert weighted.row_variances == pytest.approx(plain.row_variances, rel=1e-4, abs=1e-12)
        assert weighted.min_standard_error == pytest.approx(plain.min_standard_error)


@pytest.mark.parametrize("name", OF_CLASSES + OF_NUMBERS)
@pytest.mark.parametrize("kept_together", [None, "groups", "time"])
def test_a_row_without_weight_changes_nothing(name, kept_together):
    predictions, y = simulated(name, rows=90)
    rng = np.random.default_rng(1)
    weights = rng.gamma(2, 1, len(y)) * (rng.random(len(y)) < 0.8)
    clusters = None if kept_together is None else np.arange(len(y)) // 10
    weights[:10] = 0  # a whole group, a whole day
    kept = weights > 0
    slots = kept[predictions.row]
    number = np.cumsum(kept) - 1
    answers = {key: values[:, slots] for key, values in predictions.responses.items()}
    row, repeat, fold = (column[slots] for column in _slots(predictions))
    without = Predictions(number[row], repeat, fold, answers, predictions.classes)
    options = {"is_time_series": kept_together == "time"}
    every = scored(predictions, y, name, weights, clusters, **options)
    rest = scored(without, y[kept], name, weights[kept], None if clusters is None else clusters[kept], **options)
    assert every.score == pytest.approx(rest.score)
    assert error(every).se == pytest.approx(error(rest).se)
    assert error(every).dof == pytest.approx(error(rest).dof)
    assert every.effective_rows == pytest.approx(rest.effective_rows)
    assert every.min_standard_error == pytest.approx(rest.min_standard_error)


def test_folds_count_by_their_weight():
    predictions, y = regression(90, folds=3)
    weights = np.repeat([1.0, 2.0, 5.0], 30)
    found = scored(predictions, y, "r2", weights)
    assert found.weights == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    assert found.score == pytest.approx(found.folds @ found.weights)


def test_many_classes_are_weighed_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 240), rng.dirichlet(np.ones(3), 240)
    predictions = of_folds({"predict": p.argmax(axis=1)[None], "predict_proba": p[None]}, np.arange(3), folds=2)
    weights = rng.gamma(1, 1, 240)
    for name in ("roc_auc_ovr", "roc_auc_ovr_weighted"):
        found, average = scored(predictions, y, name, weights), "weighted" if "weighted" in name else "macro"
        for k in range(2):
            at = predictions.fold == k
            expected = sk.roc_auc_score(y[at], p[at], multi_class="ovr", average=average, sample_weight=weights[at])
            assert found.folds[k] == pytest.approx(expected)


def losses(rng, rows, kind):
    """Return what two equally good models answer, and weights that may go with how hard a row is."""
    y = rng.integers(0, 2, rows)
    hardness = rng.normal(0, 1, rows)
    p = 1 / (1 + np.exp(-(2 * y - 1 + hardness + rng.normal(0, 0.7, (2, rows)))))
    weights = np.exp(0.8 * rng.normal(size=rows) + 0.5 * np.abs(hardness))
    if kind == "heavy":
        weights[rng.random(rows) < 0.05] *= 20
    sides = [
        {"predict": (each > 0.5).astype(int)[None], "predict_proba": np.stack([1 - each, each], 1)[None]} for each in p
    ]
    return y, weights, [of_folds(side, np.array([0, 1]), folds=5) for side in sides]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("neg_brier_score", "usual"), ("neg_brier_score", "heavy"), ("accuracy", "heavy"), ("roc_auc", "heavy")],
)
def test_the_interval_of_weighted_rows_covers(name, kind):
    rng, misses, ratios = np.random.default_rng(0), 0, []
    for _ in range(200):
        y, weights, sides = losses(rng, 300, kind)
        old, new = (scored(side, y, name, weights) for side in sides)
        both = judge_metric(name, old, new, NoiseReference(0.0, 0.0, np.inf, None, 1e-9), 1.0)
        misses += both.low > 0
        misses += both.high < 0
        ratios.append((both.delta, new.standard_error(new.psi.mean(0) - old.psi.mean(0), new.folds - old.folds).se))
    deltas, errors = np.array(ratios).T
    assert misses / 200 < 0.09  # should be 5.25%, of both bounds together
    assert 0.88 < np.sqrt((errors**2).mean()) / deltas.std() < (1.25 if name == "roc_auc" else 1.15)
