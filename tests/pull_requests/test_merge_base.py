"""A pull request can't lower its own bar: which baseline decides, and what a branch may claim."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_model_check.baselines import store
from pytest_model_check.baselines.baseline_json import from_json, to_text
from pytest_model_check.cli import main
from pytest_model_check.fitting import crossval
from pytest_model_check.git import GitError
from pytest_model_check.pull_requests import merge_base
from pytest_model_check.pull_requests.merge_base import target_branch
from support.branches import PROMISE, STRONG, TREE, WEAK, commit, judged, record_anyway, rewrite
from support.project import Project, git

PATIENTS = """
def test_patients(model_check):
    model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=2)
"""


# --- which commit decides


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"GITHUB_BASE_REF": "main"}, ("main", "GitHub")),
        ({"GITHUB_BASE_REF": ""}, None),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release/1.x"}, ("release/1.x", "GitLab")),
        ({"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}, ("main", "Azure Pipelines")),
        ({"CHANGE_TARGET": "main"}, ("main", "Jenkins")),
        ({"BITBUCKET_PR_DESTINATION_BRANCH": "main"}, ("main", "Bitbucket")),
        ({"GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-7-0a1b2c"}, ("main", "GitHub's merge queue")),
        ({"GITHUB_REF": "refs/heads/main"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_target_of_a_pull_request_is_known_from_the_environment(environ, expected) -> None:
    assert target_branch(environ) == expected


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make an origin with a branch, and a clone of it that stands on the branch."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    for text in ("one", "two", "three"):
        (origin / "file").write_text(text)
        git(origin, "add", "-A")
        git(origin, "commit", "-qm", text)
    git(origin, "checkout", "-qb", "branch")
    (origin / "other").write_text("four")
    git(origin, "add", "-A")
    git(origin, "commit", "-qm", "four")
    git(tmp_path, "clone", "-q", str(origin), "clone")
    return tmp_path / "clone"


def test_the_merge_base_with_the_target_decides(repository: Path) -> None:
    found = merge_base.find(repository, None, {"GITHUB_BASE_REF": "main"})
    assert found is not None
    assert found.sha == git(repository, "rev-parse", "origin/main").strip()
    assert found.words == f"merge base {found.sha[:7]} with origin/main (GitHub)"
    assert merge_base.find(repository, "origin/main", {}).sha == found.sha
    assert merge_base.find(repository, "main", {}).target == "origin/main", "a branch that is only on the remote"
    assert merge_base.find(repository, None, {}) is None


def test_a_tag_or_a_branch_with_the_name_of_the_target_decides_nothing(repository: Path) -> None:
    main = git(repository, "rev-parse", "origin/main").strip()
    for kind in ("tag", "branch"):
        git(repository, kind, "origin/main", "HEAD")
        for revision, environ in ((None, {"GITHUB_BASE_REF": "main"}), ("origin/main", {})):
            found = merge_base.find(repository, revision, environ)
            assert (found.sha, found.target) == (main, "origin/main")
        git(repository, kind, "-d", "origin/main")


def test_what_is_ambiguous_is_refused_in_words(repository: Path) -> None:
    git(repository, "tag", "main", "HEAD")
    with pytest.raises(GitError) as caught:
        merge_base.find(repository, "main", {})
    assert caught.value.message == (
        "can't compare with main: there is a tag of this name and a branch, and they are not the same"
    )
    for revision, meant in (("refs/remotes/origin/main", "refs/remotes/origin/main"), ("refs/tags/main", "HEAD")):
        assert f"--model-check-against {revision}" in caught.value.advice
        assert merge_base.find(repository, revision, {}).sha == git(repository, "rev-parse", meant).strip()
    git(repository, "tag", "-f", "main", "origin/main")
    assert merge_base.find(repository, "main", {}).target == "origin/main", (
        "where both are the same, nothing is unclear"
    )


def test_a_tag_and_a_commit_can_be_named(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD~3").strip()
    git(repository, "tag", "v1", first)
    for revision in ("v1", first, first[:12], "HEAD~3"):
        assert merge_base.find(repository, revision, {}).sha == first


def test_a_detached_head_has_a_merge_base_too(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach", "HEAD")
    assert merge_base.find(repository, None, {"CHANGE_TARGET": "main"}).target == "origin/main"


def _shallow(repository: Path) -> None:
    clone = repository.with_name("shallow")
    git(
        repository.parent,
        "clone",
        "-q",
        "--depth=1",
        "--branch=branch",
        f"file://{repository.parent}/origin",
        "shallow",
    )
    repository.rename(repository.with_name("deep"))
    clone.rename(repository)


def _without_history(repository: Path) -> None:
    _shallow(repository)
    git(repository, "fetch", "-q", "--depth=1", "origin", "+refs/heads/main:refs/remotes/origin/main")


def _orphan(repository: Path) -> None:
    git(repository, "checkout", "-q", "--orphan", "new")
    git(repository, "commit", "-qm", "new")


def _empty(repository: Path) -> None:
    repository.rename(repository.with_name("deep"))
    repository.mkdir()
    git(repository, "init", "-q")


def _no_repository(repository: Path) -> None:
    repository.rename(repository.with_name("deep"))
    repository.mkdir()


FETCH = "git fetch --no-tags --unshallow origin +refs/heads/main:refs/remotes/origin/main"


@pytest.mark.parametrize(
    ("fault", "message", "advice"),
    [
        (_shallow, "git does not know it here", FETCH),
        (_without_history, "this clone is shallow", FETCH),
        (_orphan, "no common ancestor", "--model-check-against REV"),
        (_empty, "no commits yet", "Commit first"),
        (_no_repository, "in no git repository", "clone"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_brings_it(
    repository: Path, fault: Callable[[Path], None], message: str, advice: str
) -> None:
    fault(repository)
    with pytest.raises(GitError) as caught:
        merge_base.find(repository, None, {"GITHUB_BASE_REF": "main"})
    assert message in caught.value.message
    assert advice in caught.value.advice


def test_without_a_remote_the_branches_that_are_there_are_named(repository: Path) -> None:
    git(repository, "remote", "remove", "origin")
    with pytest.raises(GitError) as caught:
        merge_base.find(repository, "mainn", {})
    here = git(repository, "branch", "--show-current").strip()
    assert caught.value.advice.startswith("This repository has no remote to fetch it from. Its branches: ")
    assert here in caught.value.advice


def test_the_advised_command_helps(repository: Path) -> None:
    _shallow(repository)
    git(repository, *FETCH.split()[1:], "-q")
    assert merge_base.find(repository, None, {"GITHUB_BASE_REF": "main"}).target == "origin/main"


# --- a branch with a baseline of its own


def _said(check: dict) -> str:
    return f"{check['message']}\n{check['advice']}"


def test_a_run_says_what_it_was_held_against(branch: Project) -> None:
    result = branch.run("--model-check-against=main")
    base = branch.git("rev-parse", "--short=7", "main").strip()
    words = f"merge base {base} with main (--model-check-against)"
    result.stdout.fnmatch_lines([f"model-check: against baselines/, held against the {words}"])
    assert branch.report()["against"] == words
    assert branch.verdicts() == {"tumours": "identical"}


def test_the_target_is_found_in_the_environment(branch: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    branch.git("remote", "add", "origin", ".")
    branch.git("fetch", "-q", "origin")
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    branch.run()
    assert branch.report()["against"].endswith("with origin/main (GitHub)")
    monkeypatch.setenv("GITHUB_BASE_REF", "nowhere")
    result = branch.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: can't compare with nowhere*", "*git fetch --no-tags origin +refs/heads/nowhere:*"]
    )


def test_a_lowered_baseline_does_not_help(branch: Project) -> None:
    record_anyway(branch, TREE)
    commit(branch, "Lower the bar")
    assert branch.run().ret == 0, "against its own baseline it is identical"
    check = judged(branch)
    assert check["verdict"] == "incomparable"
    assert not check["passed"]
    assert "its history begins anew: it is recording 1, and 1 is approved already" in _said(check)
    assert {metric["verdict"] for metric in check["metrics"]} == {"worse"}


def test_an_improvement_in_a_branch_passes_when_it_is_what_this_run_computes(project: Project) -> None:
    project.check(WEAK, PROMISE)
    project.run("--update-baselines")
    commit(project, "Approve")
    project.git("checkout", "-qb", "branch")
    project.check(STRONG, PROMISE)
    assert project.run("--update-baselines").ret == 0
    commit(project, "Improve")
    check = judged(project)
    assert (check["verdict"], check["passed"]) == ("better", True)


def test_a_baseline_seeded_by_its_name_as_they_were_once_is_no_forgery(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate, promise = "RandomForestClassifier(4, max_depth=3)", 'metrics={"roc_auc": 0.2}, cv=3, seeds=2'
    project.git("checkout", "-qb", "branch")
    project.check(candidate, promise)
    with monkeypatch.context() as before:
        before.setattr(crossval, "entropy_of", lambda *parts: crossval.entropy_of_name("tumours", parts[-1]))
        assert project.run("--update-baselines", "-p", "no:xdist").ret == 0
    commit(project, "recorded as before")
    check = judged(project)
    assert (check["verdict"], check["passed"]) == ("new", True)
    rewrite(project, lambda baseline: baseline["predictions"].update(entropy=7))  # neither old nor new
    check = judged(project)
    assert not check["passed"]
    assert "other seeds than its data, splits and number say" in _said(check)


def test_an_invented_number_is_named(branch: Project) -> None:
    def lie(plain: dict) -> None:
        plain["generation"], plain["reused"] = 2, 1
        plain["metrics"]["roc_auc"]["score"] = 0.93

    rewrite(branch, lie)
    commit(branch, "Lie")
    check = judged(branch)
    assert check["verdict"] == "incomparable"
    assert not check["passed"]
    true = json.loads(branch.git("show", "main:baselines/tumours.json"))["metrics"]["roc_auc"]["score"]
    claim, score = re.search(r"roc_auc claims ([\d.]+), scores (0\.\d+)", _said(check)).groups()
    assert float(claim) == 0.93
    assert float(score) == pytest.approx(true, abs=0.001)


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda metric: metric["margin"].update(value=0.4), "the margin of roc_auc claims 0.4"),
        (lambda metric: metric["margin"].update(value=0.0101), "the margin of roc_auc claims 0.0101, is 0.01"),
        (lambda metric: metric["noise"].update(floor=0.3), "the noise floor of roc_auc claims 0.3"),
        (lambda metric: metric.update(dummy=0.1), "the dummy of roc_auc claims 0.1"),
        (lambda metric: metric.update(folds=[0.5, 0.5, 0.5]), "other scores in its folds"),
    ],
    ids=["margin", "named margin", "floor", "dummy", "folds"],
)
def test_every_number_that_will_decide_is_recomputed(branch: Project, lie, words: str) -> None:
    def change(plain: dict) -> None:
        plain["generation"], plain["reused"] = 2, 1
        lie(plain["metrics"]["roc_auc"])

    rewrite(branch, change)
    check = judged(branch)
    assert not check["passed"]
    assert words in _said(check)


def test_a_new_check_passes_on_its_own_recomputed_baseline(branch: Project) -> None:
    branch.source(
        f"""
        def test_tumours(model_check):
            model_check({STRONG}, data="data/tumours.csv", target="diagnosis", {PROMISE})

        def test_patients(model_check):
            model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=2)
        """
    )
    branch.run("--update-baselines")
    commit(branch, "A new check")
    assert branch.run("--model-check-against=main").ret == 0
    assert branch.verdicts() == {"tumours": "identical", "patients": "new"}
    patients = store.read(branch.path / "baselines", "patients")
    path = branch.path / "baselines" / "patients.json"
    plain = json.loads(path.read_text())

    def widened(factor: float) -> str:
        wider = json.loads(json.dumps(plain))
        wider["metrics"]["r2"]["noise"]["floor"] *= factor
        return to_text(from_json(wider))

    path.write_text(widened(1.03))
    result = branch.run("--model-check-against=main")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["Wider than measured: patients: the noise floor of r2 is claimed to be *"])
    path.write_text(widened(1.2))
    assert branch.run("--model-check-against=main").ret == 1
    assert "the noise floor of r2 claims" in branch.report()["checks"][1]["message"]
    plain["metrics"]["r2"]["score"] = 0.99
    path.write_text(to_text(from_json(plain)))
    assert branch.run("--model-check-against=main").ret == 1
    assert branch.verdicts()["patients"] == "incomparable"
    message = branch.report()["checks"][1]["message"]
    assert message == f"patients: r2 claims 0.990, scores {patients.metrics['r2'].score:.3f}"


def test_a_metric_that_is_new_in_a_branch_is_new(branch: Project) -> None:
    branch.check(STRONG, 'metrics={"roc_auc": 0.01, "accuracy": 0.02}, cv=3, seeds=2')
    branch.run("--update-baselines")
    check = judged(branch)
    assert check["passed"], check["message"]
    assert {m["metric"]: m["verdict"] for m in check["metrics"]} == {"roc_auc": "identical", "accuracy": "new"}


# --- weaker promises


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        ('metrics={"roc_auc": 0.05}, cv=3, seeds=2', "the margin of roc_auc is 0.05, was 0.01"),
        ('metrics={"accuracy": 0.01}, cv=3, seeds=2', "the metric roc_auc was dropped"),
        ('metrics={"roc_auc": 0.01}, cv=3, seeds=1', "seeds= is 1, was 2"),
        ('metrics={"roc_auc": 0.01}, cv=3, seeds=2, groups="mean radius"', "groups= is mean radius, was not named"),
    ],
    ids=["margin", "metric", "seeds", "groups"],
)
def test_a_weaker_promise_is_shown_and_fails(branch: Project, promise: str, words: str) -> None:
    branch.check(STRONG, promise)
    for arguments in ((), ("--model-check-against=main",)):
        assert branch.run(*arguments).ret == 1
        (check,) = branch.report()["checks"]
        assert words in check["weakened"]
        assert words in _said(check)
    before = branch.stored()
    result = branch.run("--update-baselines")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["refused baselines/tumours.json: the check promises less*"])
    assert branch.stored() == before


def test_a_dropped_slice_is_a_weaker_promise(project: Project) -> None:
    load = "load=lambda paths: pd.read_csv(paths[0]).assign(big=lambda d: d['mean radius'] > 14)"
    project.check(STRONG, f"{PROMISE}, slices=['big'], {load}")
    project.run("--update-baselines")
    project.check(STRONG, f"{PROMISE}, {load}")
    assert project.run().ret == 1
    assert project.report()["checks"][0]["weakened"] == ["the slice big was dropped"]


def test_passing_what_is_undecided_is_a_weaker_promise(branch: Project) -> None:
    (branch.path / "pytest.ini").write_text("[pytest]\nmodel_check_inconclusive = pass\n")
    check = judged(branch)
    assert not check["passed"]
    assert check["weakened"] == ["model_check_inconclusive is pass, was fail"]


def test_a_deleted_baseline_is_a_weaker_promise(branch: Project) -> None:
    for file in (branch.path / "baselines").glob("tumours.*"):
        file.unlink()
    check = judged(branch)
    assert not check["passed"]
    assert check["weakened"] == ["its baseline tumours.json was deleted"]
    assert "git checkout" in check["advice"]
    command = next(line for line in check["advice"].splitlines() if "git checkout" in line).partition("git ")[2]
    branch.git(*command.split())
    assert judged(branch)["passed"]


@pytest.mark.parametrize("xdist", [(), ("-p", "xdist", "-n2")], ids=["alone", "xdist"])
def test_a_deleted_check_is_a_weaker_promise(branch: Project, xdist: tuple[str, ...]) -> None:
    (branch.path / "test_models.py").unlink()
    branch.source(PATIENTS, file="test_other.py")
    branch.run("--update-baselines", "-k", "patients")
    result = branch.run("--model-check-against=main", *xdist)
    assert result.ret == 1
    (problem,) = branch.report()["problems"]
    assert "no verdict came of the approved check tumours (test_models.py::test_tumours)" in problem
    assert "model-check retire tumours" in problem
    assert branch.run("--model-check-against=main", "test_other.py").ret == 0, "a shard that does not cover it"


def test_a_baseline_whose_check_is_not_selected_is_not_deleted(branch: Project) -> None:
    branch.source(PATIENTS, file="test_other.py")
    branch.run("--update-baselines", "-k", "patients")
    assert branch.run("--model-check-against=main", "-k", "patients").ret == 0


def test_baselines_in_another_folder_are_no_way_around(branch: Project) -> None:
    (branch.path / "pytest.ini").write_text("[pytest]\nmodel_check_baselines = new\n")
    for file in (branch.path / "baselines").glob("tumours.*"):
        file.unlink()
    branch.check(TREE, PROMISE)
    branch.run("--update-baselines")
    result = branch.run("--model-check-against=main")
    assert result.ret == 1
    (problem,) = branch.report()["problems"]
    assert "baselines/tumours.json was approved, and is not read: baselines are now read from new/" in problem


def test_an_orphan_fails_full_runs_and_is_named(project: Project) -> None:
    project.source(
        f"""
        def test_tumours(model_check):
            model_check({STRONG}, data="data/tumours.csv", target="diagnosis", {PROMISE})

        def test_patients(model_check):
            model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=2)
        """
    )
    project.run("--update-baselines")
    project.check(STRONG, PROMISE)
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no verdict came of the approved check patients (test_models.py::test_patients)*"])
    for narrower in (("-k", "tumours"), ("test_models.py::test_tumours",)):
        assert project.run(*narrower).ret == 0


# --- when main moves on


def test_a_pull_request_is_not_red_because_main_improved(project: Project) -> None:
    project.check(WEAK, PROMISE)
    project.run("--update-baselines")
    commit(project, "Approve")
    project.git("checkout", "-qb", "branch")
    (project.path / "README").write_text("a change that matters to no model")
    commit(project, "Change something else")
    project.git("checkout", "-q", "main")
    project.check(STRONG, PROMISE)
    project.run("--update-baselines")
    project.dvc("push")
    commit(project, "Improve")
    assert project.run().ret == 0, "on main itself the last approved baseline decides"

    project.git("checkout", "-q", "branch")
    assert judged(project)["verdict"] == "identical", "on the branch's head"
    project.git("checkout", "-q", "--detach", "main")
    project.git("merge", "-q", "--no-ff", "-m", "Merge", "branch")
    assert judged(project)["verdict"] == "identical", "on the merge commit that a service checks out"


# --- what is written only on purpose


def test_an_ini_file_can_not_approve(branch: Project) -> None:
    before = branch.stored()
    for option in ("--update-baselines", "--model-check-accept=because"):
        (branch.path / "pytest.ini").write_text(f"[pytest]\naddopts = {option}\n")
        branch.check(TREE, PROMISE)
        result = branch.run()
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: baselines are written only when the command line says so*"])
        assert branch.stored() == before


# --- what somebody may try who knows how all this works

TWO = f"""
def test_tumours(model_check):
    model_check(CANDIDATE, data="data/tumours.csv", target="diagnosis", {PROMISE})

