"""What decides is typed: an ini file, which a branch can change, never says it."""

from __future__ import annotations

import pytest
from support.branches import PROMISE, STRONG, TREE
from support.project import Project


def ini(project: Project, text: str) -> None:
    (project.path / "pytest.ini").write_text(f"[pytest]\n{text}\n", encoding="utf-8")


def refused(result: pytest.RunResult, words: str) -> None:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {words}"])


def test_an_ini_file_can_not_say_what_decides(branch: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    branch.check(TREE, PROMISE)
    for file in (branch.path / "baselines").glob("tumours.*"):
        file.unlink()
    assert branch.run("--update-baselines").ret == 0
    branch.git("add", "-A")
    branch.git("commit", "-qm", "A worse model, and its own baseline")
    branch.git("remote", "add", "origin", ".")
    branch.git("fetch", "-q", "origin")
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    ini(branch, "addopts = --model-check-against=HEAD")
    refused(branch.run(), "--model-check-against HEAD stands in addopts *take it out, and type it*")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--model-check-against=HEAD")
    ini(branch, "")
    refused(branch.run(), "--model-check-against HEAD stands in addopts (or PYTEST_ADDOPTS)*")
    monkeypatch.delenv("PYTEST_ADDOPTS")
    (branch.path / "arguments").write_text("--model-check-against=HEAD\n", encoding="utf-8")
    refused(branch.run("@arguments"), "--model-check-against HEAD stands in *")
    ini(branch, "addopts = --model-check-against=HEAD")
    assert branch.run("--model-check-against", "origin/main").ret == 1, "what is typed wins"
    assert branch.report()["checks"][0]["metrics"][0]["verdict"] == "worse"
    assert branch.report()["against"].endswith("with origin/main (--model-check-against)")
    ini(branch, "")
    assert branch.run().ret == 1, "then the environment"
    assert branch.report()["against"].endswith("with origin/main (GitHub)")


def test_an_ini_file_can_not_say_which_machines_fit(project: Project) -> None:
    ini(project, "addopts = --model-check-engine=dask://evil.example:8786")
    refused(project.run(), "*--model-check-engine dask://evil.example:8786 stands in addopts*type it*")


@pytest.mark.parametrize("text", ["model_check_python = evil.py", "addopts = --model-check-python=evil.py"])
def test_an_ini_file_can_not_say_what_runs_the_approved_code(project: Project, text: str) -> None:
    ini(project, text)
    project.source("raise SystemExit('it was collected')")
    refused(project.run(), "*model*check*python*evil.py*" if "addopts" in text else "ini key model_check_python: *")


@pytest.mark.parametrize("option", ["--collect-only", "--help", "--version --version", "--markers", "--fixtures"])
def test_an_ini_file_can_not_keep_the_checks_from_running(
    project: Project, pytester: pytest.Pytester, option: str
) -> None:
    ini(project, f"addopts = {option}")
    refused(project.run(), f"{option.split(maxsplit=1)[0]} stands in addopts *no model is checked*")
    assert pytester.runpytest_inprocess(str(project.path)).ret in (0, 5), "an ordinary run may"
    ini(project, "")
    assert project.run(*option.split()).ret in (0, 5), "and so may whoever types it"


def test_a_conftest_can_not_take_the_target_out_of_the_environment(
    branch: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch.git("remote", "add", "origin", ".")
    branch.git("fetch", "-q", "origin")
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    (branch.path / "conftest.py").write_text(
        "import os\n"
        "os.environ.pop('GITHUB_BASE_REF', None)\n"
        "def pytest_configure(config):\n"
        "    config.option.model_check_against = 'HEAD'\n"
        "    config.option.model_check_python = 'evil.py'\n"
    )
    assert branch.run().ret == 0
    assert branch.report()["against"].endswith("with origin/main (GitHub)")


def test_a_selection_that_an_ini_file_makes_accepts_nothing(project: Project) -> None:
    two = f"""
        def test_one(model_check):
            model_check(CANDIDATE, data="data/tumours.csv", target="diagnosis", {PROMISE})

        def test_two(model_check):
            model_check(CANDIDATE, data="data/tumours.csv", target="diagnosis", {PROMISE})
    """
    project.source(two.replace("CANDIDATE", STRONG))
    assert project.run("--update-baselines").ret == 0
    before = project.stored()
    ini(project, "addopts = -k test")
    project.source(two.replace("CANDIDATE", TREE))
    assert project.run("--model-check-accept", "a reason").ret == 1
    assert "2 checks need to be accepted" in project.report()["checks"][0]["message"]
    assert project.stored() == before
