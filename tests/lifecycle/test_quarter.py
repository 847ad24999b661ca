"""A quarter in the life of a baseline, from the first recording to the fourth attempt to cheat."""

from __future__ import annotations

import json

import pandas as pd
from support import warm
from support.branches import commit, rewrite
from support.project import LOGISTIC, Project

PROMISE = 'metrics={"roc_auc": 0.01}, cv=3, seeds=2'
FAIR = "make_pipeline(StandardScaler(), LogisticRegression(C=0.003))"
GOOD = LOGISTIC
BAD = "DecisionTreeClassifier(max_depth=1)"


def model(project: Project, candidate: str, promise: str = PROMISE) -> None:
    """Put the model into a module of its own, so that what is approved is code under git."""
    project.source(f"def candidate():\n    return {candidate}\n", file="model.py")
    project.source(
        f"""
        from model import candidate

        def test_tumours(model_check):
            model_check(candidate(), data="data/tumours.csv", target="diagnosis", {promise})
        """
    )


def check(project: Project, *arguments: str) -> dict:
    project.run("--model-check-python", warm.python(), *arguments)
    (one,) = project.report()["checks"]
    return one


def merged(project: Project, branch: str) -> None:
    """Approve a pull request."""
    project.dvc("push")
    project.git("checkout", "-q", "main")
    project.git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)


def pull_request(project: Project, branch: str) -> None:
    project.git("checkout", "-q", "-b", branch, "main")


def test_a_quarter(project: Project) -> None:  # noqa: PLR0915 - a story is told in one go
    # January: the first baseline is recorded and approved.
    model(project, FAIR)
    assert check(project, "--update-baselines")["verdict"] == "recorded"
    project.dvc("push")
    commit(project, "Approve the first baseline")

    # An improvement comes as a pull request with its new baseline, and is what this run computes.
    pull_request(project, "improve")
    model(project, GOOD)
    assert check(project, "--update-baselines")["verdict"] == "better"
    commit(project, "A better model")
    improved = check(project, "--model-check-against=main")
    assert (improved["verdict"], improved["passed"]) == ("better", True)
    merged(project, "improve")
    assert check(project)["verdict"] == "identical"

    # February: a regression is blocked, and can't be recorded.
    pull_request(project, "regress")
    model(project, BAD)
    assert check(project, "--model-check-against=main")["verdict"] == "worse"
    before = project.stored()
    assert project.run("--update-baselines").ret == 1
    assert project.stored() == before

    # It is accepted, for a reason, and every report shows it.
    assert project.run("--model-check-accept", "the supplier stops four of the five measurements").ret == 0
    commit(project, "Accept the loss")
    accepted = check(project, "--model-check-against=main")
    assert (accepted["verdict"], accepted["passed"]) == ("worse", True)
    assert accepted["accepted"] == "the supplier stops four of the five measurements"
    merged(project, "regress")
    (standing,) = check(project)["standing"]
    assert standing["reason"] == accepted["accepted"]

    # March: rows arrive; the approved code is run on them, and the same model is identical there.
    pull_request(project, "march")
    path = project.path / "data" / "tumours.csv"
    rows = pd.read_csv(path)
    pd.concat([rows, rows.sample(60, random_state=3)]).to_csv(path, index=False)
    project.dvc("add", "data")
    project.dvc("push")
    commit(project, "The rows of March")
    moved = check(project, "--model-check-against=main")
    assert (moved["verdict"], moved["passed"]) == ("identical", True)
    assert moved["moved"]["corners"][0]["old_old"] != moved["moved"]["corners"][0]["old_new"]
    assert project.run("--update-baselines").ret == 0
    commit(project, "The baseline on the rows of March")
    assert check(project, "--model-check-against=main")["passed"]

    # Meanwhile a colleague's change lands on main: this pull request is not red for it.
    project.git("checkout", "-q", "main")
    (project.path / "NEWS").write_text("something else")
    commit(project, "A colleague's change")
    project.git("checkout", "-q", "march")
    project.dvc("checkout", "--force")
    assert check(project, "--model-check-against=main")["passed"]
    merged(project, "march")
    assert check(project)["verdict"] == "identical"

    # Somebody tries to get a worse model in, in four ways.
    pull_request(project, "cheat")
    worse = "DecisionTreeClassifier(max_depth=1, max_features=1)"
    model(project, worse)
    for file in (project.path / "baselines").glob("tumours*"):
        file.unlink()
    project.run("--update-baselines")
    fresh = check(project, "--model-check-against=main")
    assert not fresh["passed"], "1: a baseline that begins anew"

    project.git("checkout", "-q", "main", "--", "baselines")
    (project.path / "baselines" / "tumours.parquet").unlink(missing_ok=True)

    def lower(plain: dict) -> None:
        plain["generation"] += 1
        plain["reused"] += 1
        plain["metrics"]["roc_auc"]["score"] -= 0.2

    rewrite(project, lower)
    invented = check(project, "--model-check-against=main")
    assert not invented["passed"], "2: an invented number"
    assert "roc_auc claims" in invented["message"] + invented["advice"]

    project.git("checkout", "-q", "main", "--", "baselines")
    model(project, worse, 'metrics={"roc_auc": 0.4}, cv=3, seeds=2')
    loosened = check(project, "--model-check-against=main")
    assert not loosened["passed"], "3: a wider margin"
    assert loosened["weakened"] == ["the margin of roc_auc is 0.4, was 0.01"]

    (project.path / "test_models.py").unlink()
    project.source(
        """
        def test_patients(model_check):
            model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=2)
        """
    )
    project.run("--update-baselines")
    assert project.run("--model-check-against=main").ret == 1, "4: no check at all"
    (problem,) = project.report()["problems"]
    assert "no verdict came of the approved check tumours" in problem

    # On main nothing has changed.
    project.git("checkout", "-qf", "main")
    kept = json.loads(project.git("show", "main:baselines/tumours.json"))
    assert kept["history"][0]["reason"] == accepted["accepted"]
    assert kept["generation"] == 4
    assert kept["reused"] == 0
