"""rootdir: the values of our options never move it, and a branch that moves it is held against what was approved."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import pytest
from pytest_model_check.session import restart, rootdir
from support.branches import PROMISE, TREE, commit
from support.project import CHECK, LOGISTIC, Project, git

INI = "[pytest]\n"


def test_a_value_that_exists_is_joined_to_its_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main").mkdir()
    typed = ["--model-check-against", "main", "-k", "main", "main", "--model-check-report", "new.md", "main"]
    joined = ["--model-check-against=main", "-k", "main", "main", "--model-check-report", "new.md", "main"]
    assert restart.joined(typed) == joined
    assert restart.joined(joined) == joined
    reason = ["--model-check-accept", "word " * 2000]
    assert restart.joined(reason) == reason


def test_a_report_outside_the_project_is_written_again_and_again(branch: Project, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for run in (branch.run, branch.run, branch.run_process):
        result = run("--model-check-against=main", "--model-check-report", "../out/r.md")
        assert result.ret == 0, result.stderr.str()
        result.stdout.fnmatch_lines([f"rootdir: {branch.path}", "configfile: pytest.ini"])
    assert (tmp_path / "out" / "r.md").exists()


def test_rootdir_stays_where_the_environment_adds_the_option(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.md").touch()
    monkeypatch.setenv("PYTEST_ADDOPTS", "--model-check-report ../r.md")
    project.run("--collect-only").stdout.fnmatch_lines([f"rootdir: {project.path}"])


def test_a_folder_with_the_name_of_the_target_moves_nothing(branch: Project) -> None:
    (branch.path / "main").mkdir()
    (branch.path / "main" / "pytest.ini").write_text(INI)
    branch.check(TREE, PROMISE)
    for xdist in ((), ("-p", "xdist", "-n1")):
        result = branch.run("--model-check-against", "main", *xdist)
        assert result.ret == 1
        result.stdout.fnmatch_lines([f"rootdir: {branch.path}"])
        assert branch.verdicts() == {"tumours": "worse"}


@pytest.fixture
def inside(branch: Project) -> Project:
    """Approve the check of a file in tests/, which is what continuous integration names."""
    branch.git("checkout", "-q", "main")
    (branch.path / "tests").mkdir()
    (branch.path / "test_models.py").rename(branch.path / "tests" / "test_models.py")
    commit(branch, "Move the tests")
    branch.git("checkout", "-q", "-B", "branch")
    return branch


def test_an_ini_file_beside_the_tests_is_no_way_around(inside: Project) -> None:
    assert inside.run("--model-check-against=main", "tests").ret == 0
    (inside.path / "tests" / "pytest.ini").write_text(INI)
    inside.check(TREE, f"{PROMISE}, load=lambda paths: pd.read_csv('data/tumours.csv')", file="tests/test_models.py")
    source = (inside.path / "tests" / "test_models.py").read_text().replace('data="data/', 'data="../data/')
    (inside.path / "tests" / "test_models.py").write_text(source)
    assert inside.run("--update-baselines", "tests").ret == 0
    commit(inside, "A worse model")
    assert inside.run("--model-check-against=main", "tests").ret == 1
    assert inside.verdicts() == {"tumours": "new"}
    (problem,) = inside.report()["problems"]
    assert (
        "baselines/tumours.json was approved, and is not read: baselines are now read from tests/baselines/" in problem
    )
    (inside.path / "tests" / "pytest.ini").unlink()
    (inside.path / "pytest.ini").write_text(f"{INI}model_check_baselines = tests/baselines\n")
    assert inside.run("--model-check-against=main", "tests").ret == 1
    assert inside.report()["problems"] == [problem]


def test_a_link_in_the_way_of_the_baselines_is_no_way_around(branch: Project) -> None:
    (branch.path / "baselines").rename(branch.path / "kept")
    (branch.path / "other").mkdir()
    (branch.path / "baselines").symlink_to("other")
    branch.check(TREE, PROMISE)
    branch.run("--update-baselines")
    commit(branch, "A worse model")
    result = branch.run("--model-check-against=main")
    assert result.ret not in (0, pytest.ExitCode.INTERNAL_ERROR)
    assert "tumours" in result.stdout.str() + result.stderr.str()


def test_a_submodule_in_the_way_is_refused_in_words(branch: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(branch.path), "other")
    branch.git("rm", "-rq", "--cached", "baselines")
    (branch.path / "baselines").rename(tmp_path / "gone")
    branch.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "baselines")
    result = branch.run("--model-check-against=main")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: can't compare with main: {branch.path}/baselines is in the repository *"])


def test_a_service_that_checks_out_the_whole_does_not_speak_of_its_submodule(
    branch: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = tmp_path / "above"
    above.mkdir()
    git(above, "init", "-q")
    git(above, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(branch.path), "inner")
    git(above, "commit", "-qm", "Add it")
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    result = Project(above / "inner", branch._pytester).run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: GitHub says to compare with main of *above, and *inner is a submodule of it"])


# -- rootdir as it was -------------------------------------------------------------------------------------------------


class Config:
    """What is asked of pytest's configuration."""

    def __init__(self, here: Path, ini: Path | None) -> None:
        self.invocation_params = argparse.Namespace(dir=here)
        self.inipath, self.rootpath = ini, here

    def getini(self, key: str) -> str:
        assert key == "model_check_baselines"
        return "now"


