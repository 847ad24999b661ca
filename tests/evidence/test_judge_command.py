"""The judge lives apart: it goes by what a run left as evidence, and by nothing that a branch could have written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.cli import main
from pytest_model_check.errors import EvidenceError
from support.branches import OWN_ROWS_AND_SPLITS, PROMISE, STRONG, TREE, commit, rewrite
from support.judge import commanded, judged, left
from support.project import Project

# What a branch's conftest.py can do to the process that judges it: make a worse model look held, and the run green.
PATCHED = """
import dataclasses
from pytest_model_check.gate import gate

honest = gate.conclude

def conclude(context, comparison, recording, **cost):
    verdict = honest(context, comparison, recording, **cost)
    metrics = tuple(dataclasses.replace(metric, verdict="held") for metric in verdict.metrics)
    return dataclasses.replace(verdict, verdict="held", passed=True, message="fine", advice="", metrics=metrics)

gate.conclude = conclude
"""


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
    near = STRONG.replace("()", "(C=0.7)", 2).replace("StandardScaler(C=0.7)", "StandardScaler()")
    for candidate, verdict in ((STRONG, "identical"), (near, "held"), (TREE, "worse")):
        branch.check(candidate, PROMISE)
        left(branch)
        run = judged(branch)
        (mine,), (its,) = run.checks, branch.report()["checks"]
        assert (mine.verdict, mine.passed, mine.message) == (its["verdict"], its["passed"], its["message"])
        assert (mine.verdict, run.passed, run.problems) == (verdict, verdict != "worse", ())
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
    commit(branch, "Shallow trees")
    branch.git("branch", "-f", "main")
    branch.check(STRONG, PROMISE)
    assert left(branch, "--update-baselines").ret == 0
    assert left(branch).ret == 0
    run = judged(branch)
    assert ([check.verdict for check in run.checks], run.passed) == (["better"], True), run.problems
    rewrite(branch, lambda plain: plain["metrics"]["roc_auc"].update(score=0.99))
    run = judged(branch)
    assert not run.passed
    assert "roc_auc claims 0.99" in run.checks[0].message + run.checks[0].advice


def test_the_judge_reads_the_rows_as_the_baseline_says(branch: Project) -> None:
    table = pd.read_csv(branch.path / "data" / "tumours.csv")
    table.to_csv(branch.path / "other.csv.gz", sep=";", decimal=",", index=False)
    branch.dvc("add", "other.csv.gz")
    branch.check(STRONG, f'read={{"sep": ";", "decimal": ","}}, {PROMISE}', file="test_other.py")
    path = branch.path / "test_other.py"
    path.write_text(path.read_text().replace("data/tumours.csv", "other.csv.gz").replace("test_tumours", "test_other"))
    assert branch.run("--update-baselines", "test_other.py").ret == 0
    commit(branch, "A check of a file of another kind")
    for verdict in ("new", "identical"):
        left(branch, "test_other.py")
        (check,) = (check for check in judged(branch).checks if check.name == "other")
        assert (check.verdict, check.passed) == (verdict, True), check.message
        assert "not confirmed" not in check.message
        branch.git("branch", "-f", "main")


def test_what_takes_code_of_the_project_is_refused_in_words(branch: Project) -> None:
    checks = dedent(
        """
        from sklearn.metrics import make_scorer, fbeta_score

        def test_scorer(model_check):
            beta = make_scorer(fbeta_score, beta=2, pos_label="malignant")
            model_check(LINEAR, data="data/tumours.csv", target="diagnosis", metrics=beta, cv=3, seeds=2)

        def test_rows(model_check):
            model_check(LINEAR, data="data/tumours.csv", target="diagnosis", cv=3, seeds=2, load=half)

        def test_splits(model_check):
            model_check(LINEAR, data="data/tumours.csv", target="diagnosis", cv=Halves(), seeds=2)
        """
    )
    branch.source(OWN_ROWS_AND_SPLITS + checks.replace("LINEAR", STRONG), file="test_own.py")
    assert branch.run("--update-baselines", "test_own.py").ret == 0
    commit(branch, "Checks that take code")
    left(branch)
    run = judged(branch)
    said = {check.name: (check.verdict, check.passed, check.message) for check in run.checks}
    assert run.passed, run.problems
    assert said.keys() == {"tumours", "scorer", "rows", "splits"}
    for name, why in (
        ("scorer", "fbeta_score is no scorer of scikit-learn's, and the base commit has no check that names it"),
        ("rows", "its rows come from load="),
        ("splits", "its splits are made by code of the project"),
    ):
        assert said[name][:2] == ("new", True)
        assert f"{name}: new; what its first baseline claims is not confirmed: " in said[name][2]
        assert why in said[name][2]
    branch.git("branch", "-f", "main")  # now they are approved
    left(branch)
    run = judged(branch)
    said = {check.name: (check.verdict, check.passed, check.message) for check in run.checks}
    assert said["splits"][:2] == ("identical", True), "rows and folds are those of the approved predictions"
    assert said["tumours"][:2] == ("identical", True)
    assert said["scorer"][:2] == ("identical", True), said["scorer"][2]
    assert said["rows"][:2] == ("identical", True), said["rows"][2]  # by the base commit's load=
    # a check that is gone, and data that moved
    (branch.path / "evidence" / "checks" / "splits.json").unlink()
    (branch.path / "evidence" / "checks" / "splits.candidate.parquet").unlink()
    _manifest(lambda plain: plain["checks"].pop("splits"))(branch.path / "evidence")
    md5 = branch.baseline()["data"]["files"][0]["md5"]
    _text(lambda text: text.replace(md5, md5[::-1]))(branch.path / "evidence")
    run = judged(branch)
    assert "The run itself did not pass" not in str(run.problems)
    assert any("splits: the run said 'identical', and it left no evidence of it" in line for line in run.problems)
    assert any("no verdict came of the approved check splits" in line for line in run.problems)
    moved = next(check.message for check in run.checks if check.name == "tumours")
    assert "the evidence is of another version of data/tumours.csv than this commit's" in moved


def test_a_check_that_was_renamed_or_retired_is_as_green_as_in_pytest(branch: Project) -> None:
    branch.check(STRONG, PROMISE, file="test_more.py")
    more = branch.path / "test_more.py"
    more.write_text(more.read_text().replace("tumours(", "more("))
    assert branch.run("--update-baselines", "test_more.py").ret == 0
    commit(branch, "Two checks")
    branch.git("branch", "-f", "main")
    assert main(["rename", "tumours", "lumps"]) == 0
    test = branch.path / "test_models.py"
    test.write_text(test.read_text().replace("tumours(", "lumps("))
    more.unlink()
    assert main(["retire", "more", "one is enough"]) == 0
    commit(branch, "Another name, and one check less")
    assert left(branch).ret == 0
    run = judged(branch)
    assert [(check.name, check.verdict, check.passed) for check in run.checks] == [("lumps", "identical", True)]
    assert (run.passed, run.problems) == (True, ()), run.problems
    assert run.retired == ("more was retired: one is enough",)


def test_checks_that_are_split_over_jobs_are_judged_as_one_run(branch: Project) -> None:
    branch.check(STRONG.replace("LogisticRegression()", "LogisticRegression(C=0.7)"), PROMISE, file="test_more.py")
    (branch.path / "test_more.py").write_text((branch.path / "test_more.py").read_text().replace("tumours(", "more("))
    assert branch.run("--update-baselines", "test_more.py").ret == 0
    commit(branch, "Two checks")
    for shard, file in (("one", "test_models.py"), ("two", "test_more.py")):
        branch.run("--model-check-against=main", f"--model-check-evidence={shard}", file)
    run = judged(branch, "one", "two")
    assert ({check.name: check.verdict for check in run.checks}, run.passed) == (
        {"tumours": "identical", "more": "new"},
        True,
    ), run.problems
    absent = judged(branch, "two")
    assert not absent.passed
    assert any("no verdict came of the approved check tumours" in line for line in absent.problems)
    shutil.copytree(branch.path / "one", branch.path / "copy")
    twice = judged(branch, "one", "copy", "two")
    assert not twice.passed
    (check,) = (check for check in twice.checks if check.name == "tumours")
    assert "both project/one/ and project/copy/ hold evidence of it" in check.message
    gone = judged(branch, "one", "nowhere", "two")
    assert not gone.passed
    assert "the run ended before it left its evidence" in gone.problems[0]


def test_scorers_of_the_projects_are_the_base_commits(branch: Project) -> None:
    text = """
        from scorers import profit

        def test_tumours(model_check):
            model_check({}, data="data/tumours.csv", target="diagnosis", metrics={{profit: 0.01}}, cv=3, seeds=1)
        """
    scorers = """
        from sklearn.metrics import make_scorer, roc_auc_score

        def profit(y_true, y_score):
            return {}

        print("what the project prints is no answer")
        profit = make_scorer(profit, response_method="predict_proba")
        """
    branch.source(scorers.format("roc_auc_score(y_true == 'malignant', y_score)"), file="scorers.py")
    branch.source(text.format(STRONG))
    assert branch.run("--model-check-accept=profit it is", "test_models.py").ret == 0
    branch.dvc("push")
    commit(branch, "Profit")
    branch.git("branch", "-f", "main")
    for candidate, verdict in (
        (STRONG.replace("LogisticRegression()", "LogisticRegression(C=0.7)"), "held"),
        (TREE, "worse"),
    ):
        branch.source(text.format(candidate))
        left(branch)
        run = judged(branch)
        (mine,), (its,) = run.checks, branch.report()["checks"]
        assert (mine.verdict, mine.message) == (its["verdict"], its["message"]) == (verdict, mine.message)
        assert mine.metrics[0].low == pytest.approx(its["metrics"][0]["low"])
    # a branch's own scorer, under the old one's name, decides nothing: that of the base commit does
    branch.source(scorers.format("1.0 if len(y_true) == 60 else y_score.mean() / 1e9 + 0.98"), file="scorers.py")
    left(branch)
    run = judged(branch)
    assert ([check.verdict for check in run.checks], run.passed) == (["worse"], False)
    branch.source("raise RuntimeError('gone')", file="scorers.py")
    commit(branch, "Broken")
    branch.git("branch", "-f", "main")
    (check,) = judged(branch).checks
    assert (check.verdict, check.passed) == ("incomparable", False)
    assert "and its code can't be run: " in check.message
    assert "RuntimeError: gone" in check.message


def _text(change: Callable[[str], str]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        manifest, check = folder / "evidence.json", folder / "checks" / "tumours.json"
        check.write_text(change(check.read_text()))
        content = json.loads(manifest.read_text())
        content["checks"]["tumours"] = hashlib.sha256(check.read_bytes()).hexdigest()
        manifest.write_text(json.dumps(content))

    return changed


def _frame(change: Callable[[pd.DataFrame], Any]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        path = folder / "checks" / "tumours.candidate.parquet"
        frame = pd.read_parquet(path)
        frame = change(frame)
        frame.to_parquet(path, index=False)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        _text(lambda text: json.dumps(_with(json.loads(text), digest)))(folder)

    return changed


def _with(plain: dict[str, Any], digest: str) -> dict[str, Any]:
    plain["predictions"]["candidate"] = digest
    return plain


def _manifest(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        plain = json.loads((folder / "evidence.json").read_text())
        change(plain)
        (folder / "evidence.json").write_text(json.dumps(plain))

    return changed


def _pipe(folder: Path) -> None:
    (folder / "checks" / "tumours.candidate.parquet").unlink()
    os.mkfifo(folder / "checks" / "tumours.candidate.parquet")


def _link(folder: Path) -> None:
    (folder / "evidence.json").unlink()
    (folder / "evidence.json").symlink_to("/dev/zero")


def _linked_folder(folder: Path) -> None:
    (folder / "checks").rename(folder.parent / "elsewhere")
    (folder / "checks").symlink_to(folder.parent / "elsewhere")


def _huge(folder: Path) -> None:
    with (folder / "evidence.json").open("r+b") as file:
        file.truncate(10**11)


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (lambda folder: (folder / "evidence.json").unlink(), "the run ended before it left its evidence"),
    "torn": (lambda folder: os.truncate(folder / "evidence.json", 40), "evidence.json is torn or not JSON"),
    "deep": (lambda folder: (folder / "evidence.json").write_text("[" * 10**6) and None, "nested too deeply"),
    "huge": (_huge, "evidence.json can't be believed: it is larger than 20 MB"),
    "a link": (_link, "evidence.json can't be believed: it is no regular file"),
    "a linked folder": (_linked_folder, "checks/ can't be believed: it is no folder"),
    "newer": (_manifest(lambda plain: plain.update(schema=2)), "its schema is 2"),
    "no flag": (_manifest(lambda plain: plain.update(passed="yes")), "the key passed is 'yes'"),
    "a path": (_manifest(lambda plain: plain["checks"].update({"../../x": ""})), "names a check '../../x'"),
    "twice": (_manifest(lambda plain: plain["checks"].update(Tumours="")), "names 'Tumours' twice"),
    "foreign": (
        lambda folder: (folder / "checks" / "x.pkl").touch(),
        "checks/x.pkl, which evidence.json does not name",
    ),
    "edited": (
        lambda folder: (folder / "checks" / "tumours.json").write_text("{}") and None,
        "it is not the file that evidence.json names",
    ),
    "of another check": (
        _text(lambda text: text.replace('"name": "tumours"', '"name": "x"')),
        "it is of another check",
    ),
    "a pipe": (_pipe, "tumours.candidate.parquet can't be believed: it is no regular file"),
    "other bytes": (
        lambda folder: os.truncate(folder / "checks" / "tumours.candidate.parquet", 99),
        "it is not the file that the check's JSON names",
    ),
    "NaN": (_frame(lambda frame: frame.assign(decision_function=np.nan)), "holds NaN or infinity"),
    "no probabilities": (
        _frame(lambda frame: frame.assign(**{"predict_proba:0": 1.0, "predict_proba:1": 1.0})),
        "predict_proba answers no probabilities",
    ),
    "other rows": (_frame(lambda frame: frame.assign(row=frame["row"] % 100)), "are of other rows, folds or classes"),
    "other folds": (
        _frame(lambda frame: frame.assign(fold=frame["fold"].to_numpy()[::-1])),
        "are of other rows, folds",
    ),
    "a repeat more": (
        _frame(lambda frame: pd.concat([frame, frame.assign(repeat=1)], ignore_index=True)),
        "are of other rows, folds or classes",
    ),
    "other columns": (
        _text(lambda text: text.replace('"target": "diagnosis"', '"target": "mean radius"')),
        "the branch's check has another target",
    ),
    "a wider margin": (
        _text(lambda text: text.replace('"margin": 0.01', '"margin": 0.5')),
        "the promise was weakened",
    ),
    "no metric": (
        _text(lambda text: text.replace('"roc_auc"', '"accuracy"')),
        "accuracy is missing: the baseline does not have it yet",
    ),
    "other rules": (
        _text(lambda text: text.replace('"inconclusive": "fail"', '"inconclusive": "pass"')),
        "the promise was weakened",
    ),
    "endless splits": (
        _text(lambda text: text.replace("n_splits=3", "n_splits=99999999")),
        "identical",
    ),
}


def test_evidence_that_can_not_be_believed_is_one_clear_error(branch: Project) -> None:
    branch.check(STRONG, PROMISE)
    left(branch)
    (branch.path / "evidence").rename(branch.path / "honest")
    assert judged(branch, "honest").passed
    for case, (spoil, words) in HOSTILE.items():
        if sys.platform == "win32" and spoil in (_pipe, _link, _linked_folder):
            continue
        evidence = branch.path / f"spoilt {case}" / "evidence"
        shutil.copytree(branch.path / "honest", evidence)
        spoil(evidence)
        run = judged(branch, f"spoilt {case}/evidence")
        said = "\n".join([*run.problems, *(check.message for check in run.checks)])
        assert words in said, f"{case}: {said}"
        assert run.passed is (words == "identical"), case
        assert len([line for line in said.splitlines() if words in line]) == 1, f"{case}: {said}"


def test_what_decides_where_data_come_from_is_not_the_branchs(branch: Project) -> None:
    branch.check(STRONG, PROMISE)
    assert left(branch, "-n1", "-p", "xdist.plugin").ret == 0
    assert judged(branch).passed, "workers' evidence reaches the folder"
    (branch.path / "evidence" / "mine.txt").touch()
    result = left(branch)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*--model-check-evidence evidence: other files lie there*")
    (branch.path / "evidence" / "mine.txt").unlink()
    config = branch.path / ".dvc" / "config"
    config.write_text(config.read_text().replace("../remote", "../theirs"))
    with pytest.raises(EvidenceError, match=r"the branch changes \.dvc/config, which says where"):
        judged(branch)
    branch.git("checkout", "-q", ".dvc/config")
    with (branch.path / "data.dvc").open("a") as tracker:
        tracker.write("deps:\n- path: tumours.csv\n  repo: {url: https://example.org/theirs}\n")
    with pytest.raises(EvidenceError, match=r"the branch changes data\.dvc, which imports data from elsewhere"):
        judged(branch)
