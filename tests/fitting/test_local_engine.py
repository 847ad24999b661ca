"""Fits in children: the same answers as here, and whatever a fit does to its process is that fit's error alone."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import psutil
import pytest
import sklearn
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import CandidateError
from pytest_model_check.fitting import crossval, pickling, shared_data
from pytest_model_check.fitting.engine import Batch, CheckEngine, InProcess
from pytest_model_check.fitting.fit import Fit
from pytest_model_check.fitting.local_engine import LocalEngine
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

pickling.travel_by_value(sys.modules[__name__])
posix = pytest.mark.skipif(os.name != "posix", reason="signals")


class Odd(RegressorMixin, BaseEstimator):
    """Does something to its process when it is fitted without the first row; answers what it finds around it."""

    def __init__(self, how=""):
        self.how = how

    def fit(self, X, y):  # noqa: ARG002
        if 0 not in X.index:
            self.misbehave()
        return self

    def misbehave(self):
        match self.how:
            case "exits":
                os._exit(0)
            case "leaves":
                sys.exit(3)
            case "aborts":
                os.abort()
            case "is killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hangs":
                hang()
            case "prints":
                print("to its output")  # noqa: T201
                subprocess.run([sys.executable, "-c", "print('its child too')"], check=True)

    def predict(self, X):
        match self.how:
            case "pid":
                found = os.getpid()
            case "variable":
                found = os.environ.get("MODEL_CHECK_TEST", "0")
            case "folder":
                found = len(Path.cwd().name)
            case "path":
                found = sys.path.index("/nowhere")
            case "sklearn":
                found = sklearn.get_config()["working_memory"]
            case "cores":
                found = joblib.effective_n_jobs(2)
            case _:
                found = 0
        return np.full(len(X), float(found))


def hang():
    """Loop in C without ever giving the GIL back."""
    re.match(r"(a|aa)+$", "a" * 200 + "b")


def cross_validation(rows=60, cv=3) -> splits.CrossValidation:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(rows) % 2)
    X = pd.DataFrame(
        {
            "a": rng.normal(size=rows) + y,
            "kind": pd.Series(rng.choice(["x", "y"], rows), dtype="category"),
            "word": rng.choice(["one", "two"], rows),
            "mixed": pd.Series(rng.choice([1, "b"], rows), dtype=object),
        }
    )
    data = Dataset(X=X, y=y, groups=None, time=None, slices=X[[]], files=(("data.csv", "0" * 32),))
    return splits.make_cross_validation(make_check(Odd(), data="data.csv", target="y", name="odd", cv=cv), data)


@pytest.fixture(scope="module")
def engine():
    with LocalEngine(2) as engine:
        yield engine


def answers(how, engine, **cv):
    found = crossval.predict(Odd(how), cross_validation(**cv), seeds=1, entropy=0, engine=engine)
    return set(found.responses["predict"].ravel().tolist())


@pytest.mark.parametrize("jobs", [1, 2])
def test_children_answer_what_this_process_does(jobs):
    columns = make_column_transformer((OneHotEncoder(), ["kind", "word"]), ("passthrough", ["a"]))
    cv = cross_validation()
    with LocalEngine(jobs) as engine:
        for candidate in (RandomForestClassifier(3), LogisticRegression()):
            model = make_pipeline(columns, candidate)
            here, there = (
                crossval.predict(model, cv, seeds=2, entropy=5, engine=each) for each in (InProcess(), engine)
            )
            assert here.same_slots(there)
            assert here.agrees(there, rtol=0)
            assert crossval.is_random(model, cv, entropy=5, engine=engine)[0] == (
                candidate.__class__.__name__[0] == "R"
            )


@posix
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("exits", r"fold \d, seed 0: the process that fits the candidate ended with exit code 0"),
        ("aborts", r"fold \d, seed 0: .* was killed \(SIGABRT\)(.|\n)*test_local_engine.py.*in misbehave"),
        ("is killed", r"fold \d, seed 0: .* was killed \(SIGKILL\): out of memory\?(.|\n)*--model-check-jobs=1"),
        ("leaves", r"fold \d: the candidate called sys.exit\(3\)"),
        ("hangs", r"fold \d, seed 0: .* not done after 0.3 s(.|\n)*test_local_engine.py.*in hang(.|\n)*timeout="),
    ],
)
def test_a_fit_that_ends_its_process_is_named_and_others_go_on(engine, how, words):
    began = time.monotonic()
    with pytest.raises(CandidateError, match=words):
        answers(how, CheckEngine(engine, 0.3))
    assert time.monotonic() - began < 20
    assert answers("", engine) == {0}


def test_a_fit_finds_what_is_around_pytest(engine, monkeypatch, tmp_path):
    assert answers("variable", engine) == {0}
    monkeypatch.setenv("MODEL_CHECK_TEST", "7")
    assert answers("variable", engine) == {7}
    monkeypatch.delenv("MODEL_CHECK_TEST")
    assert answers("variable", engine) == {0}
    (tmp_path / "twelve chars").mkdir()
    monkeypatch.chdir(tmp_path / "twelve chars")
    assert answers("folder", engine) == {12}
    monkeypatch.syspath_prepend("/nowhere")
    assert answers("path", engine) == {0}
    with sklearn.config_context(working_memory=77):
        assert answers("sklearn", engine) == {77}


@posix
def test_what_a_fit_prints_is_captured_where_pytest_captures(engine, capfd):
    answers("prints", engine)
    with LocalEngine(1) as fresh:
        assert answers("prints", fresh) == {0}
    assert set(capfd.readouterr().out.split("\n")) >= {"to its output", "its child too"}


def test_children_stay_for_the_next_check_and_are_never_this_process(engine):
    first, second = answers("pid", engine, cv=8), answers("pid", engine, cv=8)
    assert len(first | second) <= 2
    assert os.getpid() not in first


def test_inner_parallelism_has_the_cores_only_where_fits_leave_them(engine):
    assert answers("cores", engine) == {1}
    with LocalEngine(1, nested=True) as alone:
        assert answers("cores", alone) == {2}


def test_a_data_set_is_written_once_and_removed_when_nobody_has_it(tmp_path):
    cv = cross_validation()
    with LocalEngine(1, tmp_path) as engine:
        for _ in range(2):
            crossval.predict(Odd(), cv, seeds=1, entropy=0, engine=engine)
        assert len(list(tmp_path.rglob("data-*"))) == 1
        del cv
        assert not list(tmp_path.rglob("data-*"))
    assert not list(tmp_path.iterdir())


def test_mapped_numbers_are_not_copied_and_can_not_be_written_to(tmp_path):
    frame = cross_validation().dataset.X
    shared_data.write(tmp_path / "data", frame)
    again, _ = shared_data.read(tmp_path / "data")
    pd.testing.assert_frame_equal(again, frame)
    numbers = again["a"].to_numpy()
    assert not numbers.flags.owndata
    assert not numbers.flags.writeable


@pytest.mark.parametrize("kind", ["float64", "by column", "int32", "mixed", "text", "indexed"])
def test_rows_of_large_data_are_taken_as_pandas_takes_them(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(shared_data, "BLOCK", 1)
    frame = pd.DataFrame(np.arange(40.0).reshape(10, 4), columns=["a", "b", "a", 3])
    if kind == "mixed":
        frame = frame.assign(number=np.arange(10))
    elif kind == "indexed":
        frame.index = pd.Index(list("abcdefghij"), name="id")
    elif kind == "by column":
        frame = pd.DataFrame(frame.to_numpy().T.copy().T, columns=frame.columns, copy=False)
    elif kind != "float64":
        frame = frame.astype({"text": "str"}.get(kind, kind))
    shared_data.write(tmp_path / "data", frame)
    mapped, let_go = shared_data.read(tmp_path / "data")
    rows, released = np.array([7, 2, 2, 9]), []
    taken = shared_data.take(mapped, rows, lambda: released.append(let_go()))
    pd.testing.assert_frame_equal(taken, frame.iloc[rows])
    assert taken.to_numpy().flags.f_contiguous == frame.iloc[rows].to_numpy().flags.f_contiguous
    assert (len(released) == 1) is (kind in ("mixed", "text"))
    pd.testing.assert_frame_equal(mapped, frame)  # what was let go is read again


def test_ctrl_c_ends_what_is_being_fitted_and_what_was_finished_is_kept():
    batch = Batch(tuple(Fit(0, k) for k in range(3)), Odd("hangs"), cross_validation(), 0)  # one of them hangs
    with LocalEngine(2) as engine:
        outcomes = engine.run(batch)
        next(outcomes), next(outcomes)  # these two are done, and whoever asked has them
        before, began = children(), time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            outcomes.throw(KeyboardInterrupt())
        assert len(before - children()) == 1
    assert time.monotonic() - began < 2


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True) if _is_running(child.pid)}


ENDLESS = """
import os, subprocess, sys, time
sys.path.insert(0, {tests!r})
from fitting import test_local_engine as t

class Endless(t.Odd):
    def fit(self, X, y):
        own = subprocess.Popen(["sleep", "600"])
        print(os.getpid(), os.getppid(), own.pid, flush=True)
        t.hang()

with t.LocalEngine(2) as engine:
    t.crossval.predict(Endless(), t.cross_validation(), seeds=1, entropy=0, engine=engine)
"""


@posix
def test_children_and_what_they_started_end_with_their_parent():
    command = [sys.executable, "-c", ENDLESS.format(tests=str(Path(__file__).parents[1]))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        fits = [[int(pid) for pid in parent.stdout.readline().split()] for _ in range(2)]
        (server,) = {pids.pop(1) for pids in fits}  # that they were forked from
        parent.kill()  # as SIGTERM does: no code of its own runs any more
        assert not running_after(10, {server, *(pid for pids in fits for pid in pids)})


def running_after(seconds: float, pids: set[int]) -> set[int]:
    deadline = time.monotonic() + seconds
    while any(map(_is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return {pid for pid in pids if _is_running(pid)}


def _is_running(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
