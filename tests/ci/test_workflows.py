"""The workflows, run here: what GitHub would do, without GitHub."""

from __future__ import annotations

import json
import re
from pathlib import Path

import check
import pytest
from pytest_model_check.session.options import ENDINGS
from ruamel.yaml import YAML
from support import warm
from support.project import Project
from support.run_workflow import Event, Job, Runner, make_hub
from support.workflow_expressions import FUNCTIONS, UnsupportedError, condition, evaluate, fill
from support.workflows import QUICK, propose

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").rglob("action.yml"))
# The repository's own workflow installs from an index; here the package is there already.
OVERRIDE = {"install": ":", "formats": " ".join(ending[1:] for ending in ENDINGS)}


def run(project: Project, tmp_path: Path, event: Event | None = None, workflow: str = "model-check.yml") -> Job:
    """Run the first job of a workflow of the project, in a fresh clone; what judges it is `test_judge_action`'s."""
    event = event or Event(project.path, head="candidate")
    work = tmp_path / "github"
    hub, artifacts = make_hub(event, work / "hub.git"), tmp_path / "artifacts"
    runner = Runner(event, hub, work, artifacts, OVERRIDE, env=QUICK, python=warm.folder())
    jobs = runner.run(f".github/workflows/{workflow}", {"judge": Job()})
    return next(job for name, job in jobs.items() if name != "judge")


@pytest.mark.parametrize(
    ("name", "inputs", "source"),
    [("pull_request", {}, "GitHub"), ("workflow_dispatch", {"against": "origin/main"}, "--model-check-against")],
)
def test_a_model_that_holds_is_green_with_its_report_kept(
    repository: Project, tmp_path: Path, name: str, inputs: dict[str, str], source: str
) -> None:
    propose(repository, "make_pipeline(StandardScaler(), LogisticRegression(C=0.99))")
    job = run(repository, tmp_path, Event(repository.path, name, head="candidate", inputs=inputs))
    assert job.result == "success", job.log
    kept = tmp_path / "artifacts" / "model-check"
    assert {path.name for path in kept.iterdir()} >= {"report.md", "report.json", "junit.xml"}
    report = json.loads((kept / "report.json").read_text(encoding="utf-8"))
    assert report["passed"] is True
    assert report["against"].endswith(f"with origin/main ({source})")
    assert "May ship: 1 of 1 model check passed" in job.summary


def test_a_worse_model_is_red_and_its_report_is_kept_all_the_same(repository: Project, tmp_path: Path) -> None:
    propose(repository, "make_pipeline(StandardScaler(), LogisticRegression(C=0.0001))")
    job = run(repository, tmp_path)
    assert job.result == "failure", job.log
    kept = tmp_path / "artifacts" / "model-check"
    verdicts = json.loads((kept / "report.json").read_text(encoding="utf-8"))["checks"]
    assert [check["verdict"] for check in verdicts] == ["worse"]
    assert "May not ship: 1 of 1 model check failed" in job.summary
    assert "::error title=model-check::The model checks did not pass: 1 of 1 failed." in job.log


def test_a_baseline_without_a_verdict_is_red(repository: Project, tmp_path: Path) -> None:
    """The check was renamed, its new baseline is there, and the old one has no check any more."""
    for file in ("tumours.json", "tumours.parquet.dvc"):
        source = repository.path / "baselines" / file
        (source.parent / file.replace("tumours", "old")).write_bytes(source.read_bytes())
    repository.git("add", "-A")
    repository.git("commit", "-qm", "A baseline that nothing checks")
    job = run(repository, tmp_path)
    assert job.result == "failure", job.log
    assert "::error title=model-check::old: no verdict, although one is expected." in job.log
    assert "- old: no verdict" in job.summary


def test_a_run_that_collects_nothing_is_red(repository: Project, tmp_path: Path) -> None:
    (repository.path / "test_models.py").write_text("", encoding="utf-8")
    repository.git("commit", "-qam", "No check")
    job = run(repository, tmp_path)
    assert job.result == "failure", job.log
    assert "No check was judged" in job.summary


def test_a_report_that_the_branch_brings_stands_in_for_nothing(repository: Project, tmp_path: Path) -> None:
    (repository.path / "conftest.py").write_text("import os\nos._exit(0)\n", encoding="utf-8")
    forged = {"schema": 1, "passed": True, "checks": [{"name": "tumours", "verdict": "held", "passed": True}]}
    (repository.path / "report.json").write_text(json.dumps(forged), encoding="utf-8")
    repository.git("add", "-Af", "conftest.py", "report.json")
    repository.git("commit", "-qm", "Exit with 0")
    job = run(repository, tmp_path)
    assert job.result == "failure", job.log
    assert "There is no report: pytest ended before it wrote one." in job.log


