"""Bad input gets a clear error, and nothing else suffers; good input of every kind is judged."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.calibration
import sklearn.ensemble
import sklearn.experimental
import sklearn.frozen
import sklearn.multiclass
import sklearn.multioutput
import sklearn.neighbors
import sklearn.svm
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.errors import PromiseError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.project import Project

# Loaded once here: pytester forgets after each run what was imported in it.
PRELOADED = (sklearn.calibration, sklearn.ensemble, sklearn.experimental, sklearn.frozen, sklearn.multiclass)
PRELOADED_TOO = (sklearn.neighbors, sklearn.svm)

PROMISE = {
    "data": "'small/rows.csv'",
    "target": "'ill'",
    "features": "['a', 'b']",
    "metrics": "'roc_auc'",
    "cv": "3",
    "seeds": "2",
}
LONGEST = 200  # characters of a first line: an annotation in a pull request shows no more of it than fits


def rows() -> pd.DataFrame:
    """Make 120 rows with something to learn for every kind of target."""
    rng = np.random.default_rng(0)
    a, b, noise = rng.normal(size=(3, 120)).round(3)
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "ill": (a + noise > 0).astype(int),
            "cost": (3 * a + noise).round(3),
            "kind": np.select([a + 0.3 * noise < -0.5, a < 0.5], ["cat", "dog"], "owl"),
            "level": np.select([a < -0.5, a + 0.3 * noise < 0.5], [1, 2], 3),
            "shop": [f"shop {k % 12}" for k in range(120)],
            "day": pd.date_range("2024-01-01", periods=120).strftime("%Y-%m-%d"),
            "same": 1,
        }
    )


def track(path: Path, content: bytes | str | pd.DataFrame) -> None:
    """Write a file and what `dvc add` would write beside it (which takes a second)."""
    path.parent.mkdir(exist_ok=True)
    if isinstance(content, pd.DataFrame):
        content = content.to_csv(index=False)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    tracker = f"outs:\n- md5: '{md5}'\n  size: {path.stat().st_size}\n  hash: md5\n  path: {path.name}\n"
    path.with_name(f"{path.name}.dvc").write_text(tracker, encoding="utf-8")


def call(candidate: str = "LogisticRegression()", **promise: str | None) -> str:
    """Write a call of model_check in source code; None leaves an argument out."""
    arguments = [f"{key}={value}" for key, value in (PROMISE | promise).items() if value is not None]
    return f"model_check({', '.join([candidate, *arguments])})"


def check(name: str, source: str) -> str:
    """Write a check that makes the call."""
    return f"def test_{name}(model_check):\n    {source}\n\n"


@pytest.fixture(scope="session")
def recorded(project_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record two checks, `good` and `bad`, once for all tests."""
    path = tmp_path_factory.mktemp("recorded") / "project"
    shutil.copytree(project_template, path)
    track(path / "small" / "rows.csv", rows())
    Project(path, None).source(check("good", call()) + check("bad", call()))  # type: ignore[arg-type]
    Project(path, None).record()  # type: ignore[arg-type]
    return path


@pytest.fixture
def ready(recorded: Path, project: Project) -> Project:
    """Return a project whose `good` and `bad` have baselines."""
    shutil.copytree(recorded, project.path, dirs_exist_ok=True)
    return project


def refused(project: Project, source: str, *arguments: str, name: str = "bad", helpers: str = "") -> dict:
    """Run a bad check beside a good one in the mode that writes; hold what comes of it to the rule, and return it."""
    before, files = project.stored(), sorted(project.path.rglob("*.tmp*"))
    project.source(helpers + "\n" + check("bad", source) + check("good", call()))
    result = project.run("--update-baselines", *arguments)
    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=1)
    assert project.verdicts()["good"] == "identical"
    bad = project.report()["checks"][0]
    assert bad["verdict"] == "error"
    assert not bad["passed"]
    assert not project.report()["passed"]
    assert bad["name"] == name
    assert bad["message"].startswith(f"{name}: ")
    assert "\n" not in bad["message"]
    assert len(bad["message"]) <= LONGEST
    assert bad["advice"], "it does not say what to do next"
    failures = [report for report in result.reprec.getreports("pytest_runtest_logreport") if report.failed]  # type: ignore[attr-defined]
    assert [str(report.longrepr).splitlines()[0] for report in failures] == [bad["message"]]
    assert project.stored() == before
    assert sorted(project.path.rglob("*.tmp*")) == files
    return bad


def requires(bad: dict, *words: str) -> None:
    """Find each of the words in the error's first line, or after a `>` in its advice."""
    for word in words:
        place = bad["advice"] if word.startswith(">") else bad["message"]
        assert word.removeprefix(">").strip() in place


