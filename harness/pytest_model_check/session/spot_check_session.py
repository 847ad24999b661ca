"""A run of pytest that judges nothing: one test makes its check, and candidates are compared by it."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_model_check.errors import ModelCheckError, PromiseError
from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.session import command_line, judging, options
from pytest_model_check.session.engines import parallel_fits
from pytest_model_check.session.names import NAME, SESSION
from pytest_model_check.session.testreports import first_line, raised_while_importing
from pytest_model_check.start import trial_progress
from pytest_model_check.start.trial import Progress, Trial


class SpotCheckSession:
    """Stands in for the session of model checks: the first check that is made has its candidates compared.

    Parameters
    ----------
    names : sequence of str
        The candidates to compare it with: names of standard pipelines, or import paths.
    progress : callable
        Is told how many fits of how many of which candidate are done.
    """

    def __init__(self, names: Sequence[str], progress: Progress) -> None:
        self._names, self._progress = names, progress
        self.trial: Trial | None = None
        self.error: ModelCheckError | None = None
        self.reasons: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        """Take the place of the session, before it is registered."""
        config.option.numprocesses, config.option.dist = None, "no"  # an ini file may distribute tests; here is one
        config.pluginmanager.register(_Fixture(self), SESSION)
        return (yield)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what could not be imported."""
        if report.failed:
            self.reasons.append(f"{report.nodeid} could not be collected: {raised_while_importing(report)}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the model checks; which one is meant must be clear."""
        items[:] = [item for item in items if NAME in getattr(item, "fixturenames", ())]
        if len(items) > 1:
            self.reasons.append(f"{len(items)} checks were found: name one of {', '.join(i.nodeid for i in items)}")
            items[:] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember why a test ended before its check."""
        if report.failed or report.skipped:
            self.reasons.append(f"{report.nodeid}: {first_line(report)}")

    def compare(self, item: pytest.Item, args: Sequence[Any], promise: Mapping[str, Any]) -> None:
        """Fit the check's own candidate, and the others, and compare them."""
        from pytest_model_check.candidates.named import named
        from pytest_model_check.fitting.local_engine import LocalEngine
        from pytest_model_check.start import trial

        config = item.config
        found = options.read(config, command_line.parse(config), None)
        try:
            check = judging.make(item, item.nodeid, args, promise, found)
            candidates = {check.name: check.candidate}
            for name in self._names:
                if name in candidates:
                    raise PromiseError(f"--with names {name!r} twice, or the check itself", "Name each once.")
                candidates[name] = named(name, check.task)
            with tempfile.TemporaryDirectory(prefix="model-check-") as scratch:
                jobs = parallel_fits(config, found)
                with LocalEngine(jobs, Path(scratch), nested=jobs == 1) as engine:
                    self.trial = trial.run(check, candidates, config.rootpath, engine, self._progress)
        except ModelCheckError as error:
            self.error = error


class _Fixture:
    """What the fixture asks for its function."""

    def __init__(self, session: SpotCheckSession) -> None:
        self._session = session

    def check_of(self, item: pytest.Item) -> Callable[..., Verdict]:
        """Return the function that the test calls; once it is called, the run is over."""

        def model_check(*args: Any, **promise: Any) -> Verdict:
            self._session.compare(item, args, promise)
            pytest.exit("compared", returncode=0)

        return model_check


def compare(nodeid: str, names: Sequence[str]) -> Trial:
    """Compare a check's candidate with others, in the folds of the check.

    Parameters
    ----------
    nodeid : str
        The test's, as it is typed.
    names : sequence of str
        Names of standard pipelines, or import paths.

    Raises
    ------
    ModelCheckError
        If the check can't be found or made, or its data can't be had.
    """
    session, printed = SpotCheckSession(names, trial_progress.on(sys.stderr)), io.StringIO()
    arguments = [nodeid, "--model-check", "-q", "--no-header", "--capture=no", "-p", "no:cacheprovider"]
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # this module was here before pytest
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        pytest.main(arguments, plugins=[session])
    if session.error is not None:
        raise session.error
    if session.trial is None:
        said = [line.removeprefix("ERROR: ") for line in printed.getvalue().splitlines() if line.startswith("ERROR: ")]
        raise PromiseError(
            "; ".join(session.reasons or said) or f"{nodeid}: no model check was found",
            "Name one test that makes a model check: tests/test_models.py::test_churn.",
        )
    return session.trial
