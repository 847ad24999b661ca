"""R's caret and Weka, fitted for real: labels and values as awkward as they come."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_model_check import Program, caret, weka
from pytest_model_check.candidates.binding import bind
from pytest_model_check.candidates.candidate import Fold
from pytest_model_check.candidates.place import Place
from pytest_model_check.errors import CandidateError, PromiseError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

LABELS = np.array(["benign, so", 'it\'s "bad"'], dtype=object)


def has_caret() -> bool:
    if shutil.which("Rscript") is None:
        return False
    found = subprocess.run(
        ["Rscript", "--vanilla", "-e", "cat(system.file(package = 'caret'))"],
        capture_output=True,
        check=False,
        text=True,
    )
    return bool(found.stdout.strip())


needs_r = pytest.mark.skipif(not has_caret(), reason="R's caret is not installed: apt-get install r-cran-caret")
needs_weka = pytest.mark.skipif(
    shutil.which("java") is None or find_spec("weka") is None,
    reason="Weka is not installed: apt-get install default-jre-headless, pip install python-weka-wrapper3",
)


def rows(seed: int = 0, size: int = 300) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, size)
    kinds = np.array(["50% 'x'", "\\ {y}"], dtype=object)
    kind = np.where(rng.random(size) < 0.8, kinds[y], kinds[1 - y])
    return pd.DataFrame({"a b": rng.normal(size=size) + y, "c": rng.normal(size=size), "kind": kind}), LABELS[y]


def ask(program: Program, classes=LABELS, weights=None, **changed) -> dict[str, np.ndarray]:
    X, y = rows()
    target = y if classes is not None else X["a b"].to_numpy() * 3 + X["c"].to_numpy()
    X = X.assign(**changed)
    fold = Fold(lambda: (X[:200], target[:200]), lambda: X[200:], classes, np.random.SeedSequence(5), weights)
    return dict(bind(program, Place(Path.cwd(), str, "the target")).answer(fold).responses)


@pytest.mark.integration
@needs_r
@needs_weka
def test_three_tools_fit_the_same_logistic_regression() -> None:
    X, y = rows()
    numbers = pd.get_dummies(X, dtype=float).iloc[:, :3]
    scaler = StandardScaler().fit(numbers[:200])
    here = LogisticRegression(C=1e6, tol=1e-8).fit(scaler.transform(numbers[:200]), y[:200])
    expected = here.predict_proba(scaler.transform(numbers[200:]))
    for program in (caret("glm"), weka("functions.Logistic")):
        found = ask(program)
        np.testing.assert_allclose(found["predict_proba"], expected, atol=1e-3)
        assert (found["predict"] == LABELS[found["predict_proba"].argmax(axis=1)]).all()


@pytest.mark.integration
@needs_r
@needs_weka
def test_both_weigh_rows_as_scikit_learn_does() -> None:
    X, y = rows()
    numbers = pd.get_dummies(X, dtype=float).iloc[:, :3]
    weights = np.random.default_rng(1).gamma(1, 1, 200)
    here = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000).fit(numbers[:200], y[:200], weights)
    expected = here.predict_proba(numbers[200:])
    unweighted = ask(caret("glm"))["predict_proba"]
    assert np.abs(unweighted - expected).max() > 0.02
    for program in (caret("glm"), weka("functions.Logistic -R 1e-9")):
        np.testing.assert_allclose(ask(program, weights=weights)["predict_proba"], expected, atol=2e-3)
    for program, message in ((caret("knn"), "takes no case weights"), (weka("lazy.KStar"), "takes no weights")):
        with pytest.raises(CandidateError) as raised:
            ask(program, weights=weights)
        assert message in raised.value.advice


@pytest.mark.integration
@needs_r
def test_caret_has_parameters_tuning_and_regression() -> None:
    assert caret("rpart", cp=0.01).description == "caret('rpart', 'cp=0.01')"
    found = ask(caret("knn", tune=2, preprocess=["center", "scale"]), kind=1.0)
    assert found["predict_proba"].shape == (100, 2)
    X, _ = rows()
    numbers = ask(caret("lm", task="regression"), classes=None)
    np.testing.assert_allclose(numbers["predict"], (X["a b"] * 3 + X["c"])[200:])
    with pytest.raises(CandidateError, match="the program ended with exit code 1") as raised:
        ask(caret("no such method"))
    assert "no such method" in raised.value.advice


@pytest.mark.integration
@needs_weka
def test_weka_has_seeds_regression_and_an_exit_code_that_tells() -> None:
    first, again = (ask(weka("trees.RandomForest -S {seed} -I 5")) for _ in range(2))
    assert np.array_equal(first["predict_proba"], again["predict_proba"])
    X, _ = rows()
    numbers = ask(weka("functions.LinearRegression", task="regression"), classes=None)
    np.testing.assert_allclose(numbers["predict"], (X["a b"] * 3 + X["c"])[200:], rtol=1e-6)
    for wrong in ("trees.NoSuchTree", "trees.J48 -Z"):
        with pytest.raises(CandidateError, match="the program ended with exit code 1") as raised:
            ask(weka(wrong))
        assert "Weka wrote no predictions." in raised.value.advice


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CandidateError, match=r"weka\.jar is not at .*missing\.jar"):
        weka("trees.J48", jar=str(tmp_path / "missing.jar"))
    with pytest.raises(PromiseError, match="names no classifier"):
        weka("")
