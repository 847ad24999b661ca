"""One run of ``pytest --model-check``: pytest's hooks from collection to summary.

Under pytest-xdist every worker has a session that judges, and the controller has one that shows and writes; what a
worker found travels to it on the test's report, as plain types.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_model_check.session import options, progress, selection, testreports, xdist
from pytest_model_check.session.results import Evidence, Found

if TYPE_CHECKING:
    from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.fitting.pickling import travel_by_value
from pytest_model_check.session.xdist import scalar, to_plain

NAME = "model_check"
FOUND = pytest.StashKey[list[Found]]()
NODEID = pytest.StashKey[str]()


class ModelCheckSession:
    """What a run of model checks knows; registered as a plugin while ``--model-check`` is on.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self.options = options.read(config, self.worker and self.worker[NAME])
        if not self.worker:
            selection.require_typed(config)
        self.evidence = Evidence()
        self.collected: set[str] = set()
        self.locations: dict[str, tuple[str, int | None, str]] = {}
        self.written: list[str] = []
        self.notes: list[str] = []
        self.retired: list[str] = []
        self.problems: list[str] = []
        self.scratch = Path(self.worker[NAME]["scratch"] if self.worker else tempfile.mkdtemp(prefix="model-check-"))
        selection.narrow_collection(config)

    # -- collection ------------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> str:
        """Say that model checks run, and against what."""
        doing = "accepting" if self.options.accept else "updating" if self.options.update else "against"
        folder = f"{self.config.getini('model_check_baselines')}/"
        if self.options.against is None:
            return f"model-check: {doing} {folder}"
        return f"model-check: {doing} {folder}, held against the {self.options.against.words}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the model checks, and nothing else; two of one name are an error, and then nothing runs."""
        checks = [item for item in items if NAME in getattr(item, "fixturenames", ())]
        self.collected.update(item.nodeid for item in checks)
        if self.worker:
            config.workeroutput[NAME] = sorted(self.collected)  # type: ignore[attr-defined]
        clashes = list(_clashes(checks))
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
            self.problems.append(
                f"{report.nodeid} could not be collected: {testreports.raised_while_importing(report)}"
            )

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember what is to be judged."""
        self.evidence.expected = [item.nodeid for item in session.items]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Remember, on the controller, what the workers are to judge."""
        self.evidence.expected = list(ids)

    # -- one check -------------------------------------------------------------------------------------------------

    def check_of(self, request: pytest.FixtureRequest) -> Callable[..., Verdict]:
        """Give the function that a test calls."""

        def model_check(*args: Any, **promise: Any) -> Verdict:
            return self._check(request, args, promise)

        return model_check

    def _check(self, request: pytest.FixtureRequest, args: tuple[Any, ...], promise: dict[str, Any]) -> Verdict:
        from pytest_model_check.checks.make_check import make_check
        from pytest_model_check.errors import ModelCheckError, PromiseError
        from pytest_model_check.gate import conclude, gate

        item = request.node
        name = promise.pop("name", None)
        name = testreports.derived_name(item.name) if name is None else name
        nodeid, pending = item.stash[NODEID], None
        try:
            if "nodeid" in promise:
                raise PromiseError("model_check() has no argument 'nodeid'", "pytest knows it.")
            travel_by_value(request.module)
            check = make_check(*args, name=name, nodeid=nodeid, **promise)
            with progress.shown(self.config, check.name) as show:
                verdict, pending = gate.run(check, self._settings(), show)
        except ModelCheckError as error:
            verdict = conclude.failure(str(name), nodeid, error)
        item.stash[FOUND].append(to_plain(verdict, pending))
        if not verdict.passed:
            pytest.fail(_words(verdict.message, verdict.advice), pytrace=False)
        return verdict

    def _settings(self) -> Any:
        from joblib import cpu_count

        from pytest_model_check.settings import Rules, Settings

        return Settings(
            root=self.config.rootpath,
            folder=self.options.folder,
            scratch=Path(tempfile.mkdtemp(dir=self.scratch)),
            update=self.options.update,
            accept=self.options.accept,
            revision=self._revision,
            python=self.options.python,
            charts=any(path.suffix == ".html" for path in self.options.reports),
            jobs=self.options.jobs or (1 if self.worker else cpu_count()),
            rules=Rules(self.options.inconclusive_passes, self.options.folds_suffice),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin anew: a test may be run again."""
        item.stash[FOUND] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that never asked for a verdict, or that went on after a bad one."""
        result = yield
        if not item.stash[FOUND]:
            pytest.fail(
                f"{testreports.derived_name(item.name)}: the test never called model_check, so nothing was proved",
                pytrace=False,
            )
        for words in _failures(item):
            pytest.fail(words, pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail what was skipped or expected to fail, and attach what was found to the report."""
        report = yield
        name, failures, broken = testreports.derived_name(item.name), _failures(item), None
        if report.skipped:  # as is what was expected to fail
            report.outcome = "failed"
            report.longrepr = "\n".join([*failures, f"{name}: {testreports.silence(report)}"])
            if hasattr(report, "wasxfail"):
                del report.wasxfail
        if report.failed:
            raised = None if call.excinfo is None else call.excinfo.value
            if str(raised) not in failures:
                broken = testreports.broken(name, report)
            if isinstance(raised, pytest.fail.Exception) and not raised.pytrace:
                report.longrepr = str(report.longrepr)  # as text: its first line stands alone, in JUnit too
        report.user_properties = [(key, scalar(value)) for key, value in report.user_properties]
        found: list[Found] = item.stash.get(FOUND, [])
        report.user_properties += self._properties(found)
        told = {"name": name, "found": list(found), "broken": broken}
        setattr(report, NAME, told)  # plain types: pytest-xdist sends a report's attributes as they are
        return report

    def _properties(self, found: list[Found]) -> list[tuple[str, object]]:
        """Give what goes into JUnit's XML."""
        if not self.options.junit_properties:
            return []
        from pytest_model_check.judgement import verdict_json
        from pytest_model_check.report import junit

        return [one for each in found for one in junit.properties(verdict_json.from_dict(each["verdict"]))]

    # -- the end, on the controller --------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist's where to leave its files, and against what to judge."""
        node.workerinput[NAME] = {"scratch": str(self.scratch), **xdist.to_worker(self.options.against)}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Remember what a worker of pytest-xdist's has collected."""
        self.collected.update(getattr(node, "workeroutput", {}).get(NAME, ()))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test found."""
        if self.worker:
            return
        self.locations.setdefault(report.nodeid, report.location)
        told = getattr(report, NAME, None)
        if told is not None:
            self.evidence.found[report.nodeid] = told["found"]
            if told["broken"]:
                self.evidence.broken.setdefault(report.nodeid, (told["name"], told["broken"]))
        elif report.failed:  # a worker that crashed has no more to say
            self.evidence.broken.setdefault(
                report.nodeid, (testreports.name_in(report.nodeid), testreports.first_line(report))
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write baselines and reports; what goes wrong here fails the run as a test does."""
        if self.worker or self.config.option.collectonly:
            return
        for nodeid, name, reason in list(self.evidence.double_claims()):
            self._late_error(session, nodeid, name, reason)
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._write_baselines(session)
        else:
            self.evidence.discard("the run was interrupted before its baseline was written")
        self.problems += self._gaps(exitstatus)
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not self.problems:
            self._name_absent()
        self._write_reports(complete=exitstatus == pytest.ExitCode.OK)
        if self.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _gaps(self, exitstatus: int) -> list[str]:
        """Say what of the evidence is missing: a run that ends early must never look like one that passed."""
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            return ["No model check was collected: a check is a test that uses the fixture model_check."]
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            if self.problems:
                return []
            unwritten = "; no baseline was written" if self.options.update else ""
            return [f"The run was interrupted: not every check was judged{unwritten}."]
        unjudged = self.evidence.unjudged()
        if unjudged and exitstatus == pytest.ExitCode.OK:
            return [f"Never judged: {', '.join(unjudged)}"]
        return []

    def _name_absent(self) -> None:
        """Name the approved checks of which nothing was heard, though this run covers them."""
        from pytest_model_check.errors import ModelCheckError
        from pytest_model_check.pull_requests import missing_checks

        def expected(nodeid: str) -> bool:
            silent = nodeid in self.collected and nodeid not in self.evidence.found
            excused = self._revision is None or selection.is_narrowed(self.config)
            return not (silent and excused) and selection.covers(self.config, nodeid)

        heard = frozenset(verdict.name for verdict in self._verdicts())
        try:
            problems, notes, retired = missing_checks.find(
                self.config.rootpath, self.options.folder, self._revision, heard, expected
            )
        except ModelCheckError as error:
            problems, notes, retired = [str(error)], [], []
        self.problems += problems
        self.notes += notes
        self.retired += retired

    def _late_error(self, session: pytest.Session, nodeid: str, name: str, reason: str, advice: str = "") -> None:
        """Fail a test after it has been reported, as an error of its teardown: terminal and JUnit show it."""
        text = _words(f"{name}: {reason}", advice)
        report = pytest.TestReport(nodeid, self.locations[nodeid], {}, "failed", text, "teardown")
        setattr(report, NAME, {"name": name, "found": self.evidence.found[nodeid], "broken": reason})
        self.config.hook.pytest_runtest_logreport(report=report)
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write_baselines(self, session: pytest.Session) -> None:
        for verdict in self._verdicts() if self.options.update else ():
            failing = not verdict.passed and verdict.verdict in ("worse", "inconclusive", "incomparable")
            if verdict.concessions.accepted is None and (failing or verdict.concessions.weakened):
                path = self._typed(self.options.folder / f"{verdict.name}.json")
                why = (
                    "the check promises less" if verdict.concessions.weakened else f"the candidate is {verdict.verdict}"
                )
                self.written.append(f"refused {path}: {why}, the baseline stays as it is")
        to_write = self.evidence.to_write()
        accepting = [one["verdict"]["name"] for _, one in to_write if one["verdict"]["accepted"]]
        if len(accepting) > 1 and not selection.is_selection(self.config):
            reason = f"{len(accepting)} checks need to be accepted ({', '.join(accepting)}), and one reason is for one"
            for nodeid, one in [entry for entry in to_write if entry[1]["verdict"]["accepted"]]:
                advice = "Choose what it is for: -k NAME, or the test's node id."
                self._late_error(session, nodeid, one["verdict"]["name"], reason, advice)
            to_write = self.evidence.to_write()
        changed: dict[str, None] = {}
        for nodeid, one in to_write:
            changed.update(dict.fromkeys(self._write_baseline(session, nodeid, one)))
        if changed and self.config.option.verbose >= 0:
            self.written += [
                "To approve:",
                f"  git add {shlex.join(changed)}",
                f'  git commit -m "{"Accept" if accepting else "Approve"} baselines"',
                "  dvc push",
            ]

    def _write_baseline(self, session: pytest.Session, nodeid: str, one: Found) -> list[str]:
        """Write a baseline; gives the files that git has to commit."""
        from pytest_model_check.baselines import store
        from pytest_model_check.baselines.baseline_json import from_json
        from pytest_model_check.errors import BaselineError
        from pytest_model_check.judgement import verdict_json
        from pytest_model_check.report import sentences

        verdict, plain = verdict_json.from_dict(one["verdict"]), one["pending"]
        pending = store.Pending(from_json(plain["baseline"]), Path(plain["predictions"]), plain["replaces"])
        try:
            files = [self._typed(file) for file in store.write(pending, self.options.folder)]
        except BaselineError as error:
            self._late_error(session, nodeid, verdict.name, error.message, error.advice)
            return []
        if verdict.verdict == "recorded":
            self.written.append(f"recorded {files[0]}")
            return files
        scores = {name: metric.score for name, metric in pending.baseline.metrics.items()}
        became = sentences.became(verdict, scores, pending.baseline.generation)
        self.written.append(f"{'accepted' if verdict.concessions.accepted else 'replaced'} {files[0]}: {became}")
        return files

    def _write_reports(self, *, complete: bool) -> None:
        if not self.options.reports:
            return
        from pytest_model_check.judgement.verdicts import Run
        from pytest_model_check.session import outputs

        verdicts = self._verdicts()
        passed = complete and bool(verdicts) and all(verdict.passed for verdict in verdicts) and not self.problems
        run = Run(tuple(verdicts), passed, self._against, tuple(self.problems), tuple(self.retired))
        for path in self.options.reports:
            try:
                outputs.write(run, path, self.options.folder)
            except OSError as error:
                self.problems.append(f"The report {self._typed(path)} could not be written: {error}")

    @property
    def _against(self) -> str | None:
        return None if self.options.against is None else self.options.against.words

    @property
    def _revision(self) -> str | None:
        return None if self.options.against is None else self.options.against.sha

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the table of all checks, what was written, and the next command to type."""
        if self.config.option.collectonly:
            return
        from pytest_model_check.report import terminal, text

        verdicts, verbosity = self._verdicts(), self.config.option.verbose
        writer = self.config.get_terminal_writer()
        # a file or a log has no width: only a terminal, or somebody who names it, does
        width = writer.fullwidth if sys.stdout.isatty() or "COLUMNS" in os.environ else None
        lines = terminal.summary(verdicts, verbosity, width=width, paint=writer.markup) if verdicts else []
        lines += self.written + self.notes + self.retired + self.problems
        command = terminal.next_command(verdicts, self.options.update, self._typed_test)
        if command and verbosity >= 0:
            lines.append(f"next: {command}")
        terminalreporter.ensure_newline()
        terminalreporter.section("model checks")
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from pytest_model_check.judgement.verdicts import Run
            from pytest_model_check.session import outputs

            run = Run(tuple(verdicts), passed=False, problems=tuple(self.problems))
            lines += outputs.annotations_of(run, self.config.rootpath, self.locations)
        for line in lines:
            terminalreporter.write_line(text.encodable(line, sys.stdout.encoding))

    def pytest_unconfigure(self) -> None:
        """Leave no temporary files."""
        if not self.worker:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _verdicts(self) -> list[Verdict]:
        from pytest_model_check.judgement import verdict_json

        return [verdict_json.from_dict(one["verdict"]) for one in self.evidence.settled()]

    def _typed(self, path: Path) -> str:
        """Write a path as the user would type it."""
        here = self.config.invocation_params.dir
        return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)

    def _typed_test(self, nodeid: str) -> str:
        """Write a node id as the user would type it."""
        file, colons, test = nodeid.partition("::")
        return f"{self._typed(self.config.rootpath / file)}{colons}{test}"


def _clashes(checks: list[pytest.Item]) -> Generator[tuple[pytest.Item, str]]:
    names: dict[str, pytest.Item] = {}
    for item in checks:
        name = testreports.derived_name(item.name)
        other = names.setdefault(name.casefold(), item)  # file systems may ignore case
        if other is not item:
            yield (
                item,
                f"two model checks have the name {name!r}: {other.nodeid} and {item.nodeid}\n"
                "A baseline takes its test's name, so rename one of the tests.",
            )


def _failures(item: pytest.Item) -> list[str]:
    """Give the words of each verdict of a test that does not pass."""
    found: list[Found] = item.stash.get(FOUND, [])
    verdicts = [one["verdict"] for one in found]
    return [_words(verdict["message"], verdict["advice"]) for verdict in verdicts if not verdict["passed"]]


def _words(message: str, advice: str) -> str:
    return f"{message}\n{advice}".rstrip()
