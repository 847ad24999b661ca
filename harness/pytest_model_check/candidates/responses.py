"""A fitted candidate's responses to rows: checked, and aligned to the classes of the whole data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates.notes import Note
from pytest_model_check.errors import CandidateError

RESPONSES = ("predict", "predict_proba", "decision_function")
DIMENSIONS = {"predict": (1,), "predict_proba": (2,), "decision_function": (1, 2)}

ONE_TARGET = (
    "Only models of one target can be judged: for each row, predict answers one value, predict_proba one per class."
)


@dataclass(frozen=True)
class Answers:
    """What one fitted candidate answered for the rows it was not fitted on.

    Parameters
    ----------
    responses : mapping of str to ndarray
        ``predict``, ``predict_proba`` and ``decision_function``, as far as the model has them.
    warned : tuple of (type, str)
        The warnings of the fit, each once.
    seconds : tuple of (float, float)
        What fitting and predicting took.
    notes : tuple of Note or None
        What the fits of that process have asked of the world so far; None: nobody watched.
    """

    responses: Mapping[str, NDArray[Any]]
    warned: tuple[tuple[type[Warning], str], ...]
    seconds: tuple[float, float] = (0.0, 0.0)
    notes: tuple[Note, ...] | None = None


def checked(name: str, answers: Any, rows: int) -> NDArray[Any]:
    """Return a response as an array, one entry or line of numbers for each row.

    Raises
    ------
    CandidateError
        If it answers for other rows, holds NaN, or has a shape that no scorer understands.
    """
    import pandas as pd

    try:
        array = np.asarray(answers)
    except ValueError as error:  # parts of different lengths
        raise CandidateError(f"{name} answers a {type(answers).__name__} of unequal parts", ONE_TARGET) from error
    if name == "predict" and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]  # CatBoost's labels
    if array.ndim not in DIMENSIONS[name]:
        what = f"an array of shape {array.shape}" if array.ndim else type(answers).__name__
        raise CandidateError(f"{name} answers {what} where it was asked about {rows} rows", ONE_TARGET)
    if len(array) != rows:
        raise CandidateError(
            f"{name} answers {len(array)} rows where it was asked about {rows}", "It must answer every row it is given."
        )
    if array.dtype.kind not in "biuf":
        if name != "predict":
            raise CandidateError(f"{name} answers no numbers ({array.dtype})", ONE_TARGET)
        array = array.astype(object)
    bad = (pd.isna(array) if array.dtype.kind == "O" else ~np.isfinite(array)).reshape(rows, -1).any(axis=1)
    if bad.any():
        raise CandidateError(
            f"{name} answers NaN or infinity for {int(bad.sum())} of {rows} rows",
            "Does it divide by zero, or diverge? Such an answer can't be scored.",
        )
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def aligned(name: str, answers: NDArray[Any], known: Any, classes: NDArray[Any]) -> NDArray[Any]:
    """Bring the columns of a fold that lacks a class to the order of all classes."""
    if name == "decision_function" and answers.ndim == 1 and len(known) == 2 < len(classes):
        answers = np.stack([-answers, answers], axis=1)  # of the two that are left: one number for both
    if answers.ndim == 1 or (np.array_equal(known, classes) and name != "predict_proba"):
        return answers
    columns = [np.flatnonzero(classes == label) for label in known]
    if answers.shape[1] != len(columns) or any(len(column) != 1 for column in columns):
        raise CandidateError(
            f"{name} answers {answers.shape[1]} columns for classes {_shown(known)}, the data has {_shown(classes)}",
            "Its columns must be those of its classes_, and these be labels of the target.",
        )
    if name == "predict_proba":
        _require_probabilities(answers)
    fill = 0.0 if name == "predict_proba" else float(np.finfo(np.float64).min)
    full = np.full((len(answers), len(classes)), fill)
    full[:, np.concatenate(columns)] = answers
    return full


def _require_probabilities(answers: NDArray[Any]) -> None:
    """Refuse what is no probability: its log loss can be as good as one likes."""
    sums = answers.sum(axis=1)
    if (answers < 0).any() or (np.abs(sums - 1) > 1e-3).any():
        raise CandidateError(
            "predict_proba answers no probabilities: the sums of its rows range "
            f"from {sums.min():.4g} to {sums.max():.4g}" + (", some are negative" if (answers < 0).any() else ""),
            "Each row must hold numbers from 0 to 1 that sum to 1.",
        )


def _shown(classes: Any) -> str:
    labels = [str(label) for label in classes]
    return ", ".join(labels[:4]) + (f" and {len(labels) - 4} more" if len(labels) > 4 else "")