# ---- The promise


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (
            {"data": "pd.DataFrame({'a': [1]})"},
            ["data= takes paths, and got a DataFrame", "> dvc add data/rows.parquet"],
        ),
        ({"read": "{'sepp': ';'}"}, ["read= has no option 'sepp': did you mean 'sep'?", "> thousands"]),
        ({"read": "{}", "load": "pd.read_csv"}, ["read= and load= both say how the files are read"]),
        ({"target": "'nope'"}, ["small/rows.csv has no column 'nope', which target= names", "> a, b, ill, cost"]),
        ({"target": "'costs'"}, ["has no column 'costs', which target= names: did you mean 'cost'?"]),
        ({"groups": "'nope'"}, ["has no column 'nope', which groups= names", "> shop, day"]),
        ({"time": "'nope'"}, ["has no column 'nope', which time= names", "> shop, day"]),
        ({"slices": "['shop', 'nope']"}, ["has no column 'nope', which slices= names", "> shop, day"]),
        ({"features": "['a', 'nope']"}, ["has no column 'nope', which features= names", "> a, b, ill"]),
        ({"features": "['a', 'ill']"}, ["features= names the target 'ill'", "> Take it out"]),
        ({"features": "[]"}, ["small/rows.csv has no feature column beside 'ill'"]),
        ({"features": "5.5"}, ["features=5.5 is neither a name nor a list of names"]),
        ({"slices": "['a', 'a']"}, ["slices=['a', 'a'] is no list of different column names"]),
        ({"target": "None"}, ["model_check(): missing a required argument: 'target'", "> Name the one column"]),
        ({"target": "['ill', 'cost']"}, ["target=['ill', 'cost'] is no column name", "> the one column"]),
        ({"target": None}, ["model_check(): missing a required argument: 'target'"]),
        ({"data": None}, ["model_check(): missing a required argument: 'data'"]),
        ({"groups": "'ill'"}, ["target and groups must be different columns: they are 'ill', 'ill'"]),
        ({"seeds": "0"}, ["seeds=0 is no number of seeds", "> whole number from 1"]),
        ({"timeout": "0"}, ["timeout=0 is no number of seconds", "> timeout=60"]),
        ({"seeds": "True"}, ["seeds=True is no number of seeds"]),
        ({"cv": "1"}, ["cv=1 is neither a number of folds (2 or more) nor a splitter", "> cv=5"]),
        ({"cv": "'5'"}, ["cv='5' is neither a number of folds"]),
        ({"cv": "True"}, ["cv=True is neither a number of folds"]),
        ({"load": "5"}, ["load=5 is no function"]),
        ({"metric": "'r2'"}, ["model_check() has no argument 'metric': did you mean 'metrics'?", "> seeds, read"]),
        ({"folds": "5"}, ["model_check() has no argument 'folds'", "> data, target, metrics"]),
    ],
)
def test_a_promise_that_makes_no_sense(ready: Project, promise: dict[str, str | None], words: list[str]) -> None:
    requires(refused(ready, call(**promise)), *words)


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (
            "'log_loss'",
            ["'log_loss' is no scorer of scikit-learn's: did you mean neg_log_loss?", "> get_scorer_names()"],
        ),
        ("'rmse'", ["'rmse' is no scorer of scikit-learn's: did you mean neg_root_mean_squared_error?"]),
        ("'mae'", ["did you mean neg_mean_absolute_error or neg_median_absolute_error?"]),
        ("'rocauc'", ["did you mean roc_auc or"]),
        ("'f1_score'", ["'f1_score' is no scorer of scikit-learn's: did you mean f1?"]),
        ("'xyz'", ["'xyz' is no scorer of scikit-learn's", "> make_scorer()"]),
        ("['roc_auc', 'accuracy', 'roc_auc']", ["metrics= names 'roc_auc' twice"]),
        ("[]", ["metrics= names no metric"]),
        ("5", ["metrics=5 is neither a name nor a list"]),
        ("len", ["metric <built-in function len> is no scorer", "> make_scorer()"]),
        ("{'roc_auc': '1%'}", ["the margin of roc_auc is '1%': it must be a number above 0"]),
    ],
)
def test_metrics_that_are_none(ready: Project, metrics: str, words: list[str]) -> None:
    requires(refused(ready, call(metrics=metrics)), *words)


@pytest.mark.parametrize("margin", ["0", "-0.1", "float('nan')", "float('inf')", "True", "'0.1'"])
def test_a_margin_that_is_none(ready: Project, margin: str) -> None:
    bad = refused(ready, call(margin=margin))
    requires(bad, f"margin is {eval(margin)!r}: it must be a number above 0", "> None takes the default")


