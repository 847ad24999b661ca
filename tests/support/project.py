"""A project of a user's: a folder with git, DVC, data and checks, and ways to run pytest in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from pytest_model_check.pull_requests import merge_base

from support import warm

ROOT = Path(__file__).parents[2]
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
PLUGIN = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_model_check.plugin",
    "DVC_NO_ANALYTICS": "1",
}
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

    def report(self) -> dict[str, Any]:
        """Read the JSON report of the last run."""
        report: dict[str, Any] = json.loads((self.path / "report.json").read_text(encoding="utf-8"))
        return report

    def verdicts(self) -> dict[str, str]:
        """Return the verdict of each check of the last run."""
        return {check["name"]: check["verdict"] for check in self.report()["checks"]}

    def baseline(self, name: str = "tumours") -> dict[str, Any]:
        """Read a baseline's JSON."""
        baseline: dict[str, Any] = json.loads((self.path / "baselines" / f"{name}.json").read_text(encoding="utf-8"))
        return baseline

    def stored(self) -> dict[str, bytes]:
        """Return every file below baselines/ with its content: what must stay whole."""
        folder = self.path / "baselines"
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))} if folder.exists() else {}

    def git(self, *arguments: str) -> str:
        """Run git in the project."""
        return git(self.path, *arguments)

    def dvc(self, *arguments: str) -> None:
        """Run dvc in the project."""
        warm.run("dvc", "-q", *arguments, cwd=self.path, env=os.environ | {"DVC_NO_ANALYTICS": "1"})

    def record(self, *arguments: str) -> None:
        """Record baselines without a pytester: for templates, which outlive a test."""
        command = ["--update-baselines", "--model-check-jobs=1", "-p", "no:cacheprovider", *arguments]
        warm.run("pytest", *command, cwd=self.path, env=os.environ | PLUGIN)


def enter(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a project, in an environment that says nothing but what its tests need."""
    monkeypatch.chdir(path)
    for name, value in PLUGIN.items():
        monkeypatch.setenv(name, value)
    for variable in (*merge_base.TARGETS, "GITHUB_REF", "GITHUB_ACTIONS"):  # these tests may run in a pull request's CI
        monkeypatch.delenv(variable, raising=False)
