"""Under pytest-xdist: the same verdicts, the same files, and every failure is seen."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_model_check.baselines import store
from pytest_model_check.baselines.store import Pending
from pytest_model_check.pull_requests.merge_base import Against
from pytest_model_check.session import xdist
from pytest_model_check.session.results import CheckResult, ItemResult
from support.project import LOGISTIC, Project
from support.runs import CLAIMS, K, messages
from support.verdicts import WORSE, verdict

N2 = ("-p", "xdist", "-n2")


def checks(candidate: str) -> str:
    """Return checks of many kinds: without randomness, random, in a group, with parameters and numbers of numpy's."""
    return f"""
        import pytest

        @pytest.mark.xdist_group("one")
        def test_logistic(model_check):
            model_check({candidate}, {K})

        def test_forest(model_check):
            model_check(RandomForestClassifier(n_estimators=3), {K})

        def test_ridge(model_check):
            model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=2)

        @pytest.mark.parametrize("C", np.array([1.0]))
        def test_numpy(model_check, record_property, C):
            print(np.float64(C), np.int64(3))
            verdict = model_check(LogisticRegression(C=C, max_iter=5000), {K}, name=np.str_(f"c{{C}}"))
            record_property("score", np.float64(verdict.metrics[0].candidate))
            record_property("rows", np.int64(3))

        def test_ordinary():
            assert False
    """


def contents(stored: dict[str, bytes]) -> dict[str, Any]:
    """Return what is stored; of parquet files what they hold, and of .dvc files that they are there."""
    read = {".parquet": lambda b: pd.read_parquet(io.BytesIO(b)).to_dict("list"), ".json": lambda b: b}
    return {name: read.get(Path(name).suffix, lambda b: None)(content) for name, content in stored.items()}


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    same = {"seconds": 0, "times": None, "uncached": ""}  # only who has brought the data knows that it was not there
    return report | {"checks": [check | same for check in report["checks"]]}


def summary(result: pytest.RunResult) -> list[str]:
    """Return the lines of our section, up to the time taken."""
    lines = result.outlines
    begin = next(i for i, line in enumerate(lines) if "= model checks =" in line)
    end = next(i for i in range(begin + 1, len(lines)) if lines[i].startswith("="))
    return [line.partition(" fits in ")[0] for line in lines[begin:end] if not line.startswith("not cached: ")]


def without_data(project: Project) -> None:
    """Leave the data to the remote alone."""
    for path in [*(project.path / "data").glob("*.csv"), *(project.path / ".dvc" / "cache").rglob("*")]:
        if path.is_file():
            path.unlink()


def test_pull_record_run_again_and_lose_as_in_one_process(project: Project) -> None:
    def outcome(*more: str) -> tuple[Any, ...]:
        result = project.run("-p", "xdist", "-o", "junit_family=legacy", "--junitxml=junit.xml", *more)
        assert '<property name="rows" value="3" />' in (project.path / "junit.xml").read_text()
        return result.ret, summary(result), without_times(project.report()), contents(project.stored())

    good, bad = checks(LOGISTIC), checks("DecisionTreeClassifier(max_depth=1)")
    without_data(project)
    project.source(good)
    alone = [outcome("--update-baselines")]
    project.source(bad)
    alone.append(outcome("--update-baselines"))

    for path in (project.path / "baselines").iterdir():
        path.unlink()
    without_data(project)
    project.source(good)
    together = [outcome("--update-baselines", "-n2", "--dist=loadgroup")]
    project.source(bad)
    together.append(outcome("--update-baselines", "-n2", "--dist=loadgroup"))

    assert together == alone
    assert [ret for ret, *_ in alone] == [0, 1]
    assert alone[0][2]["checks"][0]["nodeid"] == "test_models.py::test_logistic"
    assert project.verdicts() == {"logistic": "worse", "forest": "identical", "ridge": "identical", "c1.0": "identical"}


