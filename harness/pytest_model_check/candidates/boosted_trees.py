"""XGBoost, LightGBM and CatBoost, each from its own format, which holds no code."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates import estimator
from pytest_model_check.candidates.fitted_model import Model, Source, require_features
from pytest_model_check.candidates.responses import aligned, checked
from pytest_model_check.errors import CandidateError
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd


def load_xgboost(content: bytes, source: Source) -> Model:
    """Load a booster of XGBoost's."""
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    is_classifier = objective in ("binary:logistic", "multi:softprob")
    if not is_classifier and not objective.startswith(("reg:", "count:")):
        raise CandidateError(
            f"{source.where} has the objective {objective}, which gives neither probabilities nor numbers to score",
            "Fit it with binary:logistic, multi:softprob or one of reg:...",
        )

    def predict(X: pd.DataFrame) -> NDArray[Any]:
        found: NDArray[Any] = booster.predict(xgboost.DMatrix(X, enable_categorical=True, nthread=1))
        return found

    names = tuple(booster.feature_names or ())
    return _Numbered(is_classifier, names, predict, source.classes, source.where)


def load_lightgbm(content: bytes, source: Source) -> Model:
    """Load a booster of LightGBM's."""
    import lightgbm

    text = content.decode("utf-8")
    booster = lightgbm.Booster(model_str=text, params={"verbosity": -1})
    match = re.search(r"^objective=(\S+)", text, re.MULTILINE)
    objective = match[1] if match else "regression"
    is_classifier = objective in ("binary", "multiclass", "multiclassova")
    names = tuple(booster.feature_name())
    if all(re.fullmatch(r"Column_\d+", name) for name in names):
        names = ()  # it was fitted on an array

    def predict(X: pd.DataFrame) -> NDArray[Any]:
        return np.asarray(booster.predict(X.set_axis(range(X.shape[1]), axis=1), num_threads=1))

    return _Numbered(is_classifier, names, predict, source.classes, source.where)


def load_catboost(content: bytes, source: Source) -> Model:
    """Load a model of CatBoost's."""
    import catboost

    model = catboost.CatBoost()
    with tempfile.TemporaryDirectory() as folder:  # from memory, a torn model would end the process
        file = Path(folder, "model.cbm")
        file.write_bytes(content)
        model.load_model(str(file))
    labels = tuple(np.asarray(model.classes_).tolist()) if model.classes_ is not None else ()
    kind = "Probability" if labels else "RawFormulaVal"

    def predict(X: pd.DataFrame) -> NDArray[Any]:
        return np.asarray(model.predict(X, prediction_type=kind, thread_count=1))

    names = tuple(model.feature_names_ or ())
    return _Numbered(bool(labels), names, predict, source.classes or labels or None, source.where)


@dataclass(frozen=True)
class _Numbered:
    """A model that answers numbers for rows: of a classifier a column of probabilities for each of its labels."""

    has_probabilities: bool
    names: tuple[str, ...]
    predict: Callable[[pd.DataFrame], NDArray[Any]]
    labels: tuple[Any, ...] | None
    where: str

    @property
    def task(self) -> str:
        """What it does."""
        return "classification" if self.has_probabilities else "regression"

    def ask(self, X: pd.DataFrame, classes: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
        require_features(self.names, list(map(str, X.columns)), self.where)
        try:
            raw = np.asarray(self.predict(X))
        except Exception as error:
            raise estimator.raised(error) from error
        if classes is None:
            return {"predict": checked("predict", raw, len(X))}
        if raw.ndim == 1:  # of two classes
            raw = np.column_stack([1 - raw, raw])
        answers = checked("predict_proba", raw, len(X))
        known = _labels(self.labels, answers.shape[1], classes, self.where)
        probabilities = aligned("predict_proba", answers.astype(float), known, classes)
        return {"predict": classes[probabilities.argmax(axis=1)], "predict_proba": probabilities}


def _labels(given: tuple[Any, ...] | None, count: int, classes: NDArray[Any], where: str) -> list[Any]:
    """Return the labels of a model that only numbers them."""
    if given is not None:
        if len(given) != count:
            raise CandidateError(f"{where} tells {count} classes apart, and classes= names {len(given)}", "Name each.")
        return list(given)
    if classes.tolist() == list(range(count)):
        return list(classes.tolist())
    shown = ", ".join(map(clipped, classes.tolist()[:6]))
    raise CandidateError(
        f"{where} numbers its classes from 0 to {count - 1}, and the target's labels are {shown}",
        f"Say which is which, in its order: Artifact({where!r}, classes=[{shown}])",
    )