@pytest.mark.parametrize(
    ("files", "here", "typed", "root", "folder"),
    [
        ({}, ".", {}, ".", "baselines"),
        ({"pytest.ini": INI}, ".", {}, ".", "baselines"),
        ({"pytest.ini": f"{INI}model_check_baselines = b"}, "a", {}, ".", "b"),
        ({"pyproject.toml": "[tool.pytest.ini_options]\nmodel_check_baselines = 'b'"}, ".", {}, ".", "b"),
        ({"pyproject.toml": "[tool.pytest]\nmodel_check_baselines = 'b'"}, ".", {}, ".", "b"),
        ({"pytest.ini": INI, "a/pytest.ini": INI}, ".", {"file_or_dir": ["a/test_a.py::test_a[x]"]}, "a", "baselines"),
        ({"pytest.ini": INI, "a/tox.ini": INI}, ".", {"file_or_dir": ["a", "b"]}, ".", "baselines"),
        ({"a/setup.cfg": "[tool:pytest]\nmodel_check_baselines = b"}, ".", {"file_or_dir": ["a"]}, "a", "b"),
        ({"a/setup.py": ""}, ".", {"file_or_dir": ["a/c"]}, "a", "baselines"),
        ({"pytest.ini": INI, "a/x.ini": f"{INI}model_check_baselines = b"}, ".", {"inifilename": "a/x.ini"}, "a", "b"),
        ({"pytest.ini": INI}, ".", {"inifilename": "a/new.ini"}, "a", "baselines"),
        ({"pytest.ini": INI}, ".", {"rootdir": "a"}, "a", "baselines"),
        ({"pytest.ini": INI}, ".", {"override_ini": ["model_check_baselines=b"]}, ".", "b"),
    ],
    ids=str,
)
def test_the_ini_files_of_a_commit_decide(
    tmp_path: Path, files: dict[str, str], here: str, typed: dict, root: str, folder: str
) -> None:
    top = tmp_path.resolve()
    git(top, "init", "-q")
    for name in ("a/c/file", "a/test_a.py", "b/file"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()
    for name, text in files.items():
        (top / name).write_text(text)
    git(top, "add", "-A")
    git(top, "commit", "-qm", "one")
    for name in files:  # a branch removes them, and adds its own
        (top / name).unlink()
    for name in ("pytest.ini", "a/pytest.ini", "a/c/pytest.ini", "b/pytest.ini", "a/new.ini"):
        (top / name).write_text(f"{INI}model_check_baselines = now")
    command = {"file_or_dir": [], "inifilename": None, "rootdir": None, "override_ini": None, **typed}
    config = Config(top / here, top / "pytest.ini")
    place = rootdir.find_at("HEAD", top, config, argparse.Namespace(**command))  # type: ignore[arg-type]
    assert (place.root, place.name) == (top / root if root != "." else top, folder)


def test_what_lies_above_the_repository_decides_as_it_does_now(tmp_path: Path) -> None:
    top = tmp_path.resolve() / "top"
    top.mkdir()
    git(top, "init", "-q")
    git(top, "commit", "-qm", "nothing", "--allow-empty")
    config = Config(top, tmp_path / "pytest.ini")
    typed = argparse.Namespace(file_or_dir=[], inifilename=None, rootdir=None, override_ini=None)
    place = rootdir.find_at("HEAD", top, config, typed)  # type: ignore[arg-type]
    assert (place.root, place.name) == (top, "now")
    (top / "pytest.ini").write_text(INI)
    git(top, "add", "-A")
    git(top, "commit", "-qm", "an ini file of its own")
    (top / "pytest.ini").unlink()  # so that the one above decides
    place = rootdir.find_at("HEAD", top, config, typed)  # type: ignore[arg-type]
    assert (place.root, place.name) == (top, "baselines")


def test_a_baseline_of_another_rootdir_is_pointed_at(project: Project) -> None:
    inside = project.path / "churn"
    inside.mkdir()
    (inside / "pytest.ini").write_text("[pytest]\n")
    check = CHECK.format(candidate=LOGISTIC, promise=", cv=3, seeds=2").replace('"data', '"../data')
    project.source(check, file="churn/test_models.py")
    assert project.run("--update-baselines", "--rootdir=churn", "-c", "churn/pytest.ini", "churn").ret == 0
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["baselines/ holds none of this name, but there is churn/baselines/tumours.json. Was it*(cd churn)*"]
    )