@pytest.mark.parametrize(
    ("name", "proposed"),
    [("a/b", "a-b"), ("con", "con_"), ("LPT1.txt", "LPT1.txt_"), ("../up", "up"), ("ä", "check")],
)
def test_a_name_that_not_every_file_system_takes(ready: Project, name: str, proposed: str) -> None:
    bad = refused(ready, call(name=repr(name)), name=name)
    requires(bad, f"name={name!r} can't be a file's name on every system", f"> {proposed}")


# ---- Where the data is


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("''", ["data='' is no path", "> Name a file"]),
        ("[]", ["data=[] is no path"]),
        ("None", ["model_check(): missing a required argument: 'data'"]),
        ("[5]", ["data=[5] is no path"]),
        ("'small/row.csv'", ["small/row.csv does not exist", "rows.csv", "> Check the path"]),
        ("['small/rows.csv', './small/../small/rows.csv']", ["data= names 'small/rows.csv' twice"]),
        ("'small'", ["small is not tracked by DVC"]),
    ],
)
def test_data_that_is_not_there(ready: Project, data: str, words: list[str]) -> None:
    requires(refused(ready, call(data=data)), *words)


@pytest.mark.parametrize(
    "data",
    [
        "'./small/rows.csv'",
        "'data/../small/rows.csv'",
        "'../project/small/rows.csv'",
        "'small\\\\rows.csv'",
        "['small/rows.csv']",
        "Path('small', 'rows.csv')",
        "Path(__file__).parent / 'small' / 'rows.csv'",
    ],
)
def test_the_same_file_by_another_spelling(ready: Project, data: str) -> None:
    ready.source("from pathlib import Path\n" + check("good", call(data=data)))
    ready.run().assert_outcomes(passed=1)
    assert ready.verdicts() == {"good": "identical"}
    assert ready.report()["checks"][0]["data"]["path"] == "small/rows.csv"


def test_data_outside_rootdir_but_inside_the_repository(ready: Project) -> None:
    (ready.path / "models").mkdir()
    for moved in ("pytest.ini", "baselines"):
        shutil.move(ready.path / moved, ready.path / "models" / moved)
    ready.source(check("good", call(data="'../small/rows.csv'")), file="models/test_models.py")
    ready.run("--rootdir=models", "models", "--update-baselines", "-k", "good")
    # the baseline was recorded from another rootdir, where the same file has another name
    assert ready.verdicts() == {"good": "incomparable"}
    requires(ready.report()["checks"][0], "../small/rows.csv was absent")


# ---- What the data holds


def corrupted(**cells: tuple[int, object]) -> pd.DataFrame:
    """Return the rows with some cells replaced."""
    table = rows().astype({"ill": float})
    for column, (row, value) in cells.items():
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
    return table


COST = {"candidate": "Ridge()", "target": "'cost'", "metrics": "'r2'"}
RARE = rows().assign(ill=lambda table: (table.index < 2).astype(int))
SINGLE = rows().assign(ill=lambda table: (table.index < 1).astype(int))


@pytest.mark.parametrize(
    ("table", "promise", "words"),
    [
        (None, {"target": "'same'"}, ["the target 'same' is 1 in every row", "> is it the right column?"]),
        (
            corrupted(ill=(7, None)),
            {},
            ["small/other.csv: target='ill' is missing in 1 of 120 rows, first in row 7 (counted from 0)", "> Drop"],
        ),
        (corrupted(cost=(9, "inf")), COST, ["the target 'cost' is infinite in row 9 (counted from 0)", "> Drop"]),
        (
            corrupted(shop=(5, None)),
            {"groups": "'shop'"},
            ["groups='shop' is missing in 1 of 120 rows, first in row 5"],
        ),
        (corrupted(day=(6, None)), {"time": "'day'"}, ["time='day' is missing in 1 of 120 rows, first in row 6"]),
        (
            None,
            COST | {"target": "'kind'"},
            ["the target 'kind' holds no numbers (str), and the candidate is a regressor", "> Use a classifier"],
        ),
        (
            None,
            {"target": "'cost'"},
            ["small/rows.csv: the target 'cost' holds 119 fractional numbers", "a classifier", "> Use a regressor"],
        ),
        (RARE, {}, ["small/other.csv has too few rows of the class 1 of 'ill' for 3 folds: 2", "> cv=2"]),
        (SINGLE, {}, ["small/other.csv has too few rows of the class 1 of 'ill' for 3 folds: 1", "> Get more data"]),
        (None, COST | {"cv": "121"}, ["small/rows.csv has too few rows for 121 folds: 120", "> cv=120"]),
        (None, {"groups": "'shop'", "cv": "13"}, ["has too few groups in 'shop' for 13 folds: 12", "> cv=12"]),
        (None, COST | {"groups": "'shop'", "cv": "13"}, ["has too few groups in 'shop' for 13 folds: 12"]),
        (
            None,
            {"time": "'day'", "cv": "120"},
            ["has too few different times in 'day' for 120 folds: 120", "> need 121. Use fewer folds: cv=119"],
        ),
        (None, {"time": "'shop'"}, ["small/rows.csv: time='shop' holds no times", "> 2024-03-31"]),
        (
            rows().assign(day=[f"{1 + k % 28}/02/2024" for k in range(120)]),
            {"time": "'day'"},
            ["small/other.csv: time='day' holds no times", "13/02/2024", "> 2024-03-31"],
        ),
    ],
)
def test_columns_that_do_not_fit(
    ready: Project, table: pd.DataFrame | None, promise: dict[str, str], words: list[str]
) -> None:
    if table is not None:
        track(ready.path / "small" / "other.csv", table)
        promise = {"data": "'small/other.csv'"} | promise
    requires(refused(ready, call(**promise)), *words)


