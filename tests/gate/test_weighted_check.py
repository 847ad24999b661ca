"""A check with sample weights, from the data to the reports: what is promised, counted and said by weight."""

import json

import numpy as np
import pytest
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate.changed_rows import count
from pytest_model_check.judgement.explain import changed_rows
from pytest_model_check.scoring.charts import charts
from sklearn.metrics import confusion_matrix
from support.two_classes import two_classes

ROWS = "pd.read_csv(paths[0]).assign(exposure=lambda f: f.index % 4, part=lambda f: f.index % 2)"
PROMISE = f'cv=5, load=lambda paths: {ROWS}, slices=["part"], metrics=["roc_auc", "neg_brier_score"]'
WEIGHTED = f'{PROMISE}, sample_weight="exposure"'


def test_weights_are_a_part_of_the_promise(project):
    project.check(promise=WEIGHTED)
    project.run("--update-baselines")
    baseline = json.loads((project.path / "baselines/tumours.json").read_text())
    assert baseline["protocol"]["sample_weight"] == "exposure"
    assert baseline["data"]["effective_rows"] == pytest.approx(569 * 36 / (4 * 14), rel=0.01)
    assert baseline["metrics"]["roc_auc"]["definition"].endswith("with sample weights")
    result = project.run("-vv")
    (check,) = project.report()["checks"]
    assert (check["verdict"], check["passed"]) == ("identical", True)
    assert check["protocol"]["sample_weight"] == "exposure"
    result.stdout.fnmatch_lines(["*569 rows (worth 36? by their weights)*"])

    project.check("make_pipeline(StandardScaler(), LogisticRegression(C=0.5))", WEIGHTED)
    project.run()
    (check,) = project.report()["checks"]
    assert check["verdict"] in ("held", "better"), check["message"]
    assert {metric["slice"] for metric in check["metrics"]} == {None, "part=0", "part=1"}

    project.check(promise=PROMISE)
    project.run()
    (check,) = project.report()["checks"]
    assert not check["passed"]
    assert "sample_weight= is not named, was exposure" in check["weakened"]
    assert {metric["verdict"] for metric in check["metrics"]} == {"incomparable"}

    project.check("KNeighborsClassifier()", WEIGHTED)
    file = project.path / "test_models.py"
    file.write_text("from sklearn.neighbors import KNeighborsClassifier\n" + file.read_text())
    project.run()
    (check,) = project.report()["checks"]
    assert check["message"].startswith("tumours: sample_weight=: no part of KNeighborsClassifier takes weights")

    project.check(promise=WEIGHTED.replace("roc_auc", "neg_max_error"))
    project.run()
    assert "metric neg_max_error can't be judged with sample weights" in project.report()["checks"][0]["message"]


def test_rows_that_changed_count_by_their_weight():
    row = np.arange(8)
    before, after = (
        Predictions(row, row * 0, row % 2, {"predict": np.array([answers])}, np.array([0, 1]))
        for answers in ([1] * 8, [0, 0, 0, 1, 1, 1, 1, 1])
    )
    y, weights = np.array([1, 1, 0, 1, 1, 1, 1, 1]), np.array([0, 1, 3, 1, 1, 1, 1, 2.0])
    changed = count(before, after, y, weights)
    assert (changed.lost, changed.won, changed.examples) == (1, 1, (1,))
    assert (changed.lost_weight, changed.won_weight) == (0.1, 0.3)
    assert changed_rows(changed) == (
        "1 row is wrong now that was right (10.00% of the weight), 1 the other way round (30.00% of the weight): row 1 "
        "(counted from 0)."
    )


def test_pictures_are_drawn_by_weight():
    y, side = two_classes(0)
    weights = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    again = np.repeat(np.arange(len(y)), weights.astype(int))
    repeated = Predictions(
        np.arange(len(again)),
        again * 0,
        side.fold[again],
        {name: answers[:, again] for name, answers in side.responses.items()},
        side.classes,
    )
    drawn, expected = charts(y, side, side, weights), charts(y[again], repeated, repeated)
    assert drawn["roc"]["candidate"] == pytest.approx(expected["roc"]["candidate"])
    assert drawn["precision_recall"]["candidate"] == pytest.approx(expected["precision_recall"]["candidate"])
    assert drawn["share"] == pytest.approx(expected["share"])
    found = np.array(drawn["confusion"]["candidate"])
    whole = confusion_matrix(y, side.responses["predict"][0], sample_weight=weights)
    assert found == pytest.approx(whole / weights[weights > 0].mean(), rel=1e-4)
