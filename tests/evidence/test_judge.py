"""The judge lives apart: it goes by what a run left as evidence, and by nothing that a branch could have written."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.gate import judge_run
from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.pull_requests import merge_base
from pytest_model_check.settings import Settings
from support.branches import PROMISE, STRONG, TREE, commit, rewrite
from support.project import Project

# What a branch's conftest.py can do to the process that judges it: make a worse model look held, and the run green.
PATCHED = """
import sys
from dataclasses import replace
from pytest_model_check.gate import gate

honest = gate.conclude

def conclude(context, comparison, recording, *, seconds):
    verdict = honest(context, comparison, recording, seconds=seconds)
    metrics = tuple(replace(metric, verdict="held") for metric in verdict.metrics)
    return replace(verdict, verdict="held", passed=True, message="fine", advice="", metrics=metrics)

gate.conclude = conclude
"""


def judged(project: Project, evidence: str = "evidence") -> Run:
    """Judge in this process: what it goes by is what the command goes by."""
    against = merge_base.find(project.path, "main", {})
    assert against is not None
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(project.path, project.path / "baselines", Path(scratch), revision=against.sha)
        return judge_run.judge(project.path / evidence, against, settings, "baselines")


def left(project: Project, *arguments: str) -> pytest.RunResult:
    return project.run("--model-check-against=main", "--model-check-evidence=evidence", *arguments)


def commanded(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest_model_check.cli", "judge", "evidence", "--against", "main", *arguments]
    return subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False, timeout=300)


def test_a_branch_that_patches_the_judge_is_judged_by_another_one(branch: Project) -> None:
    (branch.path / "conftest.py").write_text(PATCHED)
    branch.check(TREE, PROMISE)
    commit(branch, "A worse model that is said to be fine")
    assert branch.run_process("--model-check-against=main", "--model-check-evidence=evidence").ret == 0
    assert branch.verdicts() == {"tumours": "held"}
    (branch.path / "pandas.py").write_text("raise SystemExit(0)  # where Python looks first, if nobody forbids it\n")
    done = commanded(branch, "--report", "judged.json", "--report", "judged.md", "--report", "judged.html")
    assert done.returncode == 1, done.stderr
    report = json.loads((branch.path / "judged.json").read_text())
    assert report["problems"] == [
        "The run itself said that all is well, and it is not.",
        "tumours: the run said 'held'; judged here, from its evidence: worse",
    ]
    (check,) = report["checks"]
    assert (check["verdict"], check["passed"], report["passed"]) == ("worse", False, False)
    assert done.stdout.startswith("The run itself said that all is well, and it is not.\n")
    assert "judged from the evidence alone" in done.stdout
    assert "The run itself said" in (branch.path / "judged.md").read_text()


def test_an_honest_run_is_judged_as_it_judged_itself(branch: Project) -> None:
    for candidate, verdict in ((STRONG, "identical"), (TREE, "worse")):
        branch.check(candidate, PROMISE)
        left(branch)
        run = judged(branch)
        (mine,), (its,) = run.checks, branch.report()["checks"]
        assert (mine.verdict, mine.passed, mine.message) == (its["verdict"], its["passed"], its["message"])
        assert (mine.verdict, run.passed, run.problems) == (verdict, verdict == "identical", ())
        numbers = [(metric.metric, metric.candidate, metric.low) for metric in mine.metrics]
        assert numbers == [
            (metric["metric"], pytest.approx(metric["candidate"]), pytest.approx(metric["low"]))
            for metric in its["metrics"]
        ]
    # an accepted loss: the branch records it, and its claims are held against its own predictions
    assert left(branch, "--model-check-accept=shallow trees are the future").ret == 0
    assert left(branch).ret == 0, "the branch's baseline is verified"
    run = judged(branch)
    (check,) = run.checks
    assert (check.verdict, check.passed, run.problems) == ("worse", True, ())
    assert check.concessions.accepted == "shallow trees are the future"
    rewrite(branch, lambda plain: plain["metrics"]["roc_auc"].update(score=0.99))
    run = judged(branch)
    assert not run.passed
    assert "roc_auc claims 0.99" in run.checks[0].message
