"""A project that has a folder harness/ of its own: its code is imported as ever, and the plugin is not confused."""

from __future__ import annotations

import pandas as pd
import pytest
from support.branches import commit
from support.project import Project

CHECK = """
from harness.models import estimator
from harness.session import SOLVER

def test_tumours(model_check):
    model_check(estimator(SOLVER), data="data/tumours.csv", target="diagnosis", metrics="roc_auc", cv=3, seeds=1)
"""
MODELS = """
from sklearn.linear_model import LogisticRegression

def estimator(solver):
    return LogisticRegression(solver=solver, max_iter=5000)
"""


@pytest.fixture
def own(project: Project) -> Project:
    """Return a project whose model lives in a package called harness, in modules that are called as some of ours."""
    (project.path / "pytest.ini").write_text("[pytest]\npythonpath = .\nfilterwarnings = error\n", encoding="utf-8")
    package = {"__init__": "", "models": MODELS, "session": 'SOLVER = "lbfgs"\n', "plugin": "raise SystemExit(3)\n"}
    (project.path / "harness").mkdir()
    for name, source in package.items():
        (project.path / "harness" / f"{name}.py").write_text(source, encoding="utf-8")
    project.source(CHECK)
    return project


def test_it_is_recorded_and_judged_where_the_data_has_moved_too(own: Project) -> None:
    own.run_process("--update-baselines").assert_outcomes(passed=1)
    commit(own, "Approve")

    path = own.path / "data" / "tumours.csv"
    pd.read_csv(path).iloc[:-50].to_csv(path, index=False)
    own.dvc("add", "data")
    own.run_process().assert_outcomes(passed=1)  # the approved code runs again, in a process and folder of its own
    (check,) = own.report()["checks"]
    assert (check["verdict"], check["moved"] is not None) == ("identical", True)
