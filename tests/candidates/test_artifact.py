"""Fitted models in files: which are loaded, which are refused, and that they answer what they answered when saved."""

from __future__ import annotations

import hashlib
import pickle
from importlib.util import find_spec
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from pytest_model_check import Artifact
from pytest_model_check.candidates import loaders
from pytest_model_check.candidates.binding import bind
from pytest_model_check.candidates.candidate import Fold
from pytest_model_check.candidates.loaders import FORMATS
from pytest_model_check.candidates.place import Place, Trust
from pytest_model_check.errors import CandidateError
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LABELS = np.array(["no", "yes"], dtype=object)
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 2, 200)
X = pd.DataFrame(RNG.normal(size=(200, 3)) + CODES[:, None], columns=["a", "b", "c"])
NUMBERS = X.to_numpy() @ [1.0, 2.0, 3.0] + RNG.normal(size=200)

needs = {
    name: pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not here: pip install --group integration")
    for name in ("skops", "onnxruntime", "skl2onnx", "xgboost", "lightgbm", "catboost")
}


def md5(path: Path) -> str:
    """Return a version as DVC has it; of a folder, what stands for it here."""
    if path.is_dir():
        contents = [file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()]
        return f"{hashlib.md5(b''.join(contents)).hexdigest()}.dir"
    return hashlib.md5(path.read_bytes()).hexdigest()


def place(folder: Path, trust: Trust | None = None) -> Place:
    return Place(folder, md5, "y", trust or Trust())


def trusting(path: Path) -> Trust:
    return Trust(digests=lambda: frozenset({md5(path)}))


def ask(model, classes=LABELS, rows: pd.DataFrame = X) -> dict[str, np.ndarray]:
    return dict(model.answer(Fold(lambda: (rows, CODES), lambda: rows, classes, np.random.SeedSequence(0))).responses)


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


# --- pickles


def test_a_pickle_is_loaded_only_where_somebody_vouches_for_it(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, LABELS[CODES])
    for name, save in (
        ("model.joblib", joblib.dump),
        ("model.pkl", lambda it, path: path.write_bytes(pickle.dumps(it))),
    ):
        path = tmp_path / name
        save(model, path)
        with pytest.raises(
            CandidateError, match=r"is a pickle, which can run any code, and no \.dvc file of HEAD"
        ) as raised:
            bind(name, place(tmp_path))
        assert md5(path) in raised.value.message
        assert f"--model-check-trust {name}" in raised.value.advice
        for trust in (trusting(path), Trust(paths=frozenset({path.resolve()}))):
            loaded = bind(name, place(tmp_path, trust))
            assert (loaded.origin, loaded.task, loaded.has_probabilities, loaded.runs) == (
                "loaded",
                "classification",
                True,
                1,
            )
            assert loaded.description == f"Artifact({name}, md5 {md5(path)})"
            found = ask(loaded)
            np.testing.assert_allclose(found["predict_proba"], model.predict_proba(X))
            assert found["predict"].tolist() == model.predict(X).tolist()


def test_a_trap_is_not_sprung(tmp_path: Path) -> None:
    for name in ("model.pkl", "model.joblib", "mlflow/model.pkl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    (tmp_path / "mlflow" / "MLmodel").write_text("flavors:\n  sklearn:\n    pickled_model: model.pkl\n")
    for name in ("model.pkl", "model.joblib", "mlflow"):
        with pytest.raises(CandidateError, match="is a pickle"):
            bind(name, place(tmp_path))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("ending", sorted({*FORMATS} - {".pkl", ".pickle", ".joblib"}))
def test_a_trap_is_not_sprung_under_another_ending(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"model{ending}").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    folder = tmp_path / "mlflow"
    folder.mkdir()
    (folder / f"model{ending}").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    flavor = FORMATS[ending]
    (folder / "MLmodel").write_text(
        "flavors:\n  sklearn: {pickled_model: model.skops, serialization_format: skops}\n"
        if flavor == "skops"
        else f"flavors:\n  {flavor}: {{data: model{ending}}}\n"
    )
    for name in (f"model{ending}", "mlflow"):
        with pytest.raises(CandidateError, match=r"can't be loaded: "):
            bind(name, place(tmp_path))
    assert not (tmp_path / "sprung").exists()


def test_a_manifest_of_mlflow_runs_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"
    folder.mkdir()
    sprung = tmp_path / "sprung"
    for text in (
        f"flavors: !!python/object/apply:builtins.open ['{sprung}', 'w']",
        f"flavors: {{sklearn: !!python/object/new:pathlib.Path ['{sprung}']}}",
        "[" * 100_000,
        "a: " * 400_000,
    ):
        (folder / "MLmodel").write_text(text)
        with pytest.raises(CandidateError, match=r"MLmodel is torn|names no flavors|none that can be loaded"):
            bind("mlflow", place(tmp_path))
    assert not sprung.exists()


def test_a_model_folder_of_mlflow_is_read_without_mlflow(tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"
    folder.mkdir()
    model = LinearRegression().fit(X, NUMBERS)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    manifest = folder / "MLmodel"
    manifest.write_text(
        "flavors:\n"
        "  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl}\n"
        "  sklearn: {pickled_model: model.pkl, serialization_format: cloudpickle}\n"
    )
    loaded = bind("mlflow", place(tmp_path, trusting(folder)))
    np.testing.assert_allclose(ask(loaded, None)["predict"], model.predict(X))
    for text, message in (
        ("flavors: {sklearn: {pickled_model: ../other.pkl}}", "leads out of its folder: '../other.pkl'"),
        (
            "flavors: {python_function: {loader_module: mine}}",
            "has the flavors python_function: none that can be loaded",
        ),
        ("flavors: [", "MLmodel is torn"),
        ("name: x", "names no flavors"),
    ):
        manifest.write_text(text)
        with pytest.raises(CandidateError, match=message):
            bind("mlflow", place(tmp_path))


# --- what is wrong


def test_files_that_hold_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "torn.pkl").write_bytes(pickle.dumps(LinearRegression().fit(X, NUMBERS))[:100])
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1]))
    for name, message in (
        ("model.h5", r"model\.h5: no model is loaded from \.h5"),
        ("folder", "folder is a folder without a file MLmodel"),
        ("torn.pkl", r"torn\.pkl can't be loaded: "),
        ("list.pkl", r"list\.pkl holds a list, which has no predict"),
    ):
        with pytest.raises(CandidateError, match=message):
            bind(name, place(tmp_path, Trust(paths=frozenset({(tmp_path / name).resolve()}))))


