"""Accepting a loss: the only way down, with a reason that every later report shows."""

from __future__ import annotations

import pytest
from support.branches import PROMISE, STRONG, TREE, WEAK, commit, judged, record_anyway, rewrite
from support.project import Project

REASON = "the new law forbids the radius"


def accept(project: Project, *arguments: str) -> pytest.RunResult:
    return project.run("--model-check-accept", REASON, *arguments)


def test_an_accepted_loss_is_recorded_with_its_reason(branch: Project) -> None:
    branch.check(TREE, PROMISE)
    result = accept(branch)
    assert result.ret == 0
    (check,) = branch.report()["checks"]
    assert (check["verdict"], check["passed"], check["accepted"]) == ("worse", True, REASON)
    result.stdout.fnmatch_lines(["accepted baselines/tumours.json: recording 2, roc_auc 0.9* -> 0.8*"])
    result.stdout.fnmatch_lines(['  git commit -m "Accept baselines"'])
    (entry,) = branch.baseline()["history"]
    (loss,) = entry["losses"]
    (metric,) = check["metrics"]
    assert (entry["generation"], entry["reason"], entry["kind"]) == (2, REASON, "loss")
    assert (loss["metric"], loss["verdict"], loss["since"]) == ("roc_auc", "worse", None)
    assert [loss[key] for key in ("delta", "low", "high", "margin")] == pytest.approx(
        [metric[key] for key in ("delta", "low", "high", "margin")]
    )
    assert branch.baseline()["metrics"]["roc_auc"]["anchor"] is None, "it is the new anchor"

    branch.run()
    (check,) = branch.report()["checks"]
    assert check["verdict"] == "identical"
    assert [one["reason"] for one in check["standing"]] == [REASON]


def test_a_reason_is_shown_until_the_next_improvement(branch: Project) -> None:
    branch.check(TREE, PROMISE)
    accept(branch)
    branch.check("DecisionTreeClassifier(max_depth=1, min_samples_leaf=3)", PROMISE)
    branch.run("--update-baselines")
    assert [one["reason"] for one in branch.report()["checks"][0]["standing"]] == [REASON], "a change is no improvement"
    branch.check(STRONG, PROMISE)
    assert branch.run("--update-baselines").ret == 0
    assert branch.report()["checks"][0]["standing"] == []
    (entry,) = branch.baseline()["history"]
    assert entry["closed"] == branch.baseline()["generation"]


def test_an_accepted_loss_in_a_branch_passes_visibly(branch: Project) -> None:
    branch.check(TREE, PROMISE)
    accept(branch)
    commit(branch, "Accept")
    check = judged(branch)
    assert (check["verdict"], check["passed"], check["accepted"]) == ("worse", True, REASON)
    assert check["message"].startswith("tumours: roc_auc is worse by ")


def test_an_acceptance_is_bound_to_what_was_accepted(branch: Project) -> None:
    branch.check(WEAK, PROMISE)
    accept(branch)
    commit(branch, "Accept")
    branch.check(TREE, PROMISE)
    check = judged(branch)
    assert (check["verdict"], check["passed"], check["accepted"]) == ("incomparable", False, None)
    assert "roc_auc claims" in check["message"] + check["advice"]


def test_an_acceptance_can_not_be_written_by_hand(branch: Project) -> None:
    def pretend(plain: dict) -> None:
        loss = dict.fromkeys(("slice", "delta", "low", "high", "margin", "since")) | {"verdict": "worse"}
        entry = {"generation": 2, "reason": "x", "kind": "loss", "said": "", "weakened": [], "closed": None}
        entry["losses"] = [loss | {"metric": "roc_auc"}]
        plain.update(generation=2, reused=1, history=[entry])

    branch.check(TREE, PROMISE)
    rewrite(branch, pretend)
    check = judged(branch)
    assert not check["passed"]
    assert check["accepted"] is None


def test_a_history_that_was_cut_is_seen(branch: Project) -> None:
    branch.check(TREE, PROMISE)
    accept(branch)
    branch.dvc("push")
    commit(branch, "Accept")
    branch.git("branch", "-f", "main", "branch")
    branch.check(WEAK, PROMISE)
    branch.run("--update-baselines")
    rewrite(branch, lambda plain: plain.update(history=[]))
    check = judged(branch)
    assert not check["passed"]
    assert f"it forgets what was accepted in recording 2: {REASON}" in check["message"] + check["advice"]


