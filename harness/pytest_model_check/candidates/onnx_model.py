"""ONNX: a graph of operators, run by onnxruntime; it holds no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates import estimator
from pytest_model_check.candidates.fitted_model import Model, Source, require_features
from pytest_model_check.candidates.responses import aligned, checked
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd

NUMBERS: Mapping[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
LABEL_TYPES = ("tensor(int64)", "tensor(string)", "tensor(bool)", "tensor(int32)")


@dataclass(frozen=True)
class _Onnx:
    """A model in ONNX: one input of all features, or one for each."""

    session: Any
    labels: tuple[Any, ...] | None
    where: str

    @property
    def outputs(self) -> list[Any]:
        return list(self.session.get_outputs())

    @property
    def task(self) -> str:
        is_classifier = self.outputs[0].type in LABEL_TYPES or len(self.outputs) > 1
        return "classification" if is_classifier else "regression"

    @property
    def has_probabilities(self) -> bool:
        return self.task == "classification" and len(self.outputs) > 1

    def ask(self, X: pd.DataFrame, classes: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
        feed = self._feed(X)
        try:
            first, *others = self.session.run(None, feed)
        except Exception as error:
            raise estimator.raised(error) from error
        first = np.asarray(first)
        if classes is None:
            return {"predict": checked("predict", first, len(X))}
        predicted = checked("predict", first.reshape(len(X), -1)[:, 0] if first.ndim > 1 else first, len(X))
        if not others:
            return {"predict": self._meant(predicted, classes)}
        if isinstance(others[0], list):  # a map of probabilities for each row
            known = list(others[0][0])
            table = np.array([[row[label] for label in known] for row in others[0]], dtype=float)
            labels = [self._meant(np.array([label], dtype=object), classes)[0] for label in known]
        else:
            table = checked("predict_proba", others[0], len(X)).astype(float)
            labels = list(self.labels or classes.tolist())
            if len(labels) != table.shape[1]:
                raise CandidateError(
                    f"{self.where} answers {table.shape[1]} probabilities, the target has {len(labels)} labels",
                    f"Name those of the model, in its order: Artifact({self.where!r}, classes=[...])",
                )
        meant = self._meant(predicted, classes)
        likely = np.array(labels, dtype=object)[table.argmax(axis=1)]
        if (likely != meant).mean() > 0.5:  # ties apart, the likeliest label is the one that it answers
            raise CandidateError(
                f"{self.where}: its probabilities are in another order than the labels of the target",
                f"Name those of the model, in its order: Artifact({self.where!r}, classes=[...])",
            )
        return {"predict": meant, "predict_proba": aligned("predict_proba", table, labels, classes)}

    def _feed(self, X: pd.DataFrame) -> dict[str, NDArray[Any]]:
        inputs = self.session.get_inputs()
        if len(inputs) == 1:
            (only,) = inputs
            width = only.shape[-1] if len(only.shape) == 2 else None
            if isinstance(width, int) and width != X.shape[1]:
                raise CandidateError(
                    f"{self.where} was fitted on {width} features, and the check has {X.shape[1]}",
                    "Name those of the model, in its order: features=[...].",
                )
            return {only.name: self._array(X, only.type)}
        require_features([each.name for each in inputs], list(map(str, X.columns)), self.where)
        return {each.name: self._array(X[[each.name]], each.type) for each in inputs}

    def _array(self, X: pd.DataFrame, kind: str) -> NDArray[Any]:
        if kind == "tensor(string)":
            return X.astype(str).to_numpy(dtype=object)
        if kind not in NUMBERS:
            raise CandidateError(f"{self.where} takes {kind}, and not a table", "Export it for rows of features.")
        try:
            return X.to_numpy(dtype=NUMBERS[kind])
        except (ValueError, TypeError) as error:
            raise CandidateError(
                f"{self.where} takes numbers, and the check's features hold others: {one_line(error)}",
                "Encode them before, or export the encoder with the model.",
            ) from error

    def _meant(self, predicted: NDArray[Any], classes: NDArray[Any]) -> NDArray[Any]:
        """Return the target's labels: those of the model, or those that it numbers."""
        known = set(classes.tolist())
        values = predicted.tolist()
        if self.labels is not None and not set(values) <= known and all(isinstance(value, int) for value in values):
            values = [self.labels[value] if 0 <= value < len(self.labels) else value for value in values]
        odd = next((value for value in values if value not in known), None)
        if odd is not None:
            raise CandidateError(
                f"{self.where} answers {clipped(odd)}: the target has no such label",
                f"Say which is which, in its order: Artifact({self.where!r}, classes=[...])",
            )
        return np.array(values, dtype=classes.dtype)


def load_onnx(content: bytes, source: Source) -> Model:
    """Load a model in ONNX; from memory, so that it can't name other files."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return _Onnx(session, source.classes, source.where)
