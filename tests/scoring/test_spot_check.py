"""A spot check: every pair of candidates has an interval that holds, and the simplest good one can be named."""

import numpy as np
import pytest
from pytest_model_check.data.dataset import Truth
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.report import spot_check_plot, spot_check_text
from pytest_model_check.scoring.spot_check import spot_check
from support.predictions import metric, regression

ROWS, FOLDS = 400, 5
Y = np.arange(ROWS) % 2


def classifier(rng: np.random.Generator, strength: float, noise: float = 1.5) -> Predictions:
    """Simulate a classifier: all know the same of a row, and each errs by itself."""
    decision = strength * (2 * Y - 1) + rng.normal(0, noise, ROWS)
    p = 1 / (1 + np.exp(-decision))
    row = np.arange(ROWS)
    answers = {"predict": (p > 0.5).astype(int)[None], "predict_proba": np.stack([1 - p, p], axis=1)[None]}
    return Predictions(row, row * 0, row % FOLDS, answers, np.array([0, 1]))


def dummy() -> Predictions:
    row, p = np.arange(ROWS), np.full(ROWS, 0.5)
    answers = {"predict": np.zeros((1, ROWS), int), "predict_proba": np.stack([p, p], axis=1)[None]}
    return Predictions(row, row * 0, row % FOLDS, answers, np.array([0, 1]))


def found(candidates, scorer="neg_brier_score"):
    return spot_check(candidates, [metric(scorer)], Truth(Y)).metrics[0]


def test_equally_good_candidates_are_told_apart_once_in_twenty_spot_checks_at_most():
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(200):
        by = found({name: classifier(rng, 1.0) for name in "abc"})
        told += any(pair.differs for pair in by.pairs)
    assert told <= 200 * 0.05 + 2 * np.sqrt(200 * 0.05 * 0.95)


@pytest.mark.parametrize("scorer", ["neg_brier_score", "accuracy", "roc_auc"])
def test_a_clear_difference_is_found_and_has_its_direction(scorer):
    rng = np.random.default_rng(1)
    by = found({"weak": classifier(rng, 0.5), "strong": classifier(rng, 3.0), "dummy": dummy()}, scorer)
    assert list(by.scores) == ["strong", "weak", "dummy"]
    pair = by.pair("weak", "strong")
    assert (pair.first, pair.second, pair.differs) == ("strong", "weak", True)
    assert pair.low < pair.delta < pair.high
    assert pair.delta == pytest.approx(by.scores["strong"] - by.scores["weak"])
    assert by.not_worse("dummy") == ["strong"]


def test_what_is_surely_no_worse_than_a_share_of_the_skill_is_not_worse():
    rng = np.random.default_rng(2)
    best = classifier(rng, 3.0)
    p = best.responses["predict_proba"][0, :, 1] * 0.999 + 0.0005  # surely worse, by next to nothing
    close = Predictions(
        best.row, best.repeat, best.fold, {"predict_proba": np.stack([1 - p, p], 1)[None]}, best.classes
    )
    by = found({"best": best, "close": close, "dummy": dummy()})
    assert by.pair("best", "close").differs
    assert by.not_worse("dummy") == ["best", "close"]


def test_a_candidate_without_skill_is_never_good_enough():
    rng = np.random.default_rng(3)
    by = found({"wild": classifier(rng, 0.0, noise=4.0), "dummy": dummy()})
    assert by.best == "dummy"
    assert by.not_worse("dummy") == []


def test_the_same_answers_are_identical():
    same = classifier(np.random.default_rng(4), 1.0)
    pair = found({"one": same, "other": same}).pairs[0]
    assert (pair.delta, pair.low, pair.high) == (0, 0, 0)


def test_other_rows_or_folds_are_refused():
    one, y = regression(rows=100)
    other, _ = regression(rows=100, folds=5)
    with pytest.raises(PromiseError, match="other does not predict the same rows in the same folds"):
        spot_check({"one": one, "other": other}, [metric("r2")], Truth(y))


def test_a_candidate_that_the_metric_can_not_score_is_named_and_the_others_are_compared():
    rng = np.random.default_rng(5)
    labels = classifier(rng, 1.0)
    labels = Predictions(
        labels.row, labels.repeat, labels.fold, {"predict": labels.responses["predict"]}, labels.classes
    )
    checked = spot_check({"labels": labels, "a": classifier(rng, 1.0), "b": dummy()}, [metric("roc_auc")], Truth(Y))
    assert list(checked.failed) == ["labels"]
    assert len(checked.metrics[0].pairs) == 1


def test_it_is_shown_in_80_columns_and_drawn_the_same_every_time():
    rng = np.random.default_rng(6)
    name = "sklearn.ensemble:\x1b[31mHistGradientBoostingClassifier"
    checked = spot_check({name: classifier(rng, 2.0), "b": classifier(rng, 1.0)}, [metric("accuracy")], Truth(Y))
    lines = spot_check_text.render(checked, {name: 1.0, "b": 61.0})
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "better" in text
    assert "1 min 01 s" in text
    drawn = spot_check_plot.draw(checked)
    assert drawn == spot_check_plot.draw(checked)
    assert b"\x1b" not in drawn