def test_two_targets_in_one_column(ready: Project) -> None:
    twofold = "lambda paths: pd.read_csv(paths[0]).assign(ill=lambda table: [[k, k] for k in table.ill])"
    bad = refused(ready, call(load=twofold))
    requires(bad, "the target 'ill' holds more than one value in a row (list)", "> models of one target")


# ---- What the files are


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("empty.csv", "", ["small/empty.csv is empty", "> neither a header nor rows"]),
        ("header.csv", "a,b,ill\n", ["small/header.csv has no rows"]),
        ("twice.csv", "a,b,a,ill\n1,2,3,0\n", ["small/twice.csv has the column 'a' twice", "> a name of its own"]),
        ("latin.csv", "a,b,ill\n1,ö,0\n".encode("latin-1"), ["small/latin.csv can't be read: 'utf-8'", "> UTF-8"]),
        ("ragged.csv", "a,b,ill\n1,2,0\n1,2,0,4\n", ["small/ragged.csv can't be read", "Expected 3 fields in line 3"]),
        ("wide.csv", "a,b,ill\n1,2,0,4\n1,2,1,4\n", ["small/wide.csv has more values in a row than the 3 columns"]),
        ("torn.parquet", b"PAR1 torn", ["small/torn.parquet can't be read", "Parquet magic bytes not found"]),
        ("rows.json", b"?", ["small/rows.json is none of .csv, .tsv", "> load=lambda paths: pandas.read_json"]),
        ("glued.csv", "a;b;ill\n1,5;2;0\n", ["would be one column", '> read={"sep": ";", "decimal": ","}']),
    ],
)
def test_files_that_can_not_be_read(ready: Project, file: str, content: str | bytes, words: list[str]) -> None:
    track(ready.path / "small" / file, content)
    requires(refused(ready, call(data=f"'small/{file}'")), *words)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ("lambda paths: 1 / 0", ["load= raised ZeroDivisionError: division by zero", "> small/rows.csv"]),
        ("lambda paths: {}['two\\nlines']", ["load= raised KeyError: 'two"]),
        ("lambda paths: 5", ["load= returned int, not a DataFrame"]),
        ("lambda paths: pd.read_csv(paths[0])['a']", ["load= returned pandas.Series, not a DataFrame"]),
        ("lambda paths: pd.DataFrame()", ["small/rows.csv has no rows"]),
        (
            "lambda paths: pd.DataFrame([[1, 2, 3, 0]], columns=['a', 'a', 'b', 'ill'])",
            ["small/rows.csv has the column 'a' twice"],
        ),
        ("lambda paths: pd.read_csv(paths[0]).drop(columns='ill')", ["has no column 'ill', which target= names"]),
    ],
)
def test_a_load_that_fails(ready: Project, load: str, words: list[str]) -> None:
    requires(refused(ready, call(load=load)), *words)


