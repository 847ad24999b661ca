"""The action judge: a second job that runs nothing of the branch has the last word."""

from __future__ import annotations

import json
from pathlib import Path

from support import warm
from support.project import Project
from support.run_workflow import Event, Runner, make_hub
from support.workflows import QUICK, propose

WORKFLOW = """
name: judged
on: pull_request
permissions: {contents: read}
jobs:
  model-check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {fetch-depth: 0, persist-credentials: false}
      - uses: $/.github/actions/model-check
        with: {install: ":", formats: md, evidence: "true"}
  judge:
    needs: model-check
    if: ${{ !cancelled() }}
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {fetch-depth: 0, persist-credentials: false}
      - uses: $/.github/actions/judge
        with: {install: ":"}
"""
CONFTEST = """
from pytest_model_check.gate import paired

paired.judge_metric = lambda name, old, new, noise, margin, **_: paired.identical(name, old.score, (), noise, margin)
"""


def test_the_second_job_is_red_where_a_branch_makes_the_first_one_green(repository: Project, tmp_path: Path) -> None:
    (repository.path / ".github" / "workflows" / "judged.yml").write_text(WORKFLOW)
    (repository.path / "conftest.py").write_text(CONFTEST)
    repository.git("add", "-A")
    propose(repository, "make_pipeline(StandardScaler(), LogisticRegression(C=0.0001))")
    event, work = Event(repository.path, head="candidate"), tmp_path / "github"
    hub = make_hub(event, work / "hub.git")
    runner = Runner(event, hub, work, tmp_path / "artifacts", env=QUICK, python=warm.folder())
    jobs = runner.run(".github/workflows/judged.yml")
    assert jobs["model-check"].result == "success", jobs["model-check"].log
    assert jobs["judge"].result == "failure", jobs["judge"].log
    report = json.loads((tmp_path / "artifacts" / "model-check-judged" / "report.json").read_text())
    assert [check["verdict"] for check in report["checks"]] == ["worse"]
    assert "The run itself said that all is well, and it is not." in jobs["judge"].summary
