"""The reports: Markdown for people, JSON for machines, and the lines of the terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from pytest_model_check.judgement import verdict_json
from pytest_model_check.judgement.compared import Compared, Differences, Moved, ScoreGrid
from pytest_model_check.judgement.verdicts import Acceptance, Concessions, Cost, Loss, MetricVerdict, Run, Verdict
from pytest_model_check.report import annotations, json_report, junit, markdown, openmetrics, terminal, text
from pytest_model_check.report.html import pictures
from support.pages import full
from support.project import LOGISTIC, Project
from support.runs import K
from support.verdicts import DATA, HELD, WORSE, verdict

# -- JSON --------------------------------------------------------------------------------------------------------------


def test_json_is_the_contract() -> None:
    report = json.loads(json_report.render(Run((verdict("churn", WORSE),), passed=False, against="merge base 3f2a1c9")))
    assert report == {
        "schema": 1,
        "passed": False,
        "against": "merge base 3f2a1c9",
        "problems": [],
        "retired": [],
        "silent": {},
        "collected": [],
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
                "wider": [],
                "moved": None,
                "data": {"path": "data/churn.csv", "md5": "0" * 32, "rows": 5690, "repeated": 0},
                "fits": 30,
                "seconds": 1.9,
                "served": 0,
                "uncached": "",
                "times": None,
                "flips": None,
                "environment": [],
                "models": {"released": "", "candidate": "", "released_features": None},
                "protocol": {},
                "recording": 0,
                "reused": 0,
                "learner": "",
                "folds": [],
                "origin": "refitted",
                "provenance": [],
                "sealed": "",
                "leaks": [],
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
                "quality": None,
            }
        ],
    }


def test_json_has_null_for_every_number_that_is_none() -> None:
    odd = MetricVerdict("r2", "error", baseline=float("nan"), resolution=float("inf"), margin=np.float64(0.5))
    text = json_report.render(Run((verdict("odd", odd),), passed=False))
    assert "NaN" not in text
    assert "Infinity" not in text
    metric = json.loads(text)["checks"][0]["metrics"][0]
    assert (metric["baseline"], metric["resolution"], metric["dummy"], metric["margin"]) == (None, None, None, 0.5)
    plain = verdict_json.to_dict(verdict("odd", odd))
    assert type(plain["metrics"][0]["margin"]) is float


@pytest.mark.parametrize("complete", [verdict("churn", WORSE, HELD), full("churn")])
def test_a_verdict_survives_the_way_through_json(complete: Verdict) -> None:
    assert verdict_json.from_dict(json.loads(json.dumps(verdict_json.to_dict(complete)))) == complete


def test_the_keys_of_the_json_report_are_a_contract() -> None:
    plain = json.loads(json_report.render(Run((full("churn"),), passed=True)))
    assert list(plain) == ["schema", "passed", "against", "problems", "retired", "silent", "collected", "checks"]
    (check,) = plain["checks"]
    assert list(check) == [
        "name", "nodeid", "verdict", "passed", "message", "advice", "accepted", "weakened", "standing", "wider",
        "moved", "data", "fits", "seconds", "served", "uncached", "times", "flips", "environment", "models", "protocol",
        "recording", "reused", "learner", "folds", "origin", "provenance", "sealed", "leaks", "charts", "metrics",
        "quality",
    ]  # fmt: skip
    assert list(check["quality"]) == ["metrics", "alternatives", "folds", "groups", "time", "effective_rows"]
    assert list(check["quality"]["metrics"][0]) == [
        "metric", "score", "margin", "skill", "loss_caught", "blocked_same", "blocked_other", "resolvable_same",
        "resolvable_other", "rows", "rows_needed", "outlying_folds",
    ]  # fmt: skip
    assert list(check["metrics"][0]) == [
        "metric", "slice", "verdict", "baseline", "candidate", "delta", "low", "high", "margin", "resolution",
        "resolution_reused", "dummy", "floor", "blocked", "seeds", "reason", "folds", "drift", "losses",
    ]  # fmt: skip
    assert list(check["metrics"][0]["drift"]) == ["since", "score", "delta", "low", "high", "margin"]
    assert list(check["standing"][0]) == [
        "generation", "reason", "message", "metrics", "weakened", "closed", "kind", "losses", "weaker_terms", "said",
    ]  # fmt: skip
    assert list(check["moved"]) == [
        "before", "after", "commit", "reason", "repeated_before", "repeated_after", "corners",
    ]  # fmt: skip
    assert list(check["moved"]["corners"][0]) == ["metric", "old_old", "old_new", "new_old", "new_new"]
    assert (list(check["data"]), list(check["flips"])) == (
        ["path", "md5", "rows", "repeated"],
        ["lost", "won", "rows"],
    )
    assert list(check["environment"][0]) == ["package", "then", "now"]
    assert list(check["models"]) == ["released", "candidate", "released_features"]


# -- the terminal ------------------------------------------------------------------------------------------------------


def test_the_totals_are_said_right() -> None:
    one, two = verdict("a", HELD, passed=True), verdict("b", WORSE)
    assert terminal.summary([one], 0)[-1] == "1 model check: 1 passed; 30 fits in 1.9 s"
    assert terminal.summary([one, two], 0)[-1] == "2 model checks: 1 failed, 1 passed; 60 fits in 3.8 s"
    single = Verdict("c", "t.py::test_c", "error", False, "c: broken", cost=Cost(fits=1))
    assert terminal.summary([single], 0)[-1] == "1 model check: 1 failed; 1 fit in 0.0 s"


def test_quiet_and_verbose() -> None:
    one, two = verdict("a", HELD, passed=True), verdict("b", WORSE)
    quiet = "\n".join(terminal.summary([one, two], -1))
    assert "accuracy" not in quiet
    assert "roc_auc" in quiet
    assert terminal.summary([one], -1) == ["1 model check: 1 passed; 30 fits in 1.9 s"]
    assert "b, fold by fold" in terminal.summary([one, two], 1)
    assert not any("\x1b" in line for line in terminal.summary([one, two], 1))


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (None, "check metric baseline candidate delta interval margin resolution dummy verdict"),
        (120, "check metric baseline candidate delta interval margin resolution dummy verdict"),
        (113, "check metric baseline candidate delta interval margin resolution verdict"),
        (100, "check metric baseline candidate delta interval margin verdict"),
        (90, "check metric baseline candidate delta interval verdict"),
        (80, "check metric delta interval verdict"),
        (55, "check metric delta verdict"),
    ],
)
def test_a_narrow_terminal_gets_the_columns_that_matter_most(width: int | None, columns: str) -> None:
    lines = terminal.summary([verdict("churn", WORSE, HELD)], 0, width=width)
    assert lines[0].split() == columns.split()
    assert all(len(line) <= (width or 200) for line in lines)


def test_a_very_narrow_terminal_gets_a_block_for_each_metric() -> None:
    assert terminal.summary([verdict("churn", WORSE, HELD)], 0, width=36)[:-1] == [
        "churn, roc_auc: worse",
        "  0.9940 -> 0.9730",
        "  -0.0210 (-0.0250 to -0.0160)",
        "  margin 0.0050",
        "churn, accuracy: held",
        "  0.900 -> 0.900",
        "  0.000 (-0.001 to +0.002)",
        "  margin 0.010",
    ]


def test_wide_characters_take_two_columns() -> None:
    lines = terminal.summary([verdict("顧客離反", WORSE), verdict("churn", HELD, passed=True)], 0)
    ends = {text.width(line.removesuffix(word)) for line, word in zip(lines[2:4], ("worse", "held"), strict=True)}
    assert len(ends) == 1
    assert text.width("顧é́\u200d") == 3


def test_only_the_verdict_is_coloured() -> None:
    def paint(text: str, **markup: bool) -> str:
        return f"<{' '.join(markup)}>{text}</>"

    lost = replace(verdict("lost", WORSE, passed=True), concessions=Concessions("why not"))
    lines = terminal.summary([verdict("churn", WORSE, HELD), lost], 0, paint=paint)
    assert [line[line.index("<") :] for line in lines if "<" in line] == [
        "<yellow>Accepted</>: lost: a message. Reason: why not",
        "<red bold>worse</>",
        "<yellow>worse, accepted</>",
        "<green>held</>",
    ]


def test_what_an_encoding_can_not_take_is_spelt_out() -> None:
    assert text.encodable("± é 顧 → “x”", "ascii") == '+/- \\xe9 \\u9867 -> "x"'
    assert text.encodable("± é 顧", "latin-1") == "± é \\u9867"
    assert text.encodable("± é 顧", "utf-8") == text.encodable("± é 顧", None) == "± é 顧"


def test_the_data_that_moved_is_shown_with_both_models() -> None:
    moved = Moved("a.csv 1", "a.csv 2", "3f2a1c9", (ScoreGrid("roc_auc", 0.99, 0.98, None, 0.985),), "No column.")
    lines = terminal.summary([replace(verdict("churn", WORSE), differences=Differences(moved=moved))], 0)
    begin = lines.index("churn: the data moved, from a.csv 1 to a.csv 2; the released model is the code of 3f2a1c9")
    assert lines[begin + 1 : begin + 3] == [
        "roc_auc: the released model scores 0.0100 less on the new data; "
        "there, the candidate scores 0.0050 more than it",
        "No column.",
    ]
    assert lines[begin + 5].split() == ["roc_auc", "0.9900", "0.9800", "-", "0.9850"]
    narrow = terminal.summary([replace(verdict("churn", WORSE), differences=Differences(moved=moved))], 0, width=40)
    assert "  released, new data: 0.9800" in narrow


def test_verbose_says_what_was_compared() -> None:
    one = replace(
        verdict("churn", WORSE),
        compared=Compared(
            DATA,
            released="A(1)",
            candidate="A(2)",
            protocol={"cv": "KFold", "groups": None},
            recording=4,
            reused=1,
            environment=(("numpy", "2.3", "2.4"),),
        ),
    )
    lines = terminal.summary([one], 1)
    begin = lines.index("churn, what was compared")
    assert lines[begin + 1 : -1] == [
        f"data: data/churn.csv, 5,690 rows, md5 {'0' * 32}",
        "protocol: cv KFold",
        "held against: recording 4",
        "released: A(1)",
        "candidate, changed: [0]: 1 -> 2",
        "environment: numpy 2.3 -> 2.4",
        "churn: the baseline has been replaced once on this version of the data",
    ]


def test_an_acceptance_is_never_hidden() -> None:
    lost = replace(verdict("lost", WORSE, passed=True), concessions=Concessions("why not"))
    stands = replace(
        verdict("a", HELD, passed=True),
        concessions=Concessions(standing=(Acceptance(2, "half the latency", "loss", (Loss("r2", "worse"),)),)),
    )
    assert terminal.summary([lost], -1)[0] == "Accepted: lost: a message. Reason: why not"
    assert "still accepted: a: recording 2 accepted that r2 is worse. Reason: half the latency" in terminal.summary(
        [stands], 0
    )


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


# -- OpenMetrics, annotations, JUnit -----------------------------------------------------------------------------------


def test_openmetrics_has_a_gauge_for_every_number() -> None:
    odd = MetricVerdict("r2", "missing", slice='region="a\\b"#', baseline=float("nan"))
    lines = openmetrics.render(Run((verdict("churn", WORSE, odd),), passed=False)).splitlines()
    assert lines[:6] == [
        "# TYPE model_check_may_ship gauge",
        "# HELP model_check_may_ship 1 if the release may go out",
        "model_check_may_ship 0.0",
        "# TYPE model_check_passed gauge",
        "# HELP model_check_passed 1 if the check passed",
        'model_check_passed{check="churn"} 0.0',
    ]
    assert 'model_check_delta{check="churn",metric="roc_auc"} -0.021' in lines
    slashes = "\\" * 2
    part = f'model_check_verdict_passed{{check="churn",metric="r2",slice="region=\\"a{slashes}b\\"＃"}} 0.0'  # noqa: RUF001
    assert part in lines
    assert not any("nan" in line.lower() for line in lines)
    assert lines[-1] == "# EOF"


def test_an_annotation_stands_at_the_test_and_is_one_line() -> None:
    failing = replace(verdict("churn", WORSE, message="churn: 100% worse,\nreally"), advice="Do: this, or that.")
    run = Run((verdict("good", HELD, passed=True), failing), passed=False, problems=("Never judged: b",))
    assert annotations.lines(run, {failing.nodeid: ("a,b/test_models.py", 12)}) == [
        "::error file=a%2Cb/test_models.py,line=12,title=churn%3A worse::"
        "churn: 100%25 worse, really%0ADo: this, or that.",
        "::error title=model checks::Never judged: b",
    ]


def test_github_actions_is_told_the_line_of_each_failing_test(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.path / "tests").mkdir()
    project.source(f"def test_good(model_check): model_check({LOGISTIC}, {K})", file="tests/test_models.py")
    lines = (project.path / "tests" / "test_models.py").read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if line.startswith("def test_good"))
    told = f"::error file=tests/test_models.py,line={number},title=good%3A missing::good: there is no baseline*%0A*"
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    project.run().stdout.no_fnmatch_line("::error*")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for arguments in ((), ("-p", "xdist", "-n1")):
        result = project.run(*arguments)
        assert len([line for line in result.outlines if line.startswith("::")]) == 1
        result.stdout.fnmatch_lines([told])


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n1")])
def test_junit_has_verdicts_as_properties_where_they_are_asked_for(project: Project, workers: tuple[str, ...]) -> None:
    project.check(promise="cv=3, seeds=1")
    project.run("--update-baselines")
    assert properties(project, *workers) == {}
    found = properties(project, *workers, "-o", "model_check_junit_properties=true")
    assert found == {
        "tumours.verdict": "identical",
        "tumours.passed": "True",
        **{f"tumours.neg_brier_score.{key}": "0.0" for key in ("delta", "low", "high")},
    }


def properties(project: Project, *arguments: str) -> dict[str, str]:
    project.run("--junitxml=report.xml", *arguments).assert_outcomes(passed=1)
    (case,) = ElementTree.parse(project.path / "report.xml").iter("testcase")
    found = [(one.get("name", ""), one.get("value", "")) for one in case.iter("property")]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_plain_types_are_what_junit_gets() -> None:
    odd = replace(HELD, delta=np.float64(0.5), low=None, high=float("inf"))
    found = junit.properties(verdict("a", odd, passed=True))
    assert found == [("a.verdict", "held"), ("a.passed", True), ("a.accuracy.delta", 0.5)]
    assert {type(value) for _, value in found} == {str, bool, float}


# -- files -------------------------------------------------------------------------------------------------------------


def test_reports_are_written_where_they_are_named_although_checks_fail(project: Project) -> None:
    project.source(f"def test_good(model_check): model_check({LOGISTIC}, {K})")
    reports = ("--model-check-report=new/folder/report.md", "--model-check-report", "other.json")
    result = project.run(*reports, "--model-check-report=metrics.txt")
    assert result.ret == 1
    metrics = (project.path / "metrics.txt").read_text(encoding="utf-8")
    assert 'model_check_passed{check="good"} 0.0\n' in metrics
    assert metrics.endswith("# EOF\n")
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
        "baselines/ holds none of this name. Record one from the model as it is now: "
        "pytest --model-check --update-baselines",
    ]


def test_folds_of_repeats_are_named_in_every_table() -> None:
    one = replace(verdict("churn", WORSE), compared=Compared(folds=(1,) * len(WORSE.folds)))
    last = f"1 of repeat {len(WORSE.folds)}"
    assert any(line.lstrip().startswith(last) for line in terminal.summary([one], 1))
    assert f"| {last} |" in markdown.render(Run((one,), passed=False))
    assert f"{last}<" in "".join(map(str, pictures.pictures(one, "x")))
