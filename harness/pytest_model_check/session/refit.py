"""A candidate that is known by its test alone: the test builds it where it is fitted, in a sandbox.

`model-check judge --sealed-refit` fits it, and runs nothing of the project itself.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pytest_model_check.candidates.binding import bind
from pytest_model_check.candidates.candidate import Fold, as_candidate
from pytest_model_check.candidates.place import Place
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.checks.declared import Declared, Origin, origin_of
from pytest_model_check.errors import CandidateError
from pytest_model_check.session.names import SESSION
from pytest_model_check.session.old_code_session import OPTIONS
from pytest_model_check.session.testreports import derived_name, first_line, raised_while_importing


@dataclass(frozen=True)
class FromTest(Declared):
    """The candidate of a check, as its test builds it.

    Parameters
    ----------
    name, nodeid : str
        The check's.
    root : Path
        pytest's rootdir.
    target : str
        The column that is predicted.
    described : str
        What the run called it.
    """

    name: str
    nodeid: str
    root: Path
    target: str
    described: str

    origin: ClassVar[Origin] = "refitted"

    @property
    def description(self) -> str:
        """What the run called it."""
        return self.described

    def answer(self, fold: Fold) -> Answers:
        """Have the test build it, if it has not yet in this process; then ask it."""
        return as_candidate(_built(self)).answer(fold)


@functools.cache
def _built(check: FromTest) -> Any:
    session = _Session(check)
    os.chdir(check.root)
    pytest.main(
        [
            str(check.root / check.nodeid),
            "--model-check",
            f"--rootdir={check.root}",
            *("-p", "no:cacheprovider", "-p", "no:model_check", "-p", "pytest_model_check.plugin"),
            *("-W", "ignore", "--capture=no", "--no-header", "-q"),
        ],
        plugins=[_Registration(session)],
    )
    if session.candidate is None:
        raise CandidateError(
            f"its test builds no candidate in a sealed fit: {session.reason or f'there is no test {check.nodeid}'}",
            "It must be built without data, baselines and network: files are read in load=, models fitted in fit().",
        )
    candidate = bind(session.candidate, Place(check.root, lambda path: "", check.target))
    if origin_of(candidate) != "refitted":
        raise CandidateError("it was fitted elsewhere, and no sealed fit can repeat that")
    return candidate


class _Session:
    """Stands in for the session of model checks: takes the candidate, and judges nothing."""

    def __init__(self, check: FromTest) -> None:
        self._check = check
        self.candidate: Any = None
        self.reason = ""

    def check_of(self, item: pytest.Item) -> Callable[..., None]:
        """Return the function that the test calls."""

        def model_check(*args: Any, **promise: Any) -> None:
            name = promise.get("name") or derived_name(item.name)
            if name == self._check.name:
                self.candidate = args[0] if args else promise.get("candidate")
                pytest.exit("the candidate is there", returncode=0)

        return model_check

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what could not be imported."""
        if report.failed:
            self.reason = self.reason or f"{report.nodeid} can't be imported: {raised_while_importing(report)}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember why the test ended before its check."""
        if report.failed or report.skipped:
            self.reason = self.reason or f"the test was {report.outcome}: {first_line(report)}"


class _Registration:
    """Registers a session where that of model checks would stand."""

    def __init__(self, session: _Session) -> None:
        self._session = session

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        """Set what the command line can't."""
        for name, value in OPTIONS.items():
            setattr(config.option, name, value)
        config.pluginmanager.register(self._session, SESSION)
        return (yield)
