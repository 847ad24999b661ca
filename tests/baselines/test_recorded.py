"""Baselines of every schema there was, as they were recorded then, are read, judged, verified and replaced.

In ``recorded/`` lies one of each: 1 is this repository's first, 2 and 3 have a history of every kind.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pytest_model_check.baselines import store
from pytest_model_check.baselines.baseline_json import SCHEMA
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.cli import main
from pytest_model_check.judgement.verdicts import Loss, Weakening
from pytest_model_check.settings import STRICT
from support import make_data
from support.branches import commit, judged
from support.project import Project

RECORDED = Path(__file__).parent / "recorded"
SCHEMAS = sorted(int(folder.name) for folder in RECORDED.iterdir())
FIRST = """
    def test_breast_cancer(model_check):
        model_check(
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=STRENGTH)),
            data="data/breast_cancer.csv",
            target="diagnosis",
            metrics=["neg_log_loss", "roc_auc"],
        )
"""
LATER = """
    from sklearn.compose import make_column_selector, make_column_transformer

    def test_breast_cancer(model_check):
        numbers = make_column_transformer((StandardScaler(), make_column_selector(dtype_include="number")))
        model_check(
            make_pipeline(numbers, LogisticRegression(C=STRENGTH)),
            data="data/breast_cancer.csv",
            target="diagnosis",
            metrics={"neg_log_loss": 0.03, "roc_auc": None},
            cv=5,
            seeds=2,
            description="Is this tumour malignant?",
            caveats=["One clinic only"],
        )
"""


def read(schema: int) -> Baseline:
    baseline = store.read(RECORDED / str(schema), "breast_cancer")
    assert baseline is not None
    return baseline


def write_check(project: Project, schema: int, strength: float | None = None) -> None:
    """Write the check of a recorded baseline; `strength` makes the model another one."""
    known = 1.0 if schema == 1 else 0.5
    project.source((FIRST if schema == 1 else LATER).replace("STRENGTH", str(strength or known)))


def bring(project: Project, schema: int) -> None:
    """Let a project have a baseline that was recorded then."""
    shutil.copytree(RECORDED / str(schema), project.path / "baselines")
    project.dvc("add", "baselines/breast_cancer.parquet")
    project.dvc("push")
    commit(project, "Approve")


@pytest.fixture
def cancer(project: Project) -> Project:
    make_data.breast_cancer().to_csv(project.path / "data" / "breast_cancer.csv", index=False, lineterminator="\n")
    project.dvc("add", "data")
    project.dvc("push")
    commit(project, "Add data")
    return project


def test_there_is_one_of_every_schema():
    assert list(range(1, SCHEMA + 1)) == SCHEMAS
    for schema in SCHEMAS:
        plain = json.loads((RECORDED / str(schema) / "breast_cancer.json").read_text(encoding="utf-8"))
        assert plain["schema"] == schema


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_is_judged_and_verified(cancer: Project, schema: int) -> None:
    write_check(cancer, schema)
    commit(cancer, "A check without a baseline")
    cancer.git("checkout", "-qb", "branch")
    bring(cancer, schema)
    check = judged(cancer)
    assert (check["verdict"], check["passed"]) == ("new", True), check["message"] + check["advice"]
    cancer.git("branch", "-f", "main", "branch")
    check = judged(cancer)
    assert (check["verdict"], check["weakened"], check["passed"]) == ("identical", [], True)
    reasons = [] if schema == 1 else ["five folds are our standard now", "a wider margin will do"]
    assert [standing["reason"] for standing in check["standing"]] == reasons


def test_what_it_promised_is_promised_still():
    first, second, third = map(read, SCHEMAS)
    assert (first.protocol.cv, first.protocol.seeds, first.protocol.rules) == (
        "StratifiedKFold(n_splits=10, random_state=0, shuffle=True)",
        None,
        STRICT,
    )
    assert [metric.margin_kind for metric in first.metrics.values()] == ["noise_floor", "skill_share"]
    assert second.protocol == third.protocol
    assert [metric.margin_kind for metric in second.metrics.values()] == ["named", "skill_share"]
    assert second.metrics == third.metrics
    assert first.test_train_ratio == pytest.approx(1 / 9)
    assert second.test_train_ratio == pytest.approx(third.test_train_ratio, rel=1e-3)
    assert (second.description, second.caveats) == (third.description, third.caveats)
    assert second.caveats == ("One clinic only",)


def test_what_it_accepted_is_accepted_still():
    first, second, third = map(read, SCHEMAS)
    assert first.history == ()
    kinds = ["loss", "incomparable", "promise"]
    assert [acceptance.kind for acceptance in second.history] == kinds
    assert [acceptance.kind for acceptance in third.history] == kinds
    for then, now in zip(second.history, third.history, strict=True):
        assert (then.generation, then.reason, then.metrics) == (now.generation, now.reason, now.metrics)
        assert then.closed == now.closed
    lost, anew, wider = second.history
    assert lost.losses == (Loss("neg_log_loss"), Loss("roc_auc"))
    assert lost.said == "neg_log_loss is worse by 0.292 (0.253 to 0.315), margin 0.020 (and 1 more)"
    assert anew.said == third.history[1].said == "the baseline was recorded with other rows, folds or classes"
    assert wider.weakened == (Weakening("said", "the margin of neg_log_loss is 0.03, was 0.02"),)
    assert third.history[2].weakened == (Weakening("margin", "neg_log_loss", 0.02, 0.03),)
    delta = third.history[0].losses[0].delta
    assert delta is not None
    assert delta == pytest.approx(-0.292, abs=5e-4)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_is_replaced_by_todays_schema_and_its_history_stays(cancer: Project, schema: int, capsys) -> None:
    bring(cancer, schema)
    write_check(cancer, schema, strength=0.3)
    assert cancer.run("--update-baselines").ret == 0
    after = store.read(cancer.path / "baselines", "breast_cancer")
    assert after is not None
    assert cancer.baseline("breast_cancer")["schema"] == SCHEMA
    assert after.generation == read(schema).generation + 1
    assert after.history == read(schema).history
    capsys.readouterr()
    assert main(["diff"]) == 0
    assert main(["history", "breast_cancer"]) == 0
    assert main(["write-up", "breast_cancer"]) == 0
    text = capsys.readouterr().out
    assert "neg_log_loss" in text
    for acceptance in after.history:
        assert acceptance.reason in text
