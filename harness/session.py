"""One run of ``pytest --model-check``: collects the checks' verdicts, writes what is to be written when it is over.

Under pytest-xdist every worker has a session that judges, and the controller has one that shows and writes; what a
worker found travels to it on the test's report, as plain types.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.baselines import Pending
    from harness.check import Check
    from harness.judge import Verdict

NAME = "model_check"
ENDINGS = (".md", ".json")
FOUND = pytest.StashKey[list[dict[str, Any]]]()


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
        self.jobs = _jobs(config)
        self.reports = [
            Path(path) for path in (*config.getini("model_check_report"), *config.option.model_check_report)
        ]
        self.inconclusive_passes = _choice(config, "model_check_inconclusive", ("fail", "pass")) == "pass"
        self.folder = config.rootpath / config.getini("model_check_baselines")
        self.found: dict[str, list[dict[str, Any]]] = {}  # by node id
        self.wrote: list[str] = []
        self.problems: list[str] = []
        for path in self.reports:
            if path.suffix not in ENDINGS:
                raise pytest.UsageError(
                    f"--model-check-report {path}: can't tell the format by its ending; use one of {', '.join(ENDINGS)}"
                )
        self.scratch = Path(self.worker[NAME] if self.worker else tempfile.mkdtemp(prefix="model-check-"))
        _narrow_collection(config)

    # -- collection ------------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> str:
        """Say that model checks run, and against what."""
        doing = "updating" if self.config.option.model_check_update else "against"
        return f"model-check: {doing} {self.config.getini('model_check_baselines')}/"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the model checks, and nothing else; two of one name are an error."""
        checks = [item for item in items if NAME in getattr(item, "fixturenames", ())]
        _require_different_names(checks)
        kept = set(map(id, checks))
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
        items[:] = checks

    # -- one check -------------------------------------------------------------------------------------------------

    def check_of(self, request: pytest.FixtureRequest) -> Callable[..., Verdict]:
        """Give the function that a test calls."""
        return partial(self._check, request)

    def _check(
        self, request: pytest.FixtureRequest, candidate: Any, *, name: str | None = None, **promise: Any
    ) -> Verdict:
        from harness import gate
        from harness.check import make_check
        from harness.errors import ModelCheckError
        from harness.report import machine

        item = request.node
        name = derived_name(item) if name is None else name
        pending = None
        try:
            _travel_by_value(request.module)
            check = make_check(candidate, name=name, nodeid=item.nodeid, **promise)
            with self._progress(check) as progress:
                verdict, pending = gate.run(check, self._settings(), progress)
        except ModelCheckError as error:
            verdict = gate.failure(name, item.nodeid, error)
        item.stash.setdefault(FOUND, []).append(
            {"verdict": machine.to_dict(verdict), "pending": None if pending is None else _plain(pending)}
        )
        if not verdict.passed:
            pytest.fail(f"{verdict.message}\n{verdict.advice}".rstrip(), pytrace=False)
        return verdict

    def _settings(self) -> Any:
        from joblib import cpu_count

        from harness.gate import Settings

        return Settings(
            root=self.config.rootpath,
            folder=self.folder,
            scratch=Path(tempfile.mkdtemp(dir=self.scratch)),
            update=self.config.option.model_check_update,
            jobs=self.jobs or (1 if self.worker else cpu_count()),
            inconclusive_passes=self.inconclusive_passes,
        )

    @contextlib.contextmanager
    def _progress(self, check: Check) -> Iterator[Callable[[str, int, int], None]]:
        """Give the function that shows how far the fits are: one line, on a terminal only, gone when they are done."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if self.worker or terminal is None or not terminal.isatty or self.config.option.verbose < 0:
            yield lambda doing, done, total: None
            return
        from harness.report import progress

        capture = self.config.pluginmanager.get_plugin("capturemanager")
        room = shutil.get_terminal_size().columns - self.config.get_terminal_writer().width_of_current_line - 1
        shown, began = "", time.perf_counter()

        def show(text: str) -> None:
            nonlocal shown
            with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
                back = "\b" * len(shown)  # not \r: what pytest wrote before on this line stays
                sys.stdout.write(f"{back}{' ' * len(shown)}{back}{text}")
                sys.stdout.flush()
            shown = text

        def step(doing: str, done: int, total: int) -> None:
            nonlocal began
            if done == 0:
                began = time.perf_counter()
            show(progress.line(check.name, doing, done, total, time.perf_counter() - began)[: max(room, 0)])

        try:
            yield step
        finally:
            show("")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach what was found to the report, and fail what was never judged."""
        report = yield
        found = item.stash.get(FOUND, [])
        silent = _silence(report, judged=bool(found))
        if silent:
            report.outcome = "failed"
            report.longrepr = f"{derived_name(item)}: {silent}"
            if hasattr(report, "wasxfail"):
                del report.wasxfail
        if report.when == "call":
            setattr(report, NAME, found)  # plain types: xdist sends a report's attributes as they are
        return report

    # -- the end, on the controller --------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where to leave its files."""
        node.workerinput[NAME] = str(self.scratch)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what was found; a test that failed for another reason than its verdict is an error too."""
        if self.worker:
            return
        if report.when == "call":
            self.found[report.nodeid] = list(getattr(report, NAME, []))
        if report.failed and all(one["verdict"]["passed"] for one in self.found.get(report.nodeid, [])):
            self._add_error(report.nodeid, _first_line(report))

    def _add_error(self, nodeid: str, message: str) -> None:
        """Let an error stand for the test: nothing of it is written."""
        from harness.judge import Verdict
        from harness.report import machine

        kept = [one | {"pending": None} for one in self.found.get(nodeid, [])]
        error = Verdict(nodeid.rpartition("::")[2], nodeid, "error", False, message)
        self.found[nodeid] = [*kept, {"verdict": machine.to_dict(error), "pending": None}]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write baselines and reports; what goes wrong here fails the run as a test does."""
        if self.worker or self.config.option.collectonly:
            return
        self._fail_double_claims(session)
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._write_baselines(session)
        elif any(one["pending"] for found in self.found.values() for one in found):
            self.problems.append("The run was interrupted: no baseline was written.")
        if not self.found and exitstatus == pytest.ExitCode.OK:
            self.problems.append("No model check was judged.")
        if self.found:
            self._write_reports()
        if self.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _fail_double_claims(self, session: pytest.Session) -> None:
        claims: dict[str, list[str]] = {}
        for nodeid, found in self.found.items():
            for one in found:
                if one["verdict"]["verdict"] != "error":
                    claims.setdefault(one["verdict"]["name"].casefold(), []).append(nodeid)
        for name, nodeids in claims.items():
            if len(nodeids) > 1:
                for nodeid in dict.fromkeys(nodeids):
                    self._late_error(
                        session, nodeid, f"{name}: two checks claim this name: {' and '.join(dict.fromkeys(nodeids))}"
                    )

    def _late_error(self, session: pytest.Session, nodeid: str, message: str) -> None:
        """Fail a test after it has been reported, as an error of its teardown: terminal and JUnit show it."""
        self._add_error(nodeid, message)
        location = (nodeid.partition("::")[0], None, nodeid)
        report = pytest.TestReport(nodeid, location, {}, "failed", message, "teardown")
        self.config.hook.pytest_runtest_logreport(report=report)
        session.testsfailed += 1
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write_baselines(self, session: pytest.Session) -> None:
        pending = [
            (nodeid, one["pending"], one["verdict"]["verdict"])
            for nodeid, found in self.found.items()
            for one in found
            if one["pending"] and one["verdict"]["passed"]
        ]
        if not pending:
            return
        from harness import baselines
        from harness.errors import BaselineError

        changed: dict[Path, None] = {}
        for nodeid, plain, label in pending:
            try:
                files = baselines.write(_rebuilt(plain), self.folder)
            except BaselineError as error:
                self._late_error(session, nodeid, str(error))
                continue
            changed.update(dict.fromkeys(files))
            self.wrote.append(f"{'recorded' if label == 'recorded' else 'replaced'} {_from(self.config, files[0])}")
        if changed:
            paths = " ".join(_from(self.config, path) for path in changed)
            self.wrote += ["To approve:", f"  git add {paths}", '  git commit -m "Approve baselines"', "  dvc push"]

    def _write_reports(self) -> None:
        from harness.report import machine, markdown

        verdicts = self._verdicts()
        passed = bool(verdicts) and all(verdict.passed for verdict in verdicts) and not self.problems
        render = {".md": markdown.render, ".json": machine.render}
        for path in self.reports:
            target = self.config.invocation_params.dir / path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f".{target.name}.tmp")
                temporary.write_text(render[path.suffix](verdicts, passed), encoding="utf-8")
                temporary.replace(target)
            except OSError as error:
                self.problems.append(f"The report {path} could not be written: {error}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the table of all checks, what was written, and the next command to type."""
        if self.config.option.collectonly:
            return
        from harness.report import terminal

        verdicts = self._verdicts()
        lines = [*self.problems]
        if verdicts:
            lines = terminal.summary(verdicts, self.config.option.verbose) + self.wrote + lines
            command = terminal.next_command(verdicts, self.config.option.model_check_update)
            lines += [f"next: {command}"] if command else []
        elif not self.problems:
            lines = ["No model check was collected: a check is a test that uses the fixture model_check."]
        terminalreporter.ensure_newline()
        terminalreporter.section("model checks")
        for line in lines:
            terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """Leave no temporary files."""
        if not self.worker:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _verdicts(self) -> list[Verdict]:
        from harness.report import machine

        return [machine.from_dict(one["verdict"]) for found in self.found.values() for one in found]


def derived_name(item: pytest.Item) -> str:
    """Give the baseline's name: the test's, with its parameters, safe on every file system."""
    from harness.check import file_name

    return file_name(item.name.removeprefix("test_"))


def _narrow_collection(config: pytest.Config) -> None:
    """Collect model_check_testpaths where the command line names no path, as pytest does with testpaths."""
    paths = config.getini("model_check_testpaths")
    sources = (pytest.Config.ArgsSource.TESTPATHS, pytest.Config.ArgsSource.INVOCATION_DIR)
    if paths and config.args_source in sources and config.invocation_params.dir == config.rootpath:
        config.args = [str(path) for path in paths]


def _require_different_names(checks: list[pytest.Item]) -> None:
    names: dict[str, pytest.Item] = {}
    for item in checks:
        other = names.setdefault(derived_name(item).casefold(), item)
        if other is not item:
            raise pytest.UsageError(
                f"two model checks have the name {derived_name(item)!r}: {other.nodeid} and {item.nodeid}; "
                "a baseline takes its test's name, so rename one of the tests"
            )


def _silence(report: pytest.TestReport, *, judged: bool) -> str | None:
    """Say why a check that pytest would let pass has proved nothing; None where it has."""
    if report.skipped:
        reason = getattr(report, "wasxfail", None)
        if reason is None:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        word = "expected to fail" if hasattr(report, "wasxfail") else "skipped"
        return f"the check was {word}, so nothing was proved ({reason or 'no reason given'})"
    if report.when == "call" and report.passed and not judged:
        return "the test never called model_check, so nothing was proved"
    return None


def _first_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return text.strip().partition("\n")[0] or "the test failed"


def _travel_by_value(module: Any) -> None:
    """Let the test module's classes and functions reach the fitting processes, which may be unable to import it."""
    from cloudpickle import register_pickle_by_value

    if module is not None:
        register_pickle_by_value(module)


def _plain(pending: Pending) -> dict[str, Any]:
    from harness import baselines

    return {"baseline": baselines.to_json(pending.baseline), "predictions": str(pending.predictions)}


def _rebuilt(plain: dict[str, Any]) -> Pending:
    from harness import baselines

    return baselines.Pending(baselines.from_json(plain["baseline"]), Path(plain["predictions"]))


def _jobs(config: pytest.Config) -> int:
    """Give the number of parallel fits; 0 for the default."""
    asked = config.option.model_check_jobs
    if asked is not None and asked < 1:
        raise pytest.UsageError(f"--model-check-jobs {asked}: use a whole number from 1")
    if asked is not None:
        return int(asked)
    text = config.getini("model_check_jobs")
    if not text.isdecimal():
        raise pytest.UsageError(f"ini key model_check_jobs = {text}: use a whole number, 0 for every core")
    return int(text)


def _choice(config: pytest.Config, key: str, choices: tuple[str, ...]) -> str:
    value = str(config.getini(key))
    if value not in choices:
        raise pytest.UsageError(f"ini key {key} = {value}: use {' or '.join(choices)}")
    return value


def _from(config: pytest.Config, path: Path) -> str:
    """Write a path as the user would type it."""
    with contextlib.suppress(ValueError):
        return path.relative_to(config.invocation_params.dir).as_posix()
    return str(path)
