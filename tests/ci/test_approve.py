"""Approving from the pull request: both jobs run here, against a copy of the repository and a fake of GitHub's API."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from approve import RefusedError, unpack
from support import warm
from support.fake_github import FORK, FakeGitHub, pull_request
from support.project import LOGISTIC, Project
from support.run_workflow import Event, Job, Runner, make_hub
from support.workflows import QUICK, propose

BETTER = "make_pipeline(StandardScaler(), LogisticRegression(C=0.9))"
WORSE = "make_pipeline(StandardScaler(), LogisticRegression(C=0.0001))"


class Approval:
    """A pull request, and a maintainer's label on it."""

    def __init__(self, project: Project, github: FakeGitHub, work: Path) -> None:
        self.project, self.github, self.work = project, github, work
        self.hub = work / "hub.git"
        self.payload: dict[str, Any] = {}

    def open(self, candidate: str) -> str:
        """Propose a candidate; give the commit, which is what the maintainer looks at."""
        propose(self.project, candidate)
        sha = self.project.git("rev-parse", "HEAD").strip()
        pull = pull_request(7, sha, branch="candidate") | {"labels": [{"name": "approve-baseline"}]}
        self.github.pulls = [pull]
        self.github.files[".dvc/config"] = (self.project.path / ".dvc" / "config").read_bytes()
        self.payload = {
            "action": "labeled",
            "label": {"name": "approve-baseline"},
            "pull_request": json.loads(json.dumps(pull)),
            "sender": {"login": "maintainer"},
        }
        return sha

    def push(self, recording: Path, prepare: Callable[[Runner], None] | None = None) -> dict[str, Job]:
        """Run the second job, with what the first one has left."""
        shutil.copytree(recording, self.work / "artifacts" / "model-check-recording")
        return self.run(prepare=prepare, done={"record": Job()})

    def run(
        self,
        name: str = "pull_request",
        prepare: Callable[[Runner], None] | None = None,
        done: dict[str, Job] | None = None,
    ) -> dict[str, Job]:
        """Run the workflow, with everything installed already."""
        inputs = self.payload.get("inputs", {})
        event = Event(self.project.path, name, head="candidate", payload=self.payload, inputs=inputs)
        hub = make_hub(event, self.hub)
        override = {"install": ":", "remote": ""}
        env = {"GITHUB_API_URL": self.github.url, **QUICK}
        runner = Runner(event, hub, self.work, self.work / "artifacts", override, env=env, python=warm.folder())
        if prepare:
            prepare(runner)
        return runner.run(".github/workflows/model-check-approve.yml", done)

    def pushed(self, *arguments: str) -> str:
        """Ask git about what GitHub has."""
        return self.project.git("--git-dir", str(self.hub), *arguments).strip()


@pytest.fixture
def approval(repository: Project, tmp_path: Path) -> Iterator[Approval]:
    """Return a repository with an approved model, and a GitHub where a maintainer may push."""
    fake = FakeGitHub()
    fake.permissions = {"maintainer": "write", "triager": "read"}
    with fake.serve():
        yield Approval(repository, fake, tmp_path / "github")