def test_patients(model_check):
    model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=2)
"""


@pytest.fixture
def two(project: Project) -> Project:
    """Approve two baselines on main, and make one of the models worse on a branch."""
    project.source(TWO.replace("CANDIDATE", STRONG))
    assert project.run("--update-baselines").ret == 0
    project.dvc("push")
    commit(project, "Approve")
    project.git("checkout", "-qb", "branch")
    project.source(TWO.replace("CANDIDATE", TREE))
    return project


@pytest.mark.parametrize(
    "options",
    [
        '-k "not tumours"',
        "--deselect test_models.py::test_tumours",
        "test_models.py::test_patients",
    ],
)
def test_what_an_ini_file_leaves_out_is_missed(two: Project, options: str) -> None:
    (two.path / "pytest.ini").write_text(f"[pytest]\naddopts = {options}\n")
    assert two.run("--model-check-against=main").ret == 1
    (problem,) = two.report()["problems"]
    assert "no verdict came of the approved check tumours" in problem


def test_what_a_conftest_leaves_out_is_missed(two: Project) -> None:
    (two.path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n    items[:] = [i for i in items if 'tumours' not in i.name]\n"
    )
    assert two.run("--model-check-against=main").ret == 1
    assert "no verdict came of the approved check tumours" in two.report()["problems"][0]


def test_a_folder_that_an_ini_file_moves_is_missed_though_the_old_one_stays(branch: Project) -> None:
    (branch.path / "pytest.ini").write_text("[pytest]\nmodel_check_baselines = new\n")
    branch.check(TREE, PROMISE)
    assert branch.run("--update-baselines").ret == 0
    assert branch.run("--model-check-against=main").ret == 1
    assert "baselines/tumours.json was approved, and is not read" in branch.report()["problems"][0]


LOSS = {"metric": "roc_auc", "slice": None, "verdict": "worse", "margin": 0.01, "since": None}
LOSS |= dict.fromkeys(("delta", "low", "high"))


def _forge(project: Project, **entry) -> dict:
    """Have a loss accepted, then change what the history says of it."""
    project.check(TREE, PROMISE)
    assert project.run("--model-check-accept", "an honest reason").ret == 0
    rewrite(project, lambda plain: plain["history"][-1].update(entry))
    return judged(project)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"reason": " "}, "gives no reason"),
        ({"closed": 2}, "was won back, and it was not"),
        (
            {"losses": [LOSS | {"delta": -0.0001, "low": -0.0002, "high": -0.00005}]},
            "it accepts something else than what was found: roc_auc is worse by 0.000",
        ),
        (
            {"losses": [LOSS | {"verdict": "inconclusive"}]},
            "something else than what was found: roc_auc is inconc",
        ),
        ({"losses": [LOSS | {"verdict": None}], "said": "tiny"}, "it accepts a loss in recording 2 in words alone"),
        ({"generation": 1}, "which is not this branch's"),
    ],
    ids=["reason", "closed", "numbers", "verdict", "words", "generation"],
)
def test_an_acceptance_says_what_was_lost_and_why(branch: Project, entry: dict, words: str) -> None:
    check = _forge(branch, **entry)
    assert (check["passed"], check["accepted"]) == (False, None)
    assert words in _said(check)
    assert check["message"].startswith("tumours: roc_auc is worse by "), "what matters comes first"


def test_an_anchor_stays_where_nothing_was_lost(branch: Project) -> None:
    branch.check("make_pipeline(StandardScaler(), LogisticRegression(C=0.5))", PROMISE)
    assert branch.run("--update-baselines").ret == 0

    def forget(plain: dict) -> None:
        entry = {"generation": 2, "reason": "r", "kind": "loss", "said": "", "weakened": [], "closed": None}
        plain["history"].append(entry | {"losses": [LOSS]})
        plain["metrics"]["roc_auc"]["anchor"] = None

    rewrite(branch, forget)
    check = judged(branch)
    assert not check["passed"]
    assert "the anchor of roc_auc, which small losses are added up from, is gone" in _said(check)


OTHER = {"term": "slice", "name": "kind", "before": None, "after": None}


def test_one_acceptance_of_a_weaker_promise_is_for_no_other(branch: Project) -> None:
    branch.check(STRONG, 'metrics={"roc_auc": 0.05}, cv=3, seeds=2')
    assert branch.run("--model-check-accept", "a wider margin is enough").ret == 0
    rewrite(branch, lambda plain: plain["history"][-1].update(weakened=[OTHER]))
    check = judged(branch)
    assert (check["passed"], check["accepted"]) == (False, None)


def test_a_name_can_not_be_borrowed_from_a_weaker_check(two: Project) -> None:
    two.git("checkout", "-q", "main", "--", "test_models.py")
    two.source(TWO.replace("CANDIDATE", TREE).replace("test_tumours", "test_cancer"))
    assert two.run("--update-baselines", "-k", "cancer").ret == 0
    path = two.path / "baselines" / "cancer.json"
    path.write_text(to_text(replace(from_json(json.loads(path.read_text())), formerly=("patients", "tumours"))))
    assert two.run("--model-check-against=main").ret == 1


def test_a_load_that_hides_a_slice_is_seen(project: Project) -> None:
    load = "load=lambda paths: pd.read_csv(paths[0]).assign(big=lambda d: {})"
    true = load.format("d['mean radius'] > 14")
    project.check(STRONG, f"{PROMISE}, slices=['big'], {true}")
    assert project.run("--update-baselines").ret == 0
    project.check(STRONG, f"{PROMISE}, slices=['big'], {load.format(True)}")
    assert project.run().ret == 1
    (check,) = project.report()["checks"]
    assert check["verdict"] == "incomparable"
    assert "load= gives other values than the baseline's: slice big" in check["message"]


def test_folds_instead_of_predictions_are_a_weaker_promise(branch: Project) -> None:
    (branch.path / "pytest.ini").write_text("[pytest]\nmodel_check_without_predictions = folds\n")
    check = judged(branch)
    assert not check["passed"]
    assert check["weakened"] == ["model_check_without_predictions is folds, was fail"]


def test_a_retired_check_is_told_with_its_reason(two: Project) -> None:
    two.source(PATIENTS)
    assert main(["retire", "tumours", "the clinic closed"]) == 0
    assert two.run("--model-check-against=main", "--model-check-report=report.md").ret == 0
    assert two.report()["retired"] == ["tumours was retired: the clinic closed"]
    assert "**Retired:** tumours was retired: the clinic closed" in (two.path / "report.md").read_text()
