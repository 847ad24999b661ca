"""Whole runs with the cache: nothing changed, one model changed, killed half-way, and what is never served."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import Any

from pytest_model_check.fitting import watch
from support.branches import PROMISE, STRONG, WEAK, commit, judged
from support.project import CHECK, ROOT, Project

SLOW = """
import os, time
class Slow(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        with open(os.environ["LOG"], "a") as log:
            log.write("fit\\n")
        time.sleep(0.05)
        return super().fit(X, y, sample_weight)

def test_slow(model_check):
    model_check(make_pipeline(StandardScaler(), Slow()), data="data/tumours.csv", target="diagnosis",
                metrics="roc_auc", cv=20, seeds=1)
"""


def without_cost(report: dict[str, Any]) -> dict[str, Any]:
    cost = {"seconds": 0, "served": 0, "times": None}
    return report | {"checks": [check | {key: cost[key] for key in cost if key in check} for check in report["checks"]]}


def served(project: Project) -> dict[str, tuple[int, int, str]]:
    """Return, of each check of the last run, how many fits were served, of how many, and why not."""
    return {each["name"]: (each["served"], each["fits"], each["uncached"]) for each in project.report()["checks"]}


def test_unchanged_means_no_fit_and_one_model_changed_means_its_fits_only(project, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "harness"))
    for name, depth in (("a", 2), ("b", 3)):
        project.source(
            f"DEPTH = {depth}\ndef model():\n    return DecisionTreeClassifier(max_depth=DEPTH)\n", file=f"{name}.py"
        )
        check = f"from {name} import model\n" + CHECK.replace("tumours(", f"{name}(").format(
            candidate="model()", promise=', metrics="roc_auc", cv=4, seeds=2'
        )
        project.source(check, file=f"test_{name}.py")
    assert project.run_process("--update-baselines").ret == 0
    assert [report["served"] for report in project.report()["checks"]] == [0, 0]
    assert project.run_process("--model-check-refit").ret == 0
    cold = project.report()
    assert served(project) == {"a": (0, 4, ""), "b": (0, 4, "")}
    shutil.rmtree(project.path / "data")  # as in a fresh clone: the run brings it
    warm_run = project.run_process("--model-check-report=report.md")
    warm_run.stdout.fnmatch_lines(["*2 model checks: 2 passed; 8 fits (8 from the cache) in *"])
    assert "4 (4 cached)" in (project.path / "report.md").read_text()
    assert served(project) == {"a": (4, 4, ""), "b": (4, 4, "")}
    assert without_cost(project.report()) == without_cost(cold)
    assert (project.path / ".pytest_cache" / ".gitignore").read_text().endswith("*\n"), "git add -A takes no fit along"
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    project.source("DEPTH = 2\ndef model():\n    return DecisionTreeClassifier(max_depth=1)\n", file="a.py")
    project.run_process()
    assert served(project) == {"a": (0, 5, ""), "b": (4, 4, "")}  # and whether it draws random numbers


def test_what_was_killed_half_way_goes_on_where_it_was(project, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "harness"))
    log = tmp_path / "log"
    monkeypatch.setenv("LOG", str(log))
    project.source(SLOW)
    assert project.run_process("--update-baselines", "--model-check-cache=elsewhere").ret == 0
    log.unlink()
    command = [sys.executable, "-m", "pytest", "--model-check", "--model-check-jobs=1", "--model-check-cache=fits"]
    process = subprocess.Popen(command, cwd=project.path, stdout=subprocess.DEVNULL)
    while not log.exists() or log.read_text().count("\n") < 8:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    time.sleep(0.3)  # its children end, too
    before = log.read_text().count("\n")
    assert 8 <= before < 20
    again = [*command, "--model-check-report=report.json"]
    assert subprocess.run(again, cwd=project.path, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert project.verdicts() == {"slow": "identical"}
    ((known, fits, _),) = served(project).values()
    assert fits == 20
    assert known >= before - 3  # one was going on, and one under way from process to process
    assert log.read_text().count("\n") == before + 20 - known


def test_recordings_and_what_a_branch_claims_are_always_fitted(branch, monkeypatch) -> None:
    monkeypatch.setattr(watch, "notes", tuple)  # this process is pytest's own, and has seen a lot
    assert branch.run().ret == 0
    assert branch.run().ret == 0
    assert served(branch)["tumours"] == (3, 3, "")
    for _ in range(2):
        branch.run("--update-baselines")
        assert served(branch)["tumours"][0] == 0
    branch.check(WEAK, PROMISE)
    assert branch.run("--model-check-accept", "a reason").ret == 0
    assert served(branch)["tumours"][0] == 0
    commit(branch, "A weaker model")
    for _ in range(2):
        assert judged(branch)["served"] == 0
    branch.git("checkout", "-q", "main")
    branch.check(STRONG, PROMISE)
    assert branch.run("-p", "no:cacheprovider").ret == 0
    assert served(branch)["tumours"] == (0, 3, "")