def test_a_crashed_worker_fails_its_check_and_no_other(project: Project) -> None:
    project.source(
        f"""
        import os

        def test_first(model_check):
            model_check({LOGISTIC}, {K})

        def test_crash(model_check):
            os._exit(0)

        def test_last(model_check):
            model_check({LOGISTIC}, {K})
        """
    )
    result = project.run("--update-baselines", *N2)
    assert result.ret == 1
    assert project.verdicts() == {"first": "recorded", "crash": "error", "last": "recorded"}
    assert messages(project)["crash"].startswith("crash: worker 'gw")
    assert sorted(name for name in project.stored() if name.endswith(".json")) == ["first.json", "last.json"]


def test_a_process_that_crashes_in_a_fit_fails_its_check_and_no_other(project: Project) -> None:
    source = f"""
        import os

        class Crash(LogisticRegression):
            def fit(self, X, y):
                if os.environ.get("CRASH"):
                    os._exit(0)
                return super().fit(X, y)

        def test_crash(model_check):
            model_check(Crash(), {K})

        def test_last(model_check):
            model_check({LOGISTIC}, {K})
        """
    project.source(source)
    project.run("--update-baselines").assert_outcomes(passed=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRASH", "1")
        result = project.run_process("--model-check-jobs=2")
    assert result.ret == 1
    assert project.verdicts() == {"crash": "error", "last": "identical"}
    assert "the process that fits the candidate ended with exit code 0" in messages(project)["crash"]


def test_derived_names_that_clash_are_one_readable_error(project: Project) -> None:
    project.source("def test_a(model_check): pass\ndef test_b(model_check): pass")
    project.source("def test_A(model_check): pass", file="test_more.py")
    result = project.run(*N2, "-k", "test_A")
    assert result.ret == 1
    clash = "two model checks have the name 'A': test_models.py::test_a and test_more.py::test_A"
    assert result.outlines.count(clash) == 1
    assert "INTERNALERROR" not in result.stdout.str()
    assert project.report()["problems"] == [f"test_more.py could not be collected: {clash}"]


def test_a_name_that_is_claimed_twice_fails_both(project: Project) -> None:
    project.source(CLAIMS)
    assert project.run("--update-baselines", *N2).ret == 1
    assert [name for name in project.stored() if name.endswith(".json")] == ["good.json"]
    assert [check["passed"] for check in project.report()["checks"]] == [False] * 8 + [True]


def test_a_check_that_a_broken_worker_loses_does_not_pass(project: Project) -> None:
    project.source(
        f"""
        def test_lost(model_check, record_property):
            record_property("anything", object())  # pytest-xdist breaks off with INTERNALERROR, and exits with 0
            model_check({LOGISTIC}, {K})

        def test_good(model_check):
            model_check({LOGISTIC}, {K})
        """
    )
    result = project.run_process("--update-baselines", *N2)
    assert "INTERNALERROR" in result.stdout.str()
    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERNAL_ERROR)  # who breaks first varies
    assert project.report()["passed"] is False
    (problem,) = project.report()["problems"]
    assert "Never judged: test_models.py::test_lost" in problem or "not every check was judged" in problem


def test_without_checks_nothing_passes(project: Project) -> None:
    project.source("def test_ordinary(): pass")
    result = project.run(*N2)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["No model check was collected: *"])


# -- the border --------------------------------------------------------------------------------------------------------


def test_what_a_test_found_crosses_as_plain_types_and_comes_back_whole(branch: Project) -> None:
    baseline = store.read(branch.path / "baselines", "tumours")
    assert baseline is not None
    item = ItemResult(
        "churn", (CheckResult(verdict("churn", WORSE), Pending(baseline, Path("p.parquet"), "digest")),), "it crashed"
    )
    plain = xdist.item_to_plain(item)
    assert json.loads(json.dumps(plain)) == plain
    assert xdist.item_from_plain(plain) == item


@given(st.builds(Against, st.text(), st.text(), st.text()) | st.none())
def test_what_a_worker_is_told_comes_back_whole(against: Against | None) -> None:
    plain = json.loads(json.dumps(xdist.worker_input(Path("scratch"), against)))
    assert xdist.against_from(plain) == against
    assert xdist.scratch_from(plain) == Path("scratch")