def test_other_features_are_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression().fit(X, LABELS[CODES])))
    loaded = bind("model.pkl", place(tmp_path, trusting(path)))
    with pytest.raises(CandidateError, match="ValueError: The feature names should match"):
        ask(loaded, rows=X.rename(columns={"a": "z"}))


# --- formats that hold no code


@pytest.mark.integration
@needs["skops"]
def test_skops_loads_only_trusted_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import skops.io

    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, LABELS[CODES])
    forest = RandomForestClassifier(5, random_state=0).fit(X, LABELS[CODES])
    skops.io.dump(linear, tmp_path / "linear.skops")
    skops.io.dump(forest, tmp_path / "forest.skops")
    skops.io.dump(Trap(tmp_path / "sprung"), tmp_path / "trap.skops")
    np.testing.assert_allclose(
        ask(bind("linear.skops", place(tmp_path)))["predict_proba"], linear.predict_proba(X), atol=1e-12
    )
    with pytest.raises(
        CandidateError, match=r"forest\.skops holds 'sklearn\.tree\._tree\.Tree', which nobody"
    ) as raised:
        bind("forest.skops", place(tmp_path))
    assert "model_check_trusted_types = sklearn.tree._tree.Tree" in raised.value.advice
    trust = Trust(types=frozenset({"sklearn.tree._tree.Tree"}))
    np.testing.assert_allclose(
        ask(bind("forest.skops", place(tmp_path, trust)))["predict_proba"], forest.predict_proba(X)
    )
    with pytest.raises(CandidateError, match=r"trap\.skops holds "):
        bind("trap.skops", place(tmp_path, trust))
    (tmp_path / "torn.skops").write_bytes((tmp_path / "linear.skops").read_bytes()[:500])
    with pytest.raises(CandidateError, match=r"torn\.skops can't be loaded: "):
        bind("torn.skops", place(tmp_path))
    assert not (tmp_path / "sprung").exists()
    monkeypatch.setattr(loaders, "LARGEST", 1000)
    (tmp_path / "bomb.skops").write_bytes((tmp_path / "linear.skops").read_bytes())
    with pytest.raises(CandidateError, match=r"bomb\.skops holds more than 0 GB, packed"):
        bind("bomb.skops", place(tmp_path))