@pytest.mark.parametrize(
    ("payload", "actor", "words"),
    [
        ({"pull_request": {"head": {"repo": {"id": 2}}, "base": {"repo": {"id": 1}}}}, "someone", "from a fork"),
        ({"pull_request": {"head": {"repo": None}, "base": {"repo": {"id": 1}}}}, "someone", "from a fork"),
        (
            {"pull_request": {"head": {"repo": {"id": 1}}, "base": {"repo": {"id": 1}}}},
            "dependabot[bot]",
            "Dependabot's own secrets",
        ),
        ({}, "someone", "An administrator can add the secret"),
    ],
)
def test_a_run_without_credentials_ends_in_one_clear_message(
    repository: Project, tmp_path: Path, payload: dict, actor: str, words: str
) -> None:
    workflow = repository.path / ".github" / "workflows" / "model-check.yml"
    asked = "          credentials: ${{ secrets.KEY != '' }}\n"
    text = workflow.read_text(encoding="utf-8")
    workflow.write_text(text.replace('          python-version: "3.11"\n', asked), encoding="utf-8")
    repository.git("commit", "-qam", "Ask for credentials")
    job = run(repository, tmp_path, Event(repository.path, head="candidate", payload=payload, actor=actor))
    assert job.result == "failure"
    assert job.log.count("::error") == 1
    assert words in job.summary
    report = (tmp_path / "artifacts" / "model-check" / "report.md").read_text(encoding="utf-8")
    assert "no model was checked" in report
    ran = {step.name for step in job.steps if step.outcome == "success"}
    assert not {"Install", "pytest --model-check"} & ran


GOOD = {"name": "churn", "verdict": "held", "passed": True}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no report"),
        ("{", "is no JSON"),
        ([], "not of schema 1"),
        ({"schema": 2, "passed": True, "checks": [GOOD]}, "not of schema 1"),
        ({"schema": 1, "passed": True, "checks": []}, "No check was judged"),
        ({"schema": 1, "passed": True}, "No check was judged"),
        ({"schema": 1, "passed": True, "checks": [GOOD | {"name": "other"}]}, "churn: no verdict"),
        ({"schema": 1, "passed": True, "checks": [GOOD | {"passed": False}]}, "1 of 1 failed"),
        ({"schema": 1, "passed": True, "checks": [GOOD, "x"]}, "1 of 2 failed"),
        ({"schema": 1, "passed": "yes", "checks": [GOOD]}, "did not pass"),
        ({"schema": 1, "checks": [GOOD], "problems": ["a check was deleted"]}, "a check was deleted"),
    ],
)
def test_a_report_without_the_evidence_is_a_problem(tmp_path: Path, content: object, words: str) -> None:
    report = tmp_path / "report.json"
    if content is not None:
        report.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    assert words in "\n".join(check.problems(report, ["churn"]))


def test_a_report_with_all_the_evidence_is_none(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"schema": 1, "passed": True, "checks": [GOOD]}), encoding="utf-8")
    assert check.problems(report, ["churn"]) == []


