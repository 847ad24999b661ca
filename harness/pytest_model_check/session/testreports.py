"""What pytest's reports of tests say, in words, and the names that tests give to checks."""

from __future__ import annotations

import pytest


def derived_name(test: str) -> str:
    """Give the baseline's name: the test's, with its parameters, safe on every file system."""
    from pytest_model_check.checks.check import file_name

    return file_name(test.removeprefix("test_"))


def name_in(nodeid: str) -> str:
    """Give the name that a test's node id amounts to; parameters may hold anything, ``::`` too."""
    test, bracket, parameters = nodeid.partition("[")
    return derived_name(test.rpartition("::")[2] + bracket + parameters)


def silence(report: pytest.TestReport) -> str:
    """Say why a check that pytest would let pass has proved nothing."""
    reason = getattr(report, "wasxfail", None)
    word = "skipped" if reason is None else "expected to fail"
    if reason is None:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = text.removeprefix("Skipped: ")
    return f"the check was {word}, so nothing was proved ({reason or 'no reason given'})"


def broken(name: str, report: pytest.TestReport) -> str:
    """Say in one line why a test failed, if not for its verdict."""
    line = first_line(report)
    if line.startswith(f"{name}: "):
        return line.removeprefix(f"{name}: ")
    part = f"'s {report.when}" if report.when in ("setup", "teardown") else " itself"
    return f"the test{part} failed: {line}"


def raised_while_importing(report: pytest.CollectReport) -> str:
    """Give Python's own words for why a test module could not be imported: they end its traceback."""
    raised = [line[2:].strip() for line in str(report.longrepr).splitlines() if line.startswith("E ")]
    return raised[-1] if raised else first_line(report)


def first_line(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Give the first line of why something failed."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message.removeprefix("Failed: ") if crash is not None else str(report.longrepr)
    return text.strip().partition("\n")[0].strip() or "no reason given"
