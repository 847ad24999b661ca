"""Unchanged means no fit, and whatever may change a model means one: nothing is served in the green direction."""

import errno
import importlib
import json
import os
import platform
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.data.splits import CrossValidation, Split
from pytest_model_check.fitting import cache, fingerprint, machine, watch
from pytest_model_check.fitting.cache import CachedEngine, FitCache
from pytest_model_check.fitting.engine import Batch, run_fits
from pytest_model_check.fitting.fit import Fit, try_fit
from pytest_model_check.fitting.local_engine import LocalEngine
from pytest_model_check.settings import CacheSettings, Origin
from sklearn.exceptions import ConvergenceWarning
from support.project import ROOT, git
from threadpoolctl import threadpool_limits

PLAIN = {
    "pkg/__init__.py": "",
    "pkg/model.py": """
        import numpy as np
        from pkg import base
        from pkg.helpers import scale
        from pkg.wrapping import wrapped

        LEVEL = 0.5
        try:
            import extra
        except ImportError:
            extra = None

        class Model(base.Base):
            kind = "a"
            def __init__(self, power=1, function=None, table=None, inner=None):
                self.power, self.function, self.table, self.inner = power, function, table, inner

            @wrapped
            def fit(self, X, y):
                from pkg.lazy import SHIFT
                self.classes_ = np.unique(y)
                self.mean_ = scale(float(np.log1p(np.abs(X.to_numpy(dtype=float)).mean()))) + SHIFT + LEVEL
                return self

            def predict(self, X):
                return self.classes_[(X.iloc[:, 0].to_numpy() > self.mean_).astype(int)]
    """,
    "pkg/base.py": """
        from sklearn.base import BaseEstimator, ClassifierMixin
        class Base(ClassifierMixin, BaseEstimator):
            def score_more(self):
                return 1
    """,
    "pkg/helpers.py": "from pkg.deep import FACTOR\ndef scale(x, by=1):\n    return x * FACTOR * by\n",
    "pkg/deep.py": "FACTOR = 2\n",
    "pkg/lazy.py": "SHIFT = 1\n",
    "pkg/wrapping.py": "def wrapped(function):\n    return function\n",
    "pkg/table.json": "[1]",
    "other.py": "import numpy as np\nnp.seldom = 1\n",
    "conftest.py": "",
    "plug.py": "",
    "pytest.ini": "[pytest]\n",
    "checks.py": """
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from pkg.model import Model
        TABLE = "pkg/table.json"

        def adding(n):
            return lambda x: x + n

        def candidate():
            return Model(function=adding(1), table=np.arange(3), inner=LogisticRegression(C=1.0))
    """,
}
READING = PLAIN | {
    "pkg/lazy.py": """
        import functools, importlib
        from pathlib import Path

        SHIFT = 1
        importlib.import_module("pkg." + "named")
        exec(Path(__file__).with_name("code" + ".txt").read_text())

        @functools.cache
        def level():
            here = Path(__file__).parent
            try:
                (here.parent / ("may" + "be.cfg")).read_text()
            except FileNotFoundError:
                pass
            outside = (here.parent.parent / ("out" + "side.cfg")).read_text()
            return len((here / ("level" + ".cfg")).read_text()) + len(np_load(here) + outside)

        def np_load(here):
            import numpy
            return str(numpy.load(here / "ignored.npy"))
    """,
    "pkg/named.py": "X = 1\n",
    "pkg/code.txt": "CODE = 1\n",
    "pkg/level.cfg": "1",
    "../outside.cfg": "1",
    "pkg/model.py": PLAIN["pkg/model.py"].replace("SHIFT\n", "SHIFT, level\n                level()\n"),
}


def dataset(X: pd.DataFrame, y: np.ndarray) -> Dataset:
    return Dataset(X, y, None, None, X[[]], (("data.csv", "0"),))