def test_a_fork_whose_data_can_not_be_read_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, event = tmp_path / "report.json", tmp_path / "event.json"
    failed = {"name": "churn", "verdict": "error", "passed": False}
    report.write_text(json.dumps({"schema": 1, "passed": False, "checks": [failed]}), encoding="utf-8")
    event.write_text(json.dumps({"pull_request": {"head": {"repo": {"id": 2}}, "base": {"repo": {"id": 1}}}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    assert "GitHub gives a pull request from a fork no secrets" in check.problems(report, ["churn"])[-1]


# -- the files ---------------------------------------------------------------------------------------------------------


def test_every_action_is_pinned_to_one_commit_with_its_version() -> None:
    pages = [*WORKFLOWS, *ACTIONS, ROOT / "docs" / "ci.md"]
    uses = {line for page in pages for line in re.findall(r"uses: (actions/.*)", page.read_text(encoding="utf-8"))}
    pins = [re.fullmatch(r"(actions/[\w/-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line) for line in uses]
    assert all(pins), uses
    assert len({pin[1] for pin in pins if pin}) == len(uses)


def test_every_input_of_the_action_is_documented() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    action = YAML(typ="safe", pure=True).load(ROOT / ".github" / "actions" / "model-check" / "action.yml")
    assert [name for name in action["inputs"] if f"`{name}`" not in page] == []


# -- the imitation itself ----------------------------------------------------------------------------------------------


def test_what_is_not_imitated_is_an_error(repository: Project, tmp_path: Path) -> None:
    workflow = repository.path / ".github" / "workflows" / "model-check.yml"
    text = workflow.read_text(encoding="utf-8")
    for known, unknown in {"$/.github/actions/model-check": "someone/else@v1", "timeout-minutes": "container"}.items():
        workflow.write_text(text.replace(known, unknown), encoding="utf-8")
        repository.git("commit", "-qam", "Something unknown")
        with pytest.raises(UnsupportedError):
            run(repository, tmp_path / unknown.partition("/")[0])


def test_steps_pass_on_variables_outputs_and_paths(project: Project, tmp_path: Path) -> None:
    workflow = project.path / ".github" / "workflows" / "steps.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(
        """
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {colour: [red, green], include: [{colour: blue}]}}
    env: {COLOUR: "${{ matrix.colour }}"}
    steps:
      - uses: actions/checkout@x
      - id: first
        run: |
          printf 'LONG<<END\\na\\nb\\nEND\\n' >>"$GITHUB_ENV"
          echo "answer=42" >>"$GITHUB_OUTPUT"
          mkdir bin && printf '#!/bin/sh\\necho found\\n' >bin/tool && chmod +x bin/tool
          echo "$PWD/bin" >>"$GITHUB_PATH"
      - run: echo "$LONG $COLOUR $(tool) $ANSWER"
        env: {ANSWER: "${{ steps.first.outputs.answer }}"}
      - run: exit 3
        continue-on-error: true
      - run: exit 3
      - run: echo never
      - run: echo sorry
        if: failure()
      - run: echo always
        if: ${{ !cancelled() }}
""",
        encoding="utf-8",
    )
    project.git("add", "-A")
    project.git("commit", "-qm", "Steps")
    job = run(project, tmp_path, Event(project.path, "push", head="main"), "steps.yml")
    assert [step.log for step in job.steps] == [
        "", "", "a\nb red found 42\n", "\nError: exit code 3\n", "\nError: exit code 3\n", "", "sorry\n", "always\n",
    ]  # fmt: skip
    assert [step.outcome[0] for step in job.steps] == list("sssffsss")
    assert job.result == "failure"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a' == 'A' && 1", 1),
        ("x.y['z'] || 'none'", "none"),
        ("!(x.n == 2)", False),
        ("contains(x.list, 'b') && format('{0}-{1}', x.n, true)", "2-true"),
        ("startsWith('it''s', 'IT')", True),
        ("null == '' && true != 'a'", True),
    ],
)
def test_expressions_mean_what_they_mean_on_github(expression: str, value: object) -> None:
    assert evaluate(expression, {"x": {"n": 2, "list": ["a", "b"]}}, {}) == value


@pytest.mark.parametrize("expression", ["1 +", "unknown.x", "nothing()", "'a", "(1", "x ~ y", "1 2"])
def test_an_expression_that_is_not_understood_is_an_error(expression: str) -> None:
    with pytest.raises(UnsupportedError):
        evaluate(expression, {"x": 1}, {})


def test_an_if_asks_for_success_unless_it_speaks_of_the_status() -> None:
    failed = {"success": lambda: False, "failure": lambda: True, "always": lambda: True, **FUNCTIONS}
    assert not condition("true", {}, failed)
    assert condition("always()", {}, failed)
    assert condition("${{ failure() && 1 }}", {}, failed)
    assert fill("a ${{ 1 }} b${{ null }}", {}, failed) == "a 1 b"


def test_the_action_for_the_marketplace_hands_on_every_input() -> None:
    listed, own = (
        YAML(typ="safe", pure=True).load(path)
        for path in (ROOT / "docs/ci/action-repository/action.yml", ROOT / ".github/actions/model-check/action.yml")
    )
    assert listed["inputs"] == own["inputs"]
    (step,) = listed["runs"]["steps"]
    assert step["with"] == {name: f"${{{{ inputs.{name} }}}}" for name in own["inputs"]}
    assert listed["branding"].keys() == {"icon", "color"}
    assert len(listed["description"]) <= 125  # what the marketplace takes