@pytest.mark.integration
@needs["onnxruntime"]
@needs["skl2onnx"]
def test_onnx_reads_no_other_file(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    (tmp_path / "secret").write_bytes(np.arange(3, dtype=np.float32).tobytes())
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 1], np.zeros(3, dtype=np.float32).tobytes(), raw=True)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="secret")
    node = helper.make_node("MatMul", ["X", "w"], ["Y"])
    given = helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 3])
    answer = helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 1])
    model = helper.make_model(helper.make_graph([node], "leak", [given], [answer], [weights]))
    (tmp_path / "leak.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(CandidateError, match=r"leak\.onnx can't be loaded"):
        bind("leak.onnx", place(tmp_path))
    assert onnx.load(str(tmp_path / "leak.onnx"))  # it is a sound file beside its secret


@pytest.mark.integration
@needs["onnxruntime"]
@needs["skl2onnx"]
def test_onnx_answers_as_what_it_was_made_from(tmp_path: Path) -> None:
    from skl2onnx import to_onnx

    array = X.to_numpy(dtype=np.float32)
    numbered = LogisticRegression().fit(array, CODES)
    models = {
        "map": to_onnx(numbered, array),  # a map of probabilities for each row
        "table": to_onnx(numbered, array, options={"zipmap": False}),
        "labels": to_onnx(LogisticRegression().fit(array, LABELS[CODES].astype(str)), array),
        "numbers": to_onnx(LinearRegression().fit(array, NUMBERS), array),
    }
    for name, model in models.items():
        (tmp_path / f"{name}.onnx").write_bytes(model.SerializeToString())
    expected = numbered.predict_proba(array)
    for name in ("map", "table", "labels"):
        given = Artifact(f"{name}.onnx") if name == "labels" else Artifact(f"{name}.onnx", classes=["no", "yes"])
        loaded = bind(given, place(tmp_path))
        assert (loaded.task, loaded.has_probabilities) == ("classification", True)
        found = ask(loaded)
        np.testing.assert_allclose(found["predict_proba"], expected, atol=1e-5)
        assert found["predict"].tolist() == LABELS[numbered.predict(array)].tolist()
    regression = bind("numbers.onnx", place(tmp_path))
    assert regression.task == "regression"
    np.testing.assert_allclose(
        ask(regression, None)["predict"], LinearRegression().fit(array, NUMBERS).predict(array), rtol=1e-4
    )
    with pytest.raises(CandidateError, match=r"map\.onnx answers [01]: the target has no such label"):
        ask(bind("map.onnx", place(tmp_path)))
    with pytest.raises(CandidateError, match="was fitted on 3 features, and the check has 2"):
        ask(bind("map.onnx", place(tmp_path)), rows=X[["a", "b"]])
    with pytest.raises(CandidateError, match="its probabilities are in another order"):
        ask(bind(Artifact("table.onnx", classes=["yes", "no"]), place(tmp_path)), np.array([0, 1]))
    (tmp_path / "torn.onnx").write_bytes((tmp_path / "map.onnx").read_bytes()[:50])
    with pytest.raises(CandidateError, match=r"torn\.onnx can't be loaded"):
        bind("torn.onnx", place(tmp_path))


@pytest.mark.integration
@needs["xgboost"]
@needs["lightgbm"]
@needs["catboost"]
def test_boosted_trees_answer_as_when_they_were_saved(tmp_path: Path) -> None:
    import catboost
    import lightgbm
    import xgboost

    classifiers = {
        "x.ubj": xgboost.XGBClassifier(n_estimators=5).fit(X, CODES),
        "x.json": xgboost.XGBClassifier(n_estimators=5).fit(X, CODES),
        "l.txt": lightgbm.LGBMClassifier(n_estimators=5, verbosity=-1).fit(X, CODES),
        "c.cbm": catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False).fit(X, LABELS[CODES]),
    }
    regressors = {
        "xr.ubj": xgboost.XGBRegressor(n_estimators=5).fit(X, NUMBERS),
        "lr.lgb": lightgbm.LGBMRegressor(n_estimators=5, verbosity=-1).fit(X, NUMBERS),
        "cr.cbm": catboost.CatBoostRegressor(iterations=5, verbose=0, allow_writing_files=False).fit(X, NUMBERS),
    }
    for name, model in {**classifiers, **regressors}.items():
        getattr(model, "booster_", model).save_model(str(tmp_path / name))
    for name, model in classifiers.items():
        given = Artifact(name) if name == "c.cbm" else Artifact(name, classes=["no", "yes"])
        loaded = bind(given, place(tmp_path))
        assert (loaded.task, loaded.has_probabilities) == ("classification", True)
        np.testing.assert_allclose(ask(loaded)["predict_proba"], model.predict_proba(X), atol=1e-6)
        if name != "c.cbm":
            with pytest.raises(
                CandidateError, match="numbers its classes from 0 to 1, and the target's labels are 'no'"
            ):
                ask(bind(name, place(tmp_path)))
        (tmp_path / f"torn-{name}").write_bytes((tmp_path / name).read_bytes()[:200])
        with pytest.raises(CandidateError, match="can't be loaded"):
            bind(f"torn-{name}", place(tmp_path))
    for name, model in regressors.items():
        loaded = bind(name, place(tmp_path))
        assert loaded.task == "regression"
        np.testing.assert_allclose(ask(loaded, None)["predict"], model.predict(X), rtol=1e-5)
        with pytest.raises(CandidateError, match="was fitted on 3 features, and the check has 3: 'a', 'z' in one"):
            ask(loaded, None, rows=X.rename(columns={"a": "z"}))
