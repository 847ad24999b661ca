"""A process of old code: the old test builds its candidate, which is measured on the old data and on the new.

`old_code.runner` runs this module in a worktree of the old code, with the path of a `Job`. The result is a baseline
and its predictions in files, or a file that says why there is none.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pytest_model_check.baselines.baseline_json import to_text
from pytest_model_check.errors import DataError, ModelCheckError, OldCodeError
from pytest_model_check.fitting.pickling import travel_by_value
from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.old_code import import_roots
from pytest_model_check.old_code.job import Job
from pytest_model_check.session.names import SESSION
from pytest_model_check.session.testreports import derived_name, first_line, raised_while_importing

if TYPE_CHECKING:
    from pytest_model_check.baselines.record import Baseline
    from pytest_model_check.candidates.place import Place
    from pytest_model_check.checks.check import Check
    from pytest_model_check.data.dataset import Dataset

ROUNDING = 1e-6  # of the skill, as where a baseline's own predictions are scored again


# What the old configuration may say, and must not decide here: workers, selections, limits of time, reports.
OPTIONS: dict[str, Any] = {
    "numprocesses": None,
    "tx": [],
    "dist": "no",
    "looponfail": False,
    "timeout": 0,
    "keyword": "",
    "markexpr": "",
    "deselect": None,
    "collectonly": False,
    "usepdb": False,
    "showlocals": False,
    "xmlpath": None,
}


class OldCodeSession:
    """Stands in for the session of model checks: the fixture asks it, and nothing is judged.

    Parameters
    ----------
    job : Job
        What is to be measured.
    answer : callable
        Does what is asked for with the check that the test makes.
    """

    def __init__(self, job: Job, answer: Callable[[Check, Job], None]) -> None:
        self.job, self._answer = job, answer
        self.reasons: list[str] = []
        self.collected: list[pytest.Item] | None = None

    def check_of(self, item: pytest.Item) -> Callable[..., Verdict]:
        """Return the function that the test calls; when the result is there, the run is over."""
        baseline = self.job.baseline

        def model_check(*args: Any, **promise: Any) -> Verdict:
            given = promise.pop("name", None)
            name = derived_name(item.name) if given is None else given
            if name not in (baseline.name, *baseline.formerly):
                return Verdict(str(name), item.nodeid, "identical", True, f"{name}: not asked for here")
            from pytest_model_check.candidates.binding import bind
            from pytest_model_check.checks.make_check import make_check

            try:
                if (module := getattr(item, "module", None)) is not None:
                    travel_by_value(module)
                place = _place(self.job, promise, item.config)
                given = [_as_approved(bind(candidate, place), baseline) for candidate in args[:1]]
                check = make_check(*given, *args[1:], name=baseline.name, nodeid=baseline.nodeid, **promise)
                self._answer(check, self.job)
            except ModelCheckError as error:
                self.fail(error.message, error.advice)
            pytest.exit("the result is written", returncode=0)

        return model_check

    def fail(self, message: str, advice: str = "") -> NoReturn:
        """Write why there is no result, and end the run."""
        _write_error(self.job, message, advice)
        pytest.exit("there is no result", returncode=1)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what could not be imported."""
        if report.failed:
            self.reasons.append(f"{report.nodeid} can't be imported: {raised_while_importing(report)}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember whether the test was found."""
        self.collected = list(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember why a test ended before its check."""
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.reasons.append(f"the test was skipped ({reason.removeprefix('Skipped: ')})")
        elif report.failed:
            part = "test" if report.when == "call" else f"test's {report.when}"
            self.reasons.append(f"the {part} failed: {first_line(report)}")

    def why_not(self) -> str | None:
        """Return why the run is over without a result; None: pytest itself did not start, and has said so."""
        if self.reasons:
            return self.reasons[0]
        if self.collected:
            return f"{self.job.baseline.nodeid} makes no check of the name {self.job.baseline.name}"
        return None


class Registration:
    """Registers an `OldCodeSession` where the session of model checks would stand, and overrides the old configuration.

    Parameters
    ----------
    session : OldCodeSession
        What is registered, once pytest has read its configuration.
    """

    def __init__(self, session: OldCodeSession) -> None:
        self.session = session
        self.done = False

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        """Set what the command line can't."""
        for name, value in OPTIONS.items():
            setattr(config.option, name, value)
        config.pluginmanager.register(self.session, SESSION)
        self.done = True
        return (yield)


def measure_on_both(check: Check, job: Job) -> None:
    """Make sure that this is the code that was approved, then measure it on the new data.

    Raises
    ------
    ModelCheckError
        If it is not, or can't be measured; then no file is written.
    """
    from pytest_model_check.baselines import measure, store
    from pytest_model_check.data import dataset, splits
    from pytest_model_check.fitting.engine import CheckEngine
    from pytest_model_check.fitting.local_engine import LocalEngine

    sys.path[:] = [str(job.tool), *(entry for entry in sys.path if entry != str(job.tool))]  # the fits' too
    # a path below the worktree (of the test's own file, say) means the file of that name in the project
    check = dataclasses.replace(
        check,
        data=tuple(Path(os.path.relpath(job.rootdir / path, job.rootdir)).as_posix() for path in check.data),
    )
    require_old_code(job)
    with _on("the data of before"):
        old = dataset.read(check, job.old_root, _known(job.old_root, dict(job.baseline.data)))
        _require_control(check, old, job)
    with _on("the new data"):
        cv = splits.make_cross_validation(check, dataset.read(check, job.root, _known(job.root, job.files)))
        with LocalEngine(job.n_jobs, nested=job.n_jobs == 1) as engine:
            fitted = measure.fit(
                check,
                cv,
                entropy=job.baseline.entropy,
                progress=job.report_progress,
                engine=CheckEngine(engine, check.timeout),
            )
        measured = measure.assemble(check, cv, fitted, generation=job.baseline.generation, anchors={})
    require_old_code(job)
    pending = store.prepare(measured.baseline, measured.approved, job.result)
    (job.result / f"{check.name}.json").write_text(to_text(pending.baseline), encoding="utf-8")


def _as_approved(candidate: Any, baseline: Baseline) -> Any:
    """Return a service at the address of its approval, wherever the environment says that the candidate's is."""
    from pytest_model_check.candidates.service import Service

    if isinstance(candidate, Service) and baseline.service is not None:
        return candidate.at(baseline.service)
    return candidate


def _place(job: Job, promise: Mapping[str, Any], config: pytest.Config) -> Place:
    """Return where the old candidate's files lie: in the worktree; what DVC tracks is in the project's cache."""
    from pytest_model_check.candidates.place import Place
    from pytest_model_check.data import dvc_files
    from pytest_model_check.session import trust

    def version(path: Path) -> str:
        return dvc_files.version_as_in(path, job.root / os.path.relpath(path, job.rootdir))

    target = promise.get("target")
    return Place(
        job.rootdir,
        version,
        target if isinstance(target, str) else "",
        trust.at(job.rootdir, None, config.inipath),  # HEAD of the worktree is the approved commit
    )


@contextmanager
def _on(which: str) -> Generator[None]:
    try:
        yield
    except OldCodeError:
        raise
    except ModelCheckError as error:
        raise OldCodeError(f"on {which}, {error.message}", error.advice) from error


def _known(root: Path, files: Mapping[str, str]) -> Callable[[Path], str]:
    """Return the function that knows the versions of files that have been verified."""

    def version(path: Path) -> str:
        name = Path(os.path.relpath(path, root)).as_posix()
        if name not in files:
            raise OldCodeError(f"the old code reads {name}, which is not among the check's data ({', '.join(files)})")
        if not path.exists():
            raise DataError(f"{name} is missing")
        return files[name]

    return version


def _require_control(check: Check, data: Dataset, job: Job) -> None:
    """Let the old code predict a stored fold again, on the old data."""
    import pandas as pd

    from pytest_model_check.baselines import store
    from pytest_model_check.data import splits
    from pytest_model_check.fitting import crossval
    from pytest_model_check.fitting.engine import InProcess
    from pytest_model_check.fitting.predictions import Predictions
    from pytest_model_check.scoring import metrics

    baseline = job.baseline
    if (data.rows, data.target_digest) != (baseline.rows, baseline.target_digest):
        raise _not_the_code(
            job, f"it reads other rows of the data of before ({data.rows:,}, the baseline's are {baseline.rows:,})"
        )
    classes = store.classes_of(baseline)
    stored = Predictions.from_frame(pd.read_parquet(job.control), classes)
    cv = splits.make_cross_validation(check, data)
    first = dataclasses.replace(cv, splits=cv.splits[:1])
    # in this process: what the candidate imports while it is fitted, is seen here
    again = crossval.predict(check.candidate, first, seeds=1, entropy=baseline.entropy, engine=InProcess())
    require_old_code(job)
    if not again.same_slots(stored) or again.responses.keys() != stored.responses.keys():
        raise _not_the_code(job, "it predicts other rows, classes or responses in the first fold")
    if again.agrees(stored):
        return
    judged = [
        metric
        for metric in check.metrics
        if metric.name in baseline.metrics and baseline.metrics[metric.name].margin is not None
    ]
    if not judged:
        raise _not_the_code(job, "its predictions differ in the first fold, and no metric can say by how much")
    for metric in judged:
        old, new = (metrics.score(side, metric, data.truth).score for side in (stored, again))
        noise_reference = baseline.metrics[metric.name].noise_reference
        noise = max(noise_reference.floor * sqrt(len(cv.splits)), ROUNDING * noise_reference.skill(old))
        if not abs(new - old) <= noise:  # not of NaN either
            raise _not_the_code(
                job, f"{metric.name} of its first fold is {new:.4g}, was {old:.4g} (noise up to {noise:.2g})"
            )


def _not_the_code(job: Job, difference: str) -> OldCodeError:
    from pytest_model_check.baselines import environment

    was, now = job.baseline.environment, environment.environment()
    if job.baseline.service is not None:
        advice = f"Another service than the approved one may answer at {job.baseline.service.url} now."
        return OldCodeError(f"on the data of before it does not repeat what was approved: {difference}", advice)
    changed = [f"{name} {was.get(name, 'absent')}, now {now[name]}" for name in now if was.get(name) != now[name]]
    return OldCodeError(
        f"on the data of before it does not repeat what was approved: {difference}",
        f"It was recorded with {'; '.join(changed)}."
        if changed
        else f"The environment is that of the recording: was it recorded with code that {job.commit[:7]} lacks?",
    )


def require_old_code(job: Job) -> None:
    """Make sure that what was imported is the old code.

    Raises
    ------
    OldCodeError
        Naming the module that is not.
    """
    stray = import_roots.stray(sys.modules, top=job.top, code=job.code, paths=job.import_roots, tool=job.tool)
    if stray is not None:
        raise OldCodeError(
            f"the module {stray.name} was imported from {stray.path}, not from the old code",
            "An installed copy of the project, or an editable install, came before the old code: "
            "uninstall it there, or use an environment without it.",
        )


def _write_error(job: Job, message: str, advice: str = "") -> None:
    job.error.write_text(json.dumps({"message": message, "advice": advice}), encoding="utf-8")


def run_old_test(session: OldCodeSession) -> None:
    """Run the old test until it makes its check."""
    job, registration = session.job, Registration(session)
    nodeid = job.baseline.nodeid
    arguments = [
        nodeid,
        "--model-check",
        f"--rootdir={job.rootdir}",
        f"--override-ini=cache_dir={job.result / 'cache'}",
        # warnings are for those who can still mend the code
        *("-p", "no:model_check", "-p", "pytest_model_check.plugin", "-W", "ignore", "--tb=short", "--capture=fd"),
        *("--show-capture=no", "--no-header", "-q"),
    ]
    pytest.main(arguments, plugins=[registration])
    if job.error.exists() or any(job.result.glob("*.json")):
        return
    reason = session.why_not()
    if reason is None and registration.done:
        reason = f"there is no test {nodeid}"
    if reason is not None:
        _write_error(job, reason)


if __name__ == "__main__":
    run_old_test(
        OldCodeSession(Job.from_json(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), measure_on_both)
    )