def test_how_files_are_read_is_kept_and_without_a_header_numbers_are_names(ready: Project) -> None:
    content = rows()[["a", "b", "shop", "ill"]].to_csv(index=False, header=False, sep=";", decimal=",")
    track(ready.path / "small" / "bare.csv", content)
    bare = {"data": "'small/bare.csv'", "target": "3", "features": "[0, 1]", "groups": "2"}
    options = "{'sep': ';', 'decimal': ',', 'header': None}"
    arrow = "lambda paths: pa.Table.from_pandas(pd.read_csv(paths[0], sep=';', decimal=',', header=None))"
    ready.source(
        "import pyarrow as pa\n"
        + check("bare", call(read=options, **bare))
        + check("same", call(groups="'shop'"))
        + check("arrow", call(load=arrow, **bare))
    )
    ready.run("--update-baselines").assert_outcomes(passed=3)
    baselines = [ready.baseline(name) for name in ("bare", "same", "arrow")]
    assert [plain["protocol"].get("read") for plain in baselines] == [
        {"sep": ";", "decimal": ",", "header": None}, None, None,
    ]  # fmt: skip
    assert baselines[0]["protocol"]["groups"] == "2"
    folds = [plain["metrics"]["roc_auc"]["folds"] for plain in baselines]
    assert folds[0] == folds[1] == folds[2]
    ready.source(check("bare", call(read=options.replace("None", "None, 'nrows': 90"), **bare)))
    ready.run()
    assert (
        "bare: read= or target= give other rows than the baseline's (90, not 120)"
        in ready.report()["checks"][0]["message"]
    )


@pytest.mark.parametrize(
    "candidate",
    ["ClassifierChain(C())", "GridSearchCV(make_pipeline(StandardScaler(), MultiOutputClassifier(C())), {})"],
)
def test_candidates_of_several_targets(candidate: str) -> None:
    names = {"C": LogisticRegression, "StandardScaler": StandardScaler, "make_pipeline": make_pipeline}
    made = eval(candidate, names | vars(sklearn.multioutput) | {"GridSearchCV": GridSearchCV})
    with pytest.raises(
        PromiseError, match=r"(ClassifierChain|MultiOutputClassifier) predicts several targets at once.*\n"
    ):
        make_check(made, data="a.csv", target="b", name="c")


def test_files_with_different_columns(ready: Project) -> None:
    track(ready.path / "small" / "one.csv", rows()[:60])
    track(ready.path / "small" / "two.csv", rows()[60:].drop(columns="b"))
    bad = refused(ready, call(data="['small/one.csv', 'small/two.csv']"))
    requires(bad, "small/two.csv has other columns than small/one.csv", "> use load= to join them")


def test_files_that_are_read_one_after_another(ready: Project) -> None:
    track(ready.path / "small" / "one.csv", rows()[:60])
    rows()[60:].to_parquet(ready.path / "small" / "two.parquet")
    track(ready.path / "small" / "two.parquet", (ready.path / "small" / "two.parquet").read_bytes())
    ready.source(check("whole", call()) + check("parts", call(data="['small/one.csv', 'small/two.parquet']")))
    ready.run("--update-baselines").assert_outcomes(passed=2)
    assert ready.verdicts() == {"whole": "recorded", "parts": "recorded"}
    parts = ready.report()["checks"][1]["data"]
    assert parts["path"] == "small/one.csv, small/two.parquet"
    assert parts["rows"] == 120
    one, other = (ready.baseline(name)["metrics"]["roc_auc"]["folds"] for name in ("whole", "parts"))
    assert one == pytest.approx(other)


# ---- How the rows are split


SPLITTERS = """
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

class Odd:
    def __init__(self, how):
        self.how = how
    def __repr__(self):
        return "Odd()"
    def get_n_splits(self, X=None, y=None, groups=None):
        return 2
    def split(self, X, y=None, groups=None):
        if self.how == "raises":
            raise LookupError("no such split")
        half = len(X) // 2
        empty = 0 if self.how == "empty" else len(X)
        yield np.arange(half + (self.how == "overlap")), np.arange(half, empty)
        yield np.arange(half, len(X)), np.arange(half)
"""


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        ({"cv": "Odd('overlap')"}, ["Odd(), fold 1: rows that are predicted are fitted on too", "> splitter"]),
        ({"cv": "Odd('empty')"}, ["Odd(), fold 1: no rows to predict"]),
        ({"cv": "Odd('raises')"}, ["Odd() can't split small/rows.csv: no such split", "> cv=5"]),
        (
            {"cv": "KFold(3)", "time": "'day'"},
            ["KFold(n_splits=3", "fold 1: it is fitted on later rows", "> time= needs"],
        ),
        (
            {"cv": "KFold(3)", "groups": "'shop'"},
            ["fold 1: 12 of the groups are both fitted on and predicted", "> GroupKFold"],
        ),
        ({"cv": "GroupKFold(3)"}, ["GroupKFold(n_splits=3", "can't split small/rows.csv: The 'groups' parameter"]),
        ({"cv": "StratifiedKFold(99)"}, ["can't split small/rows.csv: n_splits=99 cannot be greater than"]),
        ({"cv": "KFold"}, ["cv=<class 'sklearn.model_selection._split.KFold'> is neither"]),
    ],
)
def test_splitters_that_are_not_honest(ready: Project, promise: dict[str, str], words: list[str]) -> None:
    requires(refused(ready, call(**promise), helpers=SPLITTERS), *words)


