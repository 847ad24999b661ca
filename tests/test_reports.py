"""The reports: Markdown for people, JSON for machines, and the lines of the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import LOGISTIC, Project
from test_pytest import K

from harness.evidence import Evidence
from harness.report import machine, progress, terminal
from harness.verdicts import MetricVerdict, Run, Verdict

WORSE = MetricVerdict(
    "roc_auc",
    "worse",
    baseline=0.994,
    candidate=0.973,
    delta=-0.021,
    low=-0.025,
    high=-0.016,
    margin=0.005,
    resolution=0.009,
    dummy=0.5,
    folds=((0.99, 0.97), (0.998, 0.976)),
)
HELD = MetricVerdict("accuracy", "held", baseline=0.9, candidate=0.9, delta=0.0, low=-0.001, high=0.002, margin=0.01)


def verdict(name: str = "churn", *metrics: MetricVerdict, passed: bool = False, message: str = "") -> Verdict:
    return Verdict(
        name,
        f"tests/test_models.py::test_{name}",
        metrics[0].verdict if metrics else "error",
        passed,
        message or f"{name}: a message",
        metrics=metrics,
        data_path="data/churn.csv",
        data_md5="0" * 32,
        rows=5690,
        fits=30,
        seconds=1.9,
    )


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_json_is_the_contract() -> None:
    report = json.loads(machine.render(Run((verdict("churn", WORSE),), passed=False, against="merge base 3f2a1c9")))
    assert report == {
        "schema": 1,
        "passed": False,
        "against": "merge base 3f2a1c9",
        "problems": [],
        "checks": [
            {
                "name": "churn",
                "nodeid": "tests/test_models.py::test_churn",
                "verdict": "worse",
                "passed": False,
                "message": "churn: a message",
                "advice": "",
                "accepted": None,
                "weakened": [],
                "standing": [],
                "moved": None,
                "data": {"path": "data/churn.csv", "md5": "0" * 32, "rows": 5690},
                "fits": 30,
                "seconds": 1.9,
                "flips": None,
                "environment": [],
                "models": {"released": "", "candidate": ""},
                "protocol": {},
                "recording": 0,
                "reused": 0,
                "charts": {},
                "metrics": [
                    {
                        "metric": "roc_auc",
                        "slice": None,
                        "verdict": "worse",
                        "baseline": 0.994,
                        "candidate": 0.973,
                        "delta": -0.021,
                        "low": -0.025,
                        "high": -0.016,
                        "margin": 0.005,
                        "resolution": 0.009,
                        "resolution_reused": None,
                        "dummy": 0.5,
                        "floor": None,
                        "blocked": None,
                        "seeds": None,
                        "reason": "",
                        "folds": [[0.99, 0.97], [0.998, 0.976]],
                        "drift": None,
                        "losses": [],
                    }
                ],
            }
        ],
    }


def test_json_has_null_for_every_number_that_is_none() -> None:
    odd = MetricVerdict("r2", "error", baseline=float("nan"), resolution=float("inf"), margin=np.float64(0.5))
    text = machine.render(Run((verdict("odd", odd),), passed=False))
    assert "NaN" not in text
    assert "Infinity" not in text
    metric = json.loads(text)["checks"][0]["metrics"][0]
    assert (metric["baseline"], metric["resolution"], metric["dummy"], metric["margin"]) == (None, None, None, 0.5)
    plain = machine.to_dict(verdict("odd", odd))
    assert type(plain["metrics"][0]["margin"]) is float


def test_a_verdict_survives_the_way_through_json() -> None:
    one = verdict("churn", WORSE, HELD)
    assert machine.from_dict(json.loads(json.dumps(machine.to_dict(one)))) == one


# -- the terminal ------------------------------------------------------------------------------------------------------


def test_the_totals_are_said_right() -> None:
    one, two = verdict("a", HELD, passed=True), verdict("b", WORSE)
    assert terminal.summary([one], 0)[-1] == "1 model check: 1 passed; 30 fits in 1.9 s"
    assert terminal.summary([one, two], 0)[-1] == "2 model checks: 1 failed, 1 passed; 60 fits in 3.8 s"
    single = Verdict("c", "t.py::test_c", "error", False, "c: broken", fits=1)
    assert terminal.summary([single], 0)[-1] == "1 model check: 1 failed; 1 fit in 0.0 s"


def test_quiet_and_verbose() -> None:
    one, two = verdict("a", HELD, passed=True), verdict("b", WORSE)
    quiet = "\n".join(terminal.summary([one, two], -1))
    assert "accuracy" not in quiet
    assert "roc_auc" in quiet
    assert terminal.summary([one], -1) == ["1 model check: 1 passed; 30 fits in 1.9 s"]
    assert "b, fold by fold" in terminal.summary([one, two], 1)
    assert not any("\x1b" in line for line in terminal.summary([one, two], 1))


def test_the_next_command() -> None:
    missing = Verdict("a", "t.py::test_a", "missing", False, "a: there is no baseline")
    better = verdict("b", MetricVerdict("r2", "better"), passed=True)
    assert terminal.next_command([missing], updating=False) == "pytest --model-check --update-baselines"
    assert (terminal.next_command([better], updating=False) or "").startswith("pytest --model-check --update-baselines")
    assert terminal.next_command([better], updating=True) is None
    assert terminal.next_command([], updating=False) is None
    worse = Verdict("x-1", "t.py::test_x[a b]", "worse", False, "x-1: worse")
    assert terminal.next_command([worse, missing], updating=False) == "pytest --model-check -v t.py::test_a"
    assert terminal.next_command([worse], updating=False) == "pytest --model-check -v 't.py::test_x[a b]'"


def test_the_progress_line_fits_into_its_room() -> None:
    full = "churn: fitting 3/30, 9.0 s left"
    assert progress.line("churn", "fitting", 3, 30, 1.0, 80) == full
    assert progress.line("churn", "fitting", 0, 30, 1.0, 80) == "churn: fitting 0/30"
    for room in range(-2, 40):
        text = progress.line("churn", "fitting", 3, 30, 1.0, room)
        assert len(text) <= max(room, 0)
        assert full.endswith(text) or text == "3/30"


# -- evidence ----------------------------------------------------------------------------------------------------------


def test_a_broken_test_takes_all_its_verdicts_with_it() -> None:
    found = [{"verdict": machine.to_dict(verdict(name, HELD, passed=True)), "pending": {"x": 1}} for name in "ab"]
    evidence = Evidence(expected=["t2", "t1"], found={"t1": found}, broken={"t2": ("two", "it crashed")})
    assert [one["verdict"]["name"] for one in evidence.settled()] == ["two", "a", "b"]
    assert len(evidence.to_write()) == 2
    evidence.broken["t1"] = "one", "it failed"
    assert [one["verdict"]["message"] for one in evidence.settled()] == [
        "two: it crashed",
        "a: it failed",
        "b: it failed",
    ]
    assert evidence.to_write() == []
    assert evidence.unjudged() == []


# -- files -------------------------------------------------------------------------------------------------------------


def test_reports_are_written_where_they_are_named_although_checks_fail(project: Project) -> None:
    project.source(f"def test_good(model_check): model_check({LOGISTIC}, {K})")
    result = project.run("--model-check-report=new/folder/report.md", "--model-check-report", "other.json")
    assert result.ret == 1
    assert (
        (project.path / "new" / "folder" / "report.md")
        .read_text(encoding="utf-8")
        .startswith("<!-- model-check -->\n## ❌ May not ship: 1 of 1 model check failed\n")
    )
    assert json.loads((project.path / "other.json").read_text()) == project.report()
    assert sorted(path.name for path in (project.path / "new" / "folder").iterdir()) == ["report.md"]


def test_a_report_that_cannot_be_written_fails_the_run(project: Project) -> None:
    project.source(f"def test_good(model_check): model_check({LOGISTIC}, {K})")
    project.run("--update-baselines").assert_outcomes(passed=1)
    (project.path / "taken").mkdir()
    (project.path / "taken" / "report.md").mkdir()
    (project.path / "file").touch()
    result = project.run("--model-check-report=taken/report.md", "--model-check-report=file/report.json")
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["The report taken/report.md could not be written: *", "The report file/report.json could not be written: *"]
    )
    assert sorted(path.name for path in Path(project.path / "taken").iterdir()) == ["report.md"]


def test_annotations_begin_with_the_message(project: Project, pytester: pytest.Pytester) -> None:
    """What pytest-github-actions-annotate-failures prints: the report as text, or its crash's message."""
    seen = []

    class Annotate:
        @pytest.hookimpl(trylast=True)
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                seen.append(report.longrepr)

    project.source(f"def test_good(model_check): model_check({LOGISTIC}, {K})")
    pytester.inline_run("--model-check", "-p", "no:terminal", plugins=[Annotate()])
    (text,) = seen
    assert isinstance(text, str)
    assert text.splitlines() == [
        "good: there is no baseline to hold the candidate against",
        "Record one from the model as it is now: pytest --model-check --update-baselines",
    ]
