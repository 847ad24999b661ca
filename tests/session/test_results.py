"""What a run has found: which verdicts stand, and what may be written."""

from __future__ import annotations

from pathlib import Path

from pytest_model_check.baselines.store import Pending
from pytest_model_check.session.results import CheckResult, RunResults
from support.verdicts import HELD, verdict


def result(name: str, *, passed: bool = True) -> CheckResult:
    pending = Pending(None, Path("predictions.parquet"))  # type: ignore[arg-type]
    return CheckResult(verdict(name, HELD, passed=passed), pending)


def test_a_broken_test_takes_all_its_verdicts_with_it() -> None:
    results = RunResults(
        expected=["t2", "t1"], checks={"t1": (result("a"), result("b"))}, broken={"t2": ("two", "it crashed")}
    )
    assert [check.name for check in results.verdicts()] == ["two", "a", "b"]
    assert len(results.to_write()) == 2
    results.void("t1", "one", "it failed")
    results.void("t1", "one", "and then more")
    assert [check.message for check in results.verdicts()] == ["two: it crashed", "a: it failed", "b: it failed"]
    assert results.to_write() == []
    assert results.unjudged() == []


def test_what_failed_is_not_written() -> None:
    assert RunResults(checks={"t1": (result("a", passed=False),)}).to_write() == []


def test_a_name_that_is_claimed_twice_is_an_error_of_each_test() -> None:
    results = RunResults(checks={"t1": (result("a"),), "t2": (result("A"),), "t3": (result("b"),)})
    assert [(error.nodeid, error.name) for error in results.double_claims()] == [("t1", "a"), ("t2", "A")]
    assert {error.reason for error in results.double_claims()} == {"two checks claim this name: both t1 and t2"}


def test_of_what_was_expected_the_unheard_are_named() -> None:
    results = RunResults(expected=["t1", "t2", "t3"], checks={"t1": (result("a"),), "t2": ()})
    assert results.unjudged() == ["t2", "t3"]