@dataclass
class Place:
    """A project, its data, and what pytest would know of it."""

    path: Path
    cache: Path
    monkeypatch: pytest.MonkeyPatch
    X: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"a": np.arange(40) / 7, "b": np.arange(40) % 5}))
    y: np.ndarray = field(default_factory=lambda: np.array(["no", "yes"] * 20, dtype=object))
    rows: tuple = (np.arange(20), np.arange(20, 40))
    fits: tuple = (Fit(0, 0), Fit(0, 1))
    entropy: int = 7
    stated: tuple = ("a",)
    files: tuple = ("checks.py", "conftest.py", "plug.py")
    runtime: object = None

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text()
        assert old in text
        (self.path / name).write_text(text.replace(old, new))

    def run(self, *, reads: bool = True) -> tuple[int, str]:
        """Fit what is not served; tells how much was, and why it was not kept."""
        forget()
        watch._watch.notes.clear()  # of this process, which is pytest's: a process that fits begins with none
        watch._watch.written.clear()
        module = importlib.import_module("checks")
        importlib.import_module("other")
        candidate = module.candidate()
        if self.runtime is not None:
            self.runtime()
        files = tuple(str(self.path / name) for name in self.files)
        started = time.time_ns() + 10**7
        ini = (self.path / "pytest.ini", self.path / "pyproject.toml")
        settings = tuple(path for path in ini if path.exists())
        origin = Origin(self.path, self.path, files, settings, self.stated, (str(self.cache),), started)
        fits = FitCache(CacheSettings(self.cache, reads, origin), candidate)
        first, second = self.rows
        splits = (Split(0, 0, first, second), Split(0, 1, second, first))
        cv = CrossValidation(dataset(self.X, self.y), np.unique(self.y), splits, "cv")
        found = fits.find(self.fits, cv, self.entropy)
        for fit in self.fits:
            if fit not in found:
                split = cv.splits[fit.split]
                answers = try_fit(fit, split, candidate, self.X, self.y, cv.classes, self.entropy)
                assert not isinstance(answers, Exception), answers
                fits.keep(fit, answers, cv, self.entropy)
        return len(found), fits.reason


def forget() -> None:
    importlib.invalidate_caches()
    for name in list(sys.modules):
        if name.partition(".")[0] in ("checks", "extra", "other", "pkg"):
            del sys.modules[name]


@pytest.fixture
def _fresh(monkeypatch):
    """Let other tests' fits, and this environment, count for nothing."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name, value in (("notes", {}), ("digests", {}), ("written", set())):
        monkeypatch.setattr(watch._watch, name, value)
    monkeypatch.setenv("MODEL_LEVEL", "1")
    loaded = fingerprint._loaded
    monkeypatch.setattr(
        fingerprint,
        "_loaded",
        lambda: {file: package for file, package in loaded().items() if not file.startswith(str(ROOT))},
    )
    yield
    forget()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A cache that holds the fits of both projects as they are."""
    return tmp_path_factory.mktemp("kept") / "cache"