# ---- What the candidate does


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        ("len", ["the candidate (builtin_function_or_method) is no estimator: it has no fit, predict"]),
        ("LogisticRegression", ["the candidate is the class LogisticRegression", "> Pass LogisticRegression()."]),
        ("object()", ["the candidate (object) is no estimator: it has no fit, predict, get_params, set_params"]),
        ("None", ["the candidate (NoneType) is no estimator", "> scikit-learn-compatible"]),
        ("StandardScaler()", ["the candidate (StandardScaler) is no estimator: it has no predict"]),
        ("make_pipeline(StandardScaler())", ["fold 1: the fitted candidate has no predict"]),
    ],
)
def test_a_candidate_that_is_no_estimator(ready: Project, candidate: str, words: list[str]) -> None:
    requires(refused(ready, call(candidate)), *words)


ODD = """
import os
import threading
import warnings
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import KFold
from sklearn.preprocessing import FunctionTransformer

class OddWarning(UserWarning):
    pass

class Odd(ClassifierMixin, BaseEstimator):
    def __init__(self, how=""):
        self.how = how
    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        if self.how == "raises":
            raise RuntimeError("no luck\\nat all")
        if self.how == "raises in fold 7" and 72 not in X.index:
            raise RuntimeError("no luck " * 50)
        if self.how == "warns":
            warnings.warn("odd rows", OddWarning)
        if self.how == "dies":
            os._exit(0)
        return self
    def predict(self, X):
        answers = self.model_.predict(X)
        match self.how:
            case "NaN": return np.where(np.arange(len(X)) < 3, np.nan, answers)
            case "None": return None
            case "few": return answers[1:]
            case "2-d": return np.column_stack([answers, answers])
            case "arrays": return [answers, answers]
            case "ragged": return [answers, answers[1:]]
            case "gaps": return np.where(np.arange(len(X)) < 3, None, answers)
        return answers
    def predict_proba(self, X):
        answers = self.model_.predict_proba(X)
        match self.how:
            case "outputs": return [answers, answers]
            case "double": return answers * 2
            case "negative": return answers * [[3, 1]] - [[0, 1]]
            case "column": return answers[:, 1:]
            case "flat": return answers[:, 1]
            case "text": return answers.astype(str)
        return answers
"""


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raises", ["fold 1: the candidate raised RuntimeError: no luck", "> at all", "> test_models.py"]),
        ("NaN", ["fold 1: predict answers NaN or infinity for 3 of 40 rows"]),
        ("gaps", ["fold 1: predict answers NaN or infinity for 3 of 40 rows"]),
        ("None", ["fold 1: predict answers NoneType where it was asked about 40 rows"]),
        ("few", ["fold 1: predict answers 39 rows where it was asked about 40"]),
        ("2-d", ["fold 1: predict answers an array of shape (40, 2)", "> models of one target"]),
        ("arrays", ["fold 1: predict answers an array of shape (2, 40)", "> models of one target"]),
        ("ragged", ["fold 1: predict answers a list of unequal parts"]),
        ("outputs", ["fold 1: predict_proba answers an array of shape (2, 40, 2)", "> models of one target"]),
        ("double", ["fold 1: predict_proba answers no probabilities: the sums of its rows range from 2 to 2"]),
        ("negative", ["fold 1: predict_proba answers no probabilities", "some are negative"]),
        ("column", ["fold 1: predict_proba answers 1 columns for classes 0, 1, the data has 0, 1"]),
        ("flat", ["fold 1: predict_proba answers an array of shape (40,)"]),
        ("text", ["fold 1: predict_proba answers no numbers"]),
    ],
)
def test_a_candidate_that_does_not_answer(ready: Project, how: str, words: list[str]) -> None:
    requires(refused(ready, call(f"Odd('{how}')", cv="KFold(3)"), helpers=ODD), *words)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_candidate_that_raises_in_one_fold_names_it(ready: Project, jobs: int) -> None:
    fails = call("Odd('raises in fold 7')", cv="KFold(10)", name="'fresh'")
    bad = refused(ready, fails, f"--model-check-jobs={jobs}", name="fresh", helpers=ODD)
    requires(
        bad,
        "fresh: fold 7: the candidate raised RuntimeError: no luck no luck",
        "> test_models.py",
        "> in fit",
        "> luck",
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_warning_of_a_fit_is_given_once(ready: Project, jobs: int) -> None:
    ready.source(ODD + check("good", call("Odd('warns')")))
    result = ready.run(f"--model-check-jobs={jobs}", "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*OddWarning: odd rows (in 3 of 3 fits)"])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_warning_that_is_made_an_error_fails_the_check(ready: Project, jobs: int) -> None:
    before = ready.stored()
    ready.source(ODD + check("bad", call("Odd('warns')")) + check("good", call()))
    result = ready.run(f"--model-check-jobs={jobs}", "--update-baselines", "-W", "error")
    result.assert_outcomes(failed=1, passed=1)
    bad, good = ready.report()["checks"]
    assert (bad["verdict"], good["verdict"]) == ("error", "identical")
    requires(bad, "OddWarning: odd rows (in 3 of 3 fits)")
    assert ready.stored() == before


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_a_candidate_of_the_test_module_reaches_the_fitting_processes(ready: Project, mode: str) -> None:
    candidate = "make_pipeline(FunctionTransformer(lambda X: X), Odd())"
    ready.source(ODD + check("good", call(candidate)))
    ready.run("--model-check-jobs=2", f"--import-mode={mode}").assert_outcomes(passed=1)
    assert ready.verdicts() == {"good": "held"}  # the same answers, but no decision_function


