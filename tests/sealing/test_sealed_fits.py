"""Sealed fits: an honest candidate answers as it does unsealed; one that looks for the answers finds nothing."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import psutil
import pytest
from pytest_model_check.candidates.program import Program
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.candidates.service import Service
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import CandidateError, EngineError
from pytest_model_check.fitting import crossval, pickling
from pytest_model_check.fitting.engine import Batch, CheckEngine, InProcess
from pytest_model_check.fitting.fit import Fit
from pytest_model_check.sealing import reply, view
from pytest_model_check.sealing.engine import SealedEngine
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from support.project import Project, git

pickling.travel_by_value(sys.modules[__name__])
WHY_NOT = view.problem()
sealed = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
OWN = "from sklearn.linear_model import LogisticRegression\nclass Own(LogisticRegression): pass\n"
PROGRAM = """
import json, sys
import pandas as pd
request = json.load(sys.stdin)
train, test = pd.read_csv(request["train"]), pd.read_csv(request["test"])
mean = train[request["target"]].mean()
test[["row_id"]].assign(prediction=mean + test["a"]).to_csv(request["output"], index=False)
"""


def cross_validation(rows=60, cv=3, *, labels=None) -> splits.CrossValidation:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(rows) % 2)
    X = pd.DataFrame(
        {"a": rng.normal(size=rows) + y, "kind": pd.Series(rng.choice(["x", "y"], rows), dtype="category")}
    )
    y = y if labels is None else np.asarray(labels, dtype=object)[y]
    data = Dataset(X=X, y=y, groups=None, time=None, slices=X[[]], files=(("data.csv", "0" * 32),))
    model = RandomForestClassifier() if labels else Tries()
    return splits.make_cross_validation(make_check(model, data="data.csv", target="y", name="odd", cv=cv), data)


class Tries(RegressorMixin, BaseEstimator):
    """Does something while it is fitted, and answers how often it has been done on this machine."""

    def __init__(self, how="", where=""):
        self.how, self.where = how, where

    def fit(self, X, y):  # noqa: ARG002
        self.found_ = float(WAYS[self.how](self.where) or 0)
        return self

    def predict(self, X):
        return np.full(len(X), self.found_)


def forge(reply):
    """Answer for the process that answers."""
    os.write(5, len(reply).to_bytes(8, "little") + reply)
    time.sleep(60)


def forge_head():
    os.write(5, b"\xff" * 8)
    time.sleep(60)


STARTED = []


def leave(_):
    """Leave a message in every place there is, after looking for one."""
    found = 0
    for place in ("/tmp/answers", "/var/tmp/answers", "/dev/shm/answers"):
        found += Path(place).exists()
        Path(place).write_text("1")
    for name in ("\0answers", "/tmp/daemon"):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as other:
            found += other.connect_ex(name) == 0
    libc = ctypes.CDLL(None)
    if os.uname().machine == "x86_64":  # the keyring of the session
        found += libc.syscall(249, b"user", b"answers", None, -3) > 0
        libc.syscall(248, b"user", b"answers", b"1", ctypes.c_size_t(1), -3)
    found += libc.shmget(4242, 1, 0) >= 0
    libc.shmget(4242, 1, 0o1600)
    serve = "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind({!r}); s.listen(); time.sleep(98765)"
    for name in ("\0answers", "/tmp/daemon"):
        STARTED.append(subprocess.Popen([sys.executable, "-c", serve.format(name)], start_new_session=True))
    time.sleep(0.5)
    return found


def connect(address):
    host, port = address.split(":")
    socket.create_connection((host, int(port)), timeout=5)


def call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


WAYS = {
    "": lambda _: 0,
    "reads": lambda path: Path(path).read_bytes(),
    "lists": lambda path: len([*Path(path).iterdir()]),
    "writes": lambda path: Path(path).write_text("fine"),
    "removes": lambda path: Path(path).unlink(),
    "connects": connect,
    "remounts": lambda path: subprocess.run(["mount", "-o", "remount,rw", path], check=True, capture_output=True),
    "becomes root": lambda _: call("unshare", 0x10000000),
    "traces": lambda pid: os.kill(int(pid), 0),
    "leaves": leave,
    "exits": lambda _: os._exit(0),
    "is killed": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "kills all": lambda _: os.kill(-1, signal.SIGKILL) or time.sleep(60),
    "leaves pytest": lambda _: sys.exit(3),
    "hangs": lambda _: time.sleep(600),
    "forges a pickle": lambda _: forge(b"\x80\x04."),
    "announces too much": lambda _: forge_head(),
    "forges text": lambda _: forge((2).to_bytes(8, "little") + b"[]"),
    "forges too much": lambda _: forge(bytes(50_000_000)),
    "talks": lambda _: print("to its output"),  # noqa: T201
    "searches": lambda text: sum(text.encode() in path.read_bytes() for path in Path("/proc").glob("[0-9]*/environ")),
    "warns": lambda _: warnings.warn("not so well", RuntimeWarning, stacklevel=2),
    "counts": lambda _: joblib.effective_n_jobs(2),
    "uses files": lambda _: joblib.dump([1], "/tmp/x.joblib") and len(joblib.load("/tmp/x.joblib")),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Make a repository with code, and with everything that a fit may not see."""
    top = tmp_path_factory.mktemp("sealed") / "project"
    files = {
        "src/own_model.py": OWN,
        ".gitignore": "cache/\ndata.csv\nreport.md\n",
        "data.csv": "y\n1\n", "tracked.csv": "y\n1\n", "baselines/odd.json": "{}", "report.md": "passed",
        ".dvc/cache/files/md5/00/1": "1", ".dvc/config": "", "cache/fits": "1", "data.csv.dvc": "outs: []",
        "seen.csv": "y\n1\n", "seen.csv.dvc": "outs: []",
        "remote/files/md5/00/0000000000000000000000000000aa": "1", "program.py": PROGRAM,
    }  # fmt: skip
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    git(top, "init", "-q")
    git(top, "add", "-A")
    return top