def test_what_approval_needs_is_named_and_works_as_typed(project: Project) -> None:
    (project.path / "pytest.ini").write_text("[pytest]\n")
    (project.path / "data" / "tumours.csv").write_text((project.path / "data" / "tumours.csv").read_text() + "\n")
    project.dvc("add", "data")
    project.dvc("remote", "remove", "beside")
    project.check(promise="cv=3, seeds=2")
    lines = project.run("--update-baselines").outlines
    commands = [line.strip() for line in lines[lines.index("To approve:") + 1 :][:3]]
    assert commands[0].split()[2:] == [
        *("pytest.ini", "test_models.py", "data.dvc", ".dvc/config"),
        *("baselines/tumours.json", "baselines/tumours.parquet.dvc", "baselines/.gitignore"),
    ]
    assert commands[2] == "dvc remote add -d storage URL && git add .dvc/config && dvc push"
    project.git(*commands[0].split()[1:])
    project.git(*shlex.split(commands[1])[1:])
    assert project.git("status", "--porcelain") == ""


def test_where_git_keeps_the_remote_a_clone_has_everything_that_was_approved_as_typed(project: Project) -> None:
    project.dvc("remote", "modify", "beside", "url", "remote")
    project.dvc("push")
    project.git("add", "-A")
    project.git("commit", "-qm", "The remote is inside")
    project.check(promise="cv=3, seeds=2")
    lines = project.run("--update-baselines").outlines
    push, *commands = [line.strip() for line in lines[lines.index("To approve:") + 1 :][:3]]
    assert push == "dvc push"
    project.dvc("push")
    for command in commands:
        project.git(*shlex.split(command)[1:])
    assert project.git("status", "--porcelain") == ""
    clone = project.path.parent / "clone"
    project.git("clone", "-q", str(project.path), str(clone))
    (project.path.parent / "remote").rename(project.path.parent / "gone")
    assert Project(clone, project._pytester).run().ret == 0
