"""What `model-check judge` goes by, in this process: evidence that a run has left, and the merge base."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pytest_model_check.gate import judge_run
from pytest_model_check.gate.sealed_refit import Refit
from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.pull_requests import merge_base
from pytest_model_check.sealing.engine import SealedEngine
from pytest_model_check.session.refit import FromTest
from pytest_model_check.settings import Settings

from support import warm
from support.project import Project


def left(project: Project, *arguments: str) -> pytest.RunResult:
    """Run as continuous integration does, and leave evidence."""
    return project.run("--model-check-against=main", "--model-check-evidence=evidence", *arguments)


def judged(project: Project, *evidence: str, refit: bool = False) -> Run:
    """Judge the evidence, with sealed fits of the judge's own or without; the merge base's code starts warm."""
    against, root = merge_base.find(project.path, "main", {}), project.path
    assert against is not None
    folders = [root / folder for folder in evidence or ("evidence",)]
    with tempfile.TemporaryDirectory() as name:
        scratch, baselines = Path(name), root / "baselines"
        settings = Settings(root, baselines, scratch, revision=against.sha, python=warm.python())
        if not refit:
            return judge_run.judge(folders, against, settings, "baselines")
        with SealedEngine(2, root, scratch, hidden=(baselines, *folders), apart=True) as engine:
            again = Refit(engine, lambda found, target: FromTest(found.name, found.nodeid, root, target, ""))
            return judge_run.judge(folders, against, settings, "baselines", again)


def commanded(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Judge by the command, in a process of its own."""
    command = [sys.executable, "-m", "pytest_model_check.cli", "judge", "evidence", "--against", "main", *arguments]
    return subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False, timeout=300)