@pytest.fixture(scope="module")
def engine(root, tmp_path_factory):
    with SealedEngine(1, root, tmp_path_factory.mktemp("scratch"), hidden=(root / "baselines",)) as engine:
        data = cross_validation().dataset
        engine.share(replace(data, files=(("tracked.csv", "0" * 32),)))
        yield engine


def attempt(engine, how, where="", *, timeout=None, **cv):
    found = crossval.predict(
        Tries(how, str(where)), cross_validation(**cv), seeds=1, entropy=0, engine=CheckEngine(engine, timeout)
    )
    return set(found.responses["predict"].ravel().tolist())


# What a candidate does that looks for the answers, and what becomes of it.
ATTACKS = {
    "reads the data": ("reads", "{root}/data.csv", "FileNotFoundError"),
    "reads data that git tracks": ("reads", "{root}/tracked.csv", "FileNotFoundError"),
    "reads data that git does not ignore": ("reads", "{root}/seen.csv", "FileNotFoundError"),
    "reads DVC's cache": ("reads", "{root}/.dvc/cache/files/md5/00/1", "FileNotFoundError"),
    "reads a remote in the repository": (
        "reads",
        "{root}/remote/files/md5/00/0000000000000000000000000000aa",
        "FileNotFoundError",
    ),
    "reads what names the data's digest": ("reads", "{root}/data.csv.dvc", "FileNotFoundError"),
    "reads git's objects": ("lists", "{root}/.git", "FileNotFoundError"),
    "reads the baseline": ("reads", "{root}/baselines/odd.json", "FileNotFoundError"),
    "reads a report": ("reads", "{root}/report.md", "FileNotFoundError"),
    "reads the cache of fits": ("reads", "{root}/cache/fits", "FileNotFoundError"),
    "looks around it": ("lists", "{root}/..", None),
    "reads another process": ("reads", "/proc/{pid}/environ", "FileNotFoundError"),
    "signals another process": ("traces", "{pid}", "ProcessLookupError"),
    "opens a socket": ("connects", "127.0.0.1:{port}", "(ConnectionRefusedError|OSError)"),
    "writes a report": ("writes", "{root}/report.md", r"OSError: \[Errno 30\] Read-only"),
    "changes the code": ("writes", "{root}/src/own_model.py", r"OSError: \[Errno 30\] Read-only"),
    "changes the environment": ("removes", f"{sys.prefix}/pyvenv.cfg", r"OSError: \[Errno 30\] Read-only"),
    "mounts": ("remounts", "{root}", "CalledProcessError"),
    "makes a user namespace": ("becomes root", "", "(OSError|PermissionError)"),
    "ends its process": ("exits", "", "ended with exit code 0 before it answered"),
    "is killed": ("is killed", "", r"was killed \(SIGKILL\)"),
    "kills what it can": ("kills all", "", r"was killed \(SIGKILL\)"),
    "leaves pytest": ("leaves pytest", "", r"called sys.exit\(3\)"),
    "answers with a pickle": ("forges a pickle", "", "sent back is no answer"),
    "announces an answer without end": ("announces too much", "", "longer than its rows call for"),
    "answers something else": ("forges text", "", "sent back is no answer"),
    "answers without end": ("forges too much", "", "longer than its rows call for"),
}


