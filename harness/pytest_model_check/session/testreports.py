"""What pytest's reports of tests say, in words, and the names that tests give to checks."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from pytest_model_check.report.text import failure


def derived_name(test: str) -> str:
    """Return the baseline's name: the test's, with its parameters, safe on every file system."""
    from pytest_model_check.checks.check import file_name

    return file_name(test.removeprefix("test_"))


def name_in(nodeid: str) -> str:
    """Return the name that a test's node id amounts to; parameters may hold anything, ``::`` too."""
    test, bracket, parameters = nodeid.partition("[")
    return derived_name(test.rpartition("::")[2] + bracket + parameters)


def never_called(test: str) -> str:
    """Return the words for a test that never called the fixture."""
    return f"{derived_name(test)}: the test never called model_check, so nothing was proved"


def fail_unproved(report: pytest.TestReport, name: str, failures: Collection[str]) -> None:
    """Fail a test that pytest would let pass although its check has proved nothing: skipped, or expected to fail."""
    if report.skipped:  # as is what was expected to fail
        report.outcome = "failed"
        report.longrepr = "\n".join([*failures, failure(f"{name}: {_why_nothing_was_proved(report)}")])
        if hasattr(report, "wasxfail"):
            del report.wasxfail


def reason_broken(
    report: pytest.TestReport, raised: BaseException | None, name: str, failures: Collection[str]
) -> str | None:
    """Return in one line why a test failed, if not for a verdict; None where it did not, or for that.

    Parameters
    ----------
    report : pytest.TestReport
        Of the test.
    raised : BaseException or None
        What it raised.
    name : str
        The name that the test gives to its check.
    failures : collection of str
        The words with which its verdicts fail it.
    """
    if not report.failed or str(raised) in failures:
        return None
    line = first_line(report)
    if line.startswith(f"{name}: "):
        return line.removeprefix(f"{name}: ")
    part = f"'s {report.when}" if report.when in ("setup", "teardown") else " itself"
    return f"the test{part} failed: {line}"


def raised_while_importing(report: pytest.CollectReport) -> str:
    """Return Python's own words for why a test module could not be imported: they end its traceback."""
    raised = [line[2:].strip() for line in str(report.longrepr).splitlines() if line.startswith("E ")]
    return raised[-1] if raised else first_line(report)


def first_line(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the first line of why something failed."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message.removeprefix("Failed: ") if crash is not None else str(report.longrepr)
    return text.strip().partition("\n")[0].strip() or "no reason given"


def _why_nothing_was_proved(report: pytest.TestReport) -> str:
    reason = getattr(report, "wasxfail", None)
    word = "skipped" if reason is None else "expected to fail"
    if reason is None:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = text.removeprefix("Skipped: ")
    return f"the check was {word}, so nothing was proved ({reason or 'no reason given'})"