def made(files: dict[str, str], tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place((tmp_path / "project").resolve(), folder, monkeypatch)
    for name, text in files.items():
        place.write(name, text)
    np.save(place.path / "pkg" / "ignored.npy", [1.5])
    monkeypatch.syspath_prepend(place.path)
    monkeypatch.chdir(place.path)
    return place


@pytest.fixture
def plain(_fresh, tmp_path, kept, monkeypatch):
    return filled(PLAIN, tmp_path, kept, monkeypatch)


@pytest.fixture
def reading(_fresh, tmp_path, kept, monkeypatch):
    return filled(READING, tmp_path, kept, monkeypatch)


_filled: set[int] = set()


def filled(files, tmp_path, kept, monkeypatch) -> Place:
    """Make a project whose fits are in the cache; what is the same elsewhere has been fitted once."""
    place = made(files, tmp_path, kept, monkeypatch)
    if id(files) not in _filled:
        _filled.add(id(files))
        assert place.run() == (0, "")
    return place


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize("files", [PLAIN, READING], ids=["plain", "reading"])
def test_what_is_unchanged_is_served(files, tmp_path, monkeypatch):
    place = made(files, tmp_path, tmp_path / "cache", monkeypatch)
    assert place.run() == (0, "")
    assert place.run() == (2, "")
    assert place.run(reads=False) == (0, "")
    place.write("notes.cfg" if files is PLAIN else "../notes.cfg", "nothing that the model reaches")
    assert place.run() == (2, "")


def installed(place: Place, record: str) -> None:
    """Put a distribution beside the project."""
    folder = place.path.parent / "site-packages" / "fake-1.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text("Name: fake\nVersion: 1\n")
    (folder / "RECORD").write_text(record)
    place.monkeypatch.syspath_prepend(folder.parent)
    machine.machine.cache_clear()


def at_run_time(name: str, text: str):
    """Let code of the project's set something once it is imported."""

    def mutate(place: Place) -> None:
        place.write("../patching.py", f"def value(*args, **kwargs):\n    return {text}\n")

        def set_it() -> None:
            value: object = json.loads(text) if name.endswith(("FACTOR", "LEVEL")) else None
            if value is None:
                spec = importlib.util.spec_from_file_location("patching", place.path.parent / "patching.py")
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                value = module.value
            module_name, _, attribute = name.rpartition(".")
            if module_name.endswith("LogisticRegression"):
                owner = sys.modules["sklearn.linear_model"].LogisticRegression
            elif module_name.endswith("Model"):
                owner = sys.modules["pkg.model"].Model
            else:
                owner = sys.modules[module_name]
            place.monkeypatch.setattr(owner, attribute, value)

        place.runtime = set_it

    return mutate


def edited(name: str, old: str, new: str):
    return lambda place: place.edit(name, old, new)


def written(name: str, text: str):
    return lambda place: place.write(name, text)


def changed(**values):
    return lambda place: [setattr(place, name, value(place)) for name, value in values.items()]


def env(name: str, value: str):
    return lambda place: place.monkeypatch.setenv(name, value)


MUTATIONS = {
    "a constant two imports away": edited("pkg/deep.py", "2", "3"),
    "a helper": edited("pkg/helpers.py", "x * FACTOR", "x + FACTOR"),
    "a default argument": edited("pkg/helpers.py", "by=1", "by=2"),
    "a constant of the model's module": edited("pkg/model.py", "0.5", "0.6"),
    "a class attribute": edited("pkg/model.py", 'kind = "a"', 'kind = "b"'),
    "a default parameter": edited("pkg/model.py", "power=1", "power=2"),
    "what is imported inside a function": edited("pkg/lazy.py", "SHIFT = 1", "SHIFT = 2"),
    "the package's __init__": written("pkg/__init__.py", "import warnings\n"),
    "a base class": edited("pkg/base.py", "return 1", "return 2"),
    "a decorator": edited("pkg/wrapping.py", "return function", "return lambda *a: function(*a)"),
    "an optional import that is there now": written("extra.py", "X = 1\n"),
    "another module found first": written("../first/pkg/deep.py", "FACTOR = 2\n"),
    "a parameter": edited("checks.py", "C=1.0", "C=2.0"),
    "an array": edited("checks.py", "arange(3)", "arange(4)"),
    "a lambda": edited("checks.py", "x + n", "x - n"),
    "the value that a closure holds": edited("checks.py", "adding(1)", "adding(2)"),
    "a file that the source names": written("pkg/table.json", "[2]"),
    "a monkeypatch in conftest": written("conftest.py", "import pkg.model\npkg.model.LEVEL = 2\n"),
    "a project's plugin": written("plug.py", "X = 1\n"),
    "another plugin": changed(stated=lambda place: ("a", "plugin")),
    "another test that may patch": written("other.py", "import numpy as np\nnp.seldom = 2\n"),
    "the ini file": written("pytest.ini", "[pytest]\naddopts = -q\n"),
    "pyproject": written("pyproject.toml", "[tool]\n"),
    "an environment variable": env("MODEL_LEVEL", "2"),
    "a new environment variable": env("MODEL_MODE", "2"),
    "the threads of BLAS, by the environment": env("OPENBLAS_NUM_THREADS", "1"),
    "an option": changed(stated=lambda place: ("b",)),
    "a value of the data": changed(X=lambda place: place.X.replace(0.0, 1e-9)),
    "a type of the data": changed(X=lambda place: place.X.astype({"b": float})),
    "a column's name": changed(X=lambda place: place.X.rename(columns={"b": "c"})),
    "the order of columns": changed(X=lambda place: place.X[["b", "a"]]),
    "a label": changed(y=lambda place: np.array(["no", "yes"] * 19 + ["yes", "no"], dtype=object)),
    "the split": changed(rows=lambda place: (np.arange(21), np.arange(21, 40))),
    "the seed": changed(fits=lambda place: (Fit(1, 0), Fit(1, 1))),
    "the recording": changed(entropy=lambda place: 8),
    "rows left out": changed(fits=lambda place: (Fit(0, 0, leave_out=True), Fit(0, 1, leave_out=True))),
    "the working folder": lambda place: place.monkeypatch.chdir(place.path / "pkg"),
    "a constant, set by a test": at_run_time("pkg.helpers.FACTOR", "9"),
    "a constant of the model's module, set by a test": at_run_time("pkg.model.LEVEL", "0.7"),
    "a function, replaced by a test": at_run_time("pkg.model.scale", "9.0"),
    "a method, replaced by a test": at_run_time("pkg.model.Model.score_more", "9.0"),
    "an installed method, replaced": at_run_time("sklearn.linear_model.LogisticRegression.predict", "9.0"),
    "an installed function, replaced": at_run_time("numpy.log1p", "9.0"),
    "a package that was upgraded": lambda place: installed(place, "fake/__init__.py,sha256=a,1\n"),
    "the processor": lambda place: (
        place.monkeypatch.setattr(machine, "_processor", lambda: "another"),
        machine.machine.cache_clear(),
    ),
    "the platform": lambda place: (
        place.monkeypatch.setattr(platform, "machine", lambda: "another"),
        machine.machine.cache_clear(),
    ),
    "Python": lambda place: (
        place.monkeypatch.setattr(sys, "version", sys.version.replace("3.", "4.", 1)),
        machine.machine.cache_clear(),
    ),
    "this package": lambda place: (
        place.monkeypatch.setattr(machine, "tree_digest", lambda folder: "another"),
        machine.machine.cache_clear(),
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_is_fitted(name, plain, request):
    request.addfinalizer(machine.machine.cache_clear) if name in SLOW else None
    if name == "another module found first":
        plain.write("../first/pkg/__init__.py", "__path__.append(r'" + str(plain.path / "pkg") + "')\n")
        plain.monkeypatch.syspath_prepend(plain.path.parent / "first")
    MUTATIONS[name](plain)
    served, _ = plain.run()
    assert served == 0


SLOW = {"a package that was upgraded", "the processor", "the platform", "Python", "this package"}
READ = {
    "a file, by a name made at run time": written("pkg/level.cfg", "12"),
    "a file outside the project": written("../outside.cfg", "12"),
    "a file that was not there": written("maybe.cfg", "12"),
    "an array, by its file's name": lambda place: np.save(place.path / "pkg" / "ignored.npy", [2.5]),
    "a module, by a name made at run time": written("pkg/named.py", "X = 2\n"),
    "code in a text file": written("pkg/code.txt", "CODE = 2\n"),
    "any other file of the project": written("unheard_of.yaml", "a: 1\n"),
    "a variable of the CI's that the source mentions": lambda place: (
        place.write("pkg/named.py", "# GITHUB_REF\nX = 1\n"),
        place.run(),
        place.monkeypatch.setenv("GITHUB_REF", "refs/heads/x"),
    ),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_fit_reads_is_fitted_when_it_changes(name, reading):
    READ[name](reading)
    served, _ = reading.run()
    assert served == 0


def test_other_threads_of_blas_are_fitted(plain):
    with threadpool_limits(limits=3, user_api="blas"):
        assert plain.run()[0] == 0


def test_what_is_no_change_is_served(plain):
    plain.monkeypatch.setenv("GITHUB_RUN_ID", "8")
    plain.monkeypatch.setenv("PYTEST_CURRENT_TEST", "another")
    plain.write("unheard_of.yaml", "a: 1\n")
    plain.write("test_other.py", "X = 1\n")
    assert plain.run() == (2, "")


UNKEPT = {
    "import socket; socket.create_connection(('127.0.0.1', 9), timeout=.01)": "a fit asks for an address",
    "import subprocess; subprocess.run(['true'])": "a fit starts another process",
    "import os; os.listdir('.')": "a fit lists the folder .",
    "open('log.txt', 'r+')": "a fit changes the file log.txt",
    "open('/dev/urandom', 'rb').close()": "a fit draws random numbers from the system",
    "import os.path; os.path.exists('x')": "pkg/helpers.py asks what can't be watched: exists in line 3",
    "import datetime; datetime.datetime.now()": "pkg/helpers.py asks what can't be watched: now in line 3",
    "import time; time.time()": "pkg/helpers.py asks what can't be watched: time.time in line 3",
    "import polars": "pkg/helpers.py asks what can't be watched: polars in line 3",
    "N": "the candidate holds Model.fit: pkg.model.scale: pkg.helpers.N: "
    "an object of builtins.generator has no content that can be told",
}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("code", UNKEPT)
def test_what_no_key_can_tell_is_not_kept(code, plain):
    (plain.path / "log.txt").write_text("x")
    lines = ["def scale(x):", "    try:", f"        {code}", "    except (OSError, ImportError):", "        pass"]
    plain.write("pkg/helpers.py", "\n".join([*lines, "    return x", "N = (n for n in [])", ""]))
    for _ in range(2):
        assert plain.run() == (0, UNKEPT[code])


def entries(place: Place) -> list[Path]:
    return sorted(place.cache.glob("*/*.fit"))


@pytest.fixture
def alone(_fresh, tmp_path, monkeypatch):
    """A project with a cache of its own, which holds its fits."""
    place = made(PLAIN, tmp_path, tmp_path / "cache", monkeypatch)
    assert place.run() == (0, "")
    return place


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content.replace(b"PK", b"KP", 1),
        lambda content: content[:90] + bytes([content[90] ^ 1]) + content[91:],
        lambda content: b"\x80\x04." + content,
        lambda content: content.replace(b"fit 1", b"fit 2", 1),
    ],
    ids=["empty", "cut off", "no zip", "a bit", "a pickle", "of another version"],
)
def test_a_damaged_entry_is_fitted_again_and_mended(damage, alone):
    first = entries(alone)[0]
    first.write_bytes(damage(first.read_bytes()))
    assert alone.run() == (1, "")
    assert alone.run() == (2, "")


def test_an_entry_under_another_key_is_not_believed(alone):
    first, second = entries(alone)
    first.write_bytes(second.read_bytes())
    assert alone.run() == (1, "")


def test_an_entry_holds_the_same_answers_to_the_bit_and_no_pickle(alone):
    answers = {"predict": np.array(["no", "yes", "no"], object), "predict_proba": np.array([[1 / 3, 2 / 3]] * 3)}
    told = Answers(answers, ((UserWarning, "so so"), (ConvergenceWarning, "slow")))
    packed = cache._packed("k", told, {"a": None}, "")
    again, needs, top = cache._unpacked("k", packed, 3)
    assert again.warned == told.warned
    assert (needs, top) == ({"a": None}, "")
    for name, array in answers.items():
        assert array.dtype == again.responses[name].dtype
        assert array.tolist() == again.responses[name].tolist()
    assert [type(label) for label in again.responses["predict"]] == [str] * 3
    assert b"\x80\x04" not in packed
    with pytest.raises(ValueError, match="whole"):
        cache._unpacked("k", packed + b" ", 3)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_gone_on_without(code, alone, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(code, os.strerror(code))

    shutil.rmtree(alone.cache)
    monkeypatch.setattr(cache, "write_bytes", fail)
    assert alone.run() == (0, f"the cache can't be written: {os.strerror(code)}")


def test_an_unreadable_entry_and_another_users_are_fitted(alone, monkeypatch):
    first = entries(alone)[0]
    first.unlink()
    first.mkdir()
    assert alone.run()[0] == 1
    first.rmdir()
    monkeypatch.setattr(os, "geteuid", lambda: first.parent.stat().st_uid + 1)
    assert alone.run() == (0, "the cache holds another user's files")


def test_what_git_tracks_is_not_believed(alone):
    git(alone.path.parent, "init", "-q")
    git(alone.path.parent, "add", "-f", str(alone.cache))
    cache._is_committed.cache_clear()
    assert alone.run() == (0, "git tracks files of the cache: a branch could have written them")


def test_the_least_recently_used_go_first(tmp_path):
    for number in range(10):
        path = tmp_path / "00" / f"{number}.fit"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (number, number))
    os.utime(tmp_path / "00" / "0.fit")  # it was served
    cache.prune(tmp_path, size=500)
    assert {path.stem for path in tmp_path.glob("*/*")} == {"0", "7", "8", "9"}
    cache.prune(tmp_path, entries=3)
    assert {path.stem for path in tmp_path.glob("*/*")} == {"0", "9"}


def test_a_file_that_changes_while_the_tests_run_is_not_kept(alone):
    alone.edit("pkg/deep.py", "2", "3")
    os.utime(alone.path / "pkg/deep.py", (time.time() + 60,) * 2)
    assert alone.run() == (0, "pkg/deep.py was written after pytest had started")


@pytest.mark.usefixtures("_fresh")
def test_the_processes_that_fit_are_watched_from_their_first_import(tmp_path, monkeypatch):
    place = made(PLAIN, tmp_path, tmp_path / "cache", monkeypatch)
    place.write(
        "pkg/lazy.py",
        """
        import multiprocessing
        from pathlib import Path
        HERE = Path(__file__).parents[2]
        if multiprocessing.parent_process() is not None:
            (HERE / ("import" + "ed.cfg")).read_text()
        def level():
            return (HERE / ("fit" + "ted.cfg")).read_text()
        SHIFT = 1
        """,
    )
    place.edit("pkg/model.py", "import SHIFT", "import SHIFT, level\n        level()")
    for name in ("imported.cfg", "fitted.cfg"):
        place.write(f"../{name}", "1")
    module = importlib.import_module("checks")

    def run() -> int:
        candidate = module.candidate()
        origin = Origin(place.path, place.path, ("checks.py",), started=time.time_ns() + 10**7)
        fits = FitCache(CacheSettings(place.cache, True, origin), candidate)
        splits = (Split(0, 0, *place.rows), Split(0, 1, *reversed(place.rows)))
        cv = CrossValidation(dataset(place.X, place.y), np.unique(place.y), splits, "cv")
        with LocalEngine(1) as engine:
            run_fits(CachedEngine(engine, fits), Batch(place.fits, candidate, cv, 7))
        assert fits.reason == ""
        return fits.served

    assert [run(), run()] == [0, 2]
    for name in ("imported.cfg", "fitted.cfg"):
        place.write(f"../{name}", "12")
        assert [run(), run()] == [0, 2]