def test_a_candidate_that_can_not_be_sent(ready: Project) -> None:
    locked = (
        ODD
        + "LOCK = threading.Lock()\n\nclass Locked(Odd):\n    def fit(self, X, y, lock=LOCK):\n        return self\n"
    )
    bad = refused(ready, call("Locked()"), "--model-check-jobs=2", helpers=locked)
    requires(bad, "the candidate can't be sent to the processes that fit it", "lock", "> Make it picklable")


def test_a_candidate_that_kills_its_process(ready: Project) -> None:
    bad = refused(ready, call("Odd('dies')"), helpers=ODD)
    requires(bad, "fold 1, seed 0: the process that fits the candidate ended with exit code 0", "> os._exit")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            call("SVC()", metrics="'neg_log_loss'"),
            ["metric neg_log_loss can't score this candidate: it needs predict_proba", "> predict, decision_function"],
        ),
        (
            call("Ridge()", target="'cost'", metrics="'roc_auc'"),
            ["metric roc_auc can't score this candidate", "> predict"],
        ),
        (call(target="'kind'"), ["metric roc_auc can't score this candidate: multi_class must be in"]),
        (call("DummyClassifier()", cv="3"), ["roc_auc is 0.5, no better than a dummy", "(0.5)", "> There is no skill"]),
    ],
)
def test_a_candidate_that_a_metric_can_not_tell_from_nothing(ready: Project, source: str, words: list[str]) -> None:
    fresh = source[:-1] + ", name='fresh')"  # no baseline yet: its recording is what is refused
    requires(refused(ready, fresh, name="fresh"), *words)


# ---- What is good input


