"""Shards: the verdict of all is that of one run, and a check that no shard has judged is none that passed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_model_check.cli import main
from pytest_model_check.judgement.verdicts import Cost, MetricVerdict, Run, Verdict
from pytest_model_check.report import json_report
from pytest_model_check.report.shards import merge
from support.project import CHECK, LOGISTIC, Project


def verdict(name: str, *, passed: bool = True, nodeid: str = "") -> Verdict:
    label = "held" if passed else "worse"
    metric = MetricVerdict("roc_auc", label, baseline=0.9, candidate=0.9, delta=0.0, low=-0.01, high=0.01, margin=0.02)
    return Verdict(
        name,
        nodeid or f"t.py::test_{name}",
        label,
        passed,
        f"{name}: {label}",
        metrics=(metric,),
        cost=Cost(10, 1.0, served=3),
    )


def run(*checks: Verdict, passed: bool = True, **others) -> Run:
    return Run(checks, passed, collected=tuple(check.nodeid for check in checks), **others)


A, B, BAD = verdict("a"), verdict("b"), verdict("b", passed=False)


@pytest.mark.parametrize(
    ("shards", "problem"),
    [
        ((run(A), run(B)), None),
        ((run(A), run(BAD, passed=False)), ""),
        ((run(A), run(B, passed=False)), "The run of 1 did not pass, although each of its checks does"),
        ((run(A), run(B, passed=False, problems=("it was interrupted",))), "it was interrupted"),
        ((run(A, silent={"c": "c is silent"}), run(B, silent={"c": "c is silent"})), "c is silent"),
        ((run(A, silent={"b": "b is silent"}), run(B, silent={"a": "a is silent"})), None),
        ((run(A, silent={"old": "renamed to b"}), run(B)), None),
        ((replace(run(A), collected=(A.nodeid, "t.py::test_new")), run(B)), "No shard has judged t.py::test_new."),
        (
            (run(A), run(verdict("A", nodeid="u.py::test_A"))),
            "Two checks claim the name a: t.py::test_a and u.py::test_A",
        ),
        ((run(A, against="one"), run(B, against="two")), "The shards were held against different baselines: one, two."),
        ((run(A, against="one"), run(B)), "different baselines: one, the working tree"),
        ((run(), run()), "No shard has judged a check."),
        ((run(B), run(BAD, passed=False)), ""),
        ((run(BAD, passed=False), run(B)), ""),
    ],
)
def test_the_verdict_of_all_is_that_of_one_run(shards: tuple[Run, ...], problem: str | None) -> None:
    merged = merge({str(number): shard for number, shard in enumerate(shards)})
    assert merged.passed is (problem is None)
    assert [text for text in merged.problems if problem and problem in text] or not problem
    assert bool(merged.problems) is bool(problem)
    again = json_report.parse(json_report.render(merged).encode(), "merged.json")
    assert again == merged


def test_the_command_writes_every_report_and_ends_as_one_run_would(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for name, shard in (("report-1.json", run(A)), ("report-2.json", run(B)), ("bad.json", run(BAD, passed=False))):
        (tmp_path / name).write_text(json_report.render(shard), encoding="utf-8")
    reports = [f"--report=out/report.{ending}" for ending in ("md", "html", "json", "txt")]
    assert main(["merge", "report-1.json", "report-2.json", *reports]) == 0
    said = capsys.readouterr().out
    assert "2 model checks: 2 passed; 20 fits (6 from the cache) in 2.0 s" in said
    assert "May ship: 2 of 2 model checks passed" in said
    assert "May ship: 2 of 2 model checks passed" in (tmp_path / "out/report.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))["passed"] is True
    assert main(["merge", "report-1.json", "report-2.json", "--shards=3"]) == 1
    assert "There are 3 shards, and reports of 2." in capsys.readouterr().out
    assert main(["merge", "report-1.json", "bad.json", "--report", "report.md"]) == 1
    assert "May not ship: 1 of 2 model checks failed" in capsys.readouterr().out
    for arguments, words in (
        (["report-1.json", "none.json"], "none.json can't be read: No such file"),
        (["report-1.json", "out/report.md"], "is no report of model checks"),
        (["report-1.json", "--report", "report.pdf"], "can't tell the format"),
    ):
        assert main(["merge", *arguments]) == 2
        assert words in capsys.readouterr().err
    (tmp_path / "bad.json").write_text('{"schema": 1, "passed": true, "checks": []}', encoding="utf-8")
    assert main(["merge", "bad.json"]) == 2
    assert "bad.json: the report lacks 'against'" in capsys.readouterr().err


def test_shards_of_a_real_run_miss_nothing(project: Project, monkeypatch, capsys) -> None:
    promise = ', metrics="roc_auc", cv=3, seeds=1'
    for name in ("a", "b", "c"):
        project.source(
            CHECK.replace("tumours(", f"{name}(").format(candidate=LOGISTIC, promise=promise), file=f"test_{name}.py"
        )
    assert project.run("--update-baselines").ret == 0
    for shard in ("a", "b", "c"):
        assert project.run(f"test_{shard}.py", f"--model-check-report=part-{shard}.json").ret == 0
    monkeypatch.chdir(project.path)
    assert main(["merge", "part-a.json", "part-b.json", "part-c.json"]) == 0
    capsys.readouterr()
    assert main(["merge", "part-a.json", "part-c.json"]) == 1
    assert "no verdict came of the approved check b (test_b.py::test_b)" in capsys.readouterr().out
