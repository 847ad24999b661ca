"""Approved, absent and not retired fails, and is named."""

from __future__ import annotations

import pytest
from pytest_model_check.cli import main
from support.branches import PROMISE, STRONG, TREE, commit
from support.project import Project
from support.runs import messages

TUMOURS = f"""
def test_tumours(model_check):
    model_check({STRONG}, data="data/tumours.csv", target="diagnosis", {PROMISE})
"""
PATIENTS = """
def test_patients(model_check):
    model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=2)
"""
MISSED = "no verdict came of the approved check tumours (test_models.py::test_tumours)"


def problems(project: Project, *arguments: str) -> list[str]:
    """Run as continuous integration does; give what went wrong beside the checks."""
    assert project.run("--model-check-against=main", *arguments).ret != 0
    return project.report()["problems"]


@pytest.mark.parametrize("xdist", [(), ("-p", "xdist", "-n1")], ids=["alone", "xdist"])
def test_the_last_check_that_is_deleted_is_named(branch: Project, xdist: tuple[str, ...]) -> None:
    branch.source("")
    nothing, missed = problems(branch, *xdist)
    assert nothing.startswith("No model check was collected")
    assert MISSED in missed
    result = branch.run()
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines([f"*{MISSED.replace('[', '[[]')}*"])


def test_a_check_whose_file_was_moved_before_is_missed(branch: Project) -> None:
    (branch.path / "checks").mkdir()
    (branch.path / "others").mkdir()
    (branch.path / "test_models.py").rename(branch.path / "checks" / "test_models.py")
    branch.source(PATIENTS, file="others/test_patients.py")
    assert branch.run("--update-baselines", "-k", "patients").ret == 0
    commit(branch, "Move the test")
    shards = ("checks", "others")
    for shard in shards:
        assert branch.run("--model-check-against=main", shard).ret == 0, "nobody lost anything"
    branch.git("checkout", "-q", "-B", "main")
    branch.git("checkout", "-q", "-b", "next")
    for shard in shards:
        assert branch.run("--model-check-against=main", shard).ret == 0, "each shard knows where its tests are"
    assert branch.run("--model-check-against=main", "-k", "patients").ret == 0, "it is there, and was not selected"
    (branch.path / "checks" / "test_models.py").write_text("")
    commit(branch, "Delete the check")
    assert any(MISSED in problem for problem in problems(branch, "checks"))
    assert any(MISSED in problem for problem in problems(branch))
    assert branch.run("--model-check-against=main", "others").ret == 0
    branch.git("checkout", "-q", "-B", "main")
    assert any(MISSED in problem for problem in problems(branch, "others")), "of which nobody knows where it was"


def test_a_retirement_is_of_the_branch_that_retires(branch: Project) -> None:
    branch.source(PATIENTS)
    assert branch.run("--update-baselines").ret == 1, "tumours is missed"
    assert main(["retire", "tumours", "the clinic closed"]) == 0
    commit(branch, "Retire the check")
    assert branch.run("--model-check-against=main").ret == 0
    assert branch.report()["retired"] == ["tumours was retired: the clinic closed"]
    branch.source(f"{PATIENTS}{TUMOURS.replace(STRONG, TREE)}")
    assert branch.run("--update-baselines").ret == 1, "what was approved is not forgotten"
    assert branch.verdicts() == {"patients": "identical", "tumours": "worse"}
    branch.source(f"{PATIENTS}{TUMOURS}")
    assert branch.run("--update-baselines").ret == 0
    assert branch.run("--model-check-against=main").ret == 0
    commit(branch, "The clinic is open again")
    branch.git("checkout", "-q", "-B", "main")
    branch.git("checkout", "-q", "-b", "next")
    branch.source(PATIENTS)
    for file in (branch.path / "baselines").glob("tumours.*"):
        file.unlink()
    (missed,) = problems(branch)
    assert MISSED in missed


def test_a_name_that_was_retired_does_not_come_back_as_new(branch: Project) -> None:
    branch.source(PATIENTS)
    assert main(["retire", "tumours", "the clinic closed"]) == 0
    branch.run("--update-baselines")
    commit(branch, "Retire the check")
    branch.git("checkout", "-q", "-B", "main")
    branch.git("checkout", "-q", "-b", "next")
    branch.check(TREE, PROMISE)
    retired = branch.path / "baselines" / "retired" / "tumours.json"
    content = retired.read_bytes()
    retired.unlink()
    assert branch.run("--update-baselines", "-k", "tumours").ret == 0, "who looks at the branch alone"
    retired.write_bytes(content)
    assert branch.run("--model-check-against=main", "-k", "tumours").ret == 1
    (message,) = messages(branch).values()
    assert message.startswith("tumours: roc_auc is worse by")
    assert "its history begins anew" in message


def test_what_is_approved_and_judged_as_new_fails_whatever_the_way(branch: Project) -> None:
    (branch.path / "baselines").rename(branch.path / "moved")
    (branch.path / "pytest.ini").write_text("[pytest]\nmodel_check_baselines = moved\n")
    assert main(["retire", "tumours", "a fresh start", "--baselines", "moved"]) == 0
    branch.check(TREE, PROMISE)
    assert branch.run("--update-baselines").ret == 1, "it is held against what was retired"
    retired = branch.path / "moved" / "retired" / "tumours.json"
    content = retired.read_bytes()
    retired.unlink()
    assert branch.run("--update-baselines").ret == 0
    retired.write_bytes(content)
    (missed,) = problems(branch)
    assert branch.verdicts() == {"tumours": "new"}
    assert "baselines/tumours.json was approved, and is not read: baselines are now read from moved/" in missed


def test_a_torn_file_hides_no_other(branch: Project) -> None:
    branch.source(f"{TUMOURS}{PATIENTS}")
    assert branch.run("--update-baselines").ret == 0
    (branch.path / "baselines" / "patients.json").write_text("{}")
    commit(branch, "Two, one of them torn")
    branch.git("checkout", "-q", "-B", "main")
    branch.git("checkout", "-q", "-b", "next")
    branch.source("")
    _, torn, missed = problems(branch)
    assert torn.startswith("patients.json at ")
    assert MISSED in missed
