"""Files of fitted models -> models that answer: each format is loaded from the bytes that were hashed."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from numpy.typing import NDArray

from pytest_model_check.candidates import estimator
from pytest_model_check.candidates.boosted_trees import load_catboost, load_lightgbm, load_xgboost
from pytest_model_check.candidates.fitted_model import LARGEST, Model, Source, read
from pytest_model_check.candidates.onnx_model import load_onnx
from pytest_model_check.checks.check import task_of
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd

FORMATS = {
    ".skops": "skops",
    ".onnx": "onnx",
    ".ubj": "xgboost",
    ".xgb": "xgboost",
    ".json": "xgboost",
    ".lgb": "lightgbm",
    ".txt": "lightgbm",
    ".cbm": "catboost",
    ".cb": "catboost",
    ".joblib": "pickle",
    ".pickle": "pickle",
    ".pkl": "pickle",
}
INSTALL = {"skops": 'pip install "pytest-model-check[skops]"', "onnxruntime": 'pip install "pytest-model-check[onnx]"'}


@functools.lru_cache(maxsize=4)
def load(source: Source) -> tuple[Model, tuple[str, ...]]:
    """Load a model, once in a process; and what there is to say of it.

    Raises
    ------
    CandidateError
        If it may not be loaded, or can't be.
    """
    content = read(source.path, source.where)
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != source.md5:
        raise CandidateError(f"{source.where} changes while it is judged", "Who writes to it?")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = _LOADERS[source.format](content, source)
    except CandidateError:
        raise
    except ImportError as error:
        package = (error.name or str(error)).partition(".")[0]
        raise CandidateError(
            f"{source.where} can't be loaded: {package} is not installed",
            f"It takes: {INSTALL.get(package, f'pip install {package}')}",
        ) from error
    except Exception as error:  # each library raises what it likes at a torn file, or one of another version
        raise CandidateError(
            f"{source.where} can't be loaded: {one_line(error)}",
            f"Is it whole, a file of {source.format}'s, and of a version that is installed here?",
        ) from error
    return model, _versions(caught)


def _versions(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Say once that a model was saved by another version than loads it."""
    for warned in caught:
        message = warned.message
        if type(message).__name__ == "InconsistentVersionWarning":
            saved, here = (
                getattr(message, "original_sklearn_version", "?"),
                getattr(message, "current_sklearn_version", "?"),
            )
            return (f"saved by scikit-learn {saved}, loaded by {here}: its answers may differ from what they were",)
    return ()


@dataclass(frozen=True)
class _Estimator:
    """A model with scikit-learn's interface."""

    model: Any
    task: str
    has_probabilities: bool

    def ask(self, X: pd.DataFrame, classes: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
        return estimator.ask_fitted(self.model, X, classes)


def _as_estimator(model: Any, source: Source) -> _Estimator:
    if not hasattr(model, "predict"):
        raise CandidateError(
            f"{source.where} holds a {type(model).__name__}, which has no predict", "Save the fitted model itself."
        )
    return _Estimator(model, task_of(model), hasattr(model, "predict_proba"))


def _load_skops(content: bytes, source: Source) -> Model:
    import skops.io

    with ZipFile(BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
            raise CandidateError(f"{source.where} holds more than {LARGEST // 10**9} GB, packed", "Don't load it.")
    untrusted = sorted(set(skops.io.get_untrusted_types(data=content)) - source.types)
    if untrusted:
        raise CandidateError(
            f"{source.where} holds {', '.join(map(clipped, untrusted[:3]))}"
            f"{f' and {len(untrusted) - 3} more' if len(untrusted) > 3 else ''}, which nobody trusts: it is not loaded",
            "Look at it first. A type is trusted when the ini file says so in the commit that decides "
            f"({source.decides}): model_check_trusted_types = {untrusted[0]}",
        )
    return _as_estimator(skops.io.loads(content, trusted=sorted(source.types)), source)


def _load_pickle(content: bytes, source: Source) -> Model:
    """Unpickle what `artifact` has found to be trusted."""
    import joblib

    return _as_estimator(joblib.load(BytesIO(content)), source)


_LOADERS: Mapping[str, Callable[[bytes, Source], Model]] = {
    "skops": _load_skops,
    "onnx": load_onnx,
    "xgboost": load_xgboost,
    "lightgbm": load_lightgbm,
    "catboost": load_catboost,
    "pickle": _load_pickle,
}
