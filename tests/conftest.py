"""A project of a user's: a real git and DVC repository with real data and a remote, copied for every test."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import re
import shutil
import sys
from pathlib import Path

import pytest
import pytest_model_check
from support import warm
from support.branches import PROMISE, STRONG, commit
from support.project import ROOT, Project, enter, git

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def preloaded() -> None:
    """Import what in-process runs need, once: pytester makes each forget it, and numpy bears no second time.

    In a fixture, because the repository's own model checks load this file too, and need nothing of it.
    """
    for module in warm.LIBRARIES:
        importlib.import_module(module)
    for found in pkgutil.walk_packages(pytest_model_check.__path__, f"{pytest_model_check.__name__}."):
        importlib.import_module(found.name)
    from pytest_model_check.fitting import local_engine

    local_engine.start_early()  # the process that the fits of all runs are forked from
    gc.freeze()  # DVC's databases are collected after each use, which should not go through all this


@pytest.fixture
def pytester(preloaded: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """Return pytest's own pytester, safe for in-process runs."""
    return pytester


@pytest.fixture(scope="session")
def project_template(preloaded: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the project once; tests get copies."""
    from support import make_data

    path = tmp_path_factory.mktemp("template") / "project"
    (path / "data").mkdir(parents=True)
    (path.parent / "remote").mkdir()
    tumours = make_data.breast_cancer()
    five = ["mean radius", "mean texture", "mean smoothness", "mean concavity", "worst symmetry"]
    tumours[[*five, "diagnosis"]].to_csv(path / "data" / "tumours.csv", index=False)
    make_data.diabetes().to_csv(path / "data" / "patients.csv", index=False)
    (path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    (path / ".gitignore").write_text("report.*\n.pytest_cache/\n__pycache__/\n", encoding="utf-8")
    git(path, "init", "-q", "-b", "main", "--template=")
    project = Project(path, None)  # type: ignore[arg-type]
    project.dvc("init")
    project.dvc("remote", "add", "-d", "beside", "../remote")
    project.dvc("add", "data")
    project.dvc("push")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "A project with data")
    git(path, "gc", "-q")  # few files: each test copies them
    shutil.rmtree(path / ".dvc" / "tmp")
    return path


@pytest.fixture
def project(
    project_template: Path, tmp_path: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """Return a project of its own to a test."""
    path = tmp_path / "project"
    shutil.copytree(project_template, path)
    shutil.copytree(project_template.parent / "remote", tmp_path / "remote")
    enter(path, monkeypatch)
    return Project(path, pytester)


@pytest.fixture(scope="session")
def approved_template(project_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Approve a model in the project, and bring this repository's workflows into it, once; tests get copies."""
    path = tmp_path_factory.mktemp("approved") / "project"
    shutil.copytree(project_template, path)
    shutil.copytree(project_template.parent / "remote", path.parent / "remote")
    project = Project(path, None)  # type: ignore[arg-type]
    shutil.copytree(ROOT / ".github", path / ".github", ignore=shutil.ignore_patterns("__pycache__"))
    project.check()
    project.record()
    project.dvc("push")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "Approve the first baseline")
    return path


@pytest.fixture
def repository(
    approved_template: Path, tmp_path: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """Return a project with one approved model on main, this repository's workflows, and the branch candidate."""
    path = tmp_path / "project"
    shutil.copytree(approved_template, path)
    shutil.copytree(approved_template.parent / "remote", tmp_path / "remote")
    enter(path, monkeypatch)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "harness"))
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(warm.folder()), str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    config = path / ".dvc" / "config"  # of a clone elsewhere, too
    known = re.sub(r"url = .*", lambda _: f"url = {tmp_path / 'remote'}", config.read_text(encoding="utf-8"))
    config.write_text(known, encoding="utf-8")
    git(path, "commit", "-q", "--amend", "--no-edit", ".dvc/config")
    git(path, "checkout", "-qb", "candidate")
    return Project(path, pytester)


@pytest.fixture(scope="session")
def branch_template(project_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Approve a baseline on main, and stand on a branch from it, once; tests get copies."""
    path = tmp_path_factory.mktemp("branch") / "project"
    shutil.copytree(project_template.parent, path.parent, dirs_exist_ok=True)
    project = Project(path, None)  # type: ignore[arg-type]
    project.check(STRONG, PROMISE)
    project.record()
    project.dvc("push")
    commit(project, "Approve")
    project.git("checkout", "-qb", "branch")
    return path


@pytest.fixture
def branch(
    branch_template: Path, tmp_path: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """Return a project with a baseline that is approved on main, on a branch from it."""
    shutil.copytree(branch_template.parent, tmp_path, dirs_exist_ok=True)
    enter(tmp_path / "project", monkeypatch)
    return Project(tmp_path / "project", pytester)
