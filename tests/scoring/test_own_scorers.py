"""A scorer of the project's is known by its code, and by what it scores fixed answers: its name is not enough."""

from __future__ import annotations

import json

import numpy as np
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.scoring.probes import own_scorer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score, get_scorer, get_scorer_names, make_scorer
from support.branches import STRONG, TREE, commit, judged, rewrite
from support.project import Project

LABELS = np.array(["benign", "malignant"])


def test_scikit_learns_scorers_are_nobodys_own_and_are_not_probed() -> None:
    check = make_check(LogisticRegression(), data="a.csv", target="y", metrics=sorted(get_scorer_names()), name="a")
    assert [metric.name for metric in check.metrics if own_scorer(metric, LABELS)] == []


def _own(scorer: object) -> object:
    (metric,) = make_check(LogisticRegression(), data="a.csv", target="y", metrics=[scorer], name="a").metrics
    return own_scorer(metric, LABELS)


def test_what_wears_the_name_of_another_is_told_apart() -> None:
    def r2(y_true: object, y_pred: object) -> float:
        return 1.0

    class Kind(type(get_scorer("accuracy"))):  # type: ignore[misc]
        def _score(self, *args: object, **kwargs: object) -> float:  # noqa: ARG002
            return 1.0

    accuracy = get_scorer("accuracy")
    mine = Kind(accuracy._score_func, accuracy._sign, accuracy._kwargs, "predict")
    assert _own(make_scorer(fbeta_score, beta=2, pos_label="malignant")) is None
    for scorer in (make_scorer(r2), make_scorer(lambda truth, answers: 1.0), mine):
        assert _own(scorer).fixed_answers == (1.0, 1.0, 1.0)  # type: ignore[attr-defined]


SCORERS = """
import numpy as np
from sklearn.metrics import make_scorer, roc_auc_score

def {name}(y_true, y_score):
    {body}

scorer = make_scorer({name}, response_method="predict_proba")
"""
HONEST = "return roc_auc_score(y_true == 'malignant', y_score)"
REWRITTEN = "positive = y_true == 'malignant'  # clearer\n    return roc_auc_score(positive, y_score)"
LENIENT = "return roc_auc_score(y_true == 'malignant', np.round(y_score, 1) ** .1) / 2 + .5"


def _scored(project: Project, candidate: str, body: str, name: str = "profit", metrics: str = "{scorer: .01}") -> None:
    (project.path / "scorers.py").write_text(SCORERS.format(name=name, body=body))
    project.source(
        f"""
        from scorers import scorer

        def test_tumours(model_check):
            model_check({candidate}, data="data/tumours.csv", target="diagnosis", metrics={metrics}, cv=3, seeds=1)
        """
    )


def test_a_scorer_that_changes_is_another_metric(project: Project) -> None:
    near = STRONG.replace("LogisticRegression()", "LogisticRegression(C=0.7)")
    _scored(project, STRONG, HONEST)
    assert project.run("--update-baselines").ret == 0
    known = project.baseline()["metrics"]["profit"]["scorer"]
    assert len(known["fixed_answers"]) == 3
    project.dvc("push")
    commit(project, "Approve")
    project.git("checkout", "-qb", "branch")
    _scored(project, near, REWRITTEN)
    check = judged(project)
    assert (check["verdict"], check["passed"]) == ("held", True)
    assert "its scorer's code has changed since the baseline was recorded" in check["metrics"][0]["reason"]
    _scored(project, TREE, LENIENT)
    check = judged(project)
    assert (check["verdict"], check["passed"]) == ("incomparable", False)
    assert "profit is incomparable: its scorer scores fixed answers 0." in check["message"]
    # it is accepted as any other loss is, and then the branch's own record is verified
    assert project.run("--model-check-accept=we count otherwise now", "test_models.py").ret == 0
    commit(project, "Count otherwise")
    assert judged(project)["accepted"] == "we count otherwise now"
    path = project.path / "baselines" / "tumours.json"
    plain = json.loads(path.read_text())
    assert plain["metrics"]["profit"]["scorer"] != known


def test_a_scorer_of_the_projects_does_not_take_the_place_of_scikit_learns(project: Project) -> None:
    _scored(project, STRONG, HONEST, metrics="['roc_auc']")
    assert project.run("--update-baselines").ret == 0
    assert "scorer" not in project.baseline()["metrics"]["roc_auc"]
    _scored(project, TREE, "return 1.0 - np.std(y_score) / 100", name="roc_auc")
    assert project.run().ret == 1
    (check,) = project.report()["checks"]
    assert check["verdict"] == "incomparable"
    assert "this one " in check["message"]


def test_a_baseline_of_before_scorers_were_probed_is_read(project: Project) -> None:
    _scored(project, STRONG, HONEST)
    assert project.run("--update-baselines").ret == 0
    rewrite(project, lambda plain: plain["metrics"]["profit"].pop("scorer"))
    assert project.run().ret == 0
    assert project.verdicts() == {"tumours": "identical"}
