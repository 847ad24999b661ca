"""A project of a user's: a real git and DVC repository with real data and a remote, copied for every test."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from pytest_model_check.pull_requests import merge_base

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]

IMPORTS = """
import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
"""
CHECK = """
def test_tumours(model_check):
    model_check({candidate}, data="data/tumours.csv", target="diagnosis"{promise})
"""
LOGISTIC = "make_pipeline(StandardScaler(), LogisticRegression())"


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, encoding="utf-8"
    )
    return done.stdout


class Project:
    """A folder with git, DVC, data and checks, and ways to run pytest in it.

    ``data/tumours.csv`` are the 569 rows of breast cancer data with five features, ``data/patients.csv`` the 442 of
    diabetes; the default DVC remote is a folder beside the project.
    """

    def __init__(self, path: Path, pytester: pytest.Pytester) -> None:
        self.path = path
        self._pytester = pytester

    def check(self, candidate: str = LOGISTIC, promise: str = "", *, file: str = "test_models.py") -> None:
        """Write a check of the tumours as the only one of its file; `promise` are more arguments, in source code."""
        self.source(CHECK.format(candidate=candidate, promise=f", {promise}" if promise else ""), file=file)

    def source(self, text: str, *, file: str = "test_models.py") -> None:
        """Write a file of checks; the usual imports are there."""
        (self.path / file).write_text(IMPORTS + dedent(text), encoding="utf-8")

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run ``pytest --model-check ARGUMENTS`` in this process; the JSON report is `report`'s."""
        os.chdir(self.path)
        return self._pytester.runpytest_inprocess(*self._command(arguments))

    def run_process(self, *arguments: str) -> pytest.RunResult:
        """Run ``pytest --model-check ARGUMENTS`` in a process of its own."""
        os.chdir(self.path)
        return self._pytester.run(sys.executable, "-m", "pytest", *self._command(arguments), timeout=300)

    @staticmethod
    def _command(arguments: tuple[str, ...]) -> list[str]:
        jobs = [] if any(a.startswith("--model-check-jobs") for a in arguments) else ["--model-check-jobs=1"]
        return ["--model-check", "--model-check-report=report.json", *jobs, *arguments]

    def report(self) -> dict:
        """Read the JSON report of the last run."""
        return json.loads((self.path / "report.json").read_text(encoding="utf-8"))

    def verdicts(self) -> dict[str, str]:
        """Give the verdict of each check of the last run."""
        return {check["name"]: check["verdict"] for check in self.report()["checks"]}

    def baseline(self, name: str = "tumours") -> dict:
        """Read a baseline's JSON."""
        return json.loads((self.path / "baselines" / f"{name}.json").read_text(encoding="utf-8"))

    def stored(self) -> dict[str, bytes]:
        """Give every file below baselines/ with its content: what must stay whole."""
        folder = self.path / "baselines"
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))} if folder.exists() else {}

    def git(self, *arguments: str) -> str:
        """Run git in the project."""
        return git(self.path, *arguments)

    def dvc(self, *arguments: str) -> None:
        """Run dvc in the project."""
        subprocess.run(
            [sys.executable, "-m", "dvc", "-q", *arguments],
            cwd=self.path,
            check=True,
            capture_output=True,
            env=os.environ | {"DVC_NO_ANALYTICS": "1"},
        )


def enter(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a project, in an environment that says nothing but what its tests need."""
    monkeypatch.chdir(path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_model_check.plugin")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    for variable in (*merge_base.TARGETS, "GITHUB_REF", "GITHUB_ACTIONS"):  # these tests may run in a pull request's CI
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def preloaded() -> None:
    """Import what in-process runs need, once: pytester makes each forget it, and numpy bears no second time.

    In a fixture, because the repository's own model checks load this file too, and need nothing of it.
    """
    import dvc.repo  # noqa: F401
    import pandas.core.arrays.arrow.extension_types  # noqa: F401
    import pytest_model_check.gate.gate  # noqa: F401
    import ruamel.yaml  # noqa: F401


@pytest.fixture
def pytester(preloaded: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """Give pytest's own pytester, safe for in-process runs."""
    return pytester


@pytest.fixture(scope="session")
def project_template(preloaded: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the project once; tests get copies."""
    import make_data

    path = tmp_path_factory.mktemp("template") / "project"
    (path / "data").mkdir(parents=True)
    (path.parent / "remote").mkdir()
    tumours = make_data.breast_cancer()
    five = ["mean radius", "mean texture", "mean smoothness", "mean concavity", "worst symmetry"]
    tumours[[*five, "diagnosis"]].to_csv(path / "data" / "tumours.csv", index=False)
    make_data.diabetes().to_csv(path / "data" / "patients.csv", index=False)
    (path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    (path / ".gitignore").write_text("report.*\n.pytest_cache/\n__pycache__/\n", encoding="utf-8")
    git(path, "init", "-q", "-b", "main")
    project = Project(path, None)  # type: ignore[arg-type]
    project.dvc("init")
    project.dvc("remote", "add", "-d", "beside", "../remote")
    project.dvc("add", "data")
    project.dvc("push")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "A project with data")
    return path


@pytest.fixture
def project(
    project_template: Path, tmp_path: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """Give a project of its own to a test."""
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
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "harness"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "DVC_NO_ANALYTICS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-p", "pytest_model_check.plugin"]
    command += ["--update-baselines", "--model-check-jobs=1"]
    subprocess.run(command, cwd=path, env=environment, check=True, capture_output=True)
    project.dvc("push")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "Approve the first baseline")
    return path


@pytest.fixture
def repository(
    approved_template: Path, tmp_path: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """Give a project with one approved model on main, this repository's workflows, and the branch candidate."""
    path = tmp_path / "project"
    shutil.copytree(approved_template, path)
    shutil.copytree(approved_template.parent / "remote", tmp_path / "remote")
    enter(path, monkeypatch)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "harness"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    config = path / ".dvc" / "config"  # of a clone elsewhere, too
    known = re.sub(r"url = .*", lambda _: f"url = {tmp_path / 'remote'}", config.read_text(encoding="utf-8"))
    config.write_text(known, encoding="utf-8")
    git(path, "commit", "-q", "--amend", "--no-edit", ".dvc/config")
    git(path, "checkout", "-qb", "candidate")
    return Project(path, pytester)
