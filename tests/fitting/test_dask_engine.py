"""Fits on a Dask cluster of two processes: the same answers, whoever dies meanwhile, and each fault in words."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import CandidateError, EngineError
from pytest_model_check.fitting import crossval, dask_engine
from pytest_model_check.fitting.engine import CheckEngine, InProcess
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from support.branches import PROMISE
from support.project import LOGISTIC, Project

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("default")]  # Dask's own are not ours


class Odd(RegressorMixin, BaseEstimator):
    """Takes its time, or dies in the fold that has not seen the first row. Workers can't import it."""

    def __init__(self, how="", seconds=0.0):
        self.how = how
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        if self.how == "dies" and 0 not in X.index:
            os.kill(os.getpid(), signal.SIGKILL)
        while self.how == "hangs":
            time.sleep(0.01)
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def cross_validation(cv=5) -> splits.CrossValidation:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=200), "word": rng.choice(["x", "y"], 200)})
    data = Dataset(
        X=X[["a"]], y=rng.normal(size=200), groups=None, time=None, slices=X[[]], files=(("data.csv", "0" * 32),)
    )
    return splits.make_cross_validation(make_check(Odd(), data="data.csv", target="y", name="odd", cv=cv), data)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory):
    """A scheduler and two workers, as a user starts them; a nanny brings back each worker that dies."""
    folder = tmp_path_factory.mktemp("dask")
    python = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    scheduler = subprocess.Popen(
        [
            *python,
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(folder / "file.json"),
        ],
        cwd=folder,
    )
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(folder / "file.json")]
    workers = subprocess.Popen(
        [*worker, "--nworkers", "2", "--nthreads", "1", "--no-dashboard", "--memory-limit", "0"], cwd=folder
    )
    try:
        with distributed.Client(scheduler_file=str(folder / "file.json"), timeout=120) as client:
            client.wait_for_workers(2, timeout=120)
            yield client.scheduler.address
    finally:
        for process in (workers, scheduler):
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def engine(address):
    engine = dask_engine.DaskEngine(address, jobs=0, project=Path(__file__).parents[1])
    yield engine
    engine.close()


def test_workers_answer_what_this_process_does(engine):
    cv, forest = cross_validation(), RandomForestRegressor(3)
    here, there = (crossval.predict(forest, cv, seeds=2, entropy=5, engine=each) for each in (InProcess(), engine))
    assert here.agrees(there, rtol=0)


def test_a_fit_that_dies_or_hangs_there_is_named(engine):
    with pytest.raises(CandidateError, match=r"fold \d, seed 0: .* was killed \(SIGKILL\): out of memory\?"):
        crossval.predict(Odd("dies"), cross_validation(), seeds=1, entropy=0, engine=engine)
    with pytest.raises(CandidateError, match=r"fold 1, seed 0: .* not done after 0.3 s(.|\n)*test_dask_engine.py"):
        crossval.predict(Odd("hangs"), cross_validation(), seeds=1, entropy=0, engine=CheckEngine(engine, 0.3))


@pytest.mark.parametrize("victims", [1, 2])
def test_the_answers_survive_workers_that_are_killed(engine, address, victims):
    cv, killed = cross_validation(), threading.Event()
    expected = crossval.predict(Odd(), cv, seeds=2, entropy=0, engine=InProcess())

    def kill(done, total):
        if done == 3 and not killed.is_set():
            killed.set()
            with distributed.Client(address) as client:
                for pid in list(client.run(os.getpid).values())[:victims]:
                    os.kill(pid, signal.SIGKILL)

    found = crossval.predict(Odd(seconds=0.3), cv, seeds=2, entropy=0, engine=engine, progress=kill)
    assert killed.is_set()
    assert expected.agrees(found, rtol=0)


def test_other_versions_are_refused(engine, monkeypatch):
    monkeypatch.setattr(dask_engine, "versions", lambda: {"python": "3.11", "numpy": "1.0"})
    with pytest.raises(EngineError, match=r"numpy .*, not 1\.0"):
        crossval.predict(Odd(), cross_validation(), seeds=1, entropy=0, engine=engine)


def test_a_cluster_that_is_not_there_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(dask_engine, "CONNECTING", 0.5)
    nowhere = dask_engine.DaskEngine("tcp://127.0.0.1:9", jobs=1, project=Path(__file__).parent)
    for _ in range(2):
        with pytest.raises(EngineError, match=r"the Dask cluster tcp://127.0.0.1:9 can't be reached"):
            crossval.predict(Odd(), cross_validation(), seeds=1, entropy=0, engine=nowhere)


def test_a_run_on_a_cluster_judges_the_same_and_takes_no_fit_from_the_cache(address, project: Project):
    project.check(LOGISTIC, PROMISE)
    project.record()
    project.check(LOGISTIC.replace("LogisticRegression()", "LogisticRegression(C=0.7)"), PROMISE)
    assert project.run().ret == 0, "these fits are kept"
    checks = []
    for arguments in ((), (f"--model-check-engine={address.replace('tcp', 'dask', 1)}",)):
        assert project.run(*arguments).ret == 0
        checks += project.report()["checks"]
    warm, cluster = checks
    assert (warm["served"], cluster["served"], cluster["uncached"]) == (warm["fits"], 0, "")
    assert [check["verdict"] for check in checks] == ["held", "held"]
    assert warm["metrics"] == cluster["metrics"]
