"""Data that moves, and the judge: the merge base's model is measured on the new data, by its own code in a child."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
from support import warm
from support.branches import OWN_ROWS_AND_SPLITS, PROMISE, STRONG, TREE, commit, move, separable
from support.judge import commanded, judged, left
from support.project import Project

NEAR = STRONG.replace("LogisticRegression()", "LogisticRegression(C=0.7)")


def _without_a_tenth(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(rows.index[::10])


def _run(project: Project, *arguments: str) -> int:
    return int(left(project, "--model-check-python", warm.python(), *arguments).ret)


def test_an_honest_move_of_the_data_is_as_green_as_in_pytest(branch: Project) -> None:
    move(branch, _without_a_tenth)
    branch.check(NEAR, PROMISE)
    commit(branch, "Other data, and another model")
    _run(branch)
    run = judged(branch)
    (mine,), (its,) = run.checks, branch.report()["checks"]
    assert (mine.verdict, mine.passed, mine.message) == (its["verdict"], its["passed"], its["message"])
    assert (mine.verdict, run.passed, run.problems) == ("held", True, ())
    moved = mine.differences.moved
    assert moved is not None
    assert [(grid.old_new, grid.new_old) for grid in moved.score_grids] == [
        (grid["old_new"], grid["new_old"]) for grid in its["moved"]["corners"]
    ]
    # and the branch records its model on the new data
    assert _run(branch, "--update-baselines") == 0
    commit(branch, "Recorded on other data")
    assert _run(branch) == 0
    run = judged(branch)
    assert ([check.verdict for check in run.checks], run.passed) == (["held"], True), run.checks[0].message
    assert "not confirmed" not in run.checks[0].message


def test_easier_data_let_no_worse_model_past_the_judge(branch: Project) -> None:
    move(branch, separable)
    branch.check(TREE, PROMISE)
    commit(branch, "A worse model on easier data")
    assert _run(branch) == 1
    run = judged(branch)
    (check,) = run.checks
    assert (check.verdict, check.passed) == ("worse", False)
    assert check.message.startswith("tumours: on the old data, roc_auc is worse by 0.")
    done = commanded(branch, "--python", "nowhere")
    assert (done.returncode, "there is no Python at nowhere" in done.stdout) == (1, True), done.stdout + done.stderr
    # a run that left nothing of the old data has not shown that its model holds there
    path = branch.path / "evidence" / "checks" / "tumours.json"
    (path.parent / "tumours.on_old_data.parquet").unlink()
    plain = json.loads(path.read_text())
    path.write_text(json.dumps(plain | {"predictions": plain["predictions"] | {"on_old_data": None}}))
    manifest = branch.path / "evidence" / "evidence.json"
    signed = json.loads(manifest.read_text())
    signed["checks"]["tumours"] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(signed))
    (check,) = judged(branch).checks
    assert (check.verdict, check.passed) == ("incomparable", False)
    assert "the evidence holds no predictions there" in check.message


CHECKS = """
def test_rows(model_check):
    model_check(MODEL, data="data/tumours.csv", target="diagnosis", load=half, metrics={"roc_auc": 0.01}, cv=3, seeds=2)

def test_splits(model_check):
    model_check(MODEL, data="data/tumours.csv", target="diagnosis", cv=Halves(), seeds=2)
"""


def test_rows_of_load_follow_the_data_and_splits_of_ones_own_can_not(branch: Project) -> None:
    source = (branch.path / "test_models.py").read_text() + OWN_ROWS_AND_SPLITS + CHECKS
    branch.source(source.replace("MODEL", STRONG))
    assert branch.run("--update-baselines").ret == 0
    commit(branch, "Rows and splits of one's own")
    branch.git("branch", "-f", "main")
    move(branch, _without_a_tenth)
    branch.source(source.replace("MODEL", NEAR))
    commit(branch, "Other data")
    assert _run(branch) == 0
    run = judged(branch)
    rows, splits = (next(check for check in run.checks if check.name == name) for name in ("rows", "splits"))
    assert (rows.verdict, rows.passed) == ("held", True), rows.message
    assert rows.compared.data.rows == len(pd.read_csv(branch.path / "data" / "tumours.csv").iloc[::2])
    assert (splits.verdict, splits.passed) == ("incomparable", False)
    assert "its splits are made by code of the project" in splits.message