@sealed
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_sealed_fit_that(attack, engine, root):
    how, where, stopped = ATTACKS[attack]
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = where.format(root=root, pid=os.getpid(), port=server.getsockname()[1])
        if stopped is None:
            assert attempt(engine, how, where) == {1.0}, "the folders on the way hold nothing but the next one"
            return
        with pytest.raises(CandidateError, match=stopped) as caught:
            attempt(engine, how, where)
    assert caught.value.message.startswith("fold 1")
    assert "The fit was sealed: it sees the code that git knows" in caught.value.advice
    assert (root / "report.md").read_text() == "passed"


@sealed
def test_a_sealed_fit_leaves_nothing_to_the_next_fold(root):
    with SealedEngine(1, root) as engine:
        assert attempt(engine, "leaves", cv=4) == {0.0}
    assert not [process for process in psutil.process_iter(["cmdline"]) if "98765" in str(process.info["cmdline"])]


@sealed
def test_a_sealed_fit_of_the_judges_knows_nothing_of_its_environment(root, monkeypatch, capfd):
    monkeypatch.setenv("TOKEN", "of the judge's job")
    for apart, found in ((False, True), (True, False)):
        with SealedEngine(1, root, apart=apart) as engine:
            assert (attempt(engine, "searches", "of the judge's job", cv=2) != {0.0}) is found
            attempt(engine, "talks", cv=2)
        assert ("to its output" in capfd.readouterr().out) is found


@sealed
def test_a_sealed_fit_that_takes_too_long_is_ended(engine):
    with pytest.raises(CandidateError, match=r"not done after 0.3 s(.|\n)*in fit(.|\n)*timeout="):
        attempt(engine, "hangs", timeout=0.3)


@sealed
def test_honest_candidates_answer_as_they_do_unsealed(engine, root, monkeypatch, capfd):
    monkeypatch.syspath_prepend(str(root / "src"))
    monkeypatch.chdir(root)
    from own_model import Own  # type: ignore[import-not-found]

    columns = make_column_transformer((OneHotEncoder(), ["kind"]), ("passthrough", ["a"]))
    words, numbers = cross_validation(labels=("benign", "malignant")), cross_validation()
    for cv, candidate in (
        (words, make_pipeline(columns, RandomForestClassifier(3, n_jobs=2))),
        (words, make_pipeline(columns, Own())),
        (numbers, Program([sys.executable, "program.py"], task="regression", root=root)),
        (numbers, Tries("uses files")),
    ):
        here, there = (
            crossval.predict(candidate, cv, seeds=2, entropy=5, engine=each) for each in (InProcess(), engine)
        )
        assert here.same_slots(there)
        assert here.agrees(there, rtol=0), candidate
        assert {name: array.dtype for name, array in here.responses.items()} == {
            name: array.dtype for name, array in there.responses.items()
        }
    assert attempt(engine, "counts") == {1.0}, "one core a fit"
    attempt(engine, "talks")
    assert "to its output" in capfd.readouterr().out


@sealed
def test_warnings_come_back(engine):
    with pytest.warns(RuntimeWarning, match=r"not so well \(in 3 of 3 fits\)"):
        crossval.predict(Tries("warns"), cross_validation(), seeds=1, entropy=0, engine=engine)


@sealed
def test_what_can_not_be_sealed_is_refused(engine, tmp_path):
    service = Service("http://127.0.0.1:1/v2/models/x", task="regression")
    with pytest.raises(CandidateError, match=r"can't be sealed: it was fitted elsewhere"):
        crossval.predict(service, cross_validation(), seeds=1, entropy=0, engine=engine)
    with (
        SealedEngine(1, tmp_path) as outside,
        pytest.raises(EngineError, match=r"lies in no git repository(.|\n)*git init"),
    ):
        attempt(outside, "")


