"""The template for GitLab: its scripts run by sh, in a clone, and its note goes to a fake of GitLab's API on loopback.

The API is a fake because the real one can't be reached from a test; paths, fields and paging are its documentation's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_model_check.session.options import ENDINGS
from ruamel.yaml import YAML
from support.project import Project
from support.workflows import propose

TEMPLATE = YAML(typ="safe", pure=True).load(
    (Path(__file__).parents[2] / "docs" / "ci" / "gitlab-ci.yml").read_text(encoding="utf-8")
)
MINE, SOMEBODYS = {"id": 1}, {"id": 2}


def run_job(name: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a job's script as GitLab's runner does: one after the other, until one fails."""
    job = TEMPLATE[name]
    script = "\n".join(job["script"])
    for ending in ("html", "txt"):
        if f".{ending}" not in ENDINGS:
            script = script.replace(f" --model-check-report reports/report.{ending}", "")
            script = script.replace(f" --model-check-report reports/metrics.{ending}", "")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    return subprocess.run(
        ["sh", "-ec", script], cwd=folder, env=kept | job.get("variables", {}) | variables,
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("candidate", "code"), [("C=0.9", 0), ("C=0.0001", 1)])
def test_the_job_judges_against_the_target_branch_and_leaves_its_reports(
    repository: Project, tmp_path: Path, candidate: str, code: int
) -> None:
    (repository.path / "reports").mkdir()
    (repository.path / "reports" / "report.json").write_text('{"passed": true}', encoding="utf-8")
    repository.git("add", "-Af", "reports")
    propose(repository, f"make_pipeline(StandardScaler(), LogisticRegression({candidate}))")
    clone = tmp_path / "builds"
    repository.git("clone", "-q", "--single-branch", "-b", "candidate", repository.path.as_uri(), str(clone))
    done = run_job("model-check", clone, {"MODEL_CHECK_INSTALL": ":", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"})
    assert done.returncode == code, done.stdout + done.stderr
    report = json.loads((clone / "reports" / "report.json").read_text(encoding="utf-8"))
    assert report["passed"] is (code == 0)
    assert "GitLab" in report["against"]
    assert (clone / "reports" / "junit.xml").is_file()
    fresh = tmp_path / "judge"
    repository.git("clone", "-q", "--single-branch", "-b", "candidate", repository.path.as_uri(), str(fresh))
    shutil.copytree(clone / "reports", fresh / "reports", dirs_exist_ok=True)
    names = {"MODEL_CHECK_JUDGE_INSTALL": ":", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    done = run_job("model-check-judge", fresh, names | {"GITLAB_CI": "true"})
    assert done.returncode == code, done.stdout + done.stderr
    report = json.loads((fresh / "judged" / "report.json").read_text(encoding="utf-8"))
    assert report["passed"] is (code == 0)
    assert "judged from the evidence alone" in report["against"]


class FakeGitLab(ThreadingHTTPServer):
    """What the fake knows, and what it was asked to change."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.notes: list[dict[str, Any]] = []
        self.changes: list[tuple[str, str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    server: FakeGitLab

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def handle_any(self) -> None:
        assert self.headers["PRIVATE-TOKEN"] == "a-token"
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        answer: Any = {}
        following = ""
        if self.command != "GET":
            self.server.changes.append((self.command, url.path, json.loads(self.rfile.read(length))["body"]))
        elif url.path == "/api/v4/user":
            answer = MINE
        else:
            page = int(parse_qs(url.query)["page"][0])
            answer = self.server.notes[(page - 1) * 100 : page * 100]
            following = str(page + 1) if self.server.notes[page * 100 :] else ""
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("X-Next-Page", following)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - http.server's names


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    """Answer on loopback."""
    with FakeGitLab() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def variables(gitlab: FakeGitLab) -> dict[str, str]:
    """Return what GitLab sets."""
    return {
        "CI_API_V4_URL": f"http://127.0.0.1:{gitlab.server_port}/api/v4",
        "CI_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_PIPELINE_URL": "https://gitlab.example/p/1",
        "CI_COMMIT_SHORT_SHA": "1234567",
        "MODEL_CHECK_TOKEN": "a-token",
    }


def test_the_note_is_posted_once_and_then_updated(
    gitlab: FakeGitLab, variables: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.md").write_text("<!-- model-check -->\n## {Passed}", encoding="utf-8")
    marked = {"body": "<!-- model-check -->\nold"}
    gitlab.notes = [{"id": n, "author": SOMEBODYS} | marked for n in range(130)]
    assert run_job("model-check-note", tmp_path, variables).returncode == 0
    gitlab.notes.append({"id": 200, "author": MINE} | marked)
    assert run_job("model-check-note", tmp_path, variables).returncode == 0
    notes = "/api/v4/projects/5/merge_requests/7/notes"
    assert [change[:2] for change in gitlab.changes] == [("POST", notes), ("PUT", f"{notes}/200")]
    body = gitlab.changes[0][2]
    assert body.startswith("<!-- model-check -->\n[This pipeline](https://gitlab.example/p/1) of 1234567:")
    assert body.endswith("\n## {Passed}")


def test_a_job_that_left_no_report_has_a_note_that_says_so(
    gitlab: FakeGitLab, variables: dict[str, str], tmp_path: Path
) -> None:
    assert run_job("model-check-note", tmp_path, variables).returncode == 0
    assert "There is no report" in gitlab.changes[0][2]
