"""What may happen to a baseline: killed updates, two runs at once, a repository of an odd shape."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import warm
from support.branches import PROMISE, STRONG, WEAK, commit, judged
from support.project import Project, git

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(os.name != "posix", reason="kills a forked process")
def test_a_killed_update_leaves_the_old_baseline_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = ROOT / "benchmarks" / "killed_updates.py"
    code = f"""
import runpy, random, sys
from pathlib import Path
found, _ = runpy.run_path({str(script)!r})["stress"](Path.cwd(), 8, random.Random(1))
sys.exit(0 if found["torn"] == 0 and sum(found.values()) == 8 else str(found))
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT / "harness")}
    )


def test_two_runs_at_once_do_not_interleave(branch: Project) -> None:
    """Both judge against the first baseline and beat it; one of them comes second, and says so."""
    branch.check(WEAK, PROMISE)
    for file in (branch.path / "baselines").glob("tumours*"):
        file.unlink()
    assert branch.run("--update-baselines").ret == 0
    branch.check(STRONG, PROMISE)
    command = [warm.python(), "-m", "pytest", "--update-baselines", "--model-check-jobs=1"]

    def run(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=branch.path, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, range(2))
    for done in (first, second):
        said = done.stdout + done.stderr
        assert done.returncode == 0 or "was changed by another run while this one was measuring" in said, said
    assert 0 in (first.returncode, second.returncode)
    assert branch.baseline()["generation"] == 2
    assert branch.run().ret == 0
    assert branch.verdicts() == {"tumours": "identical"}


def test_what_was_replaced_meanwhile_is_not_overwritten(branch: Project) -> None:
    branch.source(
        f"""
        import pathlib

        def test_tumours(model_check):
            model_check(make_pipeline(StandardScaler(), LogisticRegression(C=2)), data="data/tumours.csv",
                        target="diagnosis", {PROMISE})
            path = pathlib.Path("baselines/tumours.json")
            path.write_text(path.read_text() + " ")
        """
    )
    result = branch.run("--update-baselines")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*tumours.json was changed by another run while this one was measuring*"])
    assert branch.baseline()["generation"] == 1


def test_a_merge_conflict_is_recognised_and_the_advice_helps(branch: Project) -> None:
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=0.9))", PROMISE)
    branch.run("--update-baselines")
    commit(branch, "Mine")
    branch.dvc("push")
    branch.git("checkout", "-q", "main")
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=1.1))", PROMISE)
    branch.run("--update-baselines")
    commit(branch, "Theirs")
    branch.git("checkout", "-q", "branch")
    with pytest.raises(subprocess.CalledProcessError):
        branch.git("merge", "-q", "main")
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=1.1))", PROMISE)
    result = branch.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["tumours: tumours.json has merge conflict markers"])
    advice = branch.report()["checks"][0]["advice"]
    command = advice.partition("git checkout ")[2].partition(" (")[0]
    branch.git("checkout", *command.split())
    branch.git("add", "-A")
    assert branch.run().ret == 0, "theirs, whole"
    assert branch.verdicts() == {"tumours": "identical"}


def test_after_a_switch_of_branches_the_predictions_are_those_of_the_new_one(branch: Project) -> None:
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=2))", PROMISE)
    assert branch.run("--update-baselines").ret == 0
    commit(branch, "Another baseline")
    branch.git("checkout", "-q", "main")
    assert branch.run().ret == 0
    assert branch.verdicts() == {"tumours": "identical"}
    (branch.path / "baselines" / "tumours.parquet").write_bytes(b"what nobody else has")
    result = branch.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["tumours: the predictions of tumours: baselines/tumours.parquet differs from*"])


def test_a_predictions_file_of_another_commit_fails_or_falls_back_as_configured(branch: Project) -> None:
    old = (branch.path / "baselines" / "tumours.parquet.dvc").read_text()
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=2))", PROMISE)
    branch.run("--update-baselines")
    (branch.path / "baselines" / "tumours.parquet.dvc").write_text(old)
    (branch.path / "baselines" / "tumours.parquet").unlink()
    result = branch.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["tumours: tumours.parquet is not the file that tumours.json names*"])
    (branch.path / "pytest.ini").write_text("[pytest]\nmodel_check_without_predictions = folds\n")
    branch.run()
    (metric,) = branch.report()["checks"][0]["metrics"]
    assert "judged by its fold scores alone" in metric["reason"]


def _detached(project: Project) -> None:
    project.git("checkout", "-q", "--detach", "HEAD")


def _replaced(project: Project) -> None:
    """Force-push main to another history that shares the first commit."""
    first = project.git("rev-list", "--max-parents=0", "HEAD").strip()
    project.git("checkout", "-q", "main")
    project.git("commit", "-q", "--amend", "-m", "Approved, said otherwise")
    project.git("checkout", "-q", "branch")
    assert project.git("merge-base", "main", "branch").strip() == first


def test_a_detached_head_is_judged_as_any_other(branch: Project) -> None:
    _detached(branch)
    assert judged(branch)["verdict"] == "identical"


def test_a_target_that_was_force_pushed_shares_less(branch: Project) -> None:
    _replaced(branch)
    check = judged(branch)
    assert (check["verdict"], check["passed"]) == ("new", True), "the common ancestor knew no baseline"


def test_a_repository_without_commits_can_record_and_check(project: Project) -> None:
    subprocess.run(["rm", "-rf", ".git"], cwd=project.path, check=True)
    project.git("init", "-q")
    project.check(STRONG, PROMISE)
    assert project.run("--update-baselines").ret == 0
    assert project.run().ret == 0
    result = project.run("--model-check-against=main")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: can't compare with main: this repository has no commits yet*"])


def test_a_project_that_is_a_submodule_is_its_own_repository(branch: Project, tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    git(above, "init", "-q")
    git(above, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(branch.path), "inner")
    git(above, "commit", "-qm", "Add it")
    inner = Project(above / "inner", branch._pytester)
    inner.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
    (inner.path / ".dvc" / "config.local").write_text(f"['remote \"beside\"']\n    url = {tmp_path / 'remote'}\n")
    check = judged(inner)
    assert check["verdict"] == "identical"


def test_predictions_that_were_not_pushed_are_asked_for(branch: Project, tmp_path: Path) -> None:
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=2))", PROMISE)
    branch.run("--update-baselines")
    subprocess.run(["rm", "-rf", str(tmp_path / "remote"), ".dvc/cache"], cwd=branch.path, check=True)
    (tmp_path / "remote").mkdir()
    check = judged(branch)
    assert (check["verdict"], check["passed"]) == ("error", False)
    assert "the predictions of tumours" in check["message"]
    assert "dvc push" in check["advice"]
