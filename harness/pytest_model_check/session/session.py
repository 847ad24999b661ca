"""One run of ``pytest --model-check``: pytest's hooks from collection to summary.

Under pytest-xdist every worker has a session that judges, and the controller has one that shows and writes; what a
worker found travels to it on the test's report, as plain types.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_model_check.checks.model_check import ModelCheck
from pytest_model_check.judgement.verdicts import Run, Verdict
from pytest_model_check.report.text import failure, visible
from pytest_model_check.session import command_line, engines, options, selection, testreports, xdist
from pytest_model_check.session.command_line import as_typed
from pytest_model_check.session.names import EVIDENCE, NAME
from pytest_model_check.session.results import CheckResult, ItemResult, LateError, RunResults
from pytest_model_check.session.scratch import Scratch

if TYPE_CHECKING:
    from pytest_model_check.fitting.dask_engine import DaskEngine
    from pytest_model_check.fitting.local_engine import LocalEngine
    from pytest_model_check.sealing.engine import SealedEngine

RESULTS = pytest.StashKey[list[CheckResult]]()
NODEID = pytest.StashKey[str]()
JUDGED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)  # how a run ends that went through all its tests


class ModelCheckSession:
    """What a run of model checks knows; registered as a plugin while ``--model-check`` is on.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        worker = getattr(config, "workerinput", {}).get(NAME)
        self.is_worker = worker is not None
        self.typed = command_line.parse(config)
        if worker is None:
            self.options = options.read(config, self.typed, options.find_against(config, self.typed))
            self._scratch = Scratch()
            self.scratch = self._scratch.path
        else:
            self.options = options.read(config, self.typed, xdist.against_from(worker))
            self.scratch = xdist.scratch_from(worker)
        self.results = RunResults()
        self.collected: set[str] = set()
        self.locations: dict[str, tuple[str, int | None, str]] = {}
        self.notes: list[str] = []
        self.retired: list[str] = []
        self.silent: Mapping[str, str] = {}
        self.problems: list[str] = []
        selection.narrow_collection(config)
        engines.warm_up(config, self.options)

    # -- collection ------------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> str:
        """Return the line that names what the checks are held against."""
        doing = "accepting" if self.options.accept else "updating" if self.options.update else "against"
        against = self.options.against
        decides = "" if against is None else f", held against the {against.words}"
        return visible(f"model-check: {doing} {self.config.getini('model_check_baselines')}/{decides}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the model checks, and nothing else; two of one name are an error, and then nothing runs."""
        checks = [item for item in items if NAME in getattr(item, "fixturenames", ())]
        self.collected.update(item.nodeid for item in checks)
        if self.is_worker:
            config.workeroutput[NAME] = sorted(self.collected)  # type: ignore[attr-defined]
        clashes = selection.clashes(checks)
        for item, message in clashes:
            # not a UsageError: in a worker of pytest-xdist's that would be an INTERNALERROR
            report = pytest.CollectReport(item.nodeid.partition("::")[0], "failed", message, [])
            config.hook.pytest_collectreport(report=report)
        kept = set() if clashes else set(checks)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]
        for item in items:
            item.stash[NODEID] = item.nodeid  # pytest-xdist may add the name of its group to it

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what could not be collected: nobody knows which checks it holds."""
        if report.failed:
            reason = testreports.raised_while_importing(report)
            self.problems.append(f"{report.nodeid} could not be collected: {reason}")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember what is to be judged."""
        self.results.expected = [item.nodeid for item in session.items]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Remember, on the controller, what the workers are to judge."""
        self.results.expected = list(ids)

    @functools.cached_property
    def engine(self) -> LocalEngine | DaskEngine | SealedEngine:
        """What makes the fits of all checks."""
        return engines.open_engine(self.config, self.options, self.scratch)

    # -- one check -------------------------------------------------------------------------------------------------

    def check_of(self, item: pytest.Item) -> ModelCheck:
        """Return the function that a test calls."""
        from pytest_model_check.session import judging

        def model_check(*args: Any, **promise: Any) -> Verdict:
            result = judging.judge(item, item.stash[NODEID], args, promise, self.options, self.engine, self.scratch)
            item.stash[RESULTS].append(result)
            if not result.verdict.passed:
                pytest.fail(result.failure, pytrace=False)
            return result.verdict

        return model_check

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin anew: a test may be run again."""
        item.stash[RESULTS] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that never asked for a verdict, or that went on after a bad one."""
        value = yield
        for words in _failures(item) if item.stash[RESULTS] else [testreports.never_called(item.name)]:
            pytest.fail(words, pytrace=False)
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail what was skipped or expected to fail, and attach what was found to the report."""
        report = yield
        name, failures = testreports.derived_name(item.name), _failures(item)
        raised = None if call.excinfo is None else call.excinfo.value
        testreports.fail_unproved(report, name, failures)
        broken = testreports.reason_broken(report, raised, name, failures)
        if report.failed and isinstance(raised, pytest.fail.Exception) and not raised.pytrace:
            report.longrepr = str(report.longrepr)  # as text: its first line stands alone, in JUnit too
        checks = tuple(_results(item))
        report.user_properties = [(key, xdist.scalar(value)) for key, value in report.user_properties]
        if self.options.junit_properties:
            from pytest_model_check.report import junit

            report.user_properties += [pair for check in checks for pair in junit.properties(check.verdict)]
        setattr(report, NAME, xdist.item_to_plain(ItemResult(name, checks, broken)))
        return report

    # -- the end, on the controller --------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass to a worker of pytest-xdist's where to leave its files, and against what to judge."""
        node.workerinput[NAME] = xdist.worker_input(self.scratch, self.options.against)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Remember what a worker of pytest-xdist's has collected."""
        self.collected.update(getattr(node, "workeroutput", {}).get(NAME, ()))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test found."""
        if self.is_worker:
            return
        self.locations.setdefault(report.nodeid, report.location)
        plain = getattr(report, NAME, None)
        if plain is not None:
            self.results.add(report.nodeid, xdist.item_from_plain(plain))
        elif report.failed:  # a worker that crashed has no more to say
            name, reason = testreports.name_in(report.nodeid), testreports.first_line(report)
            self.results.void(report.nodeid, name, reason)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write baselines and reports; what goes wrong here fails the run as a test does."""
        if self.is_worker or self.config.option.collectonly:
            return
        for error in list(self.results.double_claims()):
            self._fail_late(session, error)
        if exitstatus in JUDGED:
            self._write_baselines(session)
        else:
            self.results.discard("the run was interrupted before its baseline was written")
        is_whole = exitstatus in (*JUDGED, pytest.ExitCode.NO_TESTS_COLLECTED) and not self.problems
        self.problems += self._gaps(exitstatus)
        if is_whole and not self.results.unjudged():
            self._find_missing()
        self._write_evidence(complete=exitstatus == pytest.ExitCode.OK)
        self._write_reports(complete=exitstatus == pytest.ExitCode.OK)
        if self.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _fail_late(self, session: pytest.Session, error: LateError) -> None:
        """Fail a test after it has been reported, as an error of its teardown: terminal and JUnit show it."""
        words = failure(f"{error.name}: {error.reason}", error.advice)
        report = pytest.TestReport(error.nodeid, self.locations[error.nodeid], {}, "failed", words, "teardown")
        item = ItemResult(error.name, self.results.checks[error.nodeid], error.reason)
        setattr(report, NAME, xdist.item_to_plain(item))
        self.config.hook.pytest_runtest_logreport(report=report)
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _gaps(self, exitstatus: int) -> list[str]:
        """Return what is missing of the evidence: a run that ends early must never look like one that passed."""
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            return ["No model check was collected: a check is a test that uses the fixture model_check."]
        if exitstatus not in JUDGED:
            if self.problems:
                return []
            unwritten = "; no baseline was written" if self.options.update else ""
            return [f"The run was interrupted: not every check was judged{unwritten}."]
        unjudged = self.results.unjudged()
        if unjudged and exitstatus == pytest.ExitCode.OK:
            return [f"Never judged: {', '.join(unjudged)}"]
        return []

    def _find_missing(self) -> None:
        """Name the approved checks of which nothing was heard, though this run covers them."""
        from pytest_model_check.session import missing

        checks = missing.find(self.config, self.typed, self.options, self.results, self.collected)
        self.problems += checks.problems
        self.retired += checks.retired
        self.silent = checks.silent

    def _write_baselines(self, session: pytest.Session) -> None:
        if not self.options.update:
            return
        from pytest_model_check.session import baseline_writer

        written = baseline_writer.write(
            self.results,
            self.options.folder,
            lambda error: self._fail_late(session, error),
            is_selection=selection.is_selection(self.typed),
            root=self.config.rootpath,
            inipath=self.config.inipath,
            as_typed=lambda path: as_typed(self.config, path),
        )
        self.notes += written.lines
        if self.config.option.verbose >= 0:
            self.notes += written.to_approve()

    def _write_evidence(self, *, complete: bool) -> None:
        if self.options.evidence is None:
            return
        from pytest_model_check.evidence import bundle

        try:
            bundle.publish(self.scratch / EVIDENCE, self.options.evidence, self._run(complete=complete))
        except OSError as error:
            where = as_typed(self.config, self.options.evidence)
            self.problems.append(f"The evidence could not be written to {where}: {error}")

    def _write_reports(self, *, complete: bool) -> None:
        if not self.options.reports:
            return
        from pytest_model_check.session import outputs

        run = self._run(complete=complete)
        for path in self.options.reports:
            try:
                outputs.write(run, path, self.options.folder)
            except OSError as error:
                self.problems.append(f"The report {as_typed(self.config, path)} could not be written: {error}")

    def _run(self, *, complete: bool) -> Run:
        """Return what every report is written from; a run that did not go to its end never passes."""
        verdicts, against = tuple(self.results.verdicts()), self.options.against
        passed = complete and bool(verdicts) and all(verdict.passed for verdict in verdicts) and not self.problems
        decides = None if against is None else against.words
        return Run(
            verdicts,
            passed,
            decides,
            tuple(self.problems),
            tuple(self.retired),
            self.silent,
            tuple(sorted(self.collected)),
        )

    def pytest_terminal_summary(self, terminalreporter: Any, exitstatus: int) -> None:
        """Show the table of all checks, what was written, and the next command to type."""
        if self.config.option.collectonly:
            return
        from pytest_model_check.session import summary

        run = self._run(complete=exitstatus == pytest.ExitCode.OK)
        lines = summary.lines(self.config, run, self.notes, updating=self.options.update, locations=self.locations)
        terminalreporter.ensure_newline()
        terminalreporter.section("model checks")
        for line in lines:
            terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """Leave no processes and no temporary files, and the cache within its bounds."""
        if "engine" in vars(self):
            self.engine.close()
            engines.tidy(self.config, self.options)
        if not self.is_worker:
            self._scratch.close()


def _results(item: pytest.Item) -> list[CheckResult]:
    return item.stash.get(RESULTS, [])  # none where its setup never began


def _failures(item: pytest.Item) -> list[str]:
    """Return the words of each verdict of a test that does not pass."""
    return [check.failure for check in _results(item) if not check.verdict.passed]