def test_a_weaker_promise_is_accepted_in_the_same_way(branch: Project) -> None:
    branch.check(STRONG, 'metrics={"roc_auc": 0.05}, cv=3, seeds=2')
    assert accept(branch).ret == 0
    (check,) = branch.report()["checks"]
    assert (check["verdict"], check["accepted"]) == ("identical", REASON)
    (entry,) = branch.baseline()["history"]
    assert entry["kind"] == "promise"
    assert entry["weakened"] == [{"term": "margin", "name": "roc_auc", "before": 0.01, "after": 0.05}]
    assert judged(branch)["accepted"] == REASON
    assert branch.run().ret == 0
    assert branch.report()["checks"][0]["weakened"] == []


def test_other_folds_are_accepted_as_a_new_start(branch: Project) -> None:
    branch.check(STRONG, 'metrics={"roc_auc": 0.01}, cv=4, seeds=2')
    assert branch.run().ret == 1
    (check,) = branch.report()["checks"]
    assert check["verdict"] == "incomparable"
    assert any(words.startswith("cv= is StratifiedKFold(n_splits=4") for words in check["weakened"])
    assert accept(branch).ret == 0
    (check,) = branch.report()["checks"]
    assert (check["verdict"], check["passed"], check["accepted"]) == ("incomparable", True, REASON)
    assert branch.baseline()["generation"] == 2
    assert judged(branch)["accepted"] == REASON
    assert branch.run().ret == 0


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_an_empty_reason_is_refused(branch: Project, reason: str) -> None:
    before = branch.stored()
    branch.check(TREE, PROMISE)
    result = branch.run("--model-check-accept", reason)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --model-check-accept needs a reason*"])
    assert branch.stored() == before


TWO = """
def test_one(model_check):
    model_check(CANDIDATE, data="data/tumours.csv", target="diagnosis", PROMISE)

def test_two(model_check):
    model_check(CANDIDATE, data="data/tumours.csv", target="diagnosis", PROMISE)
"""


@pytest.mark.parametrize("xdist", [(), ("-p", "xdist", "-n2")], ids=["alone", "xdist"])
def test_one_reason_is_for_one_check_unless_they_are_selected(project: Project, xdist: tuple[str, ...]) -> None:
    project.source(TWO.replace("CANDIDATE", STRONG).replace("PROMISE", PROMISE))
    project.run("--update-baselines")
    before = project.stored()
    project.source(TWO.replace("CANDIDATE", TREE).replace("PROMISE", PROMISE))
    result = accept(project, "-m", "model_check", *xdist)  # which names no check: it is the marker of all
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*one: 2 checks need to be accepted (one, two)*"])
    assert project.stored() == before
    assert set(project.verdicts().values()) == {"error"}
    assert accept(project, "-k", "one", *xdist).ret == 0
    assert project.baseline("one")["history"]
    assert project.baseline("two")["history"] == []
    assert accept(project, "-k", "one or two", *xdist).ret == 0
    assert project.baseline("two")["history"]


def test_what_needs_no_acceptance_gets_none(branch: Project) -> None:
    before = branch.stored()
    assert accept(branch).ret == 0
    assert branch.stored() == before
    assert branch.report()["checks"][0]["accepted"] is None


def test_an_error_accepts_nothing(branch: Project) -> None:
    before = branch.stored()
    branch.check("LogisticRegression(C=-1)", PROMISE)
    assert accept(branch).ret == 1
    assert branch.verdicts() == {"tumours": "error"}
    assert branch.stored() == before


def test_a_deleted_json_does_not_reset_the_anchor_unseen(branch: Project) -> None:
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=0.5))", PROMISE)
    assert branch.run("--update-baselines").ret == 0
    branch.dvc("push")
    commit(branch, "Approve a second one")
    branch.git("branch", "-f", "main", "branch")
    record_anyway(branch, "make_pipeline(StandardScaler(), LogisticRegression(C=0.5))")
    check = judged(branch)
    assert not check["passed"]
    said = check["message"] + check["advice"]
    assert "the anchor of roc_auc, which small losses are added up from, is gone (recording 1 scored" in said
    assert "its history begins anew: it is recording 1, and 2 is approved already" in said


def test_how_often_the_data_has_been_used_is_counted(branch: Project) -> None:
    assert branch.baseline()["reused"] == 0
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=1.1))", PROMISE)
    branch.run("--update-baselines")
    assert branch.baseline()["reused"] == 1
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=1.2))", PROMISE)
    branch.run()
    (check,) = branch.report()["checks"]
    assert check["reused"] == 1
    (metric,) = check["metrics"]
    assert metric["resolution_reused"] > metric["resolution"]