LOADERS = """
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier, HistGradientBoostingRegressor, StackingClassifier, VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RepeatedKFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC, SVR

ROWS = pd.read_csv("small/rows.csv")

def cast(**types):
    return lambda paths: pd.read_csv(paths[0]).astype(types)

def holes(paths):
    return pd.read_csv(paths[0]).assign(a=lambda table: table.a.where(table.index % 5 > 0))
"""
BOTH = "['roc_auc', 'neg_log_loss']"
MANY = "['accuracy', 'neg_log_loss', 'roc_auc_ovr']"
CLASSES = {
    "multiclass text": call(target="'kind'", metrics=MANY),
    "multiclass integers": call(target="'level'", metrics=MANY),
    "boolean": call(load="cast(ill=bool)", metrics=BOTH),
    "nullable boolean": call(load="cast(ill='boolean')", metrics=BOTH),
    "category": call(target="'kind'", load="cast(kind='category')", metrics="'accuracy'"),
    "category of integers": call(load="cast(ill='category')", metrics=BOTH),
    "str": call(load="cast(ill='str')", metrics=BOTH),
    "object": call(load="cast(ill='object')", metrics=BOTH),
    "nullable integer": call(load="cast(ill='Int64', a='Float64')", metrics=BOTH),
    "whole floats": call(load="cast(ill='float')", metrics=BOTH),
    "arrow": call(load="cast(ill='int64[pyarrow]')", metrics=BOTH),
}
CLASSIFIERS = {
    "missing values": call("HistGradientBoostingClassifier(max_iter=5)", load="holes"),
    "category features": call(
        "HistGradientBoostingClassifier(max_iter=5, categorical_features='from_dtype')",
        features="['a', 'b', 'shop']",
        load="cast(shop='category')",
    ),
    "no probabilities": call("SVC()", metrics="['roc_auc', 'accuracy']"),
    "the default metric": call("LinearSVC()", metrics=None),
    "one against one": call("SVC(decision_function_shape='ovo')", target="'kind'", metrics="'accuracy'"),
    "grid search": call("GridSearchCV(LogisticRegression(), {'C': [0.1, 1]}, cv=2)"),
    "columns": call(
        "make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown='ignore'), ['shop']), "
        "remainder='passthrough'), LogisticRegression())",
        features="['a', 'b', 'shop']",
    ),
    "calibrated": call("CalibratedClassifierCV(LinearSVC(), cv=2)", metrics="'neg_log_loss'"),
    "stacked": call("StackingClassifier([('one', LogisticRegression())], cv=2)"),
    "voting": call("VotingClassifier([('one', LogisticRegression()), ('two', SVC())])", metrics="'accuracy'"),
    "frozen": call("FrozenEstimator(LogisticRegression().fit(ROWS[['a', 'b']], ROWS.ill))"),
    "groups": call("DecisionTreeClassifier(max_depth=2)", groups="'shop'"),
    "time": call(time="'day'"),
}
REGRESSORS = {
    "linear": call("Ridge()", target="'cost'", metrics="['r2', 'neg_mean_squared_error']"),
    "object": call("Ridge()", target="'cost'", metrics="'r2'", load="cast(cost='object')"),
    "nullable": call("Ridge()", target="'cost'", metrics="'r2'", load="cast(cost='Float64')"),
    "vectors": call("SVR()", target="'cost'", metrics="'neg_mean_absolute_error'"),
    "boosting": call("HistGradientBoostingRegressor(max_iter=9, min_samples_leaf=5)", target="'cost'", metrics=None),
    "neighbours": call("TransformedTargetRegressor(KNeighborsRegressor())", target="'cost'", metrics="'r2'"),
    "grid search": call(
        "GridSearchCV(Ridge(), {'alpha': [0.1, 1]}, cv=RepeatedKFold(n_splits=2, n_repeats=2))",
        target="'cost'",
        metrics="'r2'",
    ),
    "frozen": call("FrozenEstimator(Ridge().fit(ROWS[['a', 'b']], ROWS.cost))", target="'cost'", metrics="'r2'"),
    "repeated": call("Ridge()", target="'cost'", metrics="'r2'", cv="RepeatedKFold(n_splits=2, n_repeats=2)"),
}


def accepted(project: Project, calls: dict[str, str], imports: str = "") -> None:
    """Record every check, then judge it: the same model is identical to itself."""
    names = {text.replace(" ", "_"): source.replace("seeds=2", "seeds=1") for text, source in calls.items()}
    project.source(LOADERS + imports + "\n" + "".join(check(name, source) for name, source in names.items()))
    for verdict in ("recorded", "identical"):
        project.run("--update-baselines")
        assert {check["name"]: check["message"] for check in project.report()["checks"] if not check["passed"]} == {}
        assert project.verdicts() == dict.fromkeys(names, verdict)


def test_classes_of_every_kind(ready: Project) -> None:
    accepted(ready, CLASSES)


def test_classifiers_of_every_kind(ready: Project) -> None:
    accepted(ready, CLASSIFIERS)


def test_regressors_of_every_kind(ready: Project) -> None:
    accepted(ready, REGRESSORS)


@pytest.mark.integration
def test_xgboost(ready: Project) -> None:
    pytest.importorskip("xgboost", reason="xgboost is not installed: pip install --group integration")
    calls = {
        "classifier": call("XGBClassifier(n_estimators=5)", metrics=BOTH),
        "multiclass": call(
            "XGBClassifier(n_estimators=5)",
            target="'level'",
            metrics="'neg_log_loss'",
            load="lambda paths: ROWS.assign(level=ROWS.level - 1)",
        ),
        "regressor": call("XGBRegressor(n_estimators=5)", target="'cost'", metrics="'r2'"),
    }
    accepted(ready, calls, "from xgboost import XGBClassifier, XGBRegressor")


@pytest.mark.integration
def test_lightgbm(ready: Project) -> None:
    pytest.importorskip("lightgbm", reason="lightgbm is not installed: pip install --group integration")
    calls = {
        "classifier": call("LGBMClassifier(n_estimators=5, verbose=-1)", metrics=BOTH),
        "multiclass": call("LGBMClassifier(n_estimators=5, verbose=-1)", target="'kind'", metrics="'neg_log_loss'"),
        "regressor": call("LGBMRegressor(n_estimators=5, verbose=-1)", target="'cost'", metrics="'r2'"),
    }
    accepted(ready, calls, "from lightgbm import LGBMClassifier, LGBMRegressor")