@pytest.fixture(scope="session")
def left(approved_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what the first job leaves of a better model, once recorded."""
    work = tmp_path_factory.mktemp("left")
    project = Project(work / "project", None)  # type: ignore[arg-type]
    shutil.copytree(approved_template, project.path)
    project.check(BETTER)
    shutil.copytree(approved_template.parent / "remote", work / "remote")
    project.record()
    (work / "recording").mkdir()
    for ending in ("json", "parquet"):
        shutil.copy(project.path / "baselines" / f"tumours.{ending}", work / "recording")
    return work / "recording"


def refused(jobs: dict[str, Job], words: str, *, job: str = "record") -> None:
    assert jobs[job].result == "failure", jobs[job].log
    assert words in jobs[job].log + jobs[job].summary
    assert job == "push" or jobs["push"].result == "skipped"


def test_the_label_brings_the_baseline_and_its_data_onto_the_labelled_commit(approval: Approval) -> None:
    sha = approval.open(BETTER)
    jobs = approval.run()
    assert {name: job.result for name, job in jobs.items()} == dict.fromkeys(["record", "push"], "success"), (
        jobs["record"].log + jobs["push"].log
    )
    assert approval.pushed("rev-parse", "candidate~1") == sha
    assert approval.pushed("diff", "--name-only", "candidate~1", "candidate").split() == [
        "baselines/tumours.json",
        "baselines/tumours.parquet.dvc",
    ]
    recorded = json.loads(approval.pushed("show", "candidate:baselines/tumours.json"))
    md5 = recorded["predictions"]["md5"]
    assert recorded["generation"] == 2
    assert md5 in approval.pushed("show", "candidate:baselines/tumours.parquet.dvc")
    assert (approval.project.path.parent / "remote" / "files" / "md5" / md5[:2] / md5[2:]).is_file()
    assert "Approved by maintainer on #7" in approval.pushed("log", "-1", "--format=%B", "candidate")
    assert approval.github.changes == [
        ("DELETE", "/issues/7/labels/approve-baseline", None),
        (
            "POST",
            "/actions/workflows/model-check.yml/dispatches",
            {"ref": "candidate", "inputs": {"against": "origin/main"}},
        ),
    ]
    assert "starts no checks" in jobs["push"].summary
    assert "a-token" not in jobs["push"].log
    # a colleague's clone, which has none of it in its cache
    approval.project.git("pull", "-q", str(approval.hub), "candidate")
    shutil.rmtree(approval.project.path / ".dvc" / "cache")
    (approval.project.path / "baselines" / "tumours.parquet").unlink()
    approval.project.run().assert_outcomes(passed=1)
    assert approval.project.verdicts() == {"tumours": "identical"}


def test_by_hand_the_whole_commit_is_named(approval: Approval) -> None:
    sha = approval.open(BETTER)
    approval.payload = {"sender": {"login": "maintainer"}, "inputs": {"pull-request": "7", "sha": sha[:9]}}
    refused(approval.run("workflow_dispatch"), "the whole SHA (40 digits)")


def test_a_worse_model_is_approved_by_hand_and_with_a_reason_only(approval: Approval) -> None:
    sha = approval.open(WORSE)
    refused(approval.run(), "refused baselines/tumours.json")
    shutil.rmtree(approval.work)
    inputs = {"pull-request": "7", "sha": sha, "reason": "it is ten times smaller", "select": "tumours"}
    approval.payload = {"sender": {"login": "maintainer"}, "inputs": inputs}
    jobs = approval.run("workflow_dispatch")
    assert jobs["push"].result == "success", jobs["record"].log + jobs["push"].log
    assert approval.pushed("rev-parse", "candidate~1") == sha
    assert "it is ten times smaller" in approval.pushed("show", "candidate:baselines/tumours.json")


def test_the_approved_model_has_nothing_to_approve(approval: Approval) -> None:
    approval.open(LOGISTIC.replace(", ", ",  "))
    refused(approval.run(), "Nothing was recorded")


def test_a_push_after_the_label_is_not_approved(approval: Approval) -> None:
    approval.open(BETTER)
    approval.github.pulls[0]["head"]["sha"] = "f" * 40
    refused(approval.run(), "somebody has pushed since")


def test_a_push_while_the_jobs_run_is_not_overwritten(approval: Approval, left: Path) -> None:
    """GitHub's API still gives the labelled commit, so only git can notice."""
    approval.open(BETTER)

    def push(runner: Runner) -> None:
        approval.project.git("commit", "-q", "--allow-empty", "-m", "Pushed meanwhile")
        approval.project.git("push", "-q", str(runner.hub.path), "candidate")

    refused(approval.push(left, prepare=push), "GitHub did not take the push", job="push")
    assert approval.pushed("log", "-1", "--format=%s", "candidate") == "Pushed meanwhile"
    assert approval.github.changes == []


@pytest.mark.parametrize(
    ("change", "words"),
    [({"state": "closed"}, "is not open"), ({"head": {"repo": {"id": FORK}}}, "comes from a fork")],
)
def test_a_pull_request_that_can_not_be_pushed_to_is_refused(
    approval: Approval, change: dict[str, Any], words: str
) -> None:
    approval.open(BETTER)
    pull = approval.github.pulls[0]
    approval.github.pulls = [pull | change | {"head": pull["head"] | change.get("head", {})}]
    refused(approval.run(), words)


def test_who_may_label_but_not_push_approves_nothing(approval: Approval, left: Path) -> None:
    approval.open(BETTER)
    approval.payload["sender"]["login"] = "triager"
    refused(approval.push(left), "triager may not push to this repository", job="push")


def test_another_label_starts_nothing(approval: Approval) -> None:
    approval.open(BETTER)
    approval.payload["label"]["name"] = "documentation"
    assert {job.result for job in approval.run().values()} == {"skipped"}


@pytest.mark.parametrize("file", [".dvc/config", ".dvc/config.local"])
def test_a_branch_that_moves_the_remote_gets_no_credentials(approval: Approval, left: Path, file: str) -> None:
    path = approval.project.path / file
    path.write_text(path.read_text() if path.exists() else "" + "[core]\n    analytics = false\n", encoding="utf-8")
    approval.project.git("add", "-f", file)
    approval.open(BETTER)
    if file == ".dvc/config":
        approval.github.files[file] = b"[core]\n"
    refused(approval.push(left), "has another .dvc/config than main", job="push")


def test_checks_that_can_not_be_started_are_told_with_what_was_done(approval: Approval, left: Path) -> None:
    approval.open(BETTER)
    approval.github.broken_paths = ("/actions/workflows",)
    jobs = approval.push(left)
    refused(jobs, "and pushed; but the checks don't run: POST /actions/workflows", job="push")


# -- what the second job takes -----------------------------------------------------------------------------------------


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an honest recording, and an empty checkout to take it into."""
    folder = tmp_path / "recording"
    folder.mkdir()
    (folder / "churn.parquet").write_bytes(b"predictions")
    digest = {"predictions": {"md5": hashlib.md5(b"predictions").hexdigest()}}
    (folder / "churn.json").write_text(json.dumps(digest), encoding="utf-8")
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    return folder


def test_an_honest_recording_is_taken(recording: Path) -> None:
    assert unpack(Path("baselines"), recording) == ["churn"]
    assert sorted(path.name for path in Path("baselines").iterdir()) == ["churn.json", "churn.parquet"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("conftest.py", "'conftest.py', which is no baseline"),
        (".gitignore", "'.gitignore', which is no baseline"),
        ("-rf.json", "'-rf.json', which is no baseline"),
        ("a b.json", "'a b.json', which is no baseline"),
        (".hidden.json", "'.hidden.json', which is no baseline"),
        ("churn.parquet.dvc", "'churn.parquet.dvc', which is no baseline"),
        ("other.json", "is not whole"),
    ],
)
def test_what_is_no_baseline_is_not_taken(recording: Path, name: str, words: str) -> None:
    (recording / name).write_text("{}", encoding="utf-8")
    with pytest.raises(RefusedError, match=words):
        unpack(Path("baselines"), recording)
    assert not Path("baselines").exists()


def test_links_folders_and_other_predictions_are_not_taken(recording: Path) -> None:
    (recording / "churn.parquet").write_bytes(b"others")
    with pytest.raises(RefusedError, match="other predictions than the recording brings"):
        unpack(Path("baselines"), recording)
    (recording / "churn.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(RefusedError, match="no JSON"):
        unpack(Path("baselines"), recording)
    (recording / "churn.json").unlink()
    (recording / "churn.json").symlink_to("/etc/passwd")
    with pytest.raises(RefusedError, match="no baseline"):
        unpack(Path("baselines"), recording)
    shutil.rmtree(recording)
    (recording / "churn.json").mkdir(parents=True)
    with pytest.raises(RefusedError, match="no baseline"):
        unpack(Path("baselines"), recording)


@pytest.mark.parametrize(
    "link", ["baselines", "baselines/churn.json", "baselines/churn.parquet", "baselines/.gitignore"]
)
def test_nothing_is_written_through_a_link_of_the_branch(recording: Path, tmp_path: Path, link: str) -> None:
    test_an_honest_recording_is_taken(recording)
    shutil.rmtree("baselines")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Path(link).parent.mkdir(exist_ok=True)
    Path(link).symlink_to(elsewhere if link == "baselines" else elsewhere / "file")
    with pytest.raises(RefusedError, match="is a link in this branch"):
        unpack(Path("baselines"), recording)
    assert list(elsewhere.iterdir()) == []