def test_where_no_sandbox_can_be_had_the_run_is_refused(project: Project, monkeypatch) -> None:
    project.check()
    result = project.run("--update-baselines", "--model-check-sealed", "--model-check-engine=dask")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--model-check-sealed: fits are sealed on this machine alone, not on dask"])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    result = project.run("--update-baselines", "--model-check-sealed")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    linux = "bubblewrap is not installed: apt-get install bubblewrap (0.8 or later)"
    why = linux if sys.platform == "linux" else "fits are sealed on Linux alone"
    result.stderr.fnmatch_lines([f"*--model-check-sealed: {why}"])
    assert project.stored() == {}


@sealed
def test_the_report_says_whose_word_it_is_that_fits_were_sealed(branch: Project) -> None:
    result = branch.run("--model-check-sealed", "--model-check-against=main", "--model-check-evidence=evidence")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["Sealed fits: tumours: no fit could see an answer, as this run says, *"])
    assert [(check["verdict"], check["sealed"]) for check in branch.report()["checks"]] == [("identical", "run")]
    assert json.loads((branch.path / "evidence" / "checks" / "tumours.json").read_text())["claims_sealed"] is True


def sandboxes():
    return {child.pid for child in psutil.Process().children(recursive=True) if "bwrap" in child.name()}


@sealed
def test_an_abandoned_fit_is_ended(root):
    before = sandboxes()
    with SealedEngine(1, root) as engine:
        outcomes = engine.run(Batch((Fit(0, 0),), Tries("hangs"), cross_validation(), 0))
        assert next(outcomes) is None  # a heartbeat
        outcomes.close()
        end = time.monotonic() + 30
        while sandboxes() - before:
            assert time.monotonic() < end


ANSWER = Answers({"predict": np.arange(3.0), "decision_function": np.zeros((3, 2))}, ((UserWarning, "w"),), (1.0, 2.0))


def framed(described, rest=b""):
    head = json.dumps(described).encode()
    return len(head).to_bytes(8, "little") + head + rest


FLOATS = {"dtype": "<f8", "shape": [3]}
GOOD = {"responses": {"predict": FLOATS}, "warned": [], "seconds": [0, 0]}
HOSTILE = {
    "nothing": b"",
    "a length without end": b"\xff" * 9,
    "no JSON": framed({})[:9],
    "a list": framed([]),
    "deep": (10**6).to_bytes(8, "little") + b"[" * 10**6,
    "no arrays": framed(GOOD),
    "more than arrays": framed(GOOD, bytes(32)),
    "objects": framed({**GOOD, "responses": {"predict": {"dtype": "|O", "shape": [3]}}}, bytes(24)),
    "a structure": framed({**GOOD, "responses": {"predict": {"dtype": "f8,f8", "shape": [3]}}}, bytes(48)),
    "a huge shape": framed({**GOOD, "responses": {"predict": {"dtype": "<f8", "shape": [10**12]}}}, bytes(24)),
    "a negative shape": framed({**GOOD, "responses": {"predict": {"dtype": "<f8", "shape": [-3, -1]}}}, bytes(24)),
    "other rows": framed({**GOOD, "responses": {"predict": {"dtype": "<f8", "shape": [2]}}}, bytes(16)),
    "NaN": framed(GOOD, np.full(3, np.nan).tobytes()),
    "nested labels": framed({**GOOD, "responses": {"predict": {"labels": [[1], [2], [3]]}}}),
    "endless time": framed({**GOOD, "seconds": [1e999, 0]}, bytes(24)),
    "no predict": framed({**GOOD, "responses": {}}),
    "a class for a warning": framed({**GOOD, "warned": [["print"]]}, bytes(24)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_reply_that_is_no_answer_is_the_candidates_error(case):
    assert isinstance(reply.loads(HOSTILE[case], 3, None), CandidateError)


def test_a_reply_is_what_was_answered():
    found = reply.loads(reply.dumps(ANSWER), 3, None)
    assert isinstance(found, Answers)
    assert found.warned == ANSWER.warned
    for name, array in ANSWER.responses.items():
        np.testing.assert_array_equal(found.responses[name], array)
    error = reply.loads(reply.dumps(CandidateError("no", "yes")), 3, None)
    assert (error.message, error.advice) == ("no", "yes")
    odd = Answers({"predict": np.array([pd.Timestamp(0)] * 3, dtype=object)}, ())
    with pytest.raises(CandidateError, match="a Timestamp, and a sealed fit sends back numbers and text"):
        reply.dumps(odd)
