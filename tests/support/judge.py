"""What `model-check judge` goes by, in this process: evidence that a run has left, and the merge base."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pytest_model_check.gate import judge_run
from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.pull_requests import merge_base
from pytest_model_check.settings import Settings

from support import warm
from support.project import Project


def left(project: Project, *arguments: str) -> pytest.RunResult:
    """Run as continuous integration does, and leave evidence."""
    return project.run("--model-check-against=main", "--model-check-evidence=evidence", *arguments)


def judged(project: Project, *evidence: str) -> Run:
    """Judge the evidence; the merge base's code, where it is run, starts warm."""
    against = merge_base.find(project.path, "main", {})
    assert against is not None
    with tempfile.TemporaryDirectory() as scratch:
        baselines = project.path / "baselines"
        settings = Settings(project.path, baselines, Path(scratch), revision=against.sha, python=warm.python())
        folders = [project.path / folder for folder in evidence or ("evidence",)]
        return judge_run.judge(folders, against, settings, "baselines")


def commanded(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Judge by the command, in a process of its own."""
    command = [sys.executable, "-m", "pytest_model_check.cli", "judge", "evidence", "--against", "main", *arguments]
    return subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False, timeout=300)
