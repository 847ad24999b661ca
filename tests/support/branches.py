"""A branch and what it changes: candidates, commits, baselines rewritten by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
from pytest_model_check.baselines.baseline_json import from_json, to_text

from support.project import LOGISTIC, Project

WEAK = "make_pipeline(StandardScaler(), LogisticRegression(C=0.003))"
STRONG = LOGISTIC
TREE = "DecisionTreeClassifier(max_depth=1)"
PROMISE = 'metrics={"roc_auc": 0.01}, cv=3, seeds=2'
OWN_ROWS_AND_SPLITS = """
class Halves:
    def __repr__(self): return "Halves()"
    def get_n_splits(self, *args): return 2
    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        yield rows[::2], rows[1::2]
        yield rows[1::2], rows[::2]

def half(paths):
    return pd.read_csv(paths[0]).iloc[::2]
"""


def commit(project: Project, message: str) -> str:
    project.git("add", "-A")
    project.git("commit", "-qm", message)
    return project.git("rev-parse", "HEAD").strip()


def judged(project: Project, *arguments: str) -> dict[str, Any]:
    """Run as continuous integration does, and give the one check's report."""
    project.run("--model-check-against=main", *arguments)
    check: dict[str, Any]
    (check,) = project.report()["checks"]
    return check


def rewrite(project: Project, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit a baseline as somebody would who knows how it is sealed."""
    path = project.path / "baselines" / "tumours.json"
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(to_text(from_json(plain)))


def record_anyway(project: Project, candidate: str, promise: str = PROMISE) -> None:
    """Record a baseline as if there had been none, as somebody may do who wants to be rid of the old one."""
    for file in (project.path / "baselines").glob("tumours.*"):
        file.unlink()
    project.check(candidate, promise)
    assert project.run("--update-baselines").ret == 0


def move(project: Project, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Let the data move to another version."""
    path = project.path / "data" / "tumours.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    project.dvc("add", "data")
    project.dvc("push")


def separable(rows: pd.DataFrame) -> pd.DataFrame:
    """Let one column tell the target."""
    malignant = rows["diagnosis"] == "malignant"
    return rows.assign(**{"mean radius": rows["mean radius"].rank() + 1000 * malignant})
