"""Data that moves to where a worse model is no worse: the candidate must hold on the old data too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from support import warm
from support.branches import PROMISE, STRONG, TREE, commit, judged, move, separable
from support.project import Project

NEIGHBOUR = "make_pipeline(StandardScaler(), KNeighborsClassifier(1))"


def _shuffled(rows: pd.DataFrame) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    others = [column for column in rows.columns if column not in ("mean radius", "diagnosis")]
    return rows.assign(**{column: generator.permutation(rows[column].to_numpy()) for column in others})


def _thrice(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows] * 3, ignore_index=True)


EASIER: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, str]] = {
    "separable": (separable, TREE, ""),
    "shuffled": (_shuffled, STRONG, ", features=['mean radius']"),
    "thrice": (_thrice, NEIGHBOUR, ""),
}


@pytest.mark.parametrize("data", EASIER)
def test_a_worse_model_is_not_let_in_by_easier_data(branch: Project, data: str) -> None:
    change, worse, promise = EASIER[data]
    move(branch, change)
    branch.check(worse, PROMISE + promise)
    text = (branch.path / "test_models.py").read_text()
    branch.source(text + "\nfrom sklearn.neighbors import KNeighborsClassifier\n")
    commit(branch, "A worse model on easier data")
    check = judged(branch, "--model-check-python", warm.python())
    (metric,) = check["metrics"]
    assert metric["low"] > -metric["margin"], "on the new data alone it would pass"
    assert (check["verdict"], check["passed"]) == ("worse", False)
    assert check["message"].startswith("tumours: on the old data, roc_auc is worse by 0.")
    assert "roc_auc: on the old data, 0." in check["advice"]
    assert "It passes on the new data alone" in check["advice"]
    assert check["data"]["repeated"] == check["moved"]["repeated_after"]
    assert (check["data"]["repeated"] > 1000 + check["moved"]["repeated_before"]) is (data == "thrice")
    if data == "thrice":  # a reason, and it passes: the branch's record is verified as any accepted loss
        command = ["--model-check-python", warm.python(), "--model-check-accept=neighbours are quick", "test_models.py"]
        assert branch.run(*command).ret == 0
        loss = branch.baseline()["history"][0]["losses"][0]
        assert (loss["verdict"], loss["on_old_data"]) == ("worse", True)
        commit(branch, "Accept it")
        accepted = judged(branch, "--model-check-python", warm.python())
        assert (accepted["verdict"], accepted["passed"], accepted["accepted"]) == (
            "worse",
            True,
            "neighbours are quick",
        )


def test_a_model_that_can_not_run_on_the_old_data_has_not_held_there(branch: Project) -> None:
    move(branch, lambda rows: rows.assign(answer=rows["diagnosis"] == "malignant"))
    branch.check(TREE, f"{PROMISE}, features=['answer']")
    commit(branch, "A model of a column that was not there")
    check = judged(branch, "--model-check-python", warm.python())
    assert (check["verdict"], check["passed"]) == ("incomparable", False)
    assert "on the old data, roc_auc is incomparable: the candidate can't run on the old data: " in check["message"]
    assert "'answer'" in check["message"]
    assert check["metrics"][0]["candidate"] == pytest.approx(1.0)
