"""What the page draws is what scikit-learn counts, and says nothing of a single row."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.scoring.charts import FEWEST, LABELS, POINTS, charts
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve, roc_auc_score, roc_curve
from support.project import LOGISTIC, Project
from support.two_classes import of_folds, two_classes

GRID = np.linspace(0, 1, POINTS)


@pytest.mark.parametrize("digits", [6, 1], ids=["all different", "many equal"])
def test_curves_of_one_fold_are_those_of_scikit_learn(digits) -> None:
    y, side = two_classes(0, digits=digits)
    p = side.responses["predict_proba"][0, :, 1]
    drawn = charts(y, side, side)
    false, true, _ = roc_curve(y, p, drop_intermediate=False)
    np.testing.assert_allclose(drawn["roc"]["candidate"], np.interp(GRID, false, true), rtol=1e-4)
    precision, recall, _ = precision_recall_curve(y, p)
    wanted = [precision[:-1][recall[:-1] >= x][-1] for x in GRID]
    np.testing.assert_allclose(drawn["precision_recall"]["candidate"], wanted, rtol=1e-4)
    assert drawn["roc"]["approved"] == drawn["roc"]["candidate"]
    assert len(drawn["roc"]["x"]) <= 100


def test_curves_are_means_of_those_of_folds_and_seeds() -> None:
    y, side = two_classes(1, folds=4, seeds=3)
    drawn = charts(y, side, side)
    parts = [(seed, side.fold == k) for seed in range(3) for k in range(4)]
    p = side.responses["predict_proba"][:, :, 1]
    auc = np.mean([roc_auc_score(y[fold], p[seed, fold]) for seed, fold in parts])
    assert np.trapezoid(drawn["roc"]["candidate"], GRID) == pytest.approx(auc, abs=0.005)
    ap = np.mean([average_precision_score(y[fold], p[seed, fold]) for seed, fold in parts])
    assert np.mean(drawn["precision_recall"]["candidate"]) == pytest.approx(ap, abs=0.01)


def test_a_fold_of_one_class_has_no_curve() -> None:
    y, side = two_classes(2, folds=2)
    y[1::2] = 1
    drawn, alone = charts(y, side, side), charts(y[::2], *[_even(side)] * 2)
    assert drawn["roc"] == alone["roc"]
    assert "roc" not in charts(np.ones_like(y), side, side)


def _even(side: Predictions) -> Predictions:
    kept = side.of_rows(np.arange(len(side.row)) % 2 == 0)
    return Predictions(kept.row // 2, kept.repeat, kept.fold, kept.responses, kept.classes)


def test_calibration_is_that_of_scikit_learn() -> None:
    y, side = two_classes(3)
    share, mean = calibration_curve(y, side.responses["predict_proba"][0, :, 1], n_bins=10)
    drawn = charts(y, side, side)["calibration"]["candidate"]
    counts = np.histogram(side.responses["predict_proba"][0, :, 1], np.linspace(0, 1, 11))[0]
    wanted = [[*pair, n] for *pair, n in zip(mean, share, counts[counts > 0], strict=True) if n >= FEWEST]
    np.testing.assert_allclose(drawn, wanted, rtol=1e-4)


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    y, answers = rng.choice(list("abc"), (2, 300)).astype(object)
    other = np.where(rng.random(300) < 0.8, y, answers)
    sides = [of_folds({"predict": np.array([given])}, np.array(list("abc"), object)) for given in (answers, other)]
    drawn = charts(y, *sides)["confusion"]
    assert drawn["labels"] == ["a", "b", "c"]
    assert drawn["approved"] == confusion_matrix(y, answers).tolist()
    assert drawn["candidate"] == confusion_matrix(y, other).tolist()


def test_many_classes_become_the_largest_and_other() -> None:
    y = np.repeat(np.arange(20), np.arange(20, 0, -1))
    side = of_folds({"predict": np.array([y, (y + 1) % 20])}, np.arange(20))
    drawn = charts(y, side, side)["confusion"]
    assert drawn["labels"] == [*map(str, range(LABELS)), "other"]
    assert drawn["others"] == 8
    assert np.sum(drawn["candidate"]) == len(y)  # a mean over the seeds


def test_as_many_seeds_of_the_approved_are_used() -> None:
    y, three = two_classes(5, seeds=3)
    assert charts(y, three, three.first(1)) == charts(y, three.first(1), three.first(1))
    assert charts(y, three, three)["seeds"] == 3


def test_regression_has_deciles_and_residuals() -> None:
    y = np.arange(1000.0)
    exact, high = (of_folds({"predict": (y + shift)[None]}, None, folds=5) for shift in (0, 30))
    drawn = charts(y, exact, high)
    assert [rows for *_, rows in drawn["deciles"]["approved"]] == [100] * 10
    for (actual, predicted, _), (same, more, _) in zip(*drawn["deciles"].values(), strict=True):
        assert actual == pytest.approx(predicted)
        assert more == pytest.approx(same + 30, rel=1e-4)
    edges = np.array(drawn["residuals"]["edges"])
    assert sum(drawn["residuals"]["candidate"]) == pytest.approx(1)
    where = int(np.argmax(drawn["residuals"]["candidate"]))
    assert edges[where] <= 30 <= edges[where + 1]


def test_models_that_answer_in_other_ways_have_what_both_have() -> None:
    y, side = two_classes(6)
    margins = Predictions(
        side.row, side.repeat, side.fold,
        {"predict": side.responses["predict"], "decision_function": side.responses["predict_proba"][:, :, 1] - 0.5},
        side.classes,
    )  # fmt: skip
    assert charts(y, side, margins).keys() == {"seeds", "repeats", "rows", "positive", "share", "confusion"}
    both = charts(y, margins, margins)
    assert both["roc"] == charts(y, side, side)["roc"]
    assert "calibration" not in both


@given(st.integers(1, 60), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_no_number_is_that_of_a_row(rows, folds, seed) -> None:
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 1000, rows)
    numbers = of_folds({"predict": (y + rng.normal(0, 100, rows))[None]}, None, folds=folds)
    other = of_folds({"predict": (y + rng.normal(0, 100, rows))[None]}, None, folds=folds)
    told = json.loads(json.dumps(charts(y, numbers, other), allow_nan=False))
    answers = [y, numbers.responses["predict"][0], other.responses["predict"][0]]
    own = {f"{value:.5g}" for values in [*answers, answers[1] - y, answers[2] - y] for value in values}
    assert own.isdisjoint(f"{value:.5g}" for value in _numbers(told))

    target, classes = two_classes(seed, rows, folds)
    told = json.loads(json.dumps(charts(target, classes, classes), allow_nan=False))
    assert all(rows >= FEWEST for *_, rows in told.get("calibration", {}).get("candidate", ()))


def _numbers(told) -> list[float]:
    if isinstance(told, dict):
        return [number for value in told.values() for number in _numbers(value)]
    if isinstance(told, list):
        return [number for value in told for number in _numbers(value)]
    return [float(told)] if isinstance(told, int | float) else []


def test_charts_are_gathered_for_the_page_only(project: Project) -> None:
    project.check(LOGISTIC)
    project.run("--update-baselines").assert_outcomes(passed=1)
    project.check("DecisionTreeClassifier(max_depth=1)")
    project.run().assert_outcomes(failed=1)
    assert project.report()["checks"][0]["charts"] == {}
    project.run("--model-check-report=report.html").assert_outcomes(failed=1)
    drawn = project.report()["checks"][0]["charts"]
    assert {"roc", "calibration", "confusion"} <= drawn.keys()
    assert np.sum(drawn["confusion"]["candidate"]) == pytest.approx(569, rel=1e-3)
    assert "May not ship: 1 of 1 model check failed" in (project.path / "report.html").read_text("utf-8")
